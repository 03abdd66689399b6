"""Kept lines are those of the very cadence that is trained on, and change no answer."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from abacad.config import Augment, Data, Model, Recipe, Represent, Trainer
from abacad.learn import kept_lines
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Samples
from abacad.learn.kept_lines import lines_if_wanted
from abacad.learn.packed import Packed, pack
from abacad.model import evidence
from abacad.model.detector import build_detector
from abacad.model.evidence import MAX_DRIFT, from_bytes, line_evidence
from abacad.model.lines import spread
from abacad.represent.representation import representation
from abacad.run.train import train
from abacad.signal.cadence import Axes

PLAIN = Augment(horizontal_flip=0.5, vertical_flip=0.5, shift=0.0)
RECIPE = Recipe(
    represent=Represent(kind="binned"), model=Model(name="panel", pretrained=False), augment=PLAIN,
    data=Data(workers=0), trainer=Trainer(accelerator="cpu", progress=False),
)  # fmt: skip
AXES = Axes.usual(273, 64)
N = 12


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


class Noise(torch.utils.data.Dataset):
    """Planes of noise, a bright line at another place and drift in each cadence."""

    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> torch.Tensor:
        planes = torch.randn(18, 39, 64, generator=torch.Generator().manual_seed(index))
        planes[:, torch.arange(39), 5 + 4 * index] += 5.0
        return planes


@pytest.fixture
def packed(tmp_path) -> Packed:
    return pack(Noise(), N, tmp_path / "packed.npy")


def summed(planes: torch.Tensor) -> torch.Tensor:
    return line_evidence(planes[None, 6:12], MAX_DRIFT, AXES.panel_start)[0]


def test_lines_are_those_of_the_cadence_in_its_clean_view(packed, tmp_path):
    lines = lines_if_wanted(packed, tmp_path / "lines.npy", RECIPE, AXES)
    assert len(lines) == N
    for place in range(N):
        torch.testing.assert_close(from_bytes(lines[place]), summed(packed[place]), atol=0.02, rtol=0)


def test_a_detector_answers_the_same_with_kept_lines(packed, tmp_path):
    lines = lines_if_wanted(packed, tmp_path / "lines.npy", RECIPE, AXES)
    detector = build_detector(replace(RECIPE.model, pretrained=True), RECIPE.represent, AXES).eval()
    planes = torch.stack([packed[place] for place in range(N)])
    kept = from_bytes(torch.stack([lines[place] for place in range(N)]))
    with torch.inference_mode():
        anew, same, others = (detector(planes, evidence=given) for given in (None, kept, kept.flip(0)))
    torch.testing.assert_close(same, anew, atol=0.05, rtol=0)
    assert (others - anew).abs().max() > 0.5


def test_lines_turn_round_with_their_cadence(packed, tmp_path):
    """Flips are drawn once for both: the largest sums of the sample's planes are beside those of its lines."""
    lines = lines_if_wanted(packed, tmp_path / "lines.npy", RECIPE, AXES)
    augmentation = Augmentation(PLAIN, representation(RECIPE.represent))
    samples = Samples(packed, range(N), np.zeros(N), augmentation, seed=3, lines=lines)
    unchanged = 0
    for epoch in range(4):
        samples.set_epoch(epoch)
        for place in range(N):
            planes, kept = samples[place].planes, from_bytes(samples[place].lines)
            made = summed(planes)
            for on in (2, 3, 4):  # the planes have no place for the last OFF panel when time is reversed
                assert (made[on] <= spread(spread(kept[on], -1), -2) + 0.03).all()
                assert (kept[on] <= spread(spread(made[on], -1), -2) + 0.03).all()
            unchanged += torch.equal(samples[place].lines, lines[place])
    assert 2 <= unchanged <= 24  # one in four of 48


@pytest.mark.parametrize(
    "changes",
    [
        {"augment": replace(PLAIN, shift=0.1)},
        {"augment": replace(PLAIN, mixup=1.0)},
        {"data": Data(workers=0, simulated=4)},
        {"model": Model(name="efficientnet_b0", pretrained=False)},
        {"represent": Represent(kind="binned", views=("shared",))},
    ],
    ids=["shifted", "mixed", "simulated", "image network", "no clean view"],
)
def test_no_lines_where_they_would_be_wrong_or_of_no_use(changes, packed, tmp_path):
    assert lines_if_wanted(packed, tmp_path / "lines.npy", replace(RECIPE, **changes), AXES) is None
    assert not (tmp_path / "lines.npy").exists()


def test_no_lines_on_a_gpu_nor_of_cadences_that_are_not_packed(packed, tmp_path, monkeypatch):
    assert lines_if_wanted(Noise(), tmp_path / "lines.npy", RECIPE, AXES) is None
    for asked in ("cuda", "gpu", "mps"):  # there or not
        recipe = replace(RECIPE, trainer=Trainer(accelerator=asked, progress=False))
        assert lines_if_wanted(packed, tmp_path / "lines.npy", recipe, AXES) is None
    monkeypatch.setattr(kept_lines, "pick_device", lambda _: torch.device("cuda"))
    assert lines_if_wanted(packed, tmp_path / "lines.npy", RECIPE, AXES) is None


def test_lines_of_another_timetable_are_made_anew(packed, tmp_path):
    path = tmp_path / "lines.npy"
    lines_if_wanted(packed, path, RECIPE, replace(AXES, panel_start_s=tuple(330.0 * k for k in range(6))))
    other = np.load(path)
    again = lines_if_wanted(packed, path, RECIPE, AXES)
    assert (np.load(path) != other).any()
    torch.testing.assert_close(from_bytes(again[7]), summed(packed[7]), atol=0.02, rtol=0)
    before = path.stat().st_mtime_ns
    lines_if_wanted(packed, path, RECIPE, AXES)
    assert path.stat().st_mtime_ns == before


def test_a_training_sums_lines_once_and_learns_the_same(shared_competition, tmp_path, monkeypatch):
    options = {
        "recipe": "compact", "trainer.max_epochs": 1, "trainer.progress": False, "trainer.loggers": (), "data.folds": 2,
        "data.workers": 0, "data.only": 0, "optim.batch_size": 8, "augment.horizontal_flip": 0.0,
        "augment.vertical_flip": 0.0, "trainer.accelerator": "cpu",
    }  # fmt: skip
    sums = []

    def counted(*arguments):
        sums.append(len(arguments[0]))
        return line_evidence(*arguments)

    monkeypatch.setattr(evidence, "line_evidence", counted)
    losses = {}
    for pack_ in ("never", "always"):
        sums.clear()
        run = train(str(shared_competition), tmp_path / pack_, **options, **{"data.pack": pack_}).path
        metrics = np.genfromtxt(run / "fold0" / "metrics.csv", delimiter=",", names=True)
        losses[pack_] = [float(metrics[name]) for name in ("train_loss", "val_loss")]
        # of 40 cadences 20 are held back, judged after the epoch and scored at the end; 16 of the others fill batches
        assert sum(sums) == {"never": 16 + 20 + 20, "always": 1 + 40 + 20}[pack_]
    assert losses["always"] == pytest.approx(losses["never"], abs=5e-3)


@pytest.mark.parametrize("name", ["lines-train.npy", "last.ckpt"])
def test_a_killed_training_goes_on_with_the_lines_that_it_had(name, shared_competition, tmp_path, monkeypatch):
    options = {
        "recipe": "compact", "trainer.max_epochs": 2, "trainer.progress": False, "trainer.loggers": (), "data.folds": 2,
        "data.workers": 0, "data.only": 0, "optim.batch_size": 8, "trainer.accelerator": "cpu", "data.pack": "always",
    }  # fmt: skip
    plain, killed, data = os.replace, [], str(shared_competition)
    whole = train(data, tmp_path / "whole", **options).path / "fold0" / "oof.csv"

    def replace_(source, target):
        plain(source, target)
        if Path(target).name == name and not killed:
            killed.append(target)
            raise Killed

    monkeypatch.setattr(os, "replace", replace_)
    with pytest.raises(Killed):
        train(data, tmp_path / "run", **options)
    assert (tmp_path / "run" / "lines-train.npy").is_file()
    again = train(data, tmp_path / "run", **options).path / "fold0" / "oof.csv"
    assert again.read_text() == whole.read_text()


@pytest.mark.parametrize("spoil", [np.zeros_like, np.negative, lambda lines: lines[::-1].copy()])
def test_lines_of_something_else_are_made_anew(spoil, packed, tmp_path):
    path = tmp_path / "lines.npy"
    lines_if_wanted(packed, path, RECIPE, AXES)
    right = np.load(path)
    np.save(path, spoil(right))
    lines_if_wanted(packed, path, RECIPE, AXES)
    np.testing.assert_array_equal(np.load(path), right)

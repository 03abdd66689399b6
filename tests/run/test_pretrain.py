"""A detector from simulated cadences alone: drawn in turn, held back alike, made again by their ids, or refused."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.errors import AbacadError
from abacad.learn.run_folder import RunFolder, judge_of
from abacad.model.device import pick_device
from abacad.run.pretrain import pretrain, simulated_cadence
from abacad.searcher.simulated_stamps import SimulatedStamps
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from tests.run.made import RECIPE

SMALL = replace(PRESETS["easy"], axes=Axes.usual(28, 32), scenes=replace(PRESETS["easy"].scenes, n_freq=128))
QUICK = replace(RECIPE, trainer=replace(RECIPE.trainer, max_epochs=1))


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A pretraining on a hundred small cadences of two presets, and the preset table that it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "bright", SMALL)
        patch.setitem(PRESETS, "rare", replace(SMALL, positives=0.2))
        run = RunFolder(tmp_path_factory.mktemp("pre") / "run")
        pretrain(run.path, QUICK, presets=["bright", "rare"], cadences=100, positives=0.5)
        yield run


def test_every_tenth_of_each_preset_judges(pretrained):
    oof = pd.read_csv(pretrained.oof)
    assert len(oof) == 10
    assert oof["id"].str.split("-").str[0].value_counts().to_dict() == {"bright": 5, "rare": 5}
    assert oof["id"].tolist() == [
        f"{('bright', 'rare')[k % 2]}-{k:06d}" for k in (18, 19, 38, 39, 58, 59, 78, 79, 98, 99)
    ]
    assert oof["score"].between(0, 1).all()


def test_the_folder_tells_what_it_was_made_from_and_judges_as_any_other(pretrained):
    record = json.loads(pretrained.record.read_text())
    assert record["verb"] == "pretrain"
    assert record["simulated"]["presets"] == ["bright", "rare"]
    assert record["simulated"]["positives"] == 0.5
    assert set(record["auc_presets"]) == {"bright", "rare"}
    assert not pretrained.packed.exists()
    assert pretrained.pretrained.read_bytes() == pretrained.weights(0).read_bytes()
    judge = judge_of(pretrained.path, pick_device("cpu"))
    assert judge.detectors[0].axes == SMALL.axes


def test_needles_too_rare_for_an_auc_are_told_before_anything_is_simulated(pretrained, tmp_path, monkeypatch):
    monkeypatch.setattr("abacad.run.pretrain.pack", lambda *_args, **_more: 1 / 0)
    with pytest.raises(AbacadError, match=r"Fold 0 holds back one class only.*\nAsk for more --cadences"):
        pretrain(tmp_path / "run", QUICK, presets="bright", cadences=100, positives=0.001)


def test_a_cadence_is_made_again_from_its_id(pretrained):
    """What a report shows is what the detector has judged: same id, same cadence; needles are as frequent as asked."""
    oof = pd.read_csv(pretrained.oof)
    judge = judge_of(pretrained.path, pick_device("cpu"))
    import torch

    for row in oof.head(3).itertuples():
        cadence = simulated_cadence(pretrained, row.id)
        np.testing.assert_array_equal(cadence, simulated_cadence(pretrained, row.id))
        scored = judge.scores(torch.from_numpy(cadence)[None].float())[0]
        assert scored == pytest.approx(row.score, abs=2e-2)  # packed cadences are rounded to float16


def test_the_same_call_again_changes_nothing(pretrained):
    before = pretrained.pretrained.stat().st_mtime_ns
    pretrain(pretrained.path, QUICK, presets=["bright", "rare"], cadences=100, positives=0.5)
    assert pretrained.pretrained.stat().st_mtime_ns == before


@pytest.fixture(scope="module")
def with_stamps(tmp_path_factory):
    """A pretraining on windows and stamps of a preset whose name has a hyphen."""
    wide = replace(SMALL, axes=Axes.usual(16, 256), scenes=replace(SMALL.scenes, n_freq=512))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "wide-one", wide)
        run = RunFolder(tmp_path_factory.mktemp("stamps") / "run")
        pretrain(run.path, QUICK, presets=["wide-one"], cadences=100, positives=0.5, stamps=True)
        yield run


def test_half_of_a_pretraining_are_stamps_and_judged_apart(with_stamps):
    oof = pd.read_csv(with_stamps.oof)
    assert oof["id"].tolist() == [
        f"{('wide-one', 'wide-one-stamps')[k % 2]}-{k:06d}" for k in (18, 19, 38, 39, 58, 59, 78, 79, 98, 99)
    ]
    record = json.loads(with_stamps.record.read_text())
    assert record["simulated"]["stamps"] is True
    assert set(record["auc_presets"]) <= {"wide-one", "wide-one-stamps"}
    assert record["auc_presets"]


def test_a_stamp_is_made_again_from_its_id(with_stamps):
    axes = PRESETS["wide-one"].axes
    window, stamp = (simulated_cadence(with_stamps, f"wide-one-{index:06d}") for index in (18, 19))
    assert window.shape == stamp.shape == (6, axes.n_time, axes.n_freq)
    own = SimulatedStamps(replace(PRESETS["wide-one"], positives=0.5), 50, QUICK.seed + 1, "pretrain")
    np.testing.assert_array_equal(stamp, own[9][0])
    np.testing.assert_array_equal(simulated_cadence(with_stamps, "wide-one-stamps-000019"), stamp)


@pytest.mark.parametrize("change", [{"cadences": 110}, {"positives": 0.4}])
def test_other_cadences_need_another_folder(change, pretrained):
    asked = {"presets": ["bright", "rare"], "cadences": 100, "positives": 0.5} | change
    with pytest.raises(AbacadError, match="was trained on other labels"):
        pretrain(pretrained.path, QUICK, **asked)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"presets": ["moon"]}, r"There is no preset moon\.\nPresets: kaggle"),
        ({"presets": []}, "There is no preset named"),
        ({"cadences": 99}, "99 cadences: ask for 100 to 10,000,000"),
        ({"cadences": 10**9}, "ask for 100 to"),
        ({"positives": 0.0}, "leaves one class only"),
        ({"positives": 1.0}, "leaves one class only"),
        ({"presets": ["kaggle", "telescope"]}, "different axes"),
        ({"presets": "narrow", "stamps": True}, "Stamps have 256 channels, and these presets 32"),
        ({"bright_first": True, "trainer.max_epochs": 2}, "is one pass, not 2 epochs"),
        ({"optim.lr": -1}, "optim.lr"),
    ],
)
def test_what_no_pretraining_can_mean_is_refused_before_a_folder_is_made(asked, said, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "narrow", SMALL)
    with pytest.raises(AbacadError, match=said):
        pretrain(tmp_path / "run", **asked)
    assert not (tmp_path / "run").exists()


def test_a_run_that_does_not_say_makes_no_cadence_again(tmp_path):
    run = RunFolder(tmp_path)
    run.note(verb="pretrain")
    with pytest.raises(AbacadError, match="does not say what the run's cadences were simulated from"):
        simulated_cadence(run, "kaggle-000001")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--presets", "[moon]"], "kaggle"),
        (["--cadences", "20"], "ask for 100"),
        (["--positives", "1"], "one class"),
        (["--presets", "[kaggle,telescope]"], "different axes"),
    ],
)
def test_what_cannot_be_pretrained_is_told(words, said, tmp_path, capsys):
    assert main(["pretrain", "--run", str(tmp_path / "run"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / "weights.safetensors").exists()

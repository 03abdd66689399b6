"""A detector on disk: the same function when it is read again, and nothing but a detector of ours is believed."""

import json
import os
import stat
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model import checkpoint
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import SHIPPED, Detector, build_detector
from abacad.model.tensors import read_weights
from abacad.represent.representation import represent
from abacad.signal.cadence import Axes

TIMM = {"name": "mobilenetv3_small_050", "pretrained": False}
SMALL = Model("panel", width=2, pretrained=False)
BINNED = Represent("binned", views=("clean",), rows=4)


def small(seed: int = 0, axes: Axes | None = None) -> Detector:
    torch.manual_seed(seed)
    return build_detector(SMALL, BINNED, axes).eval()


def saved(path, **more):
    save_detector(path, small(), SMALL, BINNED, **more)
    return path


def described(path) -> tuple[dict, dict[str, torch.Tensor]]:
    with safetensors.safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["abacad"])
        return about, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — no mapping


def rewritten(path, about, weights):
    safetensors.torch.save_file(weights, path, metadata={"abacad": json.dumps(about)})
    return path


@pytest.mark.parametrize(
    ("model", "seen"),
    [
        (Model(**TIMM), Represent("tall_on", contrast="none")),
        (SMALL, BINNED),
        (SMALL, replace(BINNED, views=("track",))),
    ],
)
def test_a_saved_detector_scores_the_same_and_knows_its_representation(model, seen, tmp_path):
    detector = build_detector(model, seen).eval()
    save_detector(tmp_path / "best.safetensors", detector, model, seen)
    again, known = load_detector(tmp_path / "best.safetensors")
    assert known == seen
    assert not again.training
    planes = represent(torch.randn(2, 6, 28, 64), seen)
    with torch.inference_mode():
        assert torch.equal(again(planes), detector(planes))


def test_the_timetable_of_its_cadences_comes_along(tmp_path):
    axes = replace(Axes(), n_time=16, dt_s=18.25, panel_start_s=(0.0, 320.0, 650.0, 1000.0, 1310.0, 1640.0))
    save_detector(tmp_path / "best.safetensors", small(axes=axes), SMALL, BINNED)
    assert load_detector(tmp_path / "best.safetensors")[0].axes == axes


def test_a_file_of_earlier_versions_has_no_axes_and_means_the_competitions(tmp_path):
    about, weights = described(saved(tmp_path / "new.safetensors"))
    del about["axes"]
    assert load_detector(rewritten(tmp_path / "old.safetensors", about, weights))[0].axes == Axes()


def test_a_detector_saved_before_rows_were_summed_in_images_reads_single_rows(tmp_path):
    """Its file says 7 rows, which only `binned` summed then."""
    detector = build_detector(Model(**TIMM), Represent())
    save_detector(tmp_path / "new.safetensors", detector, Model(**TIMM), Represent(rows=7))
    assert load_detector(tmp_path / "new.safetensors")[1].summed_rows == 7
    about, weights = described(tmp_path / "new.safetensors")
    del about["format"]
    assert load_detector(rewritten(tmp_path / "old.safetensors", about, weights))[1].summed_rows == 1


def test_rows_of_the_panel_network_were_always_summed(tmp_path):
    about, weights = described(saved(tmp_path / "new.safetensors"))
    del about["format"]
    assert load_detector(rewritten(tmp_path / "old.safetensors", about, weights))[1].summed_rows == 4


def test_where_its_own_start_was_from_no_longer_matters(tmp_path):
    """Files of earlier versions name a file and the hub; the detector in them needs neither."""
    about, weights = read_weights(saved(tmp_path / "best.safetensors"))
    about["model"] |= {"pretrained": True, "weights": str(tmp_path / "gone.safetensors")}
    again, _ = load_detector(rewritten(tmp_path / "old.safetensors", about, weights))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in small().state_dict().items())


def test_a_file_tells_no_path_of_the_machine_that_it_was_trained_on(tmp_path):
    start = replace(SMALL, weights="/home/somebody/runs/first/weights.safetensors")
    save_detector(tmp_path / "best.safetensors", small(), start, BINNED)
    assert b"somebody" not in (tmp_path / "best.safetensors").read_bytes()


def test_no_file_of_weights_in_the_package_tells_a_path():
    files = sorted(SHIPPED.parent.glob("*.safetensors"))
    assert len(files) >= 6
    for file in files:
        about, _ = read_weights(file)
        assert (about.get("model") or {}).get("weights") is None, file.name


def test_weights_in_another_order_of_memory_are_kept(tmp_path):
    detector = small().to(memory_format=torch.channels_last)
    save_detector(tmp_path / "best.safetensors", detector, SMALL, BINNED)
    again, _ = load_detector(tmp_path / "best.safetensors")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in detector.state_dict().items())


def test_folds_do_not_change_places(tmp_path):
    path = saved(tmp_path / "best.safetensors", fold=1)
    assert load_detector(path, fold=1)
    assert load_detector(path)
    with pytest.raises(AbacadError, match=r"best\.safetensors holds the detector of fold 1, not of fold 0"):
        load_detector(path, fold=0)


def test_a_detector_of_no_fold_fits_any(tmp_path):
    assert load_detector(saved(tmp_path / "pretrained.safetensors"), fold=3)


def test_an_absent_detector_is_told_with_the_command_that_trains_one(tmp_path):
    with pytest.raises(AbacadError) as told:
        load_detector(tmp_path / "run" / "fold0" / "best.safetensors")
    assert "no trained detector" in str(told.value)
    assert f"abacad train DATA --run {tmp_path / 'run'}." in str(told.value)


def test_a_foreign_file_is_no_detector(tmp_path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(AbacadError, match=r"foreign\.safetensors holds no detector that abacad saved"):
        load_detector(tmp_path / "foreign.safetensors")


@pytest.mark.parametrize("name", ["hf-hub:someone/network", "local-dir:/etc", "someone/network"])
def test_a_file_cannot_have_a_network_fetched(name, tmp_path):
    about, weights = described(saved(tmp_path / "best.safetensors"))
    about["model"]["name"] = name
    with pytest.raises(AbacadError, match="Nothing is fetched to open a file"):
        load_detector(rewritten(tmp_path / "other.safetensors", about, weights))


@pytest.mark.parametrize(
    ("part", "key", "value", "said"),
    [
        ("model", "width", 3, r"is \(2, 1, 5, 5\) of float32; this network takes \(3, 1, 5, 5\)"),
        ("model", "width", "2", r"model\.width is '2'"),
        ("model", "name", "no_such_network", "holds no detector that can be built"),
        ("represent", "kind", "tall", "holds no detector that can be built"),
        ("represent", "views", [], "represent.views is empty"),
        ("axes", "dt_s", "long", r"axes\.dt_s is 'long'"),
    ],
)
def test_a_description_that_does_not_fit_is_told_by_its_key(part, key, value, said, tmp_path):
    about, weights = described(saved(tmp_path / "best.safetensors"))
    about[part][key] = value
    with pytest.raises(AbacadError, match=said) as told:
        load_detector(rewritten(tmp_path / "bad.safetensors", about, weights))
    assert "bad.safetensors" in str(told.value)
    assert len(str(told.value).splitlines()) <= 3


def test_what_was_there_stays_when_a_detector_cannot_be_written(tmp_path, monkeypatch):
    path = saved(tmp_path / "best.safetensors")
    before = path.read_bytes()

    def broken(*_args, **_more):
        raise MemoryError

    monkeypatch.setattr(checkpoint, "save", broken)
    with pytest.raises(MemoryError):
        saved(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_others_may_read_it_as_far_as_the_umask_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        path = saved(tmp_path / "best.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644

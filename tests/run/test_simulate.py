import dataclasses
import errno
import filecmp
import importlib
import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import abacad.files
from abacad.errors import AbacadError
from abacad.run.simulate import simulate
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Families, Needles, Scenes, Simulation

module = importlib.import_module("abacad.run.simulate")

SMALL = Simulation(
    axes=Axes(n_time=16, n_freq=32, dt_s=18.0),
    scenes=Scenes(n_freq=128),
    needles=Needles(families=Families(s_curve=0.0), test_families=Families(s_curve=2.0), drift_hz_s=(0.005, 0.05)),
    positives=0.25,
)
SHARED = dataclasses.replace(SMALL, scenes=Scenes(n_freq=128, overlap="shared"))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def same(one: Path, other: Path) -> bool:
    names = files(one)
    return names == files(other) and filecmp.cmpfiles(one, other, names, shallow=False)[0] == names


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("sim") / "set", SMALL, n_train=60, n_test=40, seed=4, progress=False)


def test_the_competition_layout(folder: Path):
    labels = pd.read_csv(folder / "train_labels.csv")
    submission = pd.read_csv(folder / "sample_submission.csv")
    assert list(labels.columns) == list(submission.columns) == ["id", "target"]
    assert len(labels) == 60
    assert len(submission) == 40
    assert (submission["target"] == 0.5).all()
    assert labels["target"].sum() == 15
    for split, ids in (("train", labels["id"]), ("test", submission["id"])):
        for name in ids:
            assert re.fullmatch("[0-9a-f]{15}", name)
            cadence = np.load(folder / split / name[0] / f"{name}.npy")
            assert cadence.shape == (6, 16, 32)
            assert cadence.dtype == np.float16
    assert len(files(folder)) == 100 + 5
    assert any((folder / "old_leaky_data").iterdir())
    assert not [name for name in files(folder) if name.endswith(".part")]


def test_a_cadence_file_of_the_competition_has_838784_bytes(tmp_path: Path):
    simulation = dataclasses.replace(PRESETS["kaggle"], scenes=Scenes(n_freq=256))
    simulate(tmp_path / "set", simulation, n_train=1, n_test=0, progress=False)
    (path,) = (tmp_path / "set" / "train").rglob("*.npy")
    assert path.stat().st_size == 838_784


def test_truth_tells_what_is_in_each(folder: Path):
    truth = pd.read_csv(folder / "truth.csv").set_index("id")
    labels = pd.read_csv(folder / "train_labels.csv").set_index("id")
    assert set(truth["split"]) == {"train", "test"}
    assert (truth.loc[labels.index, "target"] == labels["target"]).all()
    needles = truth[truth["target"] == 1]
    assert needles["pixel_snr"].gt(0).all()
    assert needles["panel_snr"].ge(needles["pixel_snr"] * 0.5).all()
    assert (truth["kind"].eq("needle") == truth["target"].eq(1)).all()
    np.testing.assert_allclose(
        needles["drift_bins_per_panel"], needles["drift_hz_s"] * 315 / SMALL.axes.df_hz, rtol=1e-4
    )
    card = json.loads((folder / "simulation.json").read_text())
    assert card["seed"] == 4
    assert card["simulation"]["axes"]["n_time"] == 16


def test_bright_needles_are_where_the_truth_says(tmp_path: Path):
    bright = dataclasses.replace(SHARED, needles=dataclasses.replace(SMALL.needles, pixel_snr=(80.0, 90.0)))
    out = simulate(tmp_path / "set", bright, n_train=40, n_test=0, progress=False)
    truth = pd.read_csv(out / "truth.csv")
    lines = truth[(truth["target"] == 1) & (truth["family"] == "line")]
    assert len(lines) > 1
    for needle in lines.itertuples():
        cadence = np.load(out / "train" / needle.id[0] / f"{needle.id}.npy").astype(np.float32)
        first = cadence[int(str(needle.panels_lit)[0])]
        row = np.flatnonzero(first.max(1) > 0.3 * first.max())[0]
        assert abs(first[row].argmax() - needle.channel) <= 1


def test_s_curves_stand_in_test_only(folder: Path):
    needles = pd.read_csv(folder / "truth.csv").query("target == 1")
    assert "s_curve" not in set(needles.loc[needles["split"] == "train", "family"])
    assert "s_curve" in set(needles.loc[needles["split"] == "test", "family"])


@pytest.mark.parametrize(("simulation", "meet"), [(SMALL, False), (SHARED, True)])
def test_train_and_test_share_scenes_or_do_not(simulation: Simulation, meet: bool, tmp_path: Path):
    truth = pd.read_csv(simulate(tmp_path / "set", simulation, n_train=30, n_test=30, progress=False) / "truth.csv")
    scenes = truth.groupby("split")["scene"].agg(set)
    assert bool(scenes["train"] & scenes["test"]) == meet


def test_windows_of_a_scene_overlap_up_to_an_affine_map(folder: Path):
    truth = pd.read_csv(folder / "truth.csv").query("kind == 'none'")
    compared = 0
    for _, scene in truth.groupby("scene"):
        for a, b in itertools.combinations(scene.sort_values("offset").itertuples(), 2):
            step = b.offset - a.offset
            if step > 24:
                continue
            one, other = (
                np.load(folder / row.split / row.id[0] / f"{row.id}.npy").astype(np.float64) for row in (a, b)
            )
            for x, y in zip(one[:, :, step:], other[:, :, : 32 - step], strict=True):
                slope, shift = np.polyfit(x.ravel(), y.ravel(), 1)
                assert np.abs(y - slope * x - shift).max() < 4e-3 * max(1, np.abs(y).max())
                compared += 1
    assert compared > 20


@pytest.mark.parametrize("killed_at", [1, 37, 99])
def test_a_killed_run_goes_on_to_the_same_folder(
    killed_at: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write, counter = module.write_cadence, itertools.count()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    gone = ended.pid
    ended.wait()

    def dying(path: Path, cadence: np.ndarray) -> None:
        if next(counter) == killed_at:
            path.parent.mkdir(parents=True, exist_ok=True)
            abacad.files.beside(path, gone).write_bytes(b"half")
            raise KeyboardInterrupt
        write(path, cadence)

    out = tmp_path / "set"
    monkeypatch.setattr(module, "write_cadence", dying)
    with pytest.raises(KeyboardInterrupt):
        simulate(out, SMALL, n_train=60, n_test=40, seed=4, progress=False)
    assert not (out / "train_labels.csv").exists()
    monkeypatch.undo()
    monkeypatch.setattr(abacad.files, "_swept", set())  # as in a new process
    simulate(out, SMALL, n_train=60, n_test=40, seed=4, progress=False)
    assert same(out, folder)


def test_what_is_there_is_not_made_again(folder: Path, tmp_path: Path):
    out = tmp_path / "set"
    shutil.copytree(folder, out)
    victim = out / sorted(name for name in files(out) if name.endswith(".npy"))[7]
    victim.unlink()
    (out / "train_labels.csv").unlink()
    times = {name: (out / name).stat().st_mtime_ns for name in files(out) if name.endswith(".npy")}
    simulate(out, SMALL, n_train=60, n_test=40, seed=4, progress=False)
    assert same(out, folder)
    assert all((out / name).stat().st_mtime_ns == time for name, time in times.items())


def test_a_finished_folder_is_left_alone(folder: Path):
    before = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    simulate(folder, SMALL, n_train=60, n_test=40, seed=4, progress=False)
    assert before == {name: (folder / name).stat().st_mtime_ns for name in files(folder)}


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": 5}, "seed"), ({"n_train": 61}, "n_train"), ({"simulation": SHARED}, "simulation")],
)
def test_a_folder_of_another_call_is_refused(change: dict, named: str, folder: Path):
    call = {"simulation": SMALL, "n_train": 60, "n_test": 40, "seed": 4, **change}
    with pytest.raises(AbacadError, match=f"another {named}"):
        simulate(folder, call.pop("simulation"), **call, progress=False)


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(AbacadError, match="not empty"):
        simulate(tmp_path, SMALL, n_train=2, n_test=1, progress=False)
    assert files(tmp_path) == ["thesis.tex"]
    with pytest.raises(AbacadError, match="is a file"):
        simulate(tmp_path / "thesis.tex", SMALL, n_train=2, n_test=1, progress=False)


def test_a_set_of_nothing_is_refused(tmp_path: Path):
    with pytest.raises(AbacadError, match="at least 1"):
        simulate(tmp_path / "set", SMALL, n_train=0, n_test=1, progress=False)
    assert not (tmp_path / "set").exists()


def test_too_little_space_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(AbacadError, match="free"):
        simulate(tmp_path / "set", SMALL, n_train=2, n_test=1, progress=False)
    assert not list(tmp_path.rglob("*.npy"))


def test_a_disk_that_fills_up_leaves_nothing_that_looks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    replace, counter = abacad.files.os.replace, itertools.count()

    def full(source: Path, target: Path) -> None:
        if next(counter) > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    out = tmp_path / "set"
    monkeypatch.setattr(abacad.files.os, "replace", full)
    with pytest.raises(AbacadError, match="full"):
        simulate(out, SMALL, n_train=60, n_test=0, seed=4, progress=False)
    assert not (out / "train_labels.csv").exists()
    assert not list(out.rglob("*.part"))
    for path in out.rglob("*.npy"):
        assert np.load(path).shape == (6, 16, 32)


def test_raw_power_on_request(tmp_path: Path):
    raw = dataclasses.replace(SMALL, normalise=False)
    out = simulate(tmp_path / "set", raw, n_train=3, n_test=0, progress=False)
    cadences = [np.load(path) for path in (out / "train").rglob("*.npy")]
    assert all((cadence > 0).all() and cadence.dtype == np.float32 for cadence in cadences)


def test_neither_names_nor_order_nor_files_tell_the_target(tmp_path: Path):
    out = simulate(tmp_path / "set", SMALL, n_train=800, n_test=0, seed=9, progress=False)
    labels = pd.read_csv(out / "train_labels.csv")
    paths = [out / "train" / name[0] / f"{name}.npy" for name in labels["id"]]
    assert len({path.stat().st_size for path in paths}) == 1
    signs = {
        "name": [int(name, 16) for name in labels["id"]],
        "order": list(range(800)),
        "time written": [path.stat().st_mtime_ns for path in paths],
        "last character": [int(name[-1], 16) for name in labels["id"]],
    }
    for sign in signs.values():
        positive = pd.Series(sign).rank()[labels["target"] == 1]
        auc = (positive.mean() - (len(positive) + 1) / 2) / (800 - len(positive))
        assert abs(auc - 0.5) < 4 * 0.5 / np.sqrt(3 * len(positive))  # four standard errors


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_set(name: str, tmp_path: Path):
    axes = dataclasses.replace(PRESETS[name].axes, n_freq=64)
    small = dataclasses.replace(PRESETS[name], axes=axes, scenes=dataclasses.replace(PRESETS[name].scenes, n_freq=128))
    out = simulate(tmp_path / "set", small, n_train=4, n_test=2, progress=False)
    assert len(list(out.rglob("*.npy"))) == 6


def test_most_windows_overlap_another():
    plan = module.make_plan(PRESETS["kaggle"], 2000, 500, seed=1)
    place = plan.scene * 1_000_000 + plan.offset
    near = np.abs(place[:, None] - place) < 256
    assert (near.sum(1) > 1).mean() > 0.9

"""`abacad overlaps`: against the simulator's truth, whole tables or none, and a killed run continues."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import abacad
from abacad.cli import main
from abacad.errors import AbacadError
from abacad.files import read_json
from abacad.learn.folds import make_folds_of_run
from abacad.learn.run_folder import RunFolder
from abacad.overlap.partners import Partners
from abacad.run import overlaps as verb
from abacad.run.simulate import simulate
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Scenes
from tests.conftest import QUICK, write_competition

AXES = Axes.evenly(80, n_time=64, n_freq=64)


def simulated(folder: Path, scenes: Scenes, n_train: int = 150, n_test: int = 50) -> Path:
    simulation = replace(PRESETS["demo"], axes=AXES, scenes=scenes)
    return simulate(folder, simulation, n_train=n_train, n_test=n_test, progress=False)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    return simulated(tmp_path_factory.mktemp("sky") / "data", Scenes(1024, 1.5, "shared"))


def truth_pairs(folder: Path) -> pd.DataFrame:
    truth = pd.read_csv(folder / "truth.csv", dtype={"id": str})[["id", "scene", "offset"]]
    both = truth.merge(truth, on="scene", suffixes=("_a", "_b")).query("id_a < id_b")
    return both.assign(offset=both["offset_b"] - both["offset_a"]).query("abs(offset) < 64")


def bytes_of(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("overlaps.csv", "groups.csv")]


def test_the_truth_is_found(shared, tmp_path):
    found = abacad.overlaps(shared, tmp_path, progress=False)
    assert not (tmp_path / ".overlaps").exists()
    pairs = pd.read_csv(tmp_path / "overlaps.csv", dtype={"id_a": str, "id_b": str})
    both = truth_pairs(shared).merge(pairs, on=["id_a", "id_b"], how="outer", suffixes=("", "_found"), indicator=True)
    assert not (both["_merge"] == "right_only").any()
    wide = both[both["offset"].abs() <= 64 - 8]
    assert (wide["_merge"] == "both").mean() > 0.98
    known = both[both["_merge"] == "both"]
    assert (known["offset"] == known["offset_found"]).all()
    assert (64 - known["offset"].abs() - known["columns"]).between(0, 6).all()
    groups = pd.read_csv(tmp_path / "groups.csv", dtype=str).set_index("id")["group"]
    assert len(groups) == 200
    assert (groups[pairs["id_a"]].to_numpy() == groups[pairs["id_b"]].to_numpy()).all()
    assert groups.nunique() == found.groups["group"].nunique() < 60


def test_independent_backgrounds_make_no_pair(tmp_path):
    data = write_competition(tmp_path / "data", 150, 50)
    found = abacad.overlaps(data, progress=False)
    assert found.pairs.empty
    assert list(pd.read_csv(data / "overlaps.csv").columns) == [
        "id_a", "id_b", "offset", "columns", "worst", "median", "differ",
    ]  # fmt: skip
    assert found.groups["group"].nunique() == 200


def test_the_number_of_threads_changes_nothing(shared, tmp_path):
    for workers in (1, 3):
        abacad.overlaps(shared, tmp_path / str(workers), workers=workers, progress=False)
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "3")


def test_a_killed_run_continues(shared, tmp_path, monkeypatch):
    abacad.overlaps(shared, tmp_path / "whole", progress=False)
    monkeypatch.setattr(verb, "_CHUNK", 4)
    plain, read = verb._codes, []

    def killed(paths, shape):
        if len(read) >= 100:
            raise KeyboardInterrupt
        read.extend(paths)
        return plain(paths, shape)

    monkeypatch.setattr(verb, "_codes", killed)
    with pytest.raises(KeyboardInterrupt):
        abacad.overlaps(shared, tmp_path / "killed", workers=1, progress=False)
    assert not (tmp_path / "killed" / "overlaps.csv").exists()
    read.clear()
    monkeypatch.setattr(verb, "_codes", lambda paths, shape: read.extend(paths) or plain(paths, shape))
    abacad.overlaps(shared, tmp_path / "killed", workers=1, progress=False)
    assert len(read) == 200 - 64
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "whole")


def test_one_odd_file_wherever_it_stands_leaves_out_itself_alone(shared, tmp_path):
    folder = tmp_path / "odd"
    shutil.copytree(shared, folder)
    first = min((path for path in folder.glob("t*/?/*.npy")), key=lambda path: path.stem)
    np.save(first, np.load(first)[:, :, :-4])
    found = abacad.overlaps(folder, tmp_path / "skip", bad="skip", progress=False)
    assert list(found.bad) == [first.stem]
    with pytest.raises(AbacadError, match=rf"{first.stem}: its shape is \(6, 64, 60\)"):
        abacad.overlaps(folder, tmp_path / "fail", progress=False)


def test_what_was_left_out_before_a_kill_is_asked_about_again(shared, tmp_path, monkeypatch):
    folder = tmp_path / "damaged"
    shutil.copytree(shared, folder)
    path = min((path for path in folder.glob("train/?/*.npy")), key=lambda path: path.stem)
    whole = path.read_bytes()
    with_nan(path)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(verb, "_pairs", killed)
        with pytest.raises(KeyboardInterrupt):
            abacad.overlaps(folder, tmp_path / "tables", bad="skip", progress=False)
    with pytest.raises(AbacadError, match=path.stem):
        abacad.overlaps(folder, tmp_path / "tables", progress=False)
    path.write_bytes(whole)
    assert abacad.overlaps(folder, tmp_path / "tables", progress=False).bad == {}
    abacad.overlaps(folder, tmp_path / "straight", progress=False)
    assert bytes_of(tmp_path / "tables") == bytes_of(tmp_path / "straight")


def refused(capsys, *words: str) -> str:
    assert main(["overlaps", *words, "--progress", "false"]) == 2
    told = capsys.readouterr().err
    message = told[told.index("abacad overlaps:") :].strip()
    assert "Traceback" not in told
    assert len(message.splitlines()) <= 3
    return message


def with_nan(path: Path) -> None:
    values = np.load(path)
    values[2, 3, 4] = np.nan
    np.save(path, values)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (with_nan, "NaN"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "truncated"),
        (lambda path: np.save(path, np.zeros((6, 28, 65), np.float16)), "(6, 28, 65)"),
    ],
    ids=["nan", "truncated", "other shape"],
)
def test_a_bad_cadence_is_named_and_can_be_left_out(tmp_path, capsys, spoil, said):
    data = write_competition(tmp_path / "data")
    path = sorted(data.glob("train/?/*.npy"))[7]
    spoil(path)
    told = refused(capsys, str(data))
    assert path.stem in told
    assert said in told
    assert "--bad skip" in told
    assert not (data / "groups.csv").exists()
    assert main(["overlaps", str(data), "--bad", "skip", "--progress", "false"]) == 0
    groups = pd.read_csv(data / "groups.csv", dtype=str).set_index("id")["group"]
    assert len(groups) == 52
    assert groups[path.stem] == path.stem


def test_a_file_that_vanishes_leaves_no_tables(shared, tmp_path, capsys, monkeypatch):
    pairs = abacad.overlaps(shared, tmp_path, progress=False).pairs
    few = pairs.loc[pairs["columns"].idxmin(), "id_a"]  # a pair of few columns is looked up in the files
    path = next(shared.glob(f"*/?/{few}.npy"))
    moved, plain = tmp_path / "moved.npy", verb.likely_pairs
    monkeypatch.setattr(verb, "likely_pairs", lambda codes: path.rename(moved) and plain(codes))
    try:
        told = refused(capsys, str(shared), "--out", str(tmp_path / "out"))
    finally:
        moved.rename(path)
    assert few in told
    assert "there is no file" in told
    assert list((tmp_path / "out").glob("*.csv")) == []


def test_empty_and_single_folders(tmp_path, capsys):
    data = write_competition(tmp_path / "data")
    files = sorted(data.glob("t*/?/*.npy"))
    for path in files[1:]:
        path.unlink()
    assert main(["overlaps", str(data), "--progress", "false"]) == 0
    assert len(pd.read_csv(data / "groups.csv")) == 1
    assert pd.read_csv(data / "overlaps.csv").empty
    files[0].write_bytes(b"")
    assert "None of the 1 cadences can be used" in refused(capsys, str(data), "--out", str(tmp_path / "other"))
    files[0].unlink()
    assert "holds no cadences" in refused(capsys, str(data), "--out", str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_constant_panels_are_no_trouble(tmp_path):
    data = write_competition(tmp_path / "data")
    for path in sorted(data.glob("train/?/*.npy"))[:6]:
        values = np.load(path)
        values[:5] = 1
        np.save(path, values)
    assert abacad.overlaps(data, progress=False).pairs.empty


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    data = write_competition(tmp_path / "data")
    (tmp_path / "file").write_text("")
    assert "--out FOLDER" in refused(capsys, str(data), "--out", str(tmp_path / "file"))


def test_training_holds_groups_back_together_and_the_audit_shows_them(tmp_path, caplog):
    data = simulated(tmp_path / "data", Scenes(1024, 1.5, "shared"), 100, 20)
    before = abacad.audit(data, out=None, progress=False)
    assert "abacad overlaps" in dict(before.facts())["shared backgrounds"]
    abacad.overlaps(data, progress=False)
    found = abacad.audit(data, out=tmp_path / "after.html", progress=False)
    assert any(name.startswith("groups of") for name, _ in found.shared)
    assert "of the labelled cadences share columns with one of another fold" in (tmp_path / "after.html").read_text()
    run, labels = RunFolder(tmp_path / "run"), pd.read_csv(data / "train_labels.csv", dtype={"id": str})
    with caplog.at_level("INFO"):
        make_folds_of_run(data, labels, abacad.read_recipe("compact", ["--data.folds", "2"]), run)
    folds = pd.read_csv(run.folds, dtype={"id": str}).set_index("id")["fold"]
    pairs = pd.read_csv(data / "overlaps.csv", dtype={"id_a": str, "id_b": str})
    inner = pairs[pairs["id_a"].isin(folds.index) & pairs["id_b"].isin(folds.index)]
    torn = int((folds[inner["id_a"]].to_numpy() != folds[inner["id_b"]].to_numpy()).sum())
    known = read_json(run.record)["groups"]
    assert (known["overlapping_pairs"], known["pairs_across_folds"]) == (len(inner), torn)
    assert torn < 0.1 * len(inner)


def test_training_and_prediction_subtract_shared_backgrounds(tmp_path, capsys, monkeypatch):
    data = simulated(tmp_path / "data", Scenes(512, 3.0, "shared"), 48, 16)
    words = ["train", str(data), "--run", str(tmp_path / "run"), *QUICK, "--trainer.max_epochs", "1"]
    words += ["--represent.views", "[shared,clean,track,residual]", "--data.partners", "train+test"]
    assert main(words) == 2
    assert "Make it anew: abacad overlaps DATA" in capsys.readouterr().err
    abacad.overlaps(data, progress=False)
    assert main(words) == 0
    asked: list[str] = []
    plain = Partners.residual
    monkeypatch.setattr(
        Partners, "residual", lambda self, name, panels: asked.append(name) or plain(self, name, panels)
    )
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "run"), str(data), "--progress", "false", "--workers", "0"]) == 0
    test = pd.read_csv(tmp_path / "run" / "test.csv", dtype={"id": str})
    assert set(asked) == set(test["id"])
    assert "of 16 test cadences share columns with one of train+test" in " ".join(capsys.readouterr().err.split())

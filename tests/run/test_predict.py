"""Test cadences scored by every fold: in the sample's order, as the detectors score them anywhere else."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from abacad.cadence import Cadence
from abacad.config import Inference, Recipe
from abacad.data.competition import cadence_path, read_sample
from abacad.errors import AbacadError
from abacad.learn.provenance import scored_data
from abacad.learn.run_folder import RunFolder
from abacad.run.predict import UNKNOWN, _check_test, predict
from abacad.run.score import score
from abacad.searcher.late import LateJudge
from tests.run.made import RECIPE, random_run


@pytest.fixture(scope="module")
def run(shared_competition, tmp_path_factory) -> RunFolder:
    return random_run(tmp_path_factory.mktemp("predict") / "run", shared_competition)


def scored(run: RunFolder, root, out, **options) -> pd.DataFrame:
    return pd.read_csv(predict(run.path, root, out, progress=False, accelerator="cpu", **options), dtype={"id": str})


def test_each_id_of_the_sample_has_a_score_of_each_fold_and_their_mean(run, shared_competition, tmp_path):
    table = scored(run, shared_competition, tmp_path / "t.csv")
    assert list(table.columns) == ["id", "fold0", "fold1", "score"]
    assert list(table["id"]) == read_sample(shared_competition)
    np.testing.assert_allclose(table["score"], table[["fold0", "fold1"]].mean(axis=1))
    assert table["fold0"].nunique() == 12
    assert not np.allclose(table["fold0"], table["fold1"])


def test_a_cadence_scores_the_same_through_every_door(run, shared_competition, tmp_path):
    table = scored(run, shared_competition, tmp_path / "t.csv")
    for place in (0, 7):
        path = cadence_path(shared_competition, "test", table["id"][place])
        assert Cadence.read(path).score(run.path) == pytest.approx(table["score"][place], abs=1e-6)


def test_the_size_of_a_batch_and_the_number_of_readers_are_nothing_to_the_scores(run, shared_competition, tmp_path):
    other = random_run(tmp_path / "run", shared_competition, replace(RECIPE, inference=Inference(("identity",), 5)))
    one, two = (
        scored(run, shared_competition, tmp_path / "a.csv"),
        scored(other, shared_competition, tmp_path / "b.csv"),
    )
    np.testing.assert_allclose(one["score"], two["score"], atol=1e-6)


def test_a_file_of_ones_own_leaves_the_run_as_it_is(run, shared_competition, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    scored(run, shared_competition, tmp_path / "t.csv")
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_in_the_run_folder_it_is_noted_what_was_scored(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    assert predict(run.path, shared_competition, progress=False, accelerator="cpu") == run.test
    noted = json.loads(run.record.read_text())["test"]
    assert noted == scored_data(shared_competition) | {"cadences": 12, "skipped": {}}
    assert noted["folder"] == str(shared_competition)
    assert "Scored 12 cadences with 2 folds" in (run.path / "log.txt").read_text()


def test_scores_of_another_folder_are_gone_before_the_run_says_that_it_scored_this_one(
    shared_competition, tmp_path, monkeypatch
):
    """A kill leaves no scores under another folder's name."""
    run = random_run(tmp_path / "run", shared_competition)
    run.test.write_text("id,score\n")
    monkeypatch.setattr("abacad.run.predict.write_table", lambda *_args: 1 / 0)
    for before, stays in ((str(shared_competition), True), ("/data/other", False)):
        run.note(test={"folder": before})
        with pytest.raises(ZeroDivisionError):
            scored(run, shared_competition, None)
        assert json.loads(run.record.read_text())["test"]["folder"] == str(shared_competition)
        assert run.test.is_file() == stays


def test_a_cadence_that_cannot_be_used_stops_or_is_neither_needle_nor_none(competition, tmp_path, caplog):
    run, ids = random_run(tmp_path / "run", competition), read_sample(competition)
    whole = scored(run, competition, tmp_path / "a.csv")
    cadence_path(competition, "test", ids[2]).write_bytes(b"")
    cadence_path(competition, "test", ids[5]).unlink()
    with pytest.raises(AbacadError, match=rf"{ids[2]}.*\(2 cadences are bad\.\)\n.*--data\.bad skip"):
        scored(run, competition, tmp_path / "t.csv")
    table = scored(run, competition, tmp_path / "t.csv", bad="skip")
    assert table.loc[[2, 5], ["fold0", "fold1", "score"]].eq(UNKNOWN).all(axis=None)
    rest = [place for place in range(12) if place not in (2, 5)]
    np.testing.assert_allclose(table["score"][rest], whole["score"][rest], atol=1e-6)
    assert caplog.text.count(f"gets the score {UNKNOWN}") == 2
    assert "not in sample_submission.csv" not in caplog.text  # a file that is missing is no stranger


def test_another_competitions_folder_is_told_as_such(competition, tmp_path, caplog):
    run = random_run(tmp_path / "run", competition)
    (competition / "test" / "0").mkdir(exist_ok=True)
    np.save(competition / "test" / "0" / "0stranger.npy", np.zeros((6, 28, 64)))
    scored(run, competition, tmp_path / "t.csv")
    assert "1 files in" in caplog.text
    pd.DataFrame({"id": ["other"], "target": 0.5}).to_csv(competition / "sample_submission.csv", index=False)
    with pytest.raises(AbacadError, match=r"holds none of the 1 ids of sample_submission\.csv"):
        scored(run, competition, tmp_path / "t.csv")


def test_an_unfinished_run_is_told_with_what_continues_it(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    for path in (run.oof, run.fold_oof(0), run.fold_oof(1)):
        path.unlink()
    with pytest.raises(AbacadError, match=r"0 of 2 folds are trained"):
        scored(run, shared_competition, tmp_path / "t.csv")


def overflowing(run: RunFolder, fold: int, factor: float) -> None:
    """Make the first two layers of a fold's detector larger."""
    with safe_open(run.weights(fold), "pt") as file:
        metadata = file.metadata()
    weights = load_file(run.weights(fold))
    for layer in (0, 1):
        weights[f"backbone.panels.encoder.{layer}.0.weight"] *= factor
    save_file(weights, run.weights(fold), metadata=metadata)


def test_an_overflow_in_16_bits_is_told_and_no_score_of_a_half(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    overflowing(run, 1, 1e7)  # above 65,504, the largest number of 16 bits
    with pytest.raises(AbacadError, match=r"12 of 24 scores .* computed in 16-mixed\.\n.*--precision 32-true"):
        scored(run, shared_competition, tmp_path / "t.csv", precision="16-mixed", bad="skip")
    assert not (tmp_path / "t.csv").exists()
    assert scored(run, shared_competition, tmp_path / "t.csv", precision="32-true")["fold1"].between(0, 1).all()


def test_weights_too_large_for_32_bits_score_through_no_door(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    overflowing(run, 0, 1e38)
    cadence = Cadence.read(cadence_path(shared_competition, "test", read_sample(shared_competition)[0]))
    panels = torch.from_numpy(cadence.panels)[None]
    doors = [
        lambda: scored(run, shared_competition, tmp_path / "t.csv"),
        lambda: score(shared_competition / "test", weights=run.path, accelerator="cpu", bad="skip", progress=False),
        lambda: cadence.score(run.path),
        lambda: LateJudge(run.path, 28, "cpu").scores(panels),  # the search's
    ]
    for door in doors:
        with pytest.raises(AbacadError, match=r"NaN or infinite, computed in 32-true\.\nTake other weights"):
            door()


def test_one_fold_alone_scores_alone(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    for path in (run.oof, run.fold_oof(0)):
        path.unlink()
    table = scored(run, shared_competition, tmp_path / "t.csv")
    assert list(table.columns) == ["id", "fold1", "score"]
    np.testing.assert_array_equal(table["fold1"], table["score"])


def test_what_cannot_be_written_is_told_before_anything_is_scored(run, shared_competition, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "from_numpy", lambda *_: 1 / 0)  # nothing is read
    (tmp_path / "mine.csv").write_text("a,b\n")
    with pytest.raises(AbacadError, match="left as it is"):
        scored(run, shared_competition, tmp_path / "mine.csv")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != run.path and access(path, mode))
    with pytest.raises(AbacadError, match=r"is read-only\.\nName the file to write: --out FILE"):
        predict(run.path, shared_competition, progress=False)


def test_a_folder_without_any_of_300_ids_is_told_as_a_wrong_folder(tmp_path):
    (tmp_path / "test").mkdir()
    with pytest.raises(AbacadError, match="none of the 300 ids"):
        _check_test(tmp_path, [f"{number:015x}" for number in range(300)], Recipe(), progress=False)

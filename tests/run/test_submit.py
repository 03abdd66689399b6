"""Submissions: the sample's ids in its order, the run's own test scores, and nothing that was not read back."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.data.competition import read_labels, read_sample
from abacad.errors import AbacadError
from abacad.learn import learner
from abacad.learn.blend import blend_of
from abacad.learn.provenance import scored_data
from abacad.learn.run_folder import RunFolder
from abacad.run import submit as module
from abacad.run.submit import submit
from tests.conftest import QUICK
from tests.run.made import random_run


@pytest.fixture
def scored(shared_competition, tmp_path) -> RunFolder:
    """A run whose test scores are there: 1/24, 3/24, … in the sample's order."""
    run = random_run(tmp_path / "run", shared_competition)
    scores = (np.arange(12) + 0.5) / 12
    ids = read_sample(shared_competition)
    pd.DataFrame({"id": ids, "fold0": scores, "fold1": scores, "score": scores}).to_csv(run.test, index=False)
    return run


def targets(path) -> np.ndarray:
    return pd.read_csv(path)["target"].to_numpy()


def test_scores_that_are_there_are_submitted_as_they_are(scored, shared_competition, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "predict", lambda *_args, **_more: 1 / 0)
    out = submit(scored.path, shared_competition, tmp_path / "s.csv", progress=False)
    table = pd.read_csv(out)
    assert list(table.columns) == ["id", "target"]
    assert list(table["id"]) == read_sample(shared_competition)
    np.testing.assert_allclose(table["target"], (np.arange(12) + 0.5) / 12)


@pytest.mark.parametrize("change", ["order", "ids", "folds"])
def test_scores_of_other_ids_or_fewer_folds_are_made_anew(change, scored, shared_competition, tmp_path, monkeypatch):
    table = pd.read_csv(scored.test, dtype={"id": str})
    whole = table.copy()
    changed = {"order": table[::-1], "ids": table[:-1], "folds": table.drop(columns="fold1")}[change]
    changed.to_csv(scored.test, index=False)
    asked = []

    def anew(run, root, out=None, **_more):
        asked.append(run)
        whole.assign(score=0.25).to_csv(scored.test, index=False)
        return scored.test

    monkeypatch.setattr(module, "predict", anew)
    assert (targets(submit(scored.path, shared_competition, tmp_path / "s.csv", progress=False)) == 0.25).all()
    assert asked == [scored.path]


@pytest.fixture
def folders(shared_competition, tmp_path) -> dict[str, Path]:
    """Folders of the same ids and labels: a simulated one, its copy, one of another simulation, and a real one."""
    made = {}
    for name, card in (("one", "A"), ("moved", "A"), ("other", "B"), ("real", None)):
        made[name] = tmp_path / "data" / name
        made[name].mkdir(parents=True)
        for table in ("train_labels.csv", "sample_submission.csv"):
            shutil.copy(shared_competition / table, made[name])
        if card:
            (made[name] / "simulation.json").write_text(card)
    return made


@pytest.mark.parametrize(
    ("scored_on", "asked_for", "taken"),
    [("one", "one", True), ("one", "moved", True), ("one", "other", False), ("one", "real", False),
     ("real", "real", True), ("real", "one", False)],
)  # fmt: skip
def test_scores_of_another_folder_are_made_anew_though_the_ids_agree(
    scored_on, asked_for, taken, folders, scored, tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(module, "predict", lambda run, *_args, **_more: asked.append(run) or scored.test)
    scored.note(test=scored_data(folders[scored_on]) | {"cadences": 12})
    submit(scored.path, folders[asked_for], tmp_path / "s.csv", progress=False)
    assert asked == ([] if taken else [scored.path])


@pytest.mark.parametrize(("asked_for", "taken"), [("one", True), ("moved", False), ("other", False)])
def test_a_prediction_of_an_earlier_version_noted_its_folder_alone(
    asked_for, taken, folders, scored, tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(module, "predict", lambda run, *_args, **_more: asked.append(run) or scored.test)
    scored.note(test={"folder": str(folders["one"]), "cadences": 12})
    submit(scored.path, folders[asked_for], tmp_path / "s.csv", progress=False)
    assert asked == ([] if taken else [scored.path])


def test_a_table_that_nobody_noted_is_taken_by_its_ids_with_a_warning(scored, folders, tmp_path, caplog):
    submit(scored.path, folders["real"], tmp_path / "s.csv", progress=False)
    assert "run.json does not say which folder test.csv scores" in caplog.text


def test_a_run_that_may_only_be_read_is_scored_elsewhere(scored, shared_competition, tmp_path, monkeypatch):
    scored.test.unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != scored.path)
    asked = []

    def elsewhere(run, root, out=None, **_more):
        asked.append(out)
        ids = read_sample(shared_competition)
        pd.DataFrame({"id": ids, "fold0": 0.75, "score": 0.75}).to_csv(out, index=False)
        return out

    monkeypatch.setattr(module, "predict", elsewhere)
    assert (targets(submit(scored.path, shared_competition, tmp_path / "s.csv", progress=False)) == 0.75).all()
    assert not scored.test.exists()
    assert asked
    assert not asked[0].exists()


def test_scores_that_cannot_be_are_told_with_what_writes_them_anew(scored, shared_competition, tmp_path):
    table = pd.read_csv(scored.test, dtype={"id": str})
    table.assign(score=1.5).to_csv(scored.test, index=False)
    with pytest.raises(AbacadError, match=r"test\.csv holds a score .*\nDelete it; .*abacad predict"):
        submit(scored.path, shared_competition, tmp_path / "s.csv", progress=False)


def test_somebody_elses_file_stays(scored, shared_competition, tmp_path):
    (tmp_path / "mine.csv").write_text("a,b\n")
    with pytest.raises(AbacadError, match="left as it is"):
        submit(scored.path, shared_competition, tmp_path / "mine.csv", progress=False)


def fake_run(path: Path, oof: pd.DataFrame, test: pd.DataFrame, config: Path) -> Path:
    """A finished run of one recipe with the given scores."""
    path.mkdir()
    (path / "config.yaml").write_bytes(config.read_bytes())
    for fold in (0, 1):
        (path / f"fold{fold}").mkdir()
        oof[oof["fold"] == fold].to_csv(path / f"fold{fold}" / "oof.csv", index=False)
    oof.to_csv(path / "oof.csv", index=False)
    test.to_csv(path / "test.csv", index=False)
    return path


@pytest.fixture
def two_runs(shared_competition, trained_run, tmp_path):
    """A good run and one of pure chance."""
    rng = np.random.default_rng(0)
    labels = read_labels(shared_competition).assign(fold=np.arange(40) % 2)
    ids = pd.read_csv(shared_competition / "sample_submission.csv")[["id"]]
    runs = []
    for name, skill in (("good", 2.0), ("chance", 0.0)):
        score = 1 / (1 + np.exp(-(skill * (2 * labels["target"] - 1) + rng.normal(size=40))))
        test = ids.assign(score=rng.random(len(ids)))
        runs.append(fake_run(tmp_path / name, labels.assign(score=score), test, trained_run / "config.yaml"))
    return runs


def test_weights_fitted_on_oof_prefer_the_better_run(two_runs, shared_competition, tmp_path):
    weights = blend_of("fitted", [RunFolder(run) for run in two_runs]).weights
    assert weights[1] > 3 * weights[2] >= 0
    assert np.abs(weights).max() < 10


def test_a_run_that_is_named_twice_is_refused(two_runs, shared_competition, tmp_path):
    """Under another name, too: it would count twice without a word."""
    (tmp_path / "other").symlink_to(two_runs[0])
    for twin in (two_runs[0], tmp_path / "other"):
        with pytest.raises(AbacadError, match=r"good is named twice\.\n.*--weights 2,1"):
            submit([*two_runs, twin], shared_competition, tmp_path / "s.csv")
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize("weights", ["equal", "ranks", "fitted", "stacking", "0.25,0.75"])
def test_a_blend_by_each_method_becomes_a_submission(weights, two_runs, shared_competition, tmp_path, caplog):
    out = tmp_path / "s.csv"
    runs = [str(run) for run in two_runs]
    assert main(["submit", *runs, str(shared_competition), "--out", str(out), "--weights", weights]) == 0
    target = pd.read_csv(out)["target"]
    assert target.between(0, 1).all()
    if weights == "0.25,0.75":
        first, second = (pd.read_csv(run / "test.csv")["score"] for run in two_runs)
        np.testing.assert_allclose(target, 0.25 * first + 0.75 * second)


def test_runs_of_other_ids_cannot_be_fitted(two_runs):
    oof = pd.read_csv(two_runs[1] / "oof.csv")
    oof[1:].to_csv(two_runs[1] / "oof.csv", index=False)
    runs = [RunFolder(run) for run in two_runs]
    for method in ("fitted", "stacking"):
        with pytest.raises(AbacadError, match="--weights equal"):
            blend_of(method, runs)
    assert blend_of("ranks", runs).method == "ranks"


def test_one_run_is_as_good_as_a_list(trained_run, shared_competition, tmp_path):
    """`submit("runs/demo", …)` used to say that r is no run folder."""
    out = submit(str(trained_run), shared_competition, tmp_path / "s.csv", progress=False)
    assert len(pd.read_csv(out)) == 12


def test_scores_of_a_fold_that_was_trained_anew_are_not_submitted(competition, tmp_path, monkeypatch):
    """The fold's folder was removed and trained again, with another number of epochs: its old scores are of nobody."""
    run, data = tmp_path / "run", str(competition)
    better = (0.5 + epoch / 1000 for epoch in range(100))
    monkeypatch.setattr(learner, "auc", lambda *_: next(better))  # by chance the first epoch might be the best of two
    words = ["train", data, "--run", str(run), *QUICK, "--trainer.max_epochs"]
    assert main([*words, "1"]) == 0
    assert main(["predict", str(run), data, "--progress", "false"]) == 0
    before = pd.read_csv(run / "test.csv")
    shutil.rmtree(run / "fold0")
    assert main([*words, "2"]) == 0
    submitted = targets(submit(run, competition, tmp_path / "s.csv", progress=False))
    after = pd.read_csv(run / "test.csv")
    assert (after["fold0"] != before["fold0"]).all()
    np.testing.assert_array_equal(after["fold1"], before["fold1"])
    np.testing.assert_allclose(submitted, after["score"])

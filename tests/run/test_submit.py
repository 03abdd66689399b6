"""Submissions: the sample's ids in its order, the run's own test scores, and nothing that was not read back."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.data.competition import read_labels, read_sample
from abacad.errors import AbacadError
from abacad.learn.blend import blend_of
from abacad.learn.run_folder import RunFolder
from abacad.run import submit as module
from abacad.run.submit import asked_for, check_submission, submit, write_submission
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


def test_a_submission_that_fails_its_check_leaves_the_one_before(tmp_path):
    write_submission(tmp_path / "s.csv", ["a", "b"], np.array([0.25, 0.75]))
    before = (tmp_path / "s.csv").read_text()
    assert before == "id,target\na,0.25\nb,0.75\n"
    for scores in ([0.5, np.nan], [0.5, 1.25], [-0.5, 0.5]):
        with pytest.raises(AbacadError):
            write_submission(tmp_path / "s.csv", ["a", "b"], np.array(scores))
    assert (tmp_path / "s.csv").read_text() == before
    assert os.listdir(tmp_path) == ["s.csv"]


def test_scores_keep_all_their_digits(tmp_path):
    scores = np.random.default_rng(0).random(50)
    write_submission(tmp_path / "s.csv", [f"i{k}" for k in range(50)], scores)
    found = pd.read_csv(tmp_path / "s.csv", dtype=str)["target"].map(float)
    np.testing.assert_array_equal(found, scores)


def test_ids_that_look_like_numbers_stay_texts(tmp_path):
    write_submission(tmp_path / "s.csv", ["007", "1e5", "nan"], np.array([0.1, 0.2, 0.3]))
    check_submission(tmp_path / "s.csv", ["007", "1e5", "nan"])


@pytest.mark.parametrize("name", ["", "test"])
def test_a_folder_or_its_test_folder_asks_for_the_samples_ids(name, shared_competition):
    assert asked_for([shared_competition / name]) == read_sample(shared_competition)


def test_one_folder_alone_can_be_submitted(competition):
    ids = read_sample(competition)
    path = competition / "test" / ids[0][0] / f"{ids[0]}.npy"
    for files in ([path], [competition, competition / "test"], []):
        with pytest.raises(AbacadError, match="scores one competition"):
            asked_for(files)
    path.unlink()
    with pytest.raises(AbacadError, match=rf"Cadence {ids[0]} of sample_submission\.csv is not in .*\(1 such\)"):
        asked_for([competition / "test"])


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


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: table[::-1], "order"),
        (lambda table: table[1:], "order"),
        (lambda table: table.assign(target=1.5), "between 0 and 1"),
        (lambda table: table.assign(target=np.nan), "no number"),
    ],
)
def test_a_wrong_submission_is_found_on_rereading(tmp_path, spoil, said):
    table = pd.DataFrame({"id": ["a", "b", "c"], "target": [0.1, 0.2, 0.3]})
    spoil(table).to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(AbacadError, match=said):
        check_submission(tmp_path / "s.csv", ["a", "b", "c"])


def test_one_run_is_as_good_as_a_list(trained_run, shared_competition, tmp_path):
    """`submit("runs/demo", …)` used to say that r is no run folder."""
    out = submit(str(trained_run), shared_competition, tmp_path / "s.csv", progress=False)
    assert len(pd.read_csv(out)) == 12

"""Verdicts become labels: replaced in train, joined from test, and what nobody is sure of is left alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.config import Data, Recipe, Represent
from abacad.data.competition import read_labels, read_sample
from abacad.errors import AbacadError
from abacad.learn.dataset import Cadences
from abacad.learn.labelled import Labelled
from abacad.learn.pseudo import NEVER_HELD_BACK
from abacad.learn.verdicts import with_verdicts

SEEN = Represent("on")


def _labelled(root: Path) -> Labelled:
    labels = read_labels(root)
    source = Cadences(root, "train", list(labels["id"]), SEEN)
    ids, targets = labels["id"].to_numpy(), labels["target"].to_numpy()
    return Labelled(source, ids, targets, np.arange(len(ids)) % 2, (6, 28, 64), lines=source)  # any data set for lines


def _with(root: Path, folder: Path, rows: dict[str, str]) -> Labelled:
    path = folder / "verdicts.csv"
    pd.DataFrame({"id": rows.keys(), "verdict": rows.values(), "note": ""}).to_csv(path, index=False)
    recipe = replace(Recipe(), data=Data(verdicts=str(path)), represent=SEEN)
    return with_verdicts(_labelled(root), root, recipe)


def test_a_verdict_replaces_a_label(shared_competition, tmp_path):
    before = _labelled(shared_competition)
    positive, negative = before.ids[before.targets == 1], before.ids[before.targets == 0]
    rows = {positive[0]: "rfi", positive[1]: "noise", positive[2]: "unsure", negative[0]: "candidate", negative[1]: ""}
    after = _with(shared_competition, tmp_path, rows)
    changed = dict(zip(after.ids, after.targets - before.targets, strict=True))
    assert {name: change for name, change in changed.items() if change} == {
        positive[0]: -1, positive[1]: -1, negative[0]: 1,
    }  # fmt: skip
    assert (after.folds == before.folds).all()
    assert after.lines is not None
    assert _labelled(shared_competition).targets.tolist() == before.targets.tolist()


def test_test_cadences_with_a_verdict_join_and_judge_nothing(shared_competition, tmp_path):
    asked = read_sample(shared_competition)
    after = _with(shared_competition, tmp_path, {asked[0]: "candidate", asked[1]: "rfi", asked[2]: "unsure"})
    n = len(read_labels(shared_competition))
    assert after.ids[n:].tolist() == asked[:2]
    assert after.targets[n:].tolist() == [1, 0]
    assert (after.folds[n:] == NEVER_HELD_BACK).all()
    own = Cadences(shared_competition, "test", asked[:1], SEEN)
    np.testing.assert_array_equal(after.source[n], own[0])
    assert after.lines is None  # nobody kept those of the test cadences


@pytest.mark.parametrize("joins", [False, True])
def test_a_verdict_goes_before_pseudo_labels_in_every_fold(shared_competition, tmp_path, joins):
    asked, path = read_sample(shared_competition), tmp_path / "verdicts.csv"
    before, scores = _labelled(shared_competition), {0: np.array([0.9, 0.8]), 1: np.array([0.7, 0.6])}
    n = len(before.ids)
    ids, folds = np.array([*before.ids, *asked[:2]]), np.array([*before.folds, NEVER_HELD_BACK, NEVER_HELD_BACK])
    before = replace(before, ids=ids, folds=folds, targets=np.array([*before.targets, 0.8, 0.7]), pseudo=(n, scores))
    said = {asked[1]: "rfi"} | ({asked[2]: "candidate"} if joins else {})
    pd.DataFrame({"id": said.keys(), "verdict": said.values()}).to_csv(path, index=False)
    recipe = replace(Recipe(), data=Data(verdicts=str(path)), represent=SEEN)
    after = with_verdicts(before, shared_competition, recipe)
    for fold in (0, 1):
        assert after.for_fold(fold).targets[n:].tolist() == [scores[fold][0], 0.0] + [1.0] * joins
    assert scores[0].tolist() == [0.9, 0.8]


def test_simulated_cadences_of_a_blind_review_are_passed_over(shared_competition, tmp_path, caplog):
    first = read_labels(shared_competition)["id"][0]
    with caplog.at_level("INFO"):
        after = _with(shared_competition, tmp_path, {first: "rfi", "0" * 15: "candidate"})
    assert len(after.ids) == len(read_labels(shared_competition))
    assert "1 of the verdicts are of cadences that" in caplog.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,score\na,1\n", "verdict"),
        ("id,verdict\na,maybe\n", "no verdict"),
        ("id,verdict\na,rfi\na,noise\n", "two verdicts"),
        ("id,verdict\na,unsure\n", "unsure"),
        ("id,verdict\nfar away,rfi\n", "this very folder"),
    ],
)
def test_tables_that_do_not_fit_are_refused(shared_competition, tmp_path, text, told):
    path = tmp_path / "v.csv"
    path.write_text(text)
    recipe = replace(Recipe(), data=Data(verdicts=str(path)), represent=SEEN)
    with pytest.raises(AbacadError, match=told):
        with_verdicts(_labelled(shared_competition), shared_competition, recipe)

"""Test cadences that join a training are checked as the labelled ones: a row of test.csv is no sign of a good file."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.config import Data, Recipe
from abacad.data.competition import cadence_path, read_labels, read_sample
from abacad.learn.joining import check_joining
from tests.conftest import QUICK, SHAPE


@pytest.fixture
def spoilt(competition) -> Path:
    """A folder with two bad test cadences: the first is missing, the second one is truncated."""
    ids = read_sample(competition)
    cadence_path(competition, "test", ids[0]).unlink()
    path = cadence_path(competition, "test", ids[1])
    path.write_bytes(path.read_bytes()[:-64])
    return competition


def tables(root: Path, folder: Path, trained: Path) -> list[str]:
    """Options of a training with pseudo labels of all test cadences and verdicts on three: missing, truncated, good."""
    ids = read_sample(root)
    pseudo, verdicts = folder / "scored" / "test.csv", folder / "verdicts.csv"
    pseudo.parent.mkdir()
    (pseudo.parent / "folds.csv").write_bytes((trained / "folds.csv").read_bytes())
    pd.DataFrame({"id": ids, "fold0": 0.5, "fold1": 0.5, "score": 0.5}).to_csv(pseudo, index=False)
    pd.DataFrame({"id": ids[:3], "verdict": "rfi"}).to_csv(verdicts, index=False)
    return ["--data.pseudo", str(pseudo), "--data.verdicts", str(verdicts)]


def words(root: Path, run: Path) -> list[str]:
    return ["train", str(root), "--run", str(run), *QUICK, "--trainer.max_epochs", "1"]


@pytest.mark.parametrize("which", [slice(0, 2), slice(2, 4), slice(0, 4)], ids=["pseudo", "verdicts", "both"])
def test_bad_test_cadences_stop_the_training_or_are_left_out(which, spoilt, tmp_path, trained_run, capsys):
    """Scored 0.5 by `predict --bad skip`, they joined, and the first epoch ended at their files."""
    asked = [*words(spoilt, tmp_path / "run"), *tables(spoilt, tmp_path, trained_run)[which]]
    ids = read_sample(spoilt)
    assert main(asked) == 2
    assert "--data.bad skip" in capsys.readouterr().err
    assert not list((tmp_path / "run").glob("packed*"))
    assert main([*asked, "--data.bad", "skip"]) == 0
    noted = json.loads((tmp_path / "run" / "run.json").read_text())["skipped"]
    assert ids[1] in noted
    # a verdict on a cadence that the folder has not may be of another folder's, of which a warning tells
    assert (ids[0] in noted) == (which.start == 0)
    assert json.loads((tmp_path / "run" / "checked.json").read_text())["skipped_test"] == list(noted)


def test_only_what_joins_is_looked_at(spoilt, tmp_path, trained_run):
    labelled = list(read_labels(spoilt)["id"])
    ids, files = read_sample(spoilt), tables(spoilt, tmp_path, trained_run)
    assert check_joining(spoilt, Recipe(), labelled, SHAPE).good == []
    pseudo, verdicts = (Recipe(data=Data(folds=2, **{key: value})) for key, value in
                        (("pseudo", files[1]), ("verdicts", files[3])))  # fmt: skip
    assert check_joining(spoilt, pseudo, labelled, SHAPE).good == ids[2:]
    assert check_joining(spoilt, verdicts, labelled, SHAPE).good == [ids[2]]
    assert check_joining(spoilt, verdicts, [*labelled, *ids], SHAPE).good == []  # these replace labels


def test_cadences_of_another_shape_than_the_labelled_do_not_join(spoilt, tmp_path, trained_run):
    pseudo = Recipe(data=Data(folds=2, pseudo=tables(spoilt, tmp_path, trained_run)[1], check="headers"))
    ids = read_sample(spoilt)
    np.save(cadence_path(spoilt, "test", ids[4]), np.zeros((6, 28, 32), np.float16))
    checked = check_joining(spoilt, pseudo, [], SHAPE)
    assert checked.bad[ids[4]].endswith("its shape is (6, 28, 32), the others' is (6, 28, 64).")
    assert len(check_joining(spoilt, pseudo, [], (6, 16, 64)).bad) == 12


def test_scores_of_another_folders_cadences_are_left_to_who_reads_them(spoilt, tmp_path, trained_run):
    pseudo = Recipe(data=Data(folds=2, pseudo=tables(spoilt, tmp_path, trained_run)[1]))
    for path in (spoilt / "test").rglob("*.npy"):
        path.unlink()
    assert check_joining(spoilt, pseudo, [], SHAPE).bad == {}

"""What an interval counts: the scenes of a simulated folder, else the groups of the folds, else nothing."""

import json
from pathlib import Path

import pandas as pd
import pytest

from abacad.learn.run_folder import RunFolder
from abacad.learn.scenes import scenes_of

IDS = pd.Series(["a", "b", "c"])


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    folder = RunFolder(tmp_path / "run")
    folder.record.write_text(json.dumps({"data": {"folder": str(tmp_path)}}))
    return folder


def test_scenes_of_the_truth_come_before_the_groups_of_the_folds(run, tmp_path):
    assert scenes_of(run, IDS) is None
    pd.DataFrame({"id": ["c", "b", "a"], "fold": 0, "group": ["y", "y", "x"]}).to_csv(run.folds, index=False)
    assert scenes_of(run, IDS).tolist() == ["x", "y", "y"]
    pd.DataFrame({"id": ["a", "b", "c", "d"], "scene": [7, 7, 8, 9]}).to_csv(tmp_path / "truth.csv", index=False)
    assert scenes_of(run, IDS).tolist() == [7, 7, 8]


@pytest.mark.parametrize("truth", ["id,scene\na,1\n", "id,needle\na,1\n", "nonsense"])
def test_a_truth_that_does_not_know_all_is_passed_over(truth, run, tmp_path):
    (tmp_path / "truth.csv").write_text(truth)
    assert scenes_of(run, IDS) is None

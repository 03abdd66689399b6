"""The compare verb: runs with what differs between them, or submissions with what moved."""

from types import SimpleNamespace

import pandas as pd
import pytest

from abacad.cli import main
from abacad.run.compare import Comparison
from tests.cli.calls import instead, refused, told

RUNS = pd.DataFrame({"run": ["runs/a", "runs/b"], "folds": 2, "cadences": 40, "mean": [0.8, 0.7], "oof": [0.75, 0.85],
                     "low": 0.6, "high": 0.9, "minutes": 1.0})  # fmt: skip
DIFFERENCE = pd.DataFrame(
    {"run": ["runs/b"], "less": ["runs/a"], "cadences": 40, "difference": 0.1, "low": 0.0, "high": 0.2}
)


@pytest.mark.parametrize("recipes", [0, 1])
def test_runs_are_told_with_their_differences_and_the_best_comes_next(recipes, run_folder, monkeypatch, capsys):
    differ = pd.DataFrame({"key": ["optim.lr"], "runs/a": ["0.1"], "runs/b": ["0.2"]})[:recipes]
    called = instead(monkeypatch, "compare", Comparison(RUNS, differ, DIFFERENCE))
    said = told(capsys, "compare", run_folder, run_folder)
    assert called.positional == ([run_folder, run_folder],)
    tables = [row["table"] for row in said if "table" in row]
    assert tables.count("ROC-AUC of held-back cadences") == 2
    assert tables.count("What differs in the recipes") == recipes
    assert [row["difference"] for row in said if "difference" in row] == [0.1]
    assert said[-1] == {"next": "abacad report runs/b"}


def test_submissions_are_told_with_what_moved(tmp_path, monkeypatch, capsys):
    files = pd.DataFrame({"file": ["b.csv"], "rank_correlation": [0.5]})
    moves = pd.DataFrame({"id": ["0a"], "from": [3], "to": [1]})
    instead(monkeypatch, "compare", SimpleNamespace(files=files, moves=moves))
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,target\n")
    said = told(capsys, "compare", tmp_path / "a.csv", tmp_path / "b.csv")
    assert [row["table"] for row in said] == ["Ranks", "Largest moves; place 1 is the highest score"]


def test_what_is_neither_run_nor_file_is_refused_before_any_work(run_folder, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "compare", None)
    assert "There is no run folder" in refused(capsys, "compare", run_folder, tmp_path / "gone")
    assert "no run folder" in refused(capsys, "compare", tmp_path)
    assert called.times == 0


@pytest.mark.parametrize(("half", "shown"), [(0.02, "+0.123"), (0.2, "+0.12"), (0.002, "+0.1235")])
def test_a_difference_is_shown_with_the_digits_that_its_interval_warrants(half, shown, run_folder, monkeypatch, capsys):
    difference = DIFFERENCE.assign(difference=0.123456, low=0.123456 - half, high=0.123456 + half)
    instead(monkeypatch, "compare", Comparison(RUNS, pd.DataFrame(), difference))
    assert main(["compare", str(run_folder), str(run_folder)]) == 0
    assert f" {shown} " in capsys.readouterr().out

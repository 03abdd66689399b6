"""The short form of benchmarks/kill.py: a dozen kills of quick verbs, each repeated, end as if never killed."""

import importlib
import random
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from abacad import files
from abacad.cli import main

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def kill() -> ModuleType:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(BENCHMARKS))
        return importlib.import_module("kill")


@pytest.fixture(scope="module")
def given(shared_competition: Path, trained_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs of all verbs, as `kill.prepared` makes them."""
    folder = tmp_path_factory.mktemp("kill") / "given"
    folder.mkdir()
    (folder / "data").symlink_to(shared_competition)
    shutil.copytree(trained_run, folder / "run", ignore=shutil.ignore_patterns("tensorboard", "test.csv"))
    assert main(["predict", str(folder / "run"), str(folder / "data"), "--out", str(folder / "test.csv")]) == 0
    return folder


def trial_of(verb: str, kill: ModuleType, given: Path):
    return kill.Trial(next(one for one in kill.VERBS if one.name == verb), given, given.parent)


def wrong(kill: ModuleType, rows: list[dict]) -> list[dict]:
    return [row for row in rows if any(row[key] for key in kill.BAD)]


@pytest.mark.parametrize(("verb", "n_kills"), [("train", 2), ("overlaps", 4), ("predict", 3), ("submit", 3)])
def test_a_killed_verb_ends_as_if_never_killed(verb, n_kills, kill, given):
    trial = trial_of(verb, kill, given)
    rows = [trial.kill(*moment) for moment in kill.moments(trial, n_kills, random.Random(verb))]
    assert sum(row["killed"] for row in rows) >= n_kills // 2
    assert wrong(kill, rows) == []


def test_a_half_that_stays_behind_is_seen(kill, given, monkeypatch):
    """The same with a writer that does not clear away what an earlier process left half written."""
    monkeypatch.setattr(files, "_sweep", lambda folder: None)
    trial = trial_of("submit", kill, given)
    rows = [trial.kill(at + 1, None) for at in range(trial.operations)]
    assert all(row["killed"] for row in rows)
    assert {key for row in wrong(kill, rows) for key in kill.BAD if row[key]} == {"left_over"}


def test_rows_that_are_gone_or_doubled_are_seen(kill):
    assert kill.rows_wrong({"a.csv": b"id,x\n1,2\n2,3\n"}, {"a.csv": b"id,x\n1,2\n"}) == 1
    assert kill.rows_wrong({"a.csv": b"id,x\n1,2\n"}, {"a.csv": b"id,x\n1,2\n1,2\n"}) == 1
    assert kill.rows_wrong({"a.csv": b"id,x\n1,2\n2,3\n"}, {"a.csv": b"id,x\n2,3\n1,2\n"}) == 0

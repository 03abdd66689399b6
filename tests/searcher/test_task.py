"""A coarse channel as a piece of work: it crosses to another process whole, and what goes wrong comes back."""

import logging
import pickle

import pytest

from abacad.searcher import task
from abacad.searcher.engines import ENGINES, outcomes
from abacad.searcher.task import Outcome, Plan, Task, done, done_elsewhere
from tests.searcher.made import Made
from tests.searcher.pieces import observation, plan, same, tasks


def test_what_is_wrong_with_files_is_an_outcome_and_no_end(monkeypatch):
    broken = observation()
    broken.panel = lambda *_: (_ for _ in ()).throw(OSError("the disk is gone"))
    whole = plan()
    mixed = [Task(Plan.of(broken, whole.settings), 0), Task(whole, 1)]
    with outcomes(mixed, "serial", None) as pairs:
        first, second = (outcome for _, outcome in pairs)
    assert first.result is None
    assert str(first.error) == "the disk is gone"
    assert second.error is None
    assert len(second.result.events) == 1


def test_a_plan_is_unpacked_once_and_what_is_logged_comes_back(monkeypatch, caplog):
    asked = []
    there = plan()

    def packed():
        asked.append(1)
        return there.packed()

    true = Made.panel

    def telling(self, number, *where):
        if number == 0:
            logging.getLogger("abacad.data.filterbank").warning("%d values are masked", 7)
        return true(self, number, *where)

    monkeypatch.setattr(Made, "panel", telling)
    told = [done_elsewhere(there.number, packed, coarse) for coarse in (0, 1)]
    assert asked == [1]
    assert [outcome.said for outcome in told] == [((logging.WARNING, "7 values are masked"),)] * 2
    assert not caplog.records
    monkeypatch.setitem(ENGINES, "serial", lambda tasks, workers: ((task, told[0]) for task in tasks))
    with outcomes(tasks(there)[:1], "serial", None) as pairs:
        list(pairs)
    assert [record.message for record in caplog.records] == ["7 values are masked"]


def test_outcomes_and_plans_go_through_pickle_unchanged():
    there = plan()
    again = pickle.loads(there.packed())
    assert (again.number, again.settings) == (there.number, there.settings)
    outcome = pickle.loads(pickle.dumps(done(Task(again, 1))))
    assert isinstance(outcome, Outcome)
    same({1: outcome}, {1: done(Task(there, 1))})


class StrangeError(Exception):
    """An error that cannot be made again from its text, as those of some libraries."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@pytest.mark.parametrize("error", [ValueError("no such octave"), StrangeError(1, 2)])
def test_a_fault_of_the_program_comes_back_with_its_place(error, monkeypatch):
    broken = observation()
    broken.panel = lambda *_: (_ for _ in ()).throw(error)
    there = Plan.of(broken, plan().settings)
    monkeypatch.setitem(task._here, there.number, there)  # a function of a test cannot be packed
    outcome = pickle.loads(pickle.dumps(done_elsewhere(there.number, bytes, 0)))
    assert outcome.result is None
    assert str(error) in str(outcome.error)
    if isinstance(error, ValueError):
        assert "search_unit" in "".join(outcome.error.__notes__)

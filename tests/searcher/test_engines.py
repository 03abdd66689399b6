"""Whoever searches, and whatever is lost on the way: the same results."""

import dataclasses
import logging
import multiprocessing
import pickle

import pandas as pd
import pytest

from abacad.errors import AbacadError
from abacad.searcher.engines import ENGINES, check_engine, outcomes
from abacad.searcher.processes import cores, default_workers, worker_bytes
from abacad.searcher.settings import Settings
from abacad.searcher.task import Outcome, Plan, Task, done, done_elsewhere
from tests.searcher.made import Made, add_line, made
from tests.searcher.slow import Deadly

PIECES = 4


def observation(kind=Made, **more):
    """Four coarse channels of 1,024 channels with a needle in each of the two in the middle."""
    there = made(seed=11, n_freq=4096)
    for channel in (1500, 2500):
        add_line(there, channel, 0.1, 20)
    kept = {field.name: getattr(there, field.name) for field in dataclasses.fields(there)}
    return kind(**{**kept, "piece": 1024, **more})


def plan(kind=Made, **more):
    return Plan.of(observation(kind, **more), Settings(max_drift_hz_s=0.5, judged=0))


def tasks(plan):
    return [Task(plan, coarse) for coarse in range(PIECES)]


def same(found, expected):
    """Both hold the same results, bit for bit."""
    assert sorted(found) == sorted(expected)
    for coarse, outcome in found.items():
        pd.testing.assert_frame_equal(outcome.result.events, expected[coarse].result.events, check_exact=True)
        assert outcome.result.summary == expected[coarse].result.summary


def expected():
    return {task.coarse: done(task) for task in tasks(plan())}


def test_serial_takes_a_task_only_when_the_one_before_is_done():
    taken = []

    def slowly():
        for task in tasks(plan()):
            taken.append(task.coarse)
            yield task

    with outcomes(slowly(), "serial", None) as found:
        for place, (task, outcome) in enumerate(found):
            assert taken == list(range(place + 1))
            assert task.coarse == outcome.result.coarse == place
            assert (outcome.result.events["class"] == "event").sum() == (place in (1, 2))


def test_a_process_that_is_killed_costs_its_task_one_more_try_and_nothing_else(tmp_path, caplog):
    notes = tmp_path / "begun"
    with outcomes(tasks(plan(Deadly, notes=str(notes))), "processes", 2) as pairs:
        found = {task.coarse: outcome for task, outcome in pairs}
    same(found, expected())
    assert len((tmp_path / "begun-all").read_text().split()) == PIECES + 1
    assert [record.message[:18] for record in caplog.records] == ["A process was lost"]


def test_a_task_that_is_lost_three_times_ends_in_an_error(monkeypatch):
    begun = []

    class Lost:
        """A process that dies of every task, without a process."""

        def __init__(self):
            self.pipe, self._theirs = multiprocessing.Pipe()

        def give(self, task):
            begun.append(task.coarse)
            self._theirs.close()

        def take(self):
            self.pipe.close()

    monkeypatch.setattr("abacad.searcher.processes._Worker", Lost)
    with (
        pytest.raises(AbacadError, match="coarse channel 2 was lost 3 times"),
        outcomes(tasks(plan())[2:3], "processes", 1) as pairs,
    ):
        list(pairs)
    assert begun == [2, 2, 2]


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


def test_workers_are_as_many_as_cores_and_memory_allow(monkeypatch):
    there = plan()
    monkeypatch.setattr("abacad.searcher.processes.cores", lambda: 64)
    for free, number in ((3.5, 3), (0.2, 1), (1000, 64), (0, 64)):
        monkeypatch.setattr("abacad.searcher.processes._free_bytes", lambda free=free: free * worker_bytes(there))
        assert default_workers(there) == number
    assert cores() >= 1


@pytest.mark.parametrize(
    ("name", "workers", "told"),
    [("dask", None, "no engine 'dask'"), ("processes", 0, "0 workers"), ("serial", 2, "2 workers make no sense")],
)
def test_what_cannot_work_is_refused(name, workers, told):
    with pytest.raises(AbacadError, match=told):
        check_engine(name, workers)


def test_ray_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("abacad.searcher.on_ray.find_spec", lambda name: None)
    with pytest.raises(AbacadError, match=r"pip install abacad\[ray\]"):
        check_engine("ray", None)

"""Processes that search: as many as memory allows, and none that is lost takes results with it."""

import multiprocessing
from dataclasses import replace

import pytest

from abacad.errors import AbacadError
from abacad.searcher.engines import outcomes
from abacad.searcher.late import LateJudge
from abacad.searcher.processes import _serve, cores, default_workers, worker_bytes
from tests.searcher.pieces import PIECES, expected, plan, same, tasks
from tests.searcher.slow import Deadly


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


def test_a_process_whose_parent_was_killed_meanwhile_ends_without_a_word(monkeypatch):
    class Pipe:
        def recv(self):
            return 0, None, 0

        def send(self, outcome):
            raise BrokenPipeError

    monkeypatch.setattr("abacad.searcher.processes.signal.signal", lambda *_: None)
    monkeypatch.setattr("abacad.searcher.processes.done_elsewhere", lambda *_: "an outcome")
    _serve(Pipe())


def test_workers_are_as_many_as_cores_and_memory_allow(monkeypatch):
    there = plan()
    monkeypatch.setattr("abacad.searcher.processes.cores", lambda: 64)
    for free, number in ((3.5, 3), (0.2, 1), (1000, 64), (0, 64)):
        monkeypatch.setattr("abacad.searcher.processes._free_bytes", lambda free=free: free * worker_bytes(there))
        assert default_workers(there) == number
    assert cores() >= 1
    with_windows = replace(there, judge=LateJudge(None, 16))
    assert worker_bytes(with_windows) > worker_bytes(there) + 4e8  # torch comes to the powers

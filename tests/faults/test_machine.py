"""A killed reader, too little memory, a small shared memory, a clock that jumps: one message, and the way goes on."""

import importlib
import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from torch.utils.data import get_worker_info

from tests.conftest import QUICK
from tests.faults.child import command, in_child, is_one_message, less_memory, needs_mount, small_disk

TRAIN = (*QUICK, "--data.pack", "never", "--trainer.loggers", "[]")


def _killed_in_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let readers end as the system ends what takes too much memory."""
    cadences = importlib.import_module("abacad.learn.dataset").Cadences
    read = cadences.__getitem__

    def read_or_end(self, item):
        if get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(self, item)

    monkeypatch.setattr(cadences, "__getitem__", read_or_end)


def test_a_killed_reader_of_test_cadences_is_one_message(shared_competition, trained_run, tmp_path, monkeypatch):
    _killed_in_a_reader(monkeypatch)
    words = ["predict", trained_run, shared_competition, "--out", tmp_path / "t.csv", "--workers"]
    is_one_message(in_child(lambda: command(*words, 1)), "reader process", "0 workers")
    assert not (tmp_path / "t.csv").exists()
    assert in_child(lambda: command(*words, 0)).code == 0


def test_a_killed_reader_of_training_cadences_is_one_message_and_the_run_goes_on(
    shared_competition, tmp_path, monkeypatch
):
    _killed_in_a_reader(monkeypatch)
    words = ["train", shared_competition, "--run", tmp_path / "run", *TRAIN, "--data.workers"]
    is_one_message(in_child(lambda: command(*words, 1)), "reader process", "0 workers")
    assert in_child(lambda: command(*words, 0)).code == 0
    assert len(pd.read_csv(tmp_path / "run" / "oof.csv")) == 40


def test_too_little_memory_is_one_message(tmp_path):
    words = ("simulate", "out/set", "--preset", "demo", "--train", 8, "--test", 4, "--scenes.n_freq", 150_000)

    def work() -> int:
        os.chdir(tmp_path)
        less_memory(48)
        return command(*words)

    is_one_message(in_child(work), "memory")


@needs_mount
def test_a_small_shared_memory_is_told_with_the_way_out(shared_competition, trained_run, tmp_path):
    words = ["predict", trained_run, shared_competition, "--out", tmp_path / "t.csv", "--workers"]

    def work(workers: int) -> int:
        small_disk(Path("/dev/shm"), "4k")
        return command(*words, workers)

    is_one_message(in_child(lambda: work(1)), "shared memory", "0 workers")
    assert in_child(lambda: work(0)).code == 0


@pytest.mark.parametrize("jump_s", [-3.4e9, 3.4e9])
def test_a_clock_that_jumps_moves_no_time_told(jump_s, shared_competition, tmp_path, monkeypatch):
    """The time of day is set while a run goes on: seconds of an epoch and the time left stay what they are."""
    now, started = time.time, time.monotonic()
    calls = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: now() + (jump_s if next(calls) % 2 else 0.0))
    run = tmp_path / "run"
    ended = in_child(lambda: command("train", shared_competition, "--run", run, *TRAIN))
    took = time.monotonic() - started
    assert ended.code == 0, ended.told[-800:]
    assert pd.read_csv(run / "fold0" / "metrics.csv")["seconds"].between(0, took).all()
    left = [line.split()[-3:-1] for line in (run / "log.txt").read_text().splitlines() if line.endswith(" left")]
    assert left
    assert all(unit == "s" and 0 <= float(number) <= 10 * took for number, unit in left)

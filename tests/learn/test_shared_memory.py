"""Reader processes where the shared memory is small, as in a container."""

import logging
import os
from types import SimpleNamespace

import pytest

from abacad.learn.dataset import worker_count
from abacad.learn.shared_memory import PLACE, free_bytes, readers_that_fit

BATCH = 64 * 3 * 273 * 256 * 4  # of difference planes: 54 MB


def with_free(monkeypatch: pytest.MonkeyPatch, free: int | None) -> None:
    def statvfs(path):
        assert path == PLACE
        if free is None:
            raise FileNotFoundError(path)
        return SimpleNamespace(f_bavail=free // 4096, f_frsize=4096)

    monkeypatch.setattr(os, "statvfs", statvfs)


@pytest.mark.parametrize(("free", "readers"), [(64 << 20, 0), (400 << 20, 2), (2 << 30, 8), (16 << 30, 8), (None, 8)])
def test_as_many_readers_as_the_shared_memory_serves(free, readers, monkeypatch, caplog):
    with_free(monkeypatch, free)
    assert readers_that_fit(8, BATCH) == readers
    assert bool(caplog.messages) == (readers < 8)
    assert all("--shm-size" in line for line in caplog.messages)


def test_a_number_that_is_asked_for_and_small_batches_stay(monkeypatch, caplog):
    with_free(monkeypatch, 64 << 20)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    with caplog.at_level(logging.WARNING, "abacad"):
        assert worker_count(3, BATCH) == 3
        assert worker_count(None) == 4
        assert worker_count(None, BATCH // 100) == 4
    assert not caplog.messages
    assert worker_count(None, BATCH) == 0


def test_this_machine_tells_its_free_bytes():
    free = free_bytes()
    assert free is None or free >= 0

"""What the machine did is told as the machine's, and what abacad did is not."""

import errno
import multiprocessing

import pytest

from abacad.cli.machine import told_of_machine


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("DataLoader worker (pid 12) is killed by signal: Killed."), "workers"),
        (
            RuntimeError(
                "DataLoader worker (pid 1) is killed by signal: Bus error. It is possible that dataloader's workers "
                "are out of shared memory."
            ),
            "/dev/shm",
        ),
        (RuntimeError("unable to write to file </torch_7_1_0>: No space left on device (28)"), "/dev/shm"),
        (RuntimeError("could not create a primitive"), "memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"), "memory"),
        (
            RuntimeError("[enforce fail at inline_container.cc:672] PytorchStreamWriter failed writing file"),
            "checkpoint",
        ),
    ],
)
def test_each_has_its_way_out(error, said):
    told = told_of_machine(error)
    assert said in told
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize("error", [ValueError("Input contains NaN"), KeyError("x"), RuntimeError("size mismatch")])
def test_a_fault_of_ours_is_not_the_machine(error):
    assert told_of_machine(error) is None


def test_a_lock_that_finds_no_shared_memory_is_told_as_such_and_a_full_disk_is_not(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("_multiprocessing.SemLock", full)
    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing.SemLock", full)
    with pytest.raises(OSError, match="No space") as lock:
        multiprocessing.get_context("spawn").Lock()
    assert "/dev/shm" in told_of_machine(lock.value)
    with pytest.raises(OSError, match="No space") as disk:
        full()
    assert told_of_machine(disk.value) is None

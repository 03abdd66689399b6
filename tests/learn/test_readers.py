"""Readers begin, read and end as a whole, and are forked without dead clients of Ray's, whose end would crash them."""

import gc
import multiprocessing
import signal
import sys
import time
import weakref
from types import ModuleType

import pytest
import torch
from torch.utils.data import Dataset

from abacad.cli.signals import stoppable
from abacad.learn.dataset import Samples, loader
from abacad.learn.packed import pack
from abacad.learn.readers import Loader
from abacad.stops import Stopped
from tests.searcher.left_behind import left_to_the_collector


class Zeros(Dataset):
    def __getitem__(self, place):
        return torch.zeros(1, 2, 2)


def loaded(path):
    iter(loader(Samples(Zeros(), range(4)), 2, 0))


def packed(path):
    pack(Zeros(), 4, path / "packed.npy")


@pytest.mark.parametrize("make", [loaded, packed])
def test_what_ray_left_behind_ends_before_readers_are_forked(make, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", sys.modules.get("ray", ModuleType("ray")))
    with left_to_the_collector() as leave:
        client: weakref.ref = leave()
        make(tmp_path)
        assert client() is None


BEGIN, READ, END = (
    (multiprocessing.process.BaseProcess, "start"),
    (multiprocessing.queues.Queue, "put"),
    (multiprocessing.process.BaseProcess, "join"),
)
"""What PyTorch calls when readers begin, are told what to read, and are ended."""


def read_and_wait():
    for _ in range(2):
        assert len(list(Loader(Zeros(), sampler=range(4), num_workers=1))) == 4
    gc.collect()
    time.sleep(5)


@pytest.mark.parametrize(("owner", "name"), [BEGIN, READ, END])
def test_a_stop_waits_until_readers_are_whole(owner, name, monkeypatch):
    """Raised in the midst of PyTorch's code, it left an iterator without readers, or a lock that nobody gave back."""
    came, untold = [], []
    step = getattr(owner, name)

    def with_signal(*given, **named):
        done = step(*given, **named)
        if not came:
            came.append(signal.raise_signal(signal.SIGINT))
        return done

    monkeypatch.setattr(owner, name, with_signal)
    monkeypatch.setattr(sys, "unraisablehook", untold.append)
    # Python raises nothing where an object is destroyed: there `stoppable` raises it again, a little later
    with pytest.raises(Stopped), stoppable():
        read_and_wait()
    assert came
    assert not multiprocessing.active_children()
    assert untold == []

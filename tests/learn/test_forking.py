"""Readers are forked from a process that holds no dead clients of Ray's, whose end would crash them."""

import sys
import weakref
from types import ModuleType

import pytest
import torch
from torch.utils.data import Dataset

from abacad.learn.dataset import Samples, loader
from abacad.learn.packed import pack
from tests.searcher.left_behind import left_to_the_collector


class Zeros(Dataset):
    def __getitem__(self, place):
        return torch.zeros(1, 2, 2)


def loaded(path):
    loader(Samples(Zeros(), range(4)), 2, 0)


def packed(path):
    pack(Zeros(), 4, path / "packed.npy")


@pytest.mark.parametrize("make", [loaded, packed])
def test_what_ray_left_behind_ends_before_readers_are_forked(make, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", sys.modules.get("ray", ModuleType("ray")))
    with left_to_the_collector() as leave:
        client: weakref.ref = leave()
        make(tmp_path)
        assert client() is None

"""The order of an epoch depends on seed and epoch alone, and processes share it."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import TensorDataset

from abacad.learn.dataset import loader
from abacad.learn.order import EpochOrder


class Counted(list):
    """Samples that remember which epoch they were told."""

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch


def orders(seed: int | None, first_epoch: int = 0, n: int = 20) -> list[list[int]]:
    order = EpochOrder(Counted(range(n)), seed, first_epoch)
    found = []
    for epoch in range(3):
        order.set_epoch(epoch)
        found.append(list(order))
    return found


def test_each_epoch_has_its_order_and_a_continued_fold_the_same():
    found = orders(seed=1)
    assert all(sorted(one) == list(range(20)) for one in found)
    assert len({tuple(one) for one in found}) == 3
    assert orders(seed=1) == found
    assert orders(seed=1, first_epoch=2)[0] == found[2]
    assert orders(seed=2)[0] != found[0]
    assert orders(seed=None) == [list(range(20))] * 3


def test_the_samples_learn_which_epoch_it_is():
    samples = Counted(range(3))
    order = EpochOrder(samples, 0, first_epoch=4)
    assert samples.epoch == 4
    order.set_epoch(3)
    assert samples.epoch == 7
    EpochOrder(SimpleNamespace(), 0).set_epoch(1)  # samples that do not care


@pytest.mark.parametrize("n", [20, 21, 1])
def test_processes_share_an_epoch_evenly(n):
    shares = [EpochOrder(Counted(range(n)), 5, 0, process, 3) for process in range(3)]
    taken = [list(share) for share in shares]
    assert {len(one) for one in taken} == {len(share) for share in shares} == {-(-n // 3)}
    assert {place for one in taken for place in one} == set(range(n))


def test_several_devices_and_fewer_cadences_than_a_batch_make_a_step_each():
    """Five cadences, batches of eight, two devices: none waits for a batch that the other has not."""
    data = TensorDataset(torch.arange(5))
    shares = [list(loader(data, 8, 0, seed=0, process=process, processes=2)) for process in (0, 1)]
    assert [len(share) for share in shares] == [1, 1]
    seen = torch.cat([batch[0] for share in shares for batch in share])
    assert set(seen.tolist()) == set(range(5))
    held = [list(loader(TensorDataset(torch.arange(1)), 8, 0, process=process, processes=2)) for process in (0, 1)]
    assert [len(share) for share in held] == [1, 1]

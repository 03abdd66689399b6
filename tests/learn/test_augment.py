"""Augmentation changes a cadence and keeps its label true."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from abacad.config import Augment, Represent
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Samples, loader
from abacad.represent.representation import Representation, represent, representation

NONE = {"horizontal_flip": 0.0, "vertical_flip": 0.0, "shift": 0.0}


def seen(kind: str) -> Representation:
    return representation(Represent(kind))


def planes_of(kind: str) -> torch.Tensor:
    return represent(torch.randn(6, 28, 32, generator=torch.Generator().manual_seed(3)), Represent(kind))


@pytest.mark.parametrize("kind", ["difference", "panels", "tall", "tall_on", "binned"])
def test_flips_are_those_of_the_representation(kind):
    planes = planes_of(kind)
    before = planes.clone()
    horizontal = Augmentation(Augment(**NONE | {"horizontal_flip": 1.0}), seen(kind))
    vertical = Augmentation(Augment(**NONE | {"vertical_flip": 1.0}), seen(kind))
    assert torch.equal(horizontal(planes), seen(kind).reverse_freq(planes))
    assert torch.equal(vertical(planes), seen(kind).reverse_time(planes))
    unchanged = Augmentation(Augment(**NONE), seen(kind))(planes)
    assert torch.equal(unchanged, planes)
    assert not np.shares_memory(unchanged.numpy(), planes.numpy())
    assert torch.equal(planes, before)


@pytest.mark.parametrize("kind", ["panels", "tall", "binned"])
def test_a_shift_moves_all_panels_alike_by_whole_pixels(kind):
    """A mark at the same place of every panel is at one common place afterwards, and is not blurred."""
    panels = torch.zeros(6, 28, 32)
    panels[:, 14, 16] = 1.0
    planes = panels.flatten(0, 1)[None] if kind == "tall" else panels
    shift = Augmentation(Augment(**NONE | {"shift": 1.0}, time_shift=0.2, freq_shift=0.2), seen(kind))
    places = set()
    for seed in range(20):
        shift.reseed(seed)
        moved = shift(planes).reshape(6, 28, 32)
        found = {tuple(np.argwhere(panel.numpy() == 1.0)[0]) for panel in moved}
        assert len(found) == 1
        assert all(panel.max() == 1.0 for panel in moved)
        places |= found
    assert len(places) > 10
    assert all(abs(row - 14) <= 6 and abs(channel - 16) <= 7 for row, channel in places)


def test_the_seed_decides():
    shift = Augmentation(Augment(), seen("difference"))
    planes = planes_of("difference")
    outcomes = []
    for seed in (1, 2, 1):
        shift.reseed(seed)
        outcomes.append(torch.stack([shift(planes) for _ in range(4)]))
    assert torch.equal(outcomes[0], outcomes[2])
    assert not torch.equal(outcomes[0], outcomes[1])


@dataclass
class Marked(Dataset):
    """Cadences of one mark in a corner of their only plane: where it lies afterwards tells what was done to it."""

    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> torch.Tensor:
        planes = torch.zeros(6, 28, 64)
        planes[0, 10, 20] = 1.0
        return planes


def changes_of(planes: torch.Tensor) -> tuple[bool, bool, bool]:
    """Which of frequency flip, time reversal and shift moved the mark of one cadence of `Marked`."""
    panel, row, channel = (int(places[0]) for places in torch.where(planes == 1.0))
    reversed_time, flipped = panel != 0, channel > 31
    home = (17 if reversed_time else 10, 43 if flipped else 20)
    return flipped, reversed_time, (row, channel) != home


def law_of(samples: Samples, workers: int = 0) -> dict[tuple[bool, bool, bool], int]:
    found: Counter = Counter()
    for batch in loader(samples, 50, workers):
        found.update(changes_of(planes) for planes in batch.planes)
    return found


@pytest.mark.parametrize("workers", [0, 1])
def test_each_change_comes_by_itself(workers):
    """Two flips and a shift at ½ each: eight combinations of 250 in 2,000, each flip alone among them (σ is 15).

    All used to come together or not at all. Both flips together keep the sign of a drift; a flip alone turns it.
    """
    augmentation = Augmentation(Augment(time_shift=0.2, freq_shift=0.2), seen("panels"))
    law = law_of(Samples(Marked(2000), range(2000), augmentation=augmentation, seed=3), workers)
    assert len(law) == 8
    assert all(250 - 65 < count < 250 + 65 for count in law.values()), law


def test_other_epochs_change_other_cadences():
    samples = Samples(Marked(200), range(200), augmentation=Augmentation(Augment(), seen("panels")))
    drawn = []
    for epoch in (0, 1, 0):
        samples.set_epoch(epoch)
        drawn.append([changes_of(samples[item].planes) for item in range(200)])
    assert drawn[0] == drawn[2]
    same = sum(one == other for one, other in zip(drawn[0], drawn[1], strict=True))
    assert same < 70  # 25 of 200 by chance, a few more where a shift moved nothing

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from abacad.errors import AbacadError
from abacad.learn.simulated import BRIGHTEST, BrightFirst, Mixture, SimulatedCadences
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Scenes, Simulation

SMALL = Simulation(axes=Axes(n_time=16, n_freq=32, dt_s=18.0), scenes=Scenes(n_freq=64), positives=0.5)


def test_a_cadence_and_its_target():
    cadences = SimulatedCadences(PRESETS["kaggle"], 3, seed=1)
    cadence, target = cadences[1]
    assert len(cadences) == 3
    assert cadence.shape == (6, 273, 256)
    assert cadence.dtype == np.float16
    assert target in (0, 1)


def test_the_same_whatever_the_batch_and_the_workers():
    cadences = SimulatedCadences(SMALL, 12, seed=1)
    one_by_one = np.stack([cadences[k][0] for k in range(12)])
    for batch_size, workers in ((1, 0), (5, 0), (4, 2)):
        loader = DataLoader(cadences, batch_size=batch_size, num_workers=workers)
        batches = list(loader)
        np.testing.assert_array_equal(torch.cat([panels for panels, _ in batches]).numpy(), one_by_one)
        assert torch.cat([targets for _, targets in batches]).tolist() == [cadences[k][1] for k in range(12)]


def test_no_cadence_comes_twice():
    cadences = SimulatedCadences(SMALL, 8, seed=1)
    seen = set()
    for epoch in range(3):
        cadences.set_epoch(epoch)
        seen |= {cadences[k][0].tobytes() for k in range(8)}
    seen |= {SimulatedCadences(SMALL, 8, seed=2)[k][0].tobytes() for k in range(8)}
    assert len(seen) == 32
    cadences.set_epoch(0)
    assert cadences[3][0].tobytes() in seen


def test_indices_beyond_the_end_are_refused():
    with pytest.raises(IndexError):
        SimulatedCadences(SMALL, 4)[4]
    assert len(list(SimulatedCadences(SMALL, 4))) == 4


def test_an_empty_set_is_refused():
    with pytest.raises(AbacadError, match="at least one"):
        SimulatedCadences(SMALL, 0)


def test_bright_first_begins_bright_and_ends_as_the_preset():
    """By the truth of what is drawn: the faintest of the first stages outshine the faintest of the second half."""
    whole = replace(SMALL, positives=1.0)
    cadences = BrightFirst([whole, replace(whole, positives=0.5)], 400, seed=1)
    parts = [part.parts[0].batch(range(10)).truth["pixel_snr"].min() for part in cadences.parts]
    ends = [part.parts[0].simulation.needles.pixel_snr for part in cadences.parts]
    assert ends[0][0] == pytest.approx(BRIGHTEST)
    assert all(faint >= later for faint, later in itertools.pairwise(low for low, _ in ends))
    assert ends[5:] == [whole.needles.pixel_snr] * 5
    assert parts[0] > max(parts[6:])


def test_bright_first_holds_each_cadence_once_and_knows_its_targets():
    cadences = BrightFirst([SMALL, replace(SMALL, positives=0.0)], 47, seed=1)
    made = cadences.__getitems__(range(47))
    assert len({panels.tobytes() for panels, _ in made}) == len(cadences) == 47
    assert [target for _, target in made] == cadences.targets().tolist()
    assert cadences.targets()[1::2].sum() == 0  # presets in turn, across the stages
    np.testing.assert_array_equal(cadences[31][0], made[31][0])


def test_a_mixture_takes_its_simulations_in_turn_and_knows_its_targets():
    other = replace(SMALL, positives=0.0)
    mixture = Mixture([SMALL, other], 21, seed=4)
    assert len(mixture) == 21
    made = mixture.__getitems__(range(21))
    assert [target for _, target in made] == mixture.targets().tolist()
    assert mixture.targets()[1::2].sum() == 0
    assert mixture.targets().sum() > 0
    alone, target = mixture[7]
    np.testing.assert_array_equal(alone, made[7][0])
    assert target == made[7][1]

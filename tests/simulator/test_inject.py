"""Needles in noise from elsewhere: as bright as asked for over the noise's own σ, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.signal.chance import Chance
from abacad.simulator.inject import generate_on
from abacad.simulator.noise import chi2_noise
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Families

EASY = PRESETS["easy"]
LINES = Families(line=1, squiggle=0, dash=0, sine=0, s_curve=0, pulsed=0, scintillating=0)
SIMULATION = replace(
    EASY,
    axes=replace(EASY.axes, n_time=16, n_freq=64),
    needles=replace(EASY.needles, families=LINES, pixel_snr=(200.0, 200.0), drift_hz_s=(1e-6, 1e-6), width=(0.1, 0.1)),
    rfi=replace(EASY.rfi, decoys=0.0),
    normalise=False,
)


class Flat:
    """χ² noise with 200 degrees of freedom, σ = 0.1; each cadence has its own."""

    def panels(self, chance: Chance, n_freq: int) -> torch.Tensor:
        return chi2_noise((6, 16, n_freq), 200.0, int(chance.keys("flat")[0]))


@pytest.fixture(scope="module")
def batch():
    return generate_on(Flat(), SIMULATION, np.arange(20), seed=4)


def test_needles_stand_in_on_panels_of_the_positives_alone(batch):
    panels, targets = batch.panels.numpy(), batch.targets.numpy()
    assert 0 < targets.sum() < 20
    brightest = panels.max(axis=(2, 3))
    assert (brightest[targets == 1][:, ::2] > 5).all()
    assert (brightest[targets == 1][:, 1::2] < 2).all()
    assert (brightest[targets == 0] < 2).all()


def test_their_amplitude_is_their_snr_times_the_noises_sigma(batch):
    panels, targets = batch.panels.numpy(), batch.targets.numpy()
    excess = panels[targets == 1][:, ::2].sum(axis=3) - 64  # a row's power, less that of the noise
    np.testing.assert_allclose(excess.mean(axis=(1, 2)), 200 * 0.1, rtol=0.1)


def test_seed_and_number_decide_a_cadence(batch):
    again = generate_on(Flat(), SIMULATION, np.arange(10, 20), seed=4)
    assert torch.equal(again.panels, batch.panels[10:])
    assert not torch.equal(generate_on(Flat(), SIMULATION, np.arange(10, 20), seed=5).panels, again.panels)


def test_normalised_where_the_simulation_says_so():
    panels = generate_on(Flat(), replace(SIMULATION, normalise=True), np.arange(4), seed=4).panels.double()
    np.testing.assert_allclose(panels.mean((2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(panels.std((2, 3)), 1, atol=1e-2)

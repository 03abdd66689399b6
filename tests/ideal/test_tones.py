"""The grid of amplitudes and widths, against the laws that the simulator draws from."""

import numpy as np
import pytest

from abacad.ideal.tones import tones_of
from abacad.signal.chance import log_uniform
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Needles


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("name", PRESETS)
def test_priors_add_up_to_one(name, coarse):
    tones = tones_of(PRESETS[name].needles, coarse)
    assert tones.mass.sum() == pytest.approx(1)
    assert tones.width_mass.sum() == pytest.approx(1)
    assert tones.log_prior().exp().sum() == pytest.approx(1)
    assert len(tones.log_prior()) == len(tones.amplitudes) * len(tones.widths)
    assert tones.exponential().sum(1) == pytest.approx(1)


def test_cells_hold_the_share_of_needles_that_the_simulator_draws():
    needles = Needles(pixel_snr=(0.2, 6.0), width=(0.1, 2.0))
    tones = tones_of(needles)
    u = (np.arange(100_000) + 0.5) / 100_000
    amplitudes = np.histogram(log_uniform(u, needles.pixel_snr), np.append(tones.edges[:-1], np.inf))[0] / len(u)
    assert amplitudes == pytest.approx(tones.mass, abs=1e-3)  # the last cell stands for all that are brighter
    widths = np.histogram(log_uniform(u, needles.width), [0.0, 0.5, 1.0, np.inf])[0] / len(u)
    assert widths == pytest.approx(tones.width_mass, abs=1e-3)
    assert (tones.amplitudes > tones.edges[:-1]).all()
    assert (tones.amplitudes < tones.edges[1:]).all()


def test_intensities_of_a_scintillating_needle_are_exponential():
    tones = tones_of(Needles(pixel_snr=(0.2, 3.0)))
    law = tones.exponential().numpy()
    draws = np.random.default_rng(0).exponential(1.0, 200_000)
    for mean, row in zip(tones.amplitudes, law, strict=True):
        edges = [0.0, *tones.edges[:-1], np.inf]
        assert np.histogram(mean * draws, edges)[0] / len(draws) == pytest.approx(row, abs=5e-3)


def test_bright_narrow_and_single_needles_have_a_grid_too():
    bright = tones_of(Needles(pixel_snr=(5.0, 8.0), width=(0.1, 0.4)))
    assert bright.widths == (0.3,)
    assert (bright.amplitudes >= 5).all()
    single = tones_of(Needles(pixel_snr=(1.0, 1.0), width=(0.6, 0.6)))
    assert single.amplitudes == pytest.approx([1.0])
    assert single.mass == pytest.approx([1.0])
    assert len(single.widths) == 1


def test_the_middle_width_of_each_amplitude():
    tones = tones_of(Needles(pixel_snr=(0.2, 3.0)))
    names = [(amplitude, width) for amplitude in tones.amplitudes for width in tones.widths]
    assert names[tones.middle()] == [(amplitude, 0.75) for amplitude in tones.amplitudes]


def test_a_coarse_grid_spans_the_same_amplitudes_with_fewer_tones():
    needles = PRESETS["kaggle"].needles
    fine, coarse = tones_of(needles), tones_of(needles, coarse=True)
    assert coarse.edges[[0, -1]] == pytest.approx(fine.edges[[0, -1]])
    assert len(coarse.log_prior()) * 4 < len(fine.log_prior())
    assert coarse.widths == (0.75,)

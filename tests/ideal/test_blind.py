"""Gains, noise and degrees of freedom that are estimated from pixels alone."""

import numpy as np
import pytest
import torch

from abacad.ideal.blind import degrees_of_freedom, estimated
from abacad.signal.cadence import OFF, ON, Axes

AXES = Axes.evenly(150.0, n_time=128, n_freq=128)
SHAPE = (6, AXES.n_time, AXES.n_freq)


def drawn(dof: float, seed: int = 0) -> np.ndarray:
    """Noise χ²_k / k."""
    return (np.random.default_rng(seed).chisquare(dof, SHAPE) / dof).astype(np.float32)


@pytest.mark.parametrize("dof", [6.0, 10.6, 40.0])
def test_degrees_of_freedom_come_from_the_middle_of_the_noise(dof):
    noise = drawn(dof)
    noise[:, :, 7] += 50  # a carrier does not move them
    assert degrees_of_freedom(noise) == pytest.approx(dof, rel=0.15)


def test_gains_are_taken_off_as_far_as_noise_lets_them_be_known():
    noise = drawn(10.6)
    time = 1 + 0.1 * np.sin(np.linspace(0, 3, AXES.n_time))
    time[40:44] = 1.5  # a burst
    freq = 1 + 0.08 * np.sin(np.linspace(0, 6, AXES.n_freq))
    given = torch.from_numpy((noise * time[:, None] * freq).astype(np.float32))
    found, known = estimated(given, AXES)
    seen = known.needle > 0
    assert float(seen.float().mean()) > 0.99
    error = (found - torch.from_numpy(noise))[seen]
    assert float(error.std()) < 0.06  # of noise with σ = 0.43; without a correction it is 0.13
    assert float(error.mean().abs()) < 0.01


def test_each_panel_may_have_its_own_zero_and_scale():
    noise = torch.from_numpy(drawn(10.6))
    scale, zero = torch.tensor([0.1, 1, 5, 20, 2, 3])[:, None, None], torch.arange(6.0)[:, None, None]
    plain, _ = estimated(noise, AXES)
    moved, _ = estimated(noise * scale + zero, AXES)
    assert moved.numpy() == pytest.approx(plain.numpy(), abs=2e-3)


def test_a_needle_stays_and_what_stands_in_off_panels_is_marked():
    given = drawn(10.6)
    rows = np.arange(AXES.n_time)
    needle = np.rint(30 + 0.1 * rows).astype(int)
    for panel in ON:
        given[panel, rows, needle] += 2.0
    given[:, :, 100] += 6.0
    found, known = estimated(torch.from_numpy(given), AXES)
    for panel in ON:
        assert float(known.needle[panel, rows, needle].mean()) > 0.95
        assert float(found[panel, rows, needle].mean()) == pytest.approx(3.0, abs=0.25)
    assert not known.needle[:, :, 100].any()
    assert (found[:, :, 100] == 1).all()


def test_panels_without_values_say_nothing():
    given = torch.from_numpy(drawn(10.6))
    given[1:3] = 7.0
    found, known = estimated(given, AXES)
    assert not known.needle[1:3].any()
    assert torch.isfinite(found).all()
    found, known = estimated(torch.zeros_like(given), AXES)
    assert not known.needle.any()
    assert (found == 1).all()


SCATTERED = np.arange(8, 128, 10)


def test_a_channel_has_a_gain_of_its_own():
    noise = drawn(10.6)
    gain = np.ones(AXES.n_freq, np.float32)
    gain[SCATTERED] = 1.06
    found, _ = estimated(torch.from_numpy(noise * gain), AXES)
    left = float((found - torch.from_numpy(noise))[..., SCATTERED].mean())
    assert abs(left) < 0.025  # 0.06 if nothing is taken off


def test_what_on_panels_have_more_of_is_no_gain():
    noise = drawn(10.6)
    given = noise.copy()
    for panel in ON:  # needles that stand still
        given[panel][:, SCATTERED] += 0.13
    error = (estimated(torch.from_numpy(given), AXES)[0] - torch.from_numpy(noise))[..., SCATTERED]
    assert float(error[list(ON)].mean()) > 0.092
    assert float(error[list(OFF)].mean()) > -0.02  # by the mean of all panels: 0.086 and -0.028

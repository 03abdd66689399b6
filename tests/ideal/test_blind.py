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


def under_gains(noise: np.ndarray) -> torch.Tensor:
    """Noise under a slow gain with a burst, and under a bandpass."""
    time = 1 + 0.1 * np.sin(np.linspace(0, 3, AXES.n_time))
    time[40:44] = 1.5
    freq = 1 + 0.08 * np.sin(np.linspace(0, 6, AXES.n_freq))
    return torch.from_numpy((noise * time[:, None] * freq).astype(np.float32))


def test_gains_are_taken_off_as_far_as_noise_lets_them_be_known():
    noise = drawn(10.6)
    found, known = estimated(under_gains(noise), AXES)
    seen = known.needle > 0
    assert float(seen.float().mean()) > 0.99
    error = (found - torch.from_numpy(noise))[seen]
    assert float(error.std()) < 0.06  # of noise with σ = 0.43; without a correction it is 0.13
    assert float(error.mean().abs()) < 0.01


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_the_edge_of_a_band_is_no_patch(seed):
    """Channels beyond the edge repeated the last one, which then counted for a patch of three."""
    _, known = estimated(under_gains(drawn(10.6, seed)), AXES)
    assert known.needle[..., :3].all()
    assert known.needle[..., -3:].all()


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


def test_gains_beside_patches_that_fill_a_panel_stay():
    """Where no pixel was good, a level of 0.2 had been taken for a gain, which spread to 20 channels around."""
    given = drawn(10.6)
    for panels, channel in ((OFF, 40), (ON, 52)):
        given[list(panels), :, channel : channel + 6] *= 1.8
    found, known = estimated(torch.from_numpy(given), AXES)
    assert not known.needle[list(OFF), :, 42:44].any()
    gain = known.gain.numpy() / np.median(known.gain.numpy(), axis=(1, 2), keepdims=True)
    assert np.abs(gain.mean(axis=(0, 1)) - 1)[20:80].max() < 0.1
    beside = found[:, :, 60:70].numpy()
    assert float(beside.mean()) == pytest.approx(1.0, abs=0.03)


def test_a_patch_of_an_off_panel_is_left_out_of_the_panels_beside_it():
    given = drawn(10.6)
    given[1, :, 60:66] *= 1.8
    given[2, :, 60:66] *= 1.1  # too faint to be seen on its own
    _, known = estimated(torch.from_numpy(given), AXES)
    assert not known.needle[:3, :, 62:64].any()
    assert known.needle[4, :, 62:64].all()


def test_a_faint_patch_that_flickers_in_all_panels_is_left_out():
    given = drawn(10.6)
    for panel in range(6):  # five channels, lit for an eighth of the time
        for row in range(0, AXES.n_time, 30):
            given[panel, row : row + 4, 60 + panel : 65 + panel] += 0.8
    _, known = estimated(torch.from_numpy(given), AXES)
    for panel in range(6):
        assert not known.needle[panel, :, 61 + panel : 64 + panel].any()
    assert float(known.needle.mean()) > 0.85
    _, empty = estimated(torch.from_numpy(drawn(10.6)), AXES)
    assert float(empty.needle.mean()) > 0.99


def test_degrees_of_freedom_are_told_again_without_gains():
    gain = 1 + 0.25 * np.sin(np.linspace(0, 9, AXES.n_freq))
    given = (drawn(10.6) * gain).astype(np.float32)
    assert degrees_of_freedom(given) < 10
    _, known = estimated(torch.from_numpy(given), AXES)
    assert known.dof == pytest.approx(10.6, rel=0.05)

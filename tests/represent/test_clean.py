"""Cleaning takes carriers and gain drift away and leaves needles."""

import numpy as np
import pytest
import torch

from abacad.represent.clean import cleaned, decluttered, evened, whitened
from abacad.signal.cadence import OFF, ON
from tests.represent.made import add_line, noise


def test_a_carrier_in_all_panels_goes_and_a_still_needle_in_on_alone_stays():
    """The spectrum that is subtracted is one that most panels share."""
    carrier, needle = 20, 40
    panels = noise(n_time=273)
    panels[:, :, carrier] += 5
    panels[list(ON), :, needle] += 1
    white, _ = whitened(panels)
    profile = white.mean(-2)
    assert profile[:, carrier].abs().max() < 0.4
    assert profile[list(ON), needle].mean() == pytest.approx(1, abs=0.25)
    assert profile[list(OFF), needle].abs().max() < 0.4


def test_a_drifting_line_outlives_the_cleaning_and_gain_drift_does_not():
    drift, amplitude = 8, 1.0
    panels = add_line(noise(n_time=273, n_freq=128), ON, 64, drift, amplitude)
    wave = torch.sin(torch.arange(273) / 40)[:, None] * torch.cos(torch.arange(128) / 20)
    clean = decluttered(whitened(panels + 3 * wave)[0])
    without = decluttered(whitened(noise(n_time=273, n_freq=128) + 3 * wave)[0])
    assert without.std() == pytest.approx(1, abs=0.05)
    along = torch.zeros(6)
    for panel in ON:
        f = (64 + drift * (panel - 2 + (torch.arange(273) + 0.5) / 273 - 0.5)).round().long()
        along[panel] = clean[panel, torch.arange(273), f].mean()
    assert along[list(ON)].min() > 0.6 * amplitude
    smooth = clean.unflatten(1, (39, 7)).mean(2)
    assert smooth.std() < 1.15 / 7**0.5


def chi2_noise(dof, seed=0, shape=(6, 128, 128)):
    """Noise of a power of `dof` degrees of freedom: mean 0, σ 1, skew."""
    power = np.random.default_rng(seed).chisquare(dof, shape) / dof
    return torch.from_numpy((power - 1) / np.sqrt(2 / dof)).float()


@pytest.mark.parametrize("dof", [8, 10.6, 60, 204])
def test_evened_noise_is_no_longer_skew(dof):
    before, after = chi2_noise(dof), evened(chi2_noise(dof))
    assert after.mean() == pytest.approx(0, abs=0.01)
    assert after.std() == pytest.approx(1, abs=0.05)
    assert (after**3).mean().abs() < 0.55 * (before**3).mean()


def test_a_weak_signal_gains_in_skew_noise_and_loses_nothing_in_normal_noise():
    for noise_only, least in ((chi2_noise(10.6), 1.06), (noise(n_time=128, n_freq=128), 0.97)):
        with_signal = noise_only.clone()
        with_signal[:, :, 40] += 0.2
        gained = (evened(with_signal) - evened(noise_only))[:, :, 40].mean() / evened(noise_only).std()
        assert gained / 0.2 > least


def test_the_common_spectrum_is_what_four_panels_share_and_not_what_three_do():
    """The third smallest of six values: four panels with a carrier lose it, three ON panels with a needle keep it."""
    panels = torch.randn(6, 28, 64, generator=torch.Generator().manual_seed(3))
    panels[:4, :, 20] += 5
    panels[::2, :, 40] += 5
    white, _ = whitened(panels)
    assert white[:4, :, 20].mean(-1).abs().max() < 1.5
    assert white[::2, :, 40].mean(-1).min() > 2.5


@pytest.mark.parametrize("n_time", [4, 28])
def test_a_panel_loses_the_spectra_of_the_other_class_only(n_time):
    white = torch.zeros(6, n_time, 64)
    profile = torch.linspace(0.5, 2, n_time)
    white[::2, :, 10] = profile  # ON alone
    white[:, :, 50] += 2 * profile  # in all panels
    left = decluttered(white, other=1, own=0)
    torch.testing.assert_close(left[::2, :, 10], profile.expand(3, -1), rtol=0.05, atol=0.05)
    assert left[::2, :, 50].abs().max() < 0.05


def test_what_is_nothing_but_zero_stays_so_and_leaves_the_others_alone():
    white = noise(batch=(2,))
    white[0] = 0
    left = decluttered(white)
    assert (left[0] == 0).all()
    torch.testing.assert_close(left[1], decluttered(white[1]), rtol=1e-3, atol=1e-3)


def test_all_steps_leave_a_bright_drifting_line_bright_and_a_dead_panel_dead():
    panels, row = noise(n_time=128, n_freq=160), torch.arange(128)
    for panel in ON:
        panels[panel, row, 10 + row] += 5
    panels[5] = 7.0
    clean = cleaned(panels)
    assert min(clean[panel, row, 10 + row].mean() for panel in ON) > 2
    assert (clean[5] == 0).all()
    assert clean[1].std() == pytest.approx(1, abs=0.1)
    torch.testing.assert_close(cleaned(1000 * panels + 5), clean, rtol=0, atol=0.01)  # units of the file are no matter


def test_panels_without_a_batch_are_whitened_as_in_a_batch_of_one():
    panels = noise(n_time=21, n_freq=4)  # fewer channels than the rows that are binned
    white, alive = whitened(panels)
    batch, alive_batch = whitened(panels[None])
    torch.testing.assert_close(batch[0], white)
    assert torch.equal(alive_batch[0], alive)

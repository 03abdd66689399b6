import numpy as np
import pytest
import scipy.stats
import torch

from abacad.signal.cadence import Axes
from abacad.signal.chance import Chance
from abacad.simulator.noise import chi2_noise, draw_dof, draw_gains, fill_rows
from abacad.simulator.settings import Noise


@pytest.mark.parametrize("dof", [9.84, 12.0, 204.0])
def test_noise_is_chi_squared(dof: float):
    x = chi2_noise((1_000_000,), dof, key=1).double().numpy()
    distance = scipy.stats.kstest(x * dof, scipy.stats.chi2(dof).cdf).statistic
    assert distance < 0.005
    assert x.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / dof / x.size))
    assert 2 / x.var() == pytest.approx(dof, rel=0.01)


def test_tails_have_neither_an_edge_nor_steps():
    dof, n = 12.0, 4_000_000
    x = chi2_noise((n,), dof, key=2).double().numpy() * dof
    law = scipy.stats.chi2(dof)
    for p in (1e-4, 1e-5):  # beyond what 16 bits can tell
        for outside in ((x > law.isf(p)).sum(), (x < law.ppf(p)).sum()):
            assert abs(outside - n * p) < 5 * np.sqrt(n * p)
    bright = np.sort(x)[-3000:]
    assert len(np.unique(bright)) > 2950
    maxima = [chi2_noise((50_000,), dof, key=key).max().item() for key in range(40)]
    assert len(set(maxima)) == 40


def test_extremes_follow_their_own_law():
    """The maximum M of n draws has F(M)^n uniform: a truncated tail would pile these up at 1."""
    n = 100_000
    maxima = np.array([chi2_noise((n,), 12.0, key=key).max().item() for key in range(200)], dtype=np.float64)
    u = np.exp(-n * scipy.stats.chi2(12.0).sf(maxima * 12.0))
    assert scipy.stats.kstest(u, "uniform").pvalue > 1e-4


def test_pixels_and_cadences_are_independent():
    a = chi2_noise((273, 256), 12.0, key=3) - 1
    b = chi2_noise((273, 256), 12.0, key=4) - 1
    error = 5 / np.sqrt(a.numel())
    variance = a.var().item()
    for other in (a.roll(1, 0), a.roll(1, 1), a.roll(37, 1), b):
        assert abs((a * other).mean().item() / variance) < error


def test_rows_of_a_batch_have_the_same_law_and_their_own_keys():
    """The way noise is made on a GPU, which runs on any device."""
    dof = np.array([9.84, 12.0, 9.84])
    rows = torch.empty(3, 500_000)
    fill_rows(rows, dof, [1, 2, 3])
    for row, k in zip(rows, dof, strict=True):
        assert scipy.stats.kstest(row.double().numpy() * k, scipy.stats.chi2(k).cdf).statistic < 0.005
        for p in (1e-3, 1e-4):
            outside = (row.double().numpy() * k > scipy.stats.chi2(k).isf(p)).sum()
            assert abs(outside - 500_000 * p) < 5 * np.sqrt(500_000 * p)
    alone = torch.empty(1, 500_000)
    fill_rows(alone, dof[2:], [3])
    assert torch.equal(alone[0], rows[2])
    assert abs(torch.corrcoef(rows)[0, 2].item()) < 5 / np.sqrt(500_000)


def test_a_key_decides_the_noise():
    assert torch.equal(chi2_noise((5, 1000), 12.0, key=7), chi2_noise((5, 1000), 12.0, key=7))
    assert not torch.equal(chi2_noise((5, 1000), 12.0, key=7), chi2_noise((5, 1000), 12.0, key=8))


def test_degrees_of_freedom_stay_in_their_range():
    dof = draw_dof(Noise(dof_scale=(0.82, 0.95)), 200.0, Chance(1, np.arange(500)))
    assert dof.min() == pytest.approx(164)
    assert dof.max() == pytest.approx(190)
    assert len(np.unique(dof)) == 16


def test_gains_have_the_rms_asked_for():
    noise = Noise(bandpass_ripple=0.05, channel_gain=0.03, panel_level=0.1, slow_gain=0.04, fast_gain=0.02)
    gains = draw_gains(noise, Axes(n_time=100), 2048, Chance(1, np.arange(300)))
    log_freq = np.log(gains.freq)
    # neighbours share the bandpass, so their difference shows the channel gain alone
    assert np.diff(log_freq, axis=1).std() / np.sqrt(2) == pytest.approx(0.03, rel=0.05)
    assert log_freq.std() == pytest.approx(np.hypot(0.05, 0.03), rel=0.1)
    log_time = np.log(gains.time)
    assert log_time.mean(axis=2).std() == pytest.approx(0.1, rel=0.1)
    within = log_time - log_time.mean(axis=2, keepdims=True)
    assert np.diff(within, axis=2).std() / np.sqrt(2) == pytest.approx(0.02, rel=0.1)
    assert within.std() == pytest.approx(np.hypot(0.04, 0.02), rel=0.15)


def test_each_panel_has_its_own_gain():
    gains = draw_gains(Noise(fast_gain=0.05), Axes(), 64, Chance(1, np.arange(20)))
    rows = np.log(gains.time)
    steps = np.diff(rows, axis=2)
    between_panels = [np.corrcoef(cadence)[np.triu_indices(6, 1)] for cadence in steps]
    assert np.abs(np.mean(between_panels)) < 0.02

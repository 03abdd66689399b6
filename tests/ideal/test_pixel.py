"""The likelihood ratio of a pixel against closed forms, and the shares of a tone against the simulator."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from abacad.ideal.pixel import log_ratio, shares, tone_ratios
from abacad.metric import auc
from abacad.simulator.path import Paths, deposit, deposits
from tests.ideal.small import drawn


@pytest.mark.parametrize("d_prime", [0.5, 1.0, 2.0])
def test_a_known_path_has_the_auc_of_the_closed_form(d_prime):
    """Many degrees of freedom and a faint signal: normal noise, where AUC = Φ(d′/√2)."""
    n_row, dof = 200, 20_000.0
    power = d_prime / np.sqrt(n_row) * np.sqrt(2 / dof)
    noise = drawn((4000, n_row), dof)
    noise[::2] += power
    scores = log_ratio(noise, float(power), dof).sum(1).numpy()
    target = np.arange(4000) % 2 == 0
    assert auc(target, scores) == pytest.approx(norm.cdf(d_prime / np.sqrt(2)), abs=0.02)
    assert scores[target].mean() == pytest.approx(d_prime**2 / 2, abs=0.1)


@pytest.mark.parametrize("power", [0.05, 0.3, 0.9])
def test_the_ratio_of_a_pixel_averages_to_one_over_noise(power):
    ratio = log_ratio(drawn((1_000_000,), 10.0), power, 10.0).exp()
    assert float(ratio.mean()) == pytest.approx(1, abs=5 * float(ratio.std()) / 1000)


def test_skewed_noise_tells_more_than_its_variance():
    """Along a known path of k = 10 the likelihood ratio beats the sum, as k² / 2(k − 4) beats k/2."""
    noise = drawn((4000, 100), 10.0)
    noise[::2] += 0.06
    target = np.arange(4000) % 2 == 0
    assert auc(target, log_ratio(noise, 0.06, 10.0).sum(1).numpy()) > auc(target, noise.sum(1).numpy()) + 0.03


@pytest.mark.parametrize("width", [0.3, 0.75, 1.35])
def test_shares_of_a_tone_are_those_of_the_simulator(width):
    for quarter in range(4):
        path = Paths(
            torch.tensor([0]),
            torch.full((1, 6, 2), 8 + quarter / 4),
            torch.ones(1, 6, 2),
            torch.tensor([width]),
        )
        panels = torch.zeros(1, 6, 2, 16)
        deposit(panels, deposits(path, 1, 16))
        assert shares(width)[quarter] == pytest.approx(panels[0, 0, 0, 7:10].numpy(), abs=2e-3)


def test_tones_beside_the_window_say_nothing():
    ratios = tone_ratios(drawn((5, 8), 10.0), [0.3], [0.3, 1.35], 10.0)
    assert ratios.shape == (2, 5, 32)
    assert ratios.isfinite().all()


@pytest.mark.parametrize("dof", [10.0, 20.0, 200.0])
def test_the_information_of_a_pixel_is_the_closed_form(dof):
    """Over noise a log ratio for a faint power s has the mean −I s² / 2, I = k² / (2 (k − 4)): 8.3 for k = 10.

    The mean of the ratios for s and for −s has no term of third order.
    """
    power = 0.1 * np.sqrt(2 / dof)
    information = dof**2 / (2 * (dof - 4))
    noise = drawn((1_000_000,), dof)
    mean = np.mean([float(log_ratio(noise, float(sign * power), dof).mean()) for sign in (1, -1)])
    assert mean == pytest.approx(-information * power**2 / 2, rel=0.05)


def test_a_factor_scales_the_power_of_its_pixel():
    """To the softening's constant, which belongs to the whole power."""
    noise = drawn((400,), 200.0)
    half = log_ratio(noise, 0.1, 200.0, torch.full_like(noise, 0.5))
    torch.testing.assert_close(half, log_ratio(noise, 0.05, 200.0), atol=1e-3, rtol=1e-3)


def test_a_tone_is_likeliest_at_its_own_quarter_of_a_channel():
    noise = torch.ones(1, 16)
    noise[0, 7], noise[0, 8] = 1 + 0.2 * 0.65, 1 + 0.2 * 0.35  # a tone 0.75 wide at 7.4 puts 0.65 in channel 7
    place = int(tone_ratios(noise, [0.2], [0.75], 200.0)[0, 0].argmax())
    assert place / 4 == pytest.approx(7.4, abs=0.13)

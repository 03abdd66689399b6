"""Location and spread: by NumPy on a CPU what torch gives, right for noise, and unmoved by what stands out."""

import pytest
import torch

from abacad.signal.deviation import MAD_TO_SIGMA
from abacad.signal.robust import inverse, median, noise_sigma, quantiles


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("n", [1, 7, 40])
def test_order_statistics_by_numpy_are_those_of_torch(n):
    x, shares = noise(3, n), torch.tensor([0.0, 0.05, 0.5, 0.95, 1.0])
    assert torch.equal(median(x), x.median(-1).values)
    torch.testing.assert_close(quantiles(x, shares), torch.quantile(x, shares, dim=-1))


def test_the_median_deviation_of_normal_noise_is_its_sigma():
    x = 5 + 3 * noise(1, 200_000)
    assert float(MAD_TO_SIGMA * median((x - median(x)[:, None]).abs())) == pytest.approx(3, rel=0.02)


def test_sigma_of_the_noise_is_not_moved_by_what_stands_out():
    """A bandpass, a bright carrier and a gain that drifts slowly all cancel between neighbouring rows."""
    panels = 3 * noise(2, 6, 273, 256)
    sigma = noise_sigma(panels)
    assert sigma.shape == (2, 6, 1, 1)
    torch.testing.assert_close(sigma, torch.full_like(sigma, 3.0), rtol=0.03, atol=0)
    spoilt = panels + 100 * torch.sin(torch.arange(256) / 20) + torch.linspace(0, 50, 273)[:, None]
    spoilt[..., 40] += 3000
    torch.testing.assert_close(noise_sigma(spoilt), sigma, rtol=0.03, atol=0)


@pytest.mark.parametrize("n_time", [2, 6, 7])
def test_sigma_of_a_few_rows_comes_from_pairs_of_neighbours(n_time):
    """A gain that rises by 10 σ a row is in each pair once: pairs further apart would see more of it."""
    x = noise(6, n_time, 20_000)
    torch.testing.assert_close(noise_sigma(x), torch.ones(6, 1, 1), rtol=0.05, atol=0)
    rising = noise_sigma(0.001 * x + 10 * torch.arange(n_time)[:, None])
    torch.testing.assert_close(rising, torch.full((6, 1, 1), 10 * MAD_TO_SIGMA / 2**0.5), rtol=0.01, atol=0)


def test_the_inverse_of_what_is_masked_is_zero():
    x = torch.tensor([2.0, 0.0, -4.0, float("inf")])
    assert inverse(x, x != 0).tolist() == [0.5, 0.0, -0.25, 0.0]
    assert inverse(x, torch.zeros(4, dtype=torch.bool)).tolist() == [0, 0, 0, 0]

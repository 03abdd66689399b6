"""Standardised planes: mean 0 and σ 1 for any unit, zeros where nothing varies; a contrast that is odd."""

import pytest
import torch

from abacad.represent.standard import signed_log1p, standardise


def noise() -> torch.Tensor:
    return torch.randn(5, 20, 30, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("unit", [1e-30, 1.0, 3e37])
def test_any_unit_gives_the_same_planes(unit):
    planes = standardise(unit * noise())
    torch.testing.assert_close(planes, standardise(noise()), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(planes.mean((-2, -1)), torch.zeros(5), rtol=0, atol=1e-5)
    torch.testing.assert_close(planes.std((-2, -1), correction=0), torch.ones(5))


@pytest.mark.parametrize("value", [0.0, 7.3, -1e30])
def test_what_does_not_vary_is_zero(value):
    assert (standardise(torch.full((2, 8, 8), value)) == 0).all()


def test_the_rounding_of_a_constant_is_no_variation():
    planes = 7.3 + 7.3e-7 * noise().clamp(-3, 3) / 3
    assert planes.std() > 0
    assert (standardise(planes) == 0).all()


def test_each_plane_has_its_own_mean_and_spread():
    x = noise() * torch.tensor([1, 10, 1e3, 1e-3, 5]).view(5, 1, 1) + torch.arange(5.0).view(5, 1, 1)
    torch.testing.assert_close(standardise(x), standardise(noise()), rtol=1e-3, atol=1e-3)


def test_the_signed_logarithm_is_odd_and_log1p_above_zero():
    x = torch.linspace(0, 100, 50)
    torch.testing.assert_close(signed_log1p(x), torch.log1p(x))
    torch.testing.assert_close(signed_log1p(-x), -torch.log1p(x))

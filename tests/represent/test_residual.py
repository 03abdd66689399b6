"""Residuals take the place of clean panels where another window covers a channel, in units of 0.05 σ of the noise."""

import pytest
import torch

from abacad.represent.clean import CLIP
from abacad.represent.residual import Residual, uncovered


def noise(sigma: float = 1.0) -> torch.Tensor:
    return 100 + sigma * torch.randn(6, 60, 40, generator=torch.Generator().manual_seed(0))


def residual_of(amplitude: float, covered_to: int) -> Residual:
    """A needle in channel 3 of all panels; channels below `covered_to` have a partner."""
    difference, covered = torch.zeros(6, 60, 40), torch.zeros(6, 40, dtype=torch.bool)
    difference[:, :, 3] = amplitude
    covered[:, :covered_to] = True
    return Residual(difference, covered)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 50.0])
def test_a_faint_needle_is_shown_in_units_of_a_twentieth_of_the_noise(sigma):
    """0.1 σ, which no single pixel shows, is 2 there; the unit of the panels does not matter."""
    made = uncovered(torch.zeros(6, 60, 40), noise(sigma), residual_of(0.1 * sigma, 10))
    torch.testing.assert_close(made[:, :, 3], torch.full((6, 60), 2.0), rtol=0.1, atol=0)
    assert (made[:, :, [0, 9]] == 0).all()


def test_channels_without_a_partner_keep_their_clean_pixels():
    clean = torch.full((6, 60, 40), 0.7)
    made = uncovered(clean, noise(), residual_of(0.1, 10))
    assert torch.equal(made[:, :, 10:], clean[:, :, 10:])
    assert torch.equal(uncovered(clean, noise(), residual_of(0.1, 0)), clean)


def test_a_bright_needle_is_clipped_and_a_dead_panel_is_zero():
    panels = noise()
    panels[2] = 5.0
    made = uncovered(torch.zeros(6, 60, 40), panels, residual_of(9.0, 40))
    assert (made[[0, 1, 3, 4, 5], :, 3] == CLIP[1]).all()
    assert (made[2] == 0).all()
    assert (uncovered(torch.zeros(6, 60, 40), panels, residual_of(-9.0, 40))[0, :, 3] == CLIP[0]).all()

"""The classical search: a line in ON is an event of its own SNR, a line in OFF as well is none."""

import pytest
import torch

from abacad.model.classical import event_snr, path_snr
from abacad.signal.cadence import ON, Axes

AXES = Axes.evenly(75.0, n_time=64, n_freq=128)


def noise(batch: int = 8) -> torch.Tensor:
    return torch.randn(batch, 6, 64, 128, generator=torch.Generator().manual_seed(0))


def with_line(panels: torch.Tensor, lit: tuple[int, ...], drift: float = 6.0, snr: float = 1.5) -> torch.Tensor:
    """A line of that pixel SNR in some panels, drifting that many channels a panel, gaps included."""
    panels = panels.clone()
    for panel in lit:
        since = panel * AXES.panel_period_s / AXES.dt_s + torch.arange(64)
        channel = torch.round(40 + drift / 64 * since).long()
        panels[:, panel, torch.arange(64), channel] += snr
    return panels


def test_noise_has_no_event_and_a_line_has_one_of_its_panel_snr():
    quiet, loud = event_snr(noise(), AXES, 12), event_snr(with_line(noise(), ON), AXES, 12)
    assert quiet.max() < 5
    assert loud.mean() == pytest.approx(1.5 * 64**0.5, rel=0.2)
    assert (loud > quiet + 3).all()


def test_a_line_that_is_in_off_too_is_no_event():
    assert event_snr(with_line(noise(), tuple(range(6))), AXES, 12).max() < 7
    assert event_snr(with_line(noise(), (*ON, 1)), AXES, 12).max() < 7


def test_a_line_missing_from_one_on_panel_is_no_event():
    assert event_snr(with_line(noise(), (0, 2)), AXES, 12).max() < 5


@pytest.mark.parametrize("drift", [-6.0, 0.0, 3.5])
def test_any_drift_of_the_grid_and_between_is_found(drift):
    panels = with_line(noise(), ON, drift=drift, snr=2.0)
    assert event_snr(panels, AXES, 12).min() > 6
    assert event_snr(3e6 * panels + 1e7, AXES, 12) == pytest.approx(event_snr(panels, AXES, 12), rel=0.05)


def test_path_snr_of_noise_has_unit_spread_and_dead_panels_none():
    panels = noise()
    panels[:, 3] = 7.0
    snr = path_snr(panels, torch.tensor([0.0, 0.05]))
    assert snr[:, 0].std() == pytest.approx(1, abs=0.1)
    assert (snr[:, 3] == 0).all()

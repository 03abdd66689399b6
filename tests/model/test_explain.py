"""The evidence map points at the pixels that a detector's answer rests on."""

import pytest
import torch
from torch import nn

from abacad.config import Represent
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED
from abacad.model.explain import evidence_map
from abacad.represent.representation import represent, representation
from abacad.signal.cadence import OFF, ON


class Excess(nn.Module):
    """Answers the sum of all planes."""

    def forward(self, planes):
        return planes.sum((1, 2, 3))


@pytest.mark.parametrize("kind", ["difference", "on", "panels", "tall", "tall_on"])
def test_the_brightest_pixel_of_an_on_panel_carries_the_most(kind):
    panels = torch.zeros(2, 6, 26, 32)
    panels[:, 4, 13, 20] = 50
    seen = Represent(kind=kind)
    planes = represent(panels, seen)
    found = evidence_map([Excess()], planes, representation(seen), 26)
    assert found.shape == (2, 6, 26, 32)
    panel, row, freq = (int(place) for place in torch.unravel_index(found[0].argmax(), found[0].shape))
    assert panel == 4
    assert abs(row - 13) <= 6
    assert abs(freq - 20) <= 1


def test_what_stands_in_off_of_a_difference_is_shown_there():
    panels = torch.zeros(1, 6, 26, 32)
    panels[:, 3, 13, 20] = 50
    seen = Represent(kind="difference")
    found = evidence_map([Excess()], represent(panels, seen), representation(seen), 26)
    assert int(found[0].flatten(1).amin(1).argmin()) == 3


def test_the_weights_of_the_package_see_a_line_where_it_stands():
    detector, seen = load_detector(SHIPPED)
    panels = torch.randn(1, 6, 273, 256, generator=torch.Generator().manual_seed(0))
    row, start, drift = torch.arange(273), (60, 100, 140), 20 / 273  # bins a row; the slew is skipped
    for panel, channel in zip(ON, start, strict=True):
        panels[0, panel, row, (channel + drift * row).long()] += 1.5
    planes = represent(panels, seen)
    with torch.inference_mode():
        detector(planes)  # what it keeps from here must not stand in the way of gradients
    found = evidence_map([detector, detector], planes, representation(seen), 273)[0]
    assert found.shape == (6, 273, 256)
    profile = found.clamp_min(0).sum(1)  # (panel, channel)
    for panel, channel in zip(ON, start, strict=True):
        track = torch.zeros(256, dtype=torch.bool)
        track[channel - 3 : channel + 24] = True
        assert profile[panel, track].mean() > 10 * profile[panel, ~track].mean()
        assert track[profile[panel].argmax()]
    assert profile[list(ON)].sum() > 3 * profile[list(OFF)].sum()
    with torch.no_grad():
        gained = detector(planes) - detector(torch.zeros_like(planes))
    assert found.sum() / 39 == pytest.approx(gained.item(), rel=0.1)  # each pixel counts in 13 × 3 neighbourhoods

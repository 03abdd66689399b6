"""The evidence map points at the pixels that a detector's answer rests on."""

import pytest
import torch
from torch import nn

from abacad.config import Represent
from abacad.data.represent import represent
from abacad.model.explain import evidence_map
from abacad.model.panel import PanelNetwork


class Excess(nn.Module):
    """Answers the sum of all channels."""

    def forward(self, channels):
        return channels.sum((1, 2, 3))


@pytest.mark.parametrize("kind", ["difference", "on", "panels", "tall", "tall_on"])
def test_the_brightest_pixel_of_an_on_panel_carries_the_most(kind):
    panels = torch.zeros(2, 6, 26, 32)
    panels[:, 4, 13, 20] = 50
    seen = Represent(kind=kind)
    channels = represent(panels, seen)
    found = evidence_map([Excess()], channels, seen, 26)
    assert found.shape == (2, 6, 26, 32)
    panel, row, freq = (int(place) for place in torch.unravel_index(found[0].argmax(), found[0].shape))
    assert panel == 4
    assert abs(row - 13) <= 6
    assert abs(freq - 20) <= 1


def test_what_stands_in_off_of_a_difference_is_shown_there():
    panels = torch.zeros(1, 6, 26, 32)
    panels[:, 3, 13, 20] = 50
    seen = Represent(kind="difference")
    found = evidence_map([Excess()], represent(panels, seen), seen, 26)
    assert int(found[0].flatten(1).amin(1).argmin()) == 3


def test_the_panel_network_sees_a_line_where_it_stands():
    torch.manual_seed(0)
    network = PanelNetwork(3, 4, 1, max_drift=6).eval()
    seen = Represent(kind="binned")
    panels = torch.randn(1, 6, 84, 64)
    with torch.inference_mode():
        network(represent(panels, seen))  # what it keeps from here must not stand in the way of gradients
    found = evidence_map([network, network], represent(panels, seen), seen, 84)
    assert found.shape == (1, 6, 84, 64)
    assert found.isfinite().all()
    assert found.abs().max() > 0

"""The network in real numbers is the network: the same lines, the same pooling, the same answer."""

import pytest
import torch
from torch.nn import functional

from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED
from abacad.model.lines import joint_lines, line_maps
from abacad.model.panel import PanelNetwork
from abacad.model.real import RealPanelNetwork, _Lines, _windows
from abacad.represent.representation import representation
from abacad.signal.cadence import Axes

UNEVEN = (0.0, 1.07, 2.22, 4.24, 5.31, 6.46)
EVEN = Axes().panel_start


@pytest.mark.parametrize("starts", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("n_freq", [32, 50, 63, 64])
def test_lines_in_real_numbers_are_those_of_the_transforms(n_freq, starts):
    panels = torch.randn(2, 6, 5, n_freq)
    torch.testing.assert_close(
        _Lines(5, n_freq, 8, starts, 1)(panels), line_maps(panels, 8, starts), atol=1e-4, rtol=1e-4
    )
    together = _Lines(5, n_freq, 8, starts, 4)(panels[:, 0::2])
    torch.testing.assert_close(together, joint_lines(panels[:, 0::2], 8, starts), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [(4, 64), (3, 50), (39, 256)])
def test_the_network_in_real_numbers_answers_as_the_network(shape):
    detector, represent = load_detector(SHIPPED)
    planes = torch.randn(2, representation(represent).n_planes, *shape)
    real = RealPanelNetwork(detector.backbone, *shape, detector.axes.panel_start).eval()
    with torch.inference_mode():
        torch.testing.assert_close(real(planes), detector(planes), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("line_view", [None, 0, 1])
@pytest.mark.parametrize("n_freq", [33, 36, 47])
def test_small_networks_too_with_lines_or_without_at_any_width_of_the_band(line_view, n_freq):
    torch.manual_seed(0)
    network = PanelNetwork(2, 3, line_view, max_drift=5).eval()
    planes = torch.randn(3, 12, 6, n_freq)
    with torch.inference_mode():
        expected = network(planes, UNEVEN)
        torch.testing.assert_close(RealPanelNetwork(network, 6, n_freq, UNEVEN).eval()(planes), expected)


def test_the_timetable_is_the_one_it_was_made_with():
    torch.manual_seed(0)
    network, planes = PanelNetwork(1, 3, 0, max_drift=5).eval(), torch.randn(2, 6, 6, 40)
    with torch.inference_mode():
        real = RealPanelNetwork(network, 6, 40, UNEVEN).eval()(planes)
        torch.testing.assert_close(real, network(planes, UNEVEN))
        assert (real - network(planes, EVEN)).abs().max() > 1e-5


@pytest.mark.parametrize("n_in", [16, 17, 24, 25, 128])
@pytest.mark.parametrize("part", [2, 4])
def test_windows_pool_as_adaptive_pooling_does(n_in, part):
    n_out, values = -(-n_in // part), torch.randn(2, 3, n_in)
    pooled = values[..., _windows(n_in, n_out)].amax(-1)
    assert torch.equal(pooled, functional.adaptive_max_pool1d(values, n_out))


def test_it_has_the_networks_own_weights_and_no_complex_number():
    network = PanelNetwork(1, 3, 0, max_drift=5)
    real = RealPanelNetwork(network, 6, 40, EVEN)
    assert {id(one) for one in real.parameters()} == {id(one) for one in network.parameters()}
    assert not any(one.is_complex() for one in real.buffers())

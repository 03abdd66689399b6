import math

import pytest
import torch
from torch import nn

from abacad.model.panel import Layer, PanelNetwork, middle
from abacad.signal.cadence import OFF, ON
from tests.model.made import N_FREQ, N_TIME, lines


@pytest.mark.parametrize(("n_views", "line_view"), [(3, 1), (2, 0), (1, None)])
@pytest.mark.parametrize(("n_time", "n_freq"), [(39, 256), (12, 64), (20, 100)])
def test_a_logit_a_cadence_whatever_the_size(n_views, line_view, n_time, n_freq):
    network = PanelNetwork(n_views, 4, line_view, max_drift=6)
    assert network(torch.randn(3, 6 * n_views, n_time, n_freq)).shape == (3,)


def test_weights_do_not_depend_on_the_band():
    torch.manual_seed(0)
    network = PanelNetwork(1, 4, 0, max_drift=6).eval()
    state = {name: value.shape for name, value in network.state_dict().items()}
    network(torch.randn(1, 6, 20, 512))
    assert state == {name: value.shape for name, value in network.state_dict().items()}


def test_gradients_reach_every_weight_and_are_finite():
    torch.manual_seed(0)
    network = PanelNetwork(3, 4, max_drift=6)
    network(torch.randn(8, 18, N_TIME, N_FREQ)).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name


@pytest.mark.parametrize("scale", [2.0, 2e-3], ids=["spread", "hardly spread"])
@pytest.mark.parametrize("ndim", [1, 2])
def test_a_layer_with_settled_norms_gives_what_its_parts_give_and_the_same_gradients(ndim, scale):
    torch.manual_seed(0)
    convolution, norm = ((nn.Conv1d, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d))[ndim - 1]
    layer = Layer(convolution(5, 7, 3, stride=2, padding=1, bias=False), norm(7))
    planes = scale * (1.5 + torch.randn(6, 5, *[16] * ndim))
    for _ in range(200):  # means and spreads of their own, and nothing left of 0 and 1
        layer(planes)
    layer.eval()
    with torch.no_grad():
        layer[1].weight.uniform_(0.5, 2).mul_(torch.tensor([1, -1, 1, 1, -1, 1, 1]))
        layer[1].bias.normal_()
    found = []
    for whole in (layer, nn.Sequential(*layer)):
        layer.zero_grad()
        given = planes.clone().requires_grad_()
        answer = whole(given)
        answer.square().sum().backward()
        found.append((answer, given.grad, *(weight.grad.clone() for weight in layer.parameters())))
    for fused, plain in zip(*found, strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-4, atol=1e-4 * plain.abs().max().item())


def test_a_layer_in_training_takes_the_means_of_its_batch():
    layer = Layer(nn.Conv1d(2, 3, 3, padding=1, bias=False), nn.BatchNorm1d(3)).train()
    answer = layer(5 + torch.randn(8, 2, 50))
    assert (answer > 0).float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert layer[1].num_batches_tracked == 1


def test_the_middle_of_three_is_their_median():
    three = torch.randn(3, 4, 50).round(decimals=1)
    assert torch.equal(middle(*three), three.median(0).values)


def test_dead_panels_give_a_number():
    network = PanelNetwork(3, 4, max_drift=6).eval()
    channels = torch.randn(2, 3, 6, N_TIME, N_FREQ)
    channels[:, :, 3] = 0
    assert network(channels.flatten(1, 2)).isfinite().all()
    assert network(torch.zeros(1, 18, N_TIME, N_FREQ)).isfinite().all()


def test_starts_from_the_prior():
    torch.manual_seed(0)
    network = PanelNetwork(1, 4, 0, max_drift=6, prior=0.02)
    assert network(torch.randn(16, 6, N_TIME, N_FREQ)).mean().item() == pytest.approx(math.log(0.02 / 0.98), abs=1.0)


def learnt(cadence):
    """Logits of 64 new cadences, half of them positive, after a short training on `cadence(positive)`."""
    torch.manual_seed(1)

    def batch(n):
        target = torch.arange(n) % 2
        cadences = torch.cat([cadence(bool(positive)) for positive in target])
        return cadences + torch.randn(n, 6, N_TIME, N_FREQ), target.float()

    network = PanelNetwork(1, 4, 0, max_drift=8, prior=0.5)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(30):
        channels, target = batch(32)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(channels), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    channels, target = batch(64)
    with torch.no_grad():
        logit = network.eval()(channels)
    return logit[target == 1], logit[target == 0]


def test_a_short_training_teaches_on_from_off():
    """Lines in ON alone against the same lines in ON and OFF: new ones are told apart after a few steps."""

    def cadence(positive):
        f0, drift = torch.randint(20, 44, ()).item(), torch.randint(-5, 6, ()).item()
        return lines(ON if positive else (*ON, *OFF), f0, drift, 3.0)

    positive, negative = learnt(cadence)
    assert positive.quantile(0.1) > negative.quantile(0.9)


def test_a_short_training_teaches_drifting_from_standing_lines():
    """Faint lines in ON alone, drifting a channel a panel or two, against such lines that stand still."""

    def cadence(positive):
        f0, drift = torch.randint(20, 44, ()).item(), (1 + torch.rand(()).item()) * (-1) ** torch.randint(2, ()).item()
        return lines(ON, f0, drift if positive else 0, 0.8)

    positive, negative = learnt(cadence)
    assert positive.quantile(0.25) > negative.quantile(0.75)


def test_half_precision_still_ranks():
    """Under autocast the head stays in float32: close cadences keep different logits."""
    torch.manual_seed(0)
    network, channels = PanelNetwork(1, 4, 0, max_drift=6).eval(), torch.randn(16, 6, N_TIME, N_FREQ)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logit = network(channels)
    assert logit.dtype == torch.float32
    assert len(logit.unique()) == 16
    torch.testing.assert_close(logit, network(channels), atol=0.05, rtol=0.05)

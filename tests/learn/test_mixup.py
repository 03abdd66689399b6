"""Mixup: noise keeps its σ, a needle of either part is a needle of the sum, and the draw is the generator's."""

import pytest
import torch

from abacad.learn.mixup import mixup


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def marked(n: int) -> torch.Tensor:
    """Cadence k holds 1 in channel k alone: what stands there afterwards is its share over the root."""
    return torch.eye(n).view(n, 1, 1, n)


def shares(n: int, alpha: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """λ of each cadence, and its partner, found in the mixed planes."""
    mixed, _ = mixup(marked(n), torch.zeros(n), alpha, generator(seed))
    mixed = mixed.view(n, n)
    own = mixed.diagonal()
    others = mixed - torch.diag(own)
    return own / mixed.sum(1), torch.where(others.amax(1) > 0, others.argmax(1), torch.arange(n))


def test_two_cadences_are_summed_and_their_labels_are_ored():
    planes, targets = torch.randn(64, 3, 8, 8, generator=generator()), (torch.arange(64) % 2).float()
    mixed, labels = mixup(planes, targets, 1.0, generator())
    assert mixed.shape == planes.shape
    assert set(labels.tolist()) <= {0.0, 1.0}
    assert (labels >= targets).all()
    assert 0.6 < labels.mean() < 0.9
    assert mixed.std() == pytest.approx(1, abs=0.03)


def test_each_cadence_has_one_partner_and_is_one_partner():
    _, partner = shares(50, 1.0)
    assert len(partner.unique()) >= 48  # a share of almost 1 hides a partner


def test_the_label_is_that_of_the_pair_that_was_mixed():
    n = 40
    targets = torch.rand(n, generator=generator(3))  # pseudo labels lie between 0 and 1
    _, partner = shares(n, 4.0, seed=5)
    _, labels = mixup(marked(n), targets, 4.0, generator(5))
    torch.testing.assert_close(labels, 1 - (1 - targets) * (1 - targets[partner]))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_the_share_is_drawn_from_beta(alpha):
    """Mean ½ and variance 1 / (4·(2α + 1)), of 2,000 draws to some five standard errors."""
    found, partner = shares(2000, alpha)
    found = found[partner != torch.arange(2000)]
    assert found.mean() == pytest.approx(0.5, abs=0.06)
    assert found.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.2)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 20.0])
def test_noise_keeps_its_sigma_in_every_cadence(alpha):
    mixed, _ = mixup(torch.randn(16, 2, 40, 50, generator=generator()), torch.zeros(16), alpha, generator(1))
    # 4,000 pixels: σ is known to 1.1 %; a cadence mixed with itself is √2 brighter at most, and not in this draw
    assert mixed.flatten(1).std(1) == pytest.approx(torch.ones(16), abs=0.06)


def test_a_needle_is_fainter_by_its_share_and_never_gone():
    found, _ = shares(100, 1.0)
    mixed, _ = mixup(marked(100), torch.zeros(100), 1.0, generator())
    own = mixed.view(100, 100).diagonal()
    torch.testing.assert_close(own, found / (found**2 + (1 - found) ** 2).sqrt())
    assert own.max() <= 1


def test_the_generator_decides_and_the_batch_stays_as_it_is():
    planes, targets = torch.randn(8, 1, 4, 4, generator=generator()), torch.ones(8)
    before = planes.clone()
    one, again, other = (mixup(planes, targets, 1.0, generator(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(planes, before)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_one_cadence_alone_is_mixed_with_itself_and_keeps_its_label():
    planes = torch.randn(1, 1, 4, 4, generator=generator())
    mixed, labels = mixup(planes, torch.tensor([1.0]), 1.0, generator())
    ratio = mixed / planes
    torch.testing.assert_close(ratio, ratio.flatten()[0].expand_as(ratio))
    assert labels.tolist() == [1.0]


def test_a_share_that_underflows_is_no_division_by_nought():
    mixed, _ = mixup(torch.ones(500, 1, 1, 1), torch.zeros(500), 1e-3, generator())
    assert mixed.isfinite().all()

"""Mixup with OR labels: the sum of two cadences holds a needle when either does.

    x = λ·x₁ + (1 − λ)·x₂,  λ ~ Beta(α, α);  y = y₁ + y₂ − y₁·y₂

Noise averages down in the sum, so that it is brought back to unit spread; a needle then stands fainter in it than it
did alone, which is the point. Used by every one of the competition's best five, in this or a similar form.
"""

import torch
from torch import Tensor

from abacad.data.represent import standardise
from abacad.types import Channels


def mixup(
    channels: Channels, targets: Tensor, alpha: float, generator: torch.Generator | None = None
) -> tuple[Channels, Tensor]:
    """A batch mixed with itself in another order.

    Args:
        channels: (batch, channel, time, freq), standardised per channel.
        targets: (batch,), 0 or 1.
        alpha: α of the Beta distribution; larger mixes more evenly.
        generator: Source of the order and of λ, on the CPU.

    Returns:
        Mixed channels, standardised again, and their targets.
    """
    n = len(targets)
    order = torch.randperm(n, generator=generator).to(targets.device)
    gammas = torch._standard_gamma(torch.full((2, n), alpha), generator=generator)
    share = (gammas[0] / gammas.sum(0).clamp_min(1e-12)).to(channels).view(n, 1, 1, 1)
    mixed = share * channels + (1 - share) * channels[order]
    return standardise(mixed), targets + targets[order] - targets * targets[order]

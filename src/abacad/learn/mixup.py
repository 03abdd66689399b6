"""Mixup with OR labels: the sum of two cadences holds a needle when either does.

    x = (λ·x₁ + (1 − λ)·x₂) / √(λ² + (1 − λ)²),  λ ~ Beta(α, α);  y = y₁ + y₂ − y₁·y₂

The root keeps the σ of the noise at that of the two parts, while a needle becomes fainter: the detector is trained on
fainter needles than the labelled ones. All of the competition's best five solutions used this or a similar form.
(Scaling each mixed plane to unit spread instead makes the scale depend on the carriers in it; the panel network then
loses 0.03 in AUC.)
"""

import torch
from torch import Tensor

from abacad.types import Planes


def mixup(
    planes: Planes, targets: Tensor, alpha: float, generator: torch.Generator | None = None
) -> tuple[Planes, Tensor]:
    """Mix a batch with itself in a random order.

    Args:
        planes: (batch, plane, row, freq), noise of one σ.
        targets: (batch,), 0 or 1.
        alpha: α of the Beta distribution; larger mixes more evenly.
        generator: Source of the order and of λ, on the CPU.

    Returns:
        Mixed planes and their targets.
    """
    n = len(targets)
    # Order and shares are drawn on the CPU, so that a seed gives the same batches on every device. torch's own Beta
    # takes no generator; of two Gamma(α) numbers the first over their sum is Beta(α, α).
    order = torch.randperm(n, generator=generator).to(targets.device)
    gammas = torch._standard_gamma(torch.full((2, n), alpha), generator=generator)
    share = (gammas[0] / gammas.sum(0).clamp_min(1e-12)).to(planes).view(n, 1, 1, 1)
    mixed = share * planes + (1 - share) * planes[order]
    return mixed / (share**2 + (1 - share) ** 2).sqrt(), targets + targets[order] - targets * targets[order]

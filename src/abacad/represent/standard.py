"""Planes brought to mean 0 and standard deviation 1, and their contrast compressed."""

import torch
from torch import Tensor

_FLAT = 1e-6
"""Spread over the largest value, below which a panel counts as constant: rounding a constant to float32 leaves 6e-8."""


def standardise(values: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 over (time, freq); constant panels become zeros. Finite for any finite input."""
    largest = values.abs().amax((-2, -1), keepdim=True)
    scaled = values / torch.where(largest > 0, largest, 1.0)  # the squares of float32's largest values would overflow
    centred = scaled - scaled.mean((-2, -1), keepdim=True)
    spread = centred.square().mean((-2, -1), keepdim=True).sqrt()
    return centred * torch.where(spread > _FLAT, 1 / spread, 0.0)


def signed_log1p(values: Tensor) -> Tensor:
    """sign(x)·log(1 + |x|): log1p where x ≥ 0, and its mirror image below, where log1p is not defined."""
    return values.sign() * values.abs().log1p()

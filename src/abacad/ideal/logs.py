"""Sums and means of likelihood ratios that are kept as logarithms."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_LEAST = 1e-30  # probability whose logarithm is taken for that of 0


def log_of(share: float) -> float:
    """Logarithm that is finite at 0."""
    return float(np.log(max(share, _LEAST)))


def total_of(logs: Sequence[float]) -> float:
    """Logarithm of the sum."""
    return float(np.logaddexp.reduce(logs))


def mean_of(logs: Mapping[str, float], shares: Mapping[str, float]) -> float:
    """Logarithm of the mean, weighted by shares that add up to 1; names without a share are left out."""
    return total_of([np.log(share) + logs[name] for name, share in shares.items()])


def without(total: float, some: Float[Tensor, " term"]) -> float:
    """Logarithm of what is left of a sum without some of its terms; at least a billionth of it.

    Example:
        >>> round(float(np.exp(without(np.log(10.0), torch.log(torch.tensor([3.0, 4.0]))))), 3)
        3.0
    """
    taken = float(torch.logsumexp(some, 0)) - total
    return total + float(np.log(max(1e-9, -np.expm1(min(taken, -1e-9)))))

"""Rows binned, for all representations, and bright pixels compressed, for those of `binned`."""

import math

from torch import Tensor


def row_blocks(x: Tensor, rows: int) -> Tensor:
    """(*, time, freq) → (*, time // rows, rows, freq)."""
    n = x.shape[-2] // rows
    return x[..., : n * rows, :].unflatten(-2, (n, rows))


def row_sums(x: Tensor, rows: int) -> Tensor:
    """Rows summed so that white noise keeps its σ."""
    return row_blocks(x, rows).sum(-2) / math.sqrt(rows)


def compressed(x: Tensor, knee: float = 4.0) -> Tensor:
    """Linear below `knee`, logarithmic above: a carrier of 1000 σ becomes one of 25."""
    y = x.abs() / knee  # torch.asinh takes four times as long
    return knee * (y + (y * y + 1).sqrt()).log().copysign(x)

"""Rows binned, for all representations, and bright pixels compressed, for those of `binned`."""

import math

from torch import Tensor

from abacad.errors import AbacadError


def row_blocks(x: Tensor, rows: int) -> Tensor:
    """Blocks of `rows` rows, (*, time, freq) → (*, time // rows, rows, freq); a remainder at the end is dropped.

    Raises:
        AbacadError: there are fewer rows than that, so that nothing would be left.
    """
    n = x.shape[-2] // rows
    if n == 0:
        raise AbacadError(
            f"Panels of {x.shape[-2]} rows: this detector sums {rows} rows into one.\n"
            f"Score by other weights, or train with --represent.rows {x.shape[-2]} or fewer."
        )
    return x[..., : n * rows, :].unflatten(-2, (n, rows))


def row_sums(x: Tensor, rows: int) -> Tensor:
    """Rows summed and divided by √rows, so that white noise keeps its σ: (*, time, freq) → (*, time // rows, freq)."""
    return row_blocks(x, rows).sum(-2) / math.sqrt(rows)


def compressed(x: Tensor, knee: float = 4.0) -> Tensor:
    """knee · asinh(x / knee): linear below `knee`, logarithmic above; a carrier of 1000 σ becomes one of 25."""
    y = x.abs() / knee
    # asinh written out, a quarter of the time of torch.asinh; exact enough, as x = 0 is the only place where it cancels
    return knee * (y + (y * y + 1).sqrt()).log().copysign(x)

"""Fingerprints of columns: what is left of one channel's time profile when gain and offset do not count.

A snippet's panel is cut from a wider observation and normalised anew, v = a·power + b, so the same column in two
snippets differs by a and b, and by float16 rounding. With random signs s_t = ±1 and s_−1 = s_T−1 = 0, each of

    c_k = Σ_t (s_t−1 − s_t) v_t        (k = 1 … 12; the weights add up to 0, so b is gone)

is a sum of random signs over the steps from row to row, and the direction of the vector c does not depend on a > 0.
A *column* is one channel of one panel, over all its rows. Some ninety rows, evenly apart, do as well as all: the twelve
numbers c_k distinguish two columns whatever the number of rows behind them. Rounding to float16 moves the direction by
some 10⁻⁴, while two independent columns of noise point anywhere. Twelve signed bytes hold a direction: 6 panels × 256
channels × 12 bytes are 18 kB a cadence. (Random projections of z-scored profiles: Johnson & Lindenstrauss 1984;
comparing them by buckets: Charikar 2002.)
"""

import torch
from jaxtyping import Float, Int8
from torch import Tensor

from abacad.types import Panels

PROJECTIONS = 12
STEPS_PER_SIGMA = 42
"""Codes reach to ±3 σ of a projection: 127 / 42."""
ROWS_PROJECTED = 90
_ALIVE = 1e-4  # a column whose steps are below this share of its level holds rounding, not data
# Effective number of steps (see `steps`) of 32 rows, below which a column is taken for switched rather than noisy. Of
# the 31 steps between 32 rows, normal noise has an effective number of 31/3 ≈ 10, and a column that switches once has
# 1.
_FEWEST_STEPS = 6.0


def rows_apart(n_time: int) -> int:
    """How far apart the rows are that are projected: 3 for the 273 of the competition."""
    return max(1, n_time // ROWS_PROJECTED)


def weights(n_time: int) -> Float[Tensor, "projection time"]:
    """The weights of that many rows in each projection, the same in every run; each projection's add up to 0."""
    # a fixed seed: codes of two files can be compared only if both were made with the same signs
    generator = torch.Generator().manual_seed(20_121)
    signs = torch.randint(0, 2, (PROJECTIONS, n_time - 1), generator=generator, dtype=torch.float32) * 2 - 1
    return torch.diff(signs, prepend=torch.zeros(PROJECTIONS, 1), append=torch.zeros(PROJECTIONS, 1)).neg()


def steps(panels: Panels) -> Float[Tensor, "freq panel step"]:
    """Steps d from row to row of each column, scaled so that Σd² = 1; 0 where only a few rows differ.

    The effective number of steps is (Σd²)² / Σd⁴: n for n steps of one size, n/3 for normal noise (whose fourth moment
    is 3 σ⁴), and 1 for a column that switches once. Two columns that both switch in the same row would look alike
    although they share nothing else; setting them to 0 keeps them out of the comparison.
    """
    difference = panels.diff(dim=-2)
    squares = difference.square()
    power = squares.sum(-2, keepdim=True)
    spread = power.square() / squares.square_().sum(-2, keepdim=True)
    fewest = min(_FEWEST_STEPS, difference.shape[-2] / 5)
    scale = torch.where(spread >= fewest, power.rsqrt(), 0.0)  # 0 / 0 is no number, and not above
    return (difference * scale).permute(2, 0, 1).contiguous()


def fingerprints(
    panels: Panels, projections: Float[Tensor, "projection time"]
) -> Int8[Tensor, "freq panel projection"]:
    """Codes of the columns of one cadence; all zero where a column is constant or holds a value that is not finite.

    Args:
        panels: (6, time, freq), float32, in any units: the rows that are projected.
        projections: the `weights` of that many rows.
    """
    sums = torch.bmm(projections.expand(len(panels), -1, -1), panels)
    length = sums.square().sum(-2, keepdim=True).sqrt_()
    # the first row stands for the level: a constant column has no direction but that of its rounding
    alive = (length > _ALIVE * panels[:, :1].abs()) & length.isfinite()
    scale = STEPS_PER_SIGMA * PROJECTIONS**0.5
    codes = torch.where(alive, sums * (scale / length), 0.0).round_().clamp_(-127, 127)
    return codes.to(torch.int8).permute(2, 0, 1).contiguous()

"""Sums along short straight pieces of 12 rows, for every place and slope, built as a tree: rows → 3 → 6 → 12.

    tracklet[k](i) = Σ over 12 rows of log ratio(row, i + k · row / 12)          i, k in quarters of a channel

Longer paths, straight ones and curves, are sums of these: each sum is computed once and used by all paths that share
it.
"""

import torch
from jaxtyping import Float
from torch import Tensor

ROWS = 12
"""Rows of a piece: 13 s in the competition, over which every curve of the simulator is nearly straight."""


def add_shifted(to: Float[Tensor, "*shape place"], what: Float[Tensor, "*shape place"], shift: int) -> None:
    """In place: to(i) += what(i + shift), where that is inside."""
    n = to.shape[-1]
    if abs(shift) >= n:
        return
    if shift >= 0:
        to[..., : n - shift] += what[..., shift:]
    else:
        to[..., -shift:] += what[..., :shift]


def tracklets(ratios: Float[Tensor, "tone time place"], steepest: int) -> Float[Tensor, "slope tone piece place"]:
    """Sums along pieces that move by −steepest … steepest quarters of a channel within 12 rows.

    Args:
        ratios: log likelihood ratios of a panel, from `pixel.tone_ratios`.
        steepest: the largest slope.

    Returns:
        Slope −steepest first; the last piece is filled up with rows of ratio 0, which say nothing.
    """
    missing = -ratios.shape[1] % ROWS
    rows = torch.nn.functional.pad(ratios, (0, 0, 0, missing)).unflatten(1, (-1, 3))
    reach = -(-steepest // 4)  # a path of that slope moves a quarter as far within 3 of the 12 rows, rounded up
    three = rows.new_zeros(2 * reach + 1, len(rows), *rows.shape[1:2], rows.shape[3])
    for place, shift in enumerate(range(-reach, reach + 1)):
        for row in range(3):
            add_shifted(three[place], rows[:, :, row], round(shift * (2 * row + 1) / 6))
    return _joined(_joined(three, -(-steepest // 2)), steepest)


def _joined(
    short: Float[Tensor, "slope tone piece place"], reach: int
) -> Float[Tensor, "steeper tone half_as_many place"]:
    """Two pieces in one, for shifts of −reach … reach."""
    centre = len(short) // 2
    first, second = short[:, :, 0::2], short[:, :, 1::2]
    out = torch.empty(2 * reach + 1, *first.shape[1:])
    for place, shift in enumerate(range(-reach, reach + 1)):
        early = shift // 2  # an odd shift is split unequally; the second half takes the larger part
        out[place] = first[centre + early]
        add_shifted(out[place], second[centre + shift - early], early)
    return out

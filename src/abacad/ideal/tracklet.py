"""Sums along short straight pieces of 12 rows, for every place and slope, built as a tree: rows → 3 → 6 → 12.

    tracklet[k](i) = Σ over 12 rows of log ratio(row, i + k · row / 12)          i, k in quarters of a channel

Longer paths, straight ones and curves, are sums of these: each sum is computed once and used by all paths that share
it.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.signal.compiled import compiled

ROWS = 12
"""Rows of a piece: 13 s in the competition, over which every curve of the simulator is nearly straight."""


@compiled
def add_moved(to: np.ndarray, what: np.ndarray, shift: int) -> None:
    """In place: to(i) += what(i + shift), where that is inside."""
    n = len(to)
    for i in range(max(0, -shift), min(n, n - shift)):
        to[i] += what[i + shift]


def tracklets(
    ratios: Float[Tensor, "tone time place"], steepest: int, out: Float[Tensor, "slope tone piece place"] | None = None
) -> Float[Tensor, "slope tone piece place"]:
    """Sums along pieces that move by −steepest … steepest quarters of a channel within 12 rows.

    Args:
        ratios: log likelihood ratios of a panel, from `pixel.tone_ratios`.
        steepest: the largest slope.
        out: memory for the result; none: fresh memory, which takes as long to get as the sums do.

    Returns:
        Slope −steepest first; the last piece is filled up with rows of ratio 0, which say nothing.
    """
    missing = -ratios.shape[1] % ROWS
    rows = torch.nn.functional.pad(ratios, (0, 0, 0, missing))
    reach = -(-steepest // 4)  # a path of that slope moves a quarter as far within 3 of the 12 rows, rounded up
    shifts = np.array([[round(shift * (2 * row + 1) / 6) for row in range(3)] for shift in range(-reach, reach + 1)])
    n_tone, n_time, n_place = rows.shape
    out = torch.empty(2 * steepest + 1, n_tone, n_time // ROWS, n_place) if out is None else out
    _pieces(rows.numpy(), shifts, -(-steepest // 2), out.numpy())
    return out


@compiled
def _pieces(rows: np.ndarray, shifts: np.ndarray, reach: int, out: np.ndarray) -> None:
    """Piece by piece, so that what lies between the steps stays in a core's cache."""
    n_tone, n_time, n_place = rows.shape
    three = np.empty((4, len(shifts), n_place), np.float32)
    six = np.empty((2, 2 * reach + 1, n_place), np.float32)
    for tone in range(n_tone):
        for piece in range(n_time // ROWS):
            three[:] = 0
            for quarter in range(4):
                for row in range(3):
                    values = rows[tone, ROWS * piece + 3 * quarter + row]
                    for slope in range(len(shifts)):
                        add_moved(three[quarter, slope], values, shifts[slope, row])
            _join(three[0], three[1], six[0])
            _join(three[2], three[3], six[1])
            _join(six[0], six[1], out[:, tone, piece])


@compiled
def _join(first: np.ndarray, second: np.ndarray, out: np.ndarray) -> None:
    """Two pieces (slope, place) in one, for shifts of −reach … reach of both together."""
    reach, centre = len(out) // 2, len(first) // 2
    for place, shift in enumerate(range(-reach, reach + 1)):
        early = shift // 2  # an odd shift is split unequally; the second half takes the larger part
        begin, both = first[centre + early], out[place]
        for i in range(len(both)):  # a slice assigned to a slice takes seven times as long
            both[i] = begin[i]
        add_moved(both, second[centre + shift - early], early)

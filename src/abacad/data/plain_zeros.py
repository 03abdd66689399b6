"""Stretches of a row that hold plain zeros where other rows hold power: time that was never recorded.

A file that was laid out in advance, or packets that were lost on the way to the disk, leave zeros. They are no power:
taken for it, they make every other row of the panel look too bright, and a search finds lines there. Channels that are
zero in all rows are another thing, a band that was switched off.
"""

import numpy as np
from jaxtyping import Bool, Float

_BLOCK = 512
"""Channels that are asked about together."""

_LEAST = 64  # channels that are zero together by chance in no noise: of one bit, once in 2⁶⁴ times
_LOOKS = 8  # channels of a block that are looked at first


def empty_blocks(values: Float[np.ndarray, "time freq"]) -> Bool[np.ndarray, "time block"]:
    """Whether all values of a block of channels are zero, row by row.

    The last block ends with the last channel, and may overlap the one before. Fewer than 64 channels make no block.

    Example:
        >>> values = np.ones((2, 1000)); values[1, :600] = 0
        >>> empty_blocks(values).tolist()
        [[False, False], [True, False]]
    """
    n_time, n_freq = values.shape
    size = min(n_freq, _BLOCK)
    if size < _LEAST:
        return np.zeros((n_time, 0), dtype=bool)
    whole = values[:, : n_freq // size * size].reshape(n_time, -1, size)
    # A few values tell for nearly all blocks of noise, whatever its bits, that they are not empty.
    empty = (whole[:, :, :: size // _LOOKS] == 0).all(axis=2)
    if empty.any():
        empty[empty] = ~whole[empty].any(axis=1)
    if n_freq % size:
        empty = np.column_stack([empty, ~values[:, -size:].any(axis=1)])
    return empty


def lost_rows(
    values: Float[np.ndarray, "time freq"], empty: Bool[np.ndarray, "time block"]
) -> Bool[np.ndarray, "time freq"] | None:
    """Values that were never recorded: blocks that are empty in some rows and not in all, and zeros beside them.

    Args:
        values: of several rows, in the order of the blocks.
        empty: blocks that are empty, from `empty_blocks`; of several polarisations, in any of them.

    Returns:
        Where such values are; none where there are none.

    Example:
        >>> values = np.ones((2, 1000)); values[1, :600] = 0
        >>> lost_rows(values, empty_blocks(values)).sum(axis=1).tolist()
        [0, 600]
    """
    lost = empty & ~empty.all(axis=0)
    rows = np.flatnonzero(lost.any(axis=1))
    if not len(rows):
        return None
    size = min(values.shape[1], _BLOCK)
    where = np.zeros(values.shape, dtype=bool)
    n_whole = values.shape[1] // size
    where[:, : n_whole * size] = np.repeat(lost[:, :n_whole], size, axis=1)
    if lost.shape[1] > n_whole:
        where[:, -size:] |= lost[:, n_whole:]
    powered = (values != 0).any(axis=0)
    for row in rows:
        where[row] |= _long_runs(values[row] == 0) & powered
    return where


def _long_runs(zero: Bool[np.ndarray, " freq"]) -> Bool[np.ndarray, " freq"]:
    """Where at least 64 neighbours are zero: what is lost ends within a block."""
    edges = np.flatnonzero(np.diff(zero, prepend=False, append=False))
    runs = np.zeros(len(zero), dtype=bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        runs[begin:end] = end - begin >= _LEAST
    return runs

"""Which paths are summed: the tree of one panel, the octaves of drift, and the lines through all ON panels.

    unit drift            df / dt            2.794 Hz / 18.25 s = 0.153 Hz/s: one channel a row
    smear                 N = |drift| · dt / df channels in each row, when above 1
    octave (shear a, step s)   drifts of a·s to (a + 1)·s channels a row, on a band binned to steps of s channels
    joint step            s · df / span      2.794 Hz / 1828 s = 0.0015 Hz/s for three ON panels of a cadence

A tree (Taylor 1974) sums T rows along T drifts in T·log2(T) additions a channel. Above the unit drift a needle fills N
channels of a row, so a band of half-overlapping boxcars, each matched to the smear, replaces the channels: every
further octave of drift then costs half of what the one below it cost, and all octaves together three trees.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Octave:
    """A range of drift rates, of one sign, that one tree a panel searches.

    Attributes:
        step: Channels from one bin to the next.
        width: Channels that a bin adds up: 1 below the unit drift, 2 · step above.
        shear: Bins that each row is moved before the tree, per row: 0 below the unit drift, 1 above.
        sign: +1 for lines that rise in frequency, -1 for lines that fall.
    """

    step: int
    width: int
    shear: int
    sign: int


def octaves(fastest_channels_a_row: float) -> list[Octave]:
    """The octaves up to a drift in channels a row, slowest first, both signs of each.

    Example:
        >>> [(o.step, o.width, o.shear) for o in octaves(3.0)][::2]
        [(1, 1, 0), (1, 2, 1), (2, 4, 1)]
    """
    shapes = [(1, 1, 0)]
    step = 1
    while step < fastest_channels_a_row:
        # A line of an octave smears over step to 2·step channels: boxcars of 2·step fit it within a factor of two.
        shapes.append((step, 2 * step, 1))
        step *= 2
    return [Octave(*shape, sign) for shape in shapes for sign in (1, -1)]


def tree(n_time: int) -> Int[np.ndarray, "stage row 3"]:
    """The additions that sum `n_time` rows along straight paths, for any number of rows.

    Row d of the last stage is the sum along the path that ends d channels above its start. Each stage writes each row
    as `row[a][i] + row[b][i + shift]`, where (a, b, shift) stand in the table and b = -1 copies row a.
    """
    if n_time == 1:
        return np.zeros((0, 1, 3), np.int32)
    # Halves of unlike size: Taylor's tree asks for a power of two, and real panels have 16, 28 or 273 rows.
    half = (n_time + 1) // 2
    low, high = tree(half), tree(n_time - half)
    n_stage = max(len(low), len(high))
    below = np.concatenate([_padded(low, n_stage, 0), _padded(high, n_stage, half)], axis=1)
    return np.concatenate([below, _join(n_time, half)[None]]).astype(np.int32)


def _padded(table: Int[np.ndarray, "stage row 3"], n_stage: int, first: int) -> Int[np.ndarray, "more row 3"]:
    """The table of a part, its rows counted from `first`, with stages that copy put before its own."""
    rows = table.shape[1]
    copy = np.stack([np.arange(rows), np.full(rows, -1), np.zeros(rows, int)], axis=1)
    stages = np.concatenate([np.repeat(copy[None], n_stage - len(table), axis=0), table]).astype(np.int64)
    stages[..., 0] += first
    stages[..., 1] = np.where(stages[..., 1] >= 0, stages[..., 1] + first, -1)
    return stages


def _join(n_time: int, half: int) -> Int[np.ndarray, "row 3"]:
    """The last stage: the lower rows' path, then the upper rows' path from where a straight line has come to."""
    total = np.arange(n_time)
    slope = total / (n_time - 1)
    # Both halves' ends are rounded to the nearest channel of the true line, so that errors do not add up from stage to
    # stage.
    end_low = np.floor(slope * (half - 1) + 0.5).astype(int)
    begin_high = np.floor(slope * half + 0.5).astype(int)
    return np.stack([end_low, half + np.clip(total - begin_high, 0, n_time - half - 1), begin_high], axis=1)


@dataclass(frozen=True)
class Lines:
    """The lines through several panels that one octave is searched along, in bins of its band.

    Attributes:
        offset: Bins that a line has moved, by its start in each panel, in the direction of its sign.
        climb: Row of the panel's tree, the bins that the line climbs in the panel beyond the octave's shear.
        drift_channels_s: Channels a second, with sign.
    """

    offset: Int[np.ndarray, "line panel"]
    climb: Int[np.ndarray, "line panel"]
    drift_channels_s: Float[np.ndarray, " line"]


def lines(
    octave: Octave,
    start_s: Float[np.ndarray, " panel"],
    n_time: Int[np.ndarray, " panel"],
    dt_s: float,
    fastest_channels_a_row: float = np.inf,
) -> Lines:
    """Lines one bin apart at the end of the last panel, up to the first that is as fast as the fastest.

    Both ends of each panel's path are rounded on their own, so that a path never strays from its line by more than
    half a bin at an end.

    Args:
        octave: range of drifts.
        start_s: start of each panel, from the epoch at which a line's frequency is counted.
        n_time: rows of each panel.
        dt_s: seconds a row.
        fastest_channels_a_row: fastest drift that is asked for; none: that of the octave.
    """
    span = float((start_s + n_time * dt_s).max())
    n_lines = ceil(span / dt_s)
    # Only the octave below the unit drift keeps its fastest line; above it that is the first line of the next octave.
    bins_a_row = octave.shear + np.arange(n_lines + (octave.shear == 0)) / n_lines
    # ±4 Hz/s are three lines of 1,700 in a product with kilohertz channels; all others only cost time and chance.
    bins_a_row = bins_a_row[bins_a_row < fastest_channels_a_row / octave.step + 1 / n_lines]
    begin = np.floor(bins_a_row[:, None] * start_s / dt_s + 0.5).astype(np.int32)
    end = np.floor(bins_a_row[:, None] * (start_s / dt_s + n_time - 1) + 0.5).astype(np.int32)
    climb = np.clip(end - begin - octave.shear * (n_time - 1), 0, n_time - 1).astype(np.int32)
    return Lines(begin, climb, octave.sign * octave.step * bins_a_row / dt_s)

"""De-doppler and join: in one pass over the band, the best line through several panels at every frequency.

    S(f, D) = Σ over panels p of tree_p[climb_p(D), f + offset_p(D)]         SNR = (S − location_D) / σ_D

The planes of a panel are never kept: a stretch of the band small enough for the processor's cache is summed by one tree
a panel, the trees' rows are added along every line, and only the best line of each frequency stays. The additions are
made before any threshold, so that a needle too faint for each panel alone is found √(number of panels) deeper.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from abacad.searcher.compiled import compiled
from abacad.searcher.plan import Octave, lines, tree
from abacad.signal.robust import MAD_TO_SIGMA

_STRETCH = 2048  # bins of the band that are worked on at once: trees of 3 × 16 rows fill half a megabyte
_FEWEST = 64  # sums that location and σ of a line can be measured on

Band = Float[np.ndarray, "panel time bin"]


class _Sums(NamedTuple):
    """What the compiled loops add up: a named tuple, since Numba takes one as a single argument.

    Attributes:
        n_time: (panel,) rows.
        tables: (panel, stage, row, 3) the trees; see `abacad.searcher.plan.tree`.
        n_stage: (panel,) stages of each tree.
        offset: (line, panel) bins from the line's first bin to where it enters the panel.
        climb: (line, panel) bins that it crosses within the panel, less the shear.
        sign: 1 where frequency rises, −1 where it falls.
        shear: bins that all lines of the octave drift in a row.
    """

    n_time: np.ndarray
    tables: np.ndarray
    n_stage: np.ndarray
    offset: np.ndarray
    climb: np.ndarray
    sign: int
    shear: int


@compiled
def _load(
    band: np.ndarray, panel: int, n_time: int, first: int, sign: int, shear: int, out: np.ndarray, width: int
) -> None:
    """Rows of one panel from bin `first` on, in the direction of `sign`, each moved by the shear; 0 beyond the band."""
    n_bins = band.shape[2]
    for row in range(n_time):
        begin = first + sign * shear * row
        low = max(0, -begin) if sign > 0 else max(0, begin - n_bins + 1)
        high = min(width, n_bins - begin) if sign > 0 else min(width, begin + 1)
        if high <= low:
            out[row, :width] = 0
            continue
        out[row, :low] = 0
        out[row, high:width] = 0
        if sign > 0:
            out[row, low:high] = band[panel, row, begin + low : begin + high]
        else:
            out[row, low:high] = band[panel, row, begin - high + 1 : begin - low + 1][::-1]


@compiled
def _stage(table: np.ndarray, n_time: int, width: int, source: np.ndarray, target: np.ndarray) -> None:
    """One stage of a tree: each row of `target` is a row of `source` and a shifted one, added."""
    for row in range(n_time):
        a, b, shift = table[row, 0], table[row, 1], table[row, 2]
        if b < 0:
            target[row, :width] = source[a, :width]
        else:
            # slices, since an index that might be negative would keep the loop from being vectorised
            lower, upper, out = source[a, : width - shift], source[b, shift:width], target[row]
            for i in range(width - shift):
                out[i] = lower[i] + upper[i]
            out[width - shift : width] = 0


@compiled
def _planes(
    band: np.ndarray, sums: _Sums, begin: int, n_bins: int, work: np.ndarray, other: np.ndarray, planes: np.ndarray
) -> None:
    """One tree a panel, over the bins that the lines from this stretch reach."""
    sign = sums.sign
    for panel in range(band.shape[0]):
        least, most = sums.offset[0, panel], sums.offset[-1, panel]
        rows, stages = sums.n_time[panel], sums.n_stage[panel]
        width = n_bins + most - least + rows
        source, target = work, other
        _load(band, panel, rows, begin + sign * least, sign, sums.shear, work if stages else planes[panel], width)
        for stage in range(stages - 1):
            _stage(sums.tables[panel, stage], rows, width, source, target)
            source, target = target, source
        if stages:
            _stage(sums.tables[panel, stages - 1], rows, width, source, planes[panel])


@compiled
def _room(band: np.ndarray, sums: _Sums, n_bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Memory for the trees of a stretch of `n_bins`: two to work in, and one for the last stage of each panel."""
    n_panels, rows, _ = band.shape
    reach = 0
    for panel in range(n_panels):
        reach = max(reach, sums.offset[-1, panel] - sums.offset[0, panel] + sums.n_time[panel])
    width = n_bins + reach
    work, other = np.zeros((rows, width), np.float32), np.zeros((rows, width), np.float32)
    return work, other, np.zeros((n_panels, rows, width), np.float32)


@compiled
def _sum_line(
    planes: np.ndarray, offset: np.ndarray, climb: np.ndarray, line: int, n_bins: int, total: np.ndarray
) -> None:
    """Add the trees' rows of all panels along one line."""
    n_panels = planes.shape[0]
    total[:n_bins] = 0
    for panel in range(n_panels):
        row = planes[panel, climb[line, panel], offset[line, panel] - offset[0, panel] :]
        for i in range(n_bins):
            total[i] += row[i]


@compiled
def _raise(
    total: np.ndarray, line: int, n_bins: int, middle: float, factor: float, top: np.ndarray, which: np.ndarray
) -> None:
    """Where the line's SNR is the highest so far, keep it."""
    for i in range(n_bins):
        snr = (total[i] - middle) * factor
        # Both arrays are written in any case: a branch in here would keep the loop from being vectorised.
        higher = snr > top[i]
        top[i] = snr if higher else top[i]
        which[i] = line if higher else which[i]


@compiled
def _raise_three(
    planes: np.ndarray,
    offset: np.ndarray,
    climb: np.ndarray,
    line: int,
    n_bins: int,
    middle: float,
    factor: float,
    top: np.ndarray,
    which: np.ndarray,
) -> None:
    """`_sum_line` and `_raise` of three panels, the usual number, in one loop: a third less time."""
    first = planes[0, climb[line, 0], offset[line, 0] - offset[0, 0] :]
    second = planes[1, climb[line, 1], offset[line, 1] - offset[0, 1] :]
    third = planes[2, climb[line, 2], offset[line, 2] - offset[0, 2] :]
    for i in range(n_bins):
        snr = (first[i] + second[i] + third[i] - middle) * factor
        higher = snr > top[i]
        top[i] = snr if higher else top[i]
        which[i] = line if higher else which[i]


@compiled
def _best(
    band: np.ndarray,
    sums: _Sums,
    location: np.ndarray,
    scale: np.ndarray,
    stretch: int,
    best: np.ndarray,
    line_of: np.ndarray,
) -> None:
    """Best SNR of each bin, and which line had it."""
    n_panels, _, n_bins = band.shape
    offset, climb = sums.offset, sums.climb
    work, other, planes = _room(band, sums, stretch)
    top, which, total = np.zeros(stretch, np.float32), np.zeros(stretch, np.int32), np.zeros(stretch, np.float32)
    for start in range(0, n_bins, stretch):
        size = min(stretch, n_bins - start)
        # The trees know rising lines only; for falling ones a stretch is read from its upper end downwards.
        begin = start if sums.sign > 0 else start + size - 1
        _planes(band, sums, begin, size, work, other, planes)
        top[:] = -np.inf
        for line in range(offset.shape[0]):
            if n_panels == 3:
                _raise_three(planes, offset, climb, np.int32(line), size, location[line], scale[line], top, which)
            else:
                _sum_line(planes, offset, climb, line, size, total)
                _raise(total, np.int32(line), size, location[line], scale[line], top, which)
        for i in range(size):
            place = begin + sums.sign * i
            best[place], line_of[place] = top[i], which[i]


@compiled
def _sampled(band: np.ndarray, sums: _Sums, starts: np.ndarray, size: int, out: np.ndarray) -> None:
    """Sums along every line in a few stretches of the band: what location and σ of each line are measured on."""
    work, other, planes = _room(band, sums, size)
    for place in range(len(starts)):
        _planes(band, sums, starts[place], size, work, other, planes)
        for line in range(sums.offset.shape[0]):
            _sum_line(planes, sums.offset, sums.climb, line, size, out[line, place])


class Join:
    """Sums of the powers of several panels along all lines of one octave of drifts.

    Attributes:
        octave: range of drifts.
        lines: lines that are summed, one bin apart at the end of the last panel.
        location, scale: (line,) median of noise of the sums along each line, and 1 / σ.
    """

    def __init__(
        self, octave: Octave, start_s: Float[np.ndarray, " panel"], n_time: Int[np.ndarray, " panel"], dt_s: float
    ) -> None:
        """Plan the lines.

        Args:
            octave: range of drifts.
            start_s: start of each panel; the frequency of a line is counted at time 0.
            n_time: rows of each panel.
            dt_s: seconds a row.
        """
        self.octave = octave
        self.lines = lines(octave, start_s, n_time, dt_s)
        tables, n_stage = _tables(n_time)
        offset, climb = self.lines.offset, self.lines.climb
        self._sums = _Sums(n_time.astype(np.int64), tables, n_stage, offset, climb, octave.sign, octave.shear)
        # Until `calibrate` has samples, sums are taken for those of white noise: n rows of bins of `width` channels.
        self.location = np.zeros(len(offset), np.float32)
        self.scale = np.full(len(offset), 1 / np.sqrt(n_time.sum() * octave.width), np.float32)

    def tree(self, panel: int) -> tuple[int, Int[np.ndarray, "stage row 3"]]:
        """Rows of a panel, and the stages of its tree."""
        rows = int(self._sums.n_time[panel])
        return rows, self._sums.tables[panel, : self._sums.n_stage[panel], :rows]

    @property
    def reach(self) -> int:
        """Bins that a line moves at most."""
        return int(self.lines.offset.max() + (self.octave.shear + 1) * self._sums.n_time.max())

    def samples(self, band: Band, starts: Sequence[int], size: int) -> Float[np.ndarray, "line some"]:
        """Sums along every line from a few stretches of a band, `size` bins each."""
        first = np.array(starts, np.int64) + (size - 1 if self.octave.sign < 0 else 0)
        sums = np.zeros((len(self.lines.offset), len(first), size), np.float32)
        _sampled(band, self._sums, first, size, sums)
        return (sums[..., ::-1] if self.octave.sign < 0 else sums).reshape(len(sums), -1)

    def calibrate(self, sums: Float[np.ndarray, "line some"]) -> None:
        """Take location and σ of the sums along each line from samples: median, median absolute deviation."""
        sums = sums[:, np.abs(sums).sum(axis=0) > 0]  # masked bins say nothing about noise
        if sums.shape[1] < _FEWEST:
            return  # and the σ of white noise stays
        location = np.median(sums, axis=1)
        sigma = MAD_TO_SIGMA * np.median(np.abs(sums - location[:, None]), axis=1)
        self.location = location.astype(np.float32)
        # A line on which all is masked has no scatter: its scale of 0 keeps it from ever being the best.
        self.scale = np.where(sigma > 0, 1 / np.maximum(sigma, 1e-12), 0).astype(np.float32)

    def best(self, band: Band) -> tuple[Float[np.ndarray, " bin"], Int[np.ndarray, " bin"]]:
        """SNR of the best line from each bin of a band, and which line that is.

        Args:
            band: panels in units of their σ, binned as the octave asks; rows beyond a panel's own are not read.
        """
        best, line = np.empty(band.shape[2], np.float32), np.empty(band.shape[2], np.int32)
        _best(band, self._sums, self.location, self.scale, min(_STRETCH, band.shape[2]), best, line)
        return best, line


def _tables(
    n_time: Int[np.ndarray, " panel"],
) -> tuple[Int[np.ndarray, "panel stage row 3"], Int[np.ndarray, " panel"]]:
    """The tree of each panel, in one array."""
    trees = [tree(int(rows)) for rows in n_time]
    tables = np.zeros((len(trees), max(map(len, trees)), int(n_time.max()), 3), np.int32)
    for panel, table in enumerate(trees):
        tables[panel, : len(table), : table.shape[1]] = table
    return tables, np.array([len(table) for table in trees])

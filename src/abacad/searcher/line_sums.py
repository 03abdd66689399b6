"""The compiled loops of `abacad.searcher.join`: trees of a stretch of the band, and sums along lines through them.

All arrays lie in the order of frequency, for lines that rise and that fall: a falling line's tree adds the bins below
instead of those above, so that no row is ever turned round.
"""

from typing import NamedTuple

import numpy as np

from abacad.signal.compiled import compiled


class Sums(NamedTuple):
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
def _load(band: np.ndarray, panel: int, n_time: int, first: int, move: int, out: np.ndarray, width: int) -> None:
    """Rows of one panel from bin `first` on, each `move` bins further than the row before; 0 beyond the band."""
    n_bins = band.shape[2]
    for row in range(n_time):
        begin = first + move * row
        low, high = max(0, -begin), min(width, n_bins - begin)
        if high <= low:
            out[row, :width] = 0
            continue
        out[row, :low] = 0
        out[row, high:width] = 0
        # a loop, since an assignment of slices takes seven times as long
        values, target = band[panel, row, begin + low : begin + high], out[row, low:high]
        for i in range(high - low):
            target[i] = values[i]


@compiled
def _stage(table: np.ndarray, n_time: int, width: int, sign: int, source: np.ndarray, target: np.ndarray) -> None:
    """One stage of a tree: each row of `target` is a row of `source` and a shifted one, added."""
    for row in range(n_time):
        a, b, shift = table[row, 0], table[row, 1], table[row, 2]
        if b < 0:
            out, lower = target[row, :width], source[a, :width]
            for i in range(width):
                out[i] = lower[i]
            continue
        # slices, since an index that might be negative would keep the loop from being vectorised
        begin, other = (0, shift) if sign > 0 else (shift, 0)
        lower, upper, out = source[a, begin:width], source[b, other:width], target[row, begin:width]
        for i in range(width - shift):
            out[i] = lower[i] + upper[i]
        if sign > 0:
            target[row, width - shift : width] = 0
        else:
            target[row, :shift] = 0


@compiled
def _climbs(
    band: np.ndarray, sums: Sums, start: int, n_bins: int, work: np.ndarray, other: np.ndarray, climbs: np.ndarray
) -> None:
    """One tree a panel, over the bins that the lines from this stretch reach: above it if they rise, else below."""
    sign = sums.sign
    for panel in range(band.shape[0]):
        least, most = sums.offset[0, panel], sums.offset[-1, panel]
        rows, stages = sums.n_time[panel], sums.n_stage[panel]
        width = n_bins + most - least + rows
        source, target = work, other
        first = start + least if sign > 0 else start - most - rows
        _load(band, panel, rows, first, sign * sums.shear, work if stages else climbs[panel], width)
        for stage in range(stages - 1):
            _stage(sums.tables[panel, stage], rows, width, sign, source, target)
            source, target = target, source
        if stages:
            _stage(sums.tables[panel, stages - 1], rows, width, sign, source, climbs[panel])


@compiled
def _along(climbs: np.ndarray, sums: Sums, line: int, panel: int) -> np.ndarray:
    """What a panel has along one line, from each bin of the stretch."""
    offset = sums.offset[line, panel]
    begin = offset - sums.offset[0, panel] if sums.sign > 0 else sums.offset[-1, panel] + sums.n_time[panel] - offset
    return climbs[panel, sums.climb[line, panel], begin:]


@compiled
def _room(band: np.ndarray, sums: Sums, n_bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Memory for the trees of a stretch of `n_bins`: two to work in, and one for the last stage of each panel."""
    n_panels, rows, _ = band.shape
    reach = 0
    for panel in range(n_panels):
        reach = max(reach, sums.offset[-1, panel] - sums.offset[0, panel] + sums.n_time[panel])
    width = n_bins + reach
    work, other = np.zeros((rows, width), np.float32), np.zeros((rows, width), np.float32)
    return work, other, np.zeros((n_panels, rows, width), np.float32)


@compiled
def _sum_line(climbs: np.ndarray, sums: Sums, line: int, n_bins: int, total: np.ndarray) -> None:
    """Add the trees' rows of all panels along one line."""
    total[:n_bins] = 0
    for panel in range(climbs.shape[0]):
        row = _along(climbs, sums, line, panel)
        for i in range(n_bins):
            total[i] += row[i]


@compiled
def _raise(total: np.ndarray, n_bins: int, middle: float, factor: float, top: np.ndarray) -> None:
    """Where the line's SNR is the highest so far, keep it."""
    for i in range(n_bins):
        top[i] = max(top[i], (total[i] - middle) * factor)


@compiled
def _raise_three(
    climbs: np.ndarray,
    sums: Sums,
    line: int,
    more: int,
    n_bins: int,
    location: np.ndarray,
    scale: np.ndarray,
    top: np.ndarray,
) -> None:
    """`_sum_line` and `_raise` of three panels, the usual number, for two lines in one loop: half the time.

    More than two would be more arrays than the compiler tests for overlap, and the loop would not be vectorised.
    """
    a, b, c = _along(climbs, sums, line, 0), _along(climbs, sums, line, 1), _along(climbs, sums, line, 2)
    d, e, f = _along(climbs, sums, more, 0), _along(climbs, sums, more, 1), _along(climbs, sums, more, 2)
    middle, factor, middle_more, factor_more = location[line], scale[line], location[more], scale[more]
    for i in range(n_bins):
        snr = (a[i] + b[i] + c[i] - middle) * factor
        top[i] = max(top[i], max(snr, (d[i] + e[i] + f[i] - middle_more) * factor_more))


@compiled
def _line_at(climbs: np.ndarray, sums: Sums, location: np.ndarray, scale: np.ndarray, place: int) -> int:
    """The line that has the highest SNR from one bin of the stretch."""
    best, which = -np.inf, 0
    for line in range(sums.offset.shape[0]):
        total = np.float32(0)
        for panel in range(climbs.shape[0]):
            total += _along(climbs, sums, line, panel)[place]
        snr = (total - location[line]) * scale[line]
        if snr > best:
            best, which = snr, line
    return which


@compiled
def best_lines(
    band: np.ndarray,
    sums: Sums,
    location: np.ndarray,
    scale: np.ndarray,
    stretch: int,
    every: int,
    threshold: float,
    best: np.ndarray,
    line_of: np.ndarray,
) -> None:
    """Best SNR of each bin; which line has it, at the best of every few bins where that is above the threshold.

    The lines are told afterwards, while the trees are still in the cache: to keep the number of the best line of each
    bin would cost more than a third of the time, and few are asked for.
    """
    n_panels, _, n_bins = band.shape
    n_lines = sums.offset.shape[0]
    work, other, climbs = _room(band, sums, stretch)
    total = np.zeros(stretch, np.float32)
    line_of[:] = -1
    for start in range(0, n_bins, stretch):
        size = min(stretch, n_bins - start)
        top = best[start : start + size]
        top[:] = -np.inf
        _climbs(band, sums, start, size, work, other, climbs)
        if n_panels == 3:
            for line in range(0, n_lines, 2):
                _raise_three(climbs, sums, line, min(line + 1, n_lines - 1), size, location, scale, top)
        else:
            for line in range(n_lines):
                _sum_line(climbs, sums, line, size, total)
                _raise(total, size, location[line], scale[line], top)
        for low in range(0, size, every):
            place = low + np.argmax(top[low : low + every])
            if top[place] > threshold:
                line_of[start + place] = _line_at(climbs, sums, location, scale, place)


@compiled
def sampled(band: np.ndarray, sums: Sums, starts: np.ndarray, size: int, out: np.ndarray) -> None:
    """Sums along every line in a few stretches of the band: what location and σ of each line are measured on."""
    work, other, climbs = _room(band, sums, size)
    for place in range(len(starts)):
        _climbs(band, sums, starts[place], size, work, other, climbs)
        for line in range(sums.offset.shape[0]):
            _sum_line(climbs, sums, line, size, out[line, place])

"""Stamps: the neighbourhood of one line, cut out along its drift, for the panel network to judge and a person to see.

The panel network has learnt needles that cross up to 36 channels a panel, and takes a line without drift for a carrier.
So a fast line is sheared until it drifts by 7 channels a panel; and where it smears over N channels, N are added into
one bin, so that its pixels are as bright as they can be.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float

from abacad.searcher.path import Line
from abacad.searcher.unit import Judge, Observation, Unit
from abacad.signal.cadence import WIDTH, Axes
from abacad.signal.compiled import compiled

Stamps = Float[np.ndarray, "line panel time width"]

RESIDUAL = 7.0
"""Channels that a line keeps to drift from the start of a panel to the start of the next."""

_AT_ONCE = 4  # stamps scored at once: 32 take 0.14 GB, these 0.03


@compiled
def _sheared(
    power: np.ndarray,
    n_time: np.ndarray,
    start_rows: np.ndarray,
    x: float,
    slope: float,
    keep: float,
    binned: int,
    width: int,
    out: np.ndarray,
) -> None:
    """Bins of `binned` channels about a line that moves by `keep` bins a row instead of its slope."""
    n_freq = power.shape[2]
    # A sum of N channels of unit noise scatters by √N: divided by it, a bin is in units of its σ again.
    norm = np.float32(1 / np.sqrt(binned))
    for panel in range(power.shape[0]):
        for row in range(n_time[panel]):
            t = start_rows[panel] + row + 0.5
            # The line is in the middle of the stamp half-way through the observation, and leaves it on neither side.
            at_bin = int(np.floor(0.5 * width + keep * (t - start_rows[-1] * 0.5) + 0.5))
            first = int(np.floor(x + slope * t - 0.5 * (binned - 1) + 0.5)) - at_bin * binned
            for i in range(width):
                total = np.float32(0)
                for c in range(max(0, first + i * binned), min(n_freq, first + (i + 1) * binned)):
                    total += power[panel, row, c]
                out[panel, row, i] = total * norm


def kept_slope(unit: Unit, line: Line) -> tuple[int, float]:
    """Channels that one bin of a line's stamp adds up, and the bins a row that the line keeps to drift there."""
    starts = np.array(unit.start_s) / unit.dt_s
    # Slower lines keep their own drift: sheared to a faster one, a carrier would pass for a needle.
    per_row = RESIDUAL / max(1.0, float(np.diff(starts).mean())) if len(starts) > 1 else 0.0
    binned = max(1, int(abs(line.slope) + line.width))
    return binned, line.slope if abs(line.slope) <= per_row else float(np.copysign(per_row, line.slope))


def stamp(unit: Unit, line: Line, width: int = WIDTH) -> Float[np.ndarray, "panel time width"]:
    """All panels along a line, in σ of a bin."""
    start_rows = np.array(unit.start_s) / unit.dt_s
    n_time = np.array(unit.n_time, np.int64)
    binned, keep = kept_slope(unit, line)
    out = np.zeros((len(n_time), int(n_time.max()), width), np.float32)
    _sheared(unit.power, n_time, start_rows, line.x, line.slope, keep, binned, width, out)
    return out


def abacad_order(on: Sequence[int], off: Sequence[int]) -> list[int] | None:
    """Three ON and three OFF panels in turn, as the panel network has learnt them; None where there are fewer."""
    if len(on) < 3 or len(off) < 3:
        return None
    return [panel for pair in zip(on[:3], off[:3], strict=True) for panel in pair]


def stamps(unit: Unit, lines: Sequence[Line]) -> Stamps | None:
    """The stamps of lines in the detector's order of panels; None without three ON and three OFF panels."""
    shown = _shown(unit)
    if shown is None:
        return None
    order, rows = shown
    out = np.empty((len(lines), len(order), rows, WIDTH), np.float32)
    for place, line in enumerate(lines):
        out[place] = stamp(unit, line)[order, :rows]
    return out


def write_stamps(path: Path, unit: Unit, lines: Sequence[Line]) -> bool:
    """Write the same into a `.npy` file, one by one: thousands of long panels need not fit into memory.

    Returns:
        Whether there are three ON and three OFF panels; otherwise nothing is written.
    """
    shown = _shown(unit)
    if shown is None:
        return False
    order, rows = shown
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        head = {"descr": "<f4", "fortran_order": False, "shape": (len(lines), len(order), rows, WIDTH)}
        np.lib.format.write_array_header_1_0(file, head)
        for line in lines:
            file.write(stamp(unit, line)[order, :rows].astype("<f4").tobytes())
    return True


def _shown(unit: Unit) -> tuple[list[int], int] | None:
    """Panels that the detector is shown, in its order, and their rows."""
    order = abacad_order(unit.on, unit.off)
    # The network reads panels of one length: what the longer ones have more is left out.
    return None if order is None else (order, min(unit.n_time[panel] for panel in order))


def stamp_axes(of: Unit | Observation, n_time: int) -> Axes:
    """Axes of stamps of `n_time` rows: when their six panels began, from the start of the first ON panel on."""
    order = abacad_order(of.on, of.off) or []
    starts = np.array(of.start_s) - of.start_s[of.on[0]]
    return Axes(n_time, WIDTH, of.dt_s, of.df_hz, tuple(float(starts[panel]) for panel in order))


def scores(
    of: Unit | Observation, seen: Stamps, judge: Judge, threads: int = 1
) -> Iterator[Float[np.ndarray, " some"]]:
    """Scores, 0 to 1, of stamps by a detector, some at a time: the same to the last bit, however many threads.

    Args:
        of: the unit or the observation whose lines these are.
        seen: their stamps; of a mapped file a few at a time come into memory.
        judge: the detector.
        threads: how many stamps are scored at a time, in fours.
    """
    import torch  # comes when the powers are gone: see `abacad.searcher.late`

    axes = stamp_axes(of, seen.shape[2])

    def score(first: int) -> Float[np.ndarray, " some"]:
        some = torch.from_numpy(np.array(seen[first : first + _AT_ONCE]))
        return np.asarray(judge.scores(some, axes=axes), np.float32)

    # Threads of ours, each with some stamps: torch's own would share the sums of one stamp, and change its last bits.
    with _one_thread(), ThreadPoolExecutor(threads) as pool:
        yield from pool.map(score, range(0, len(seen), _AT_ONCE))


@contextmanager
def _one_thread() -> Iterator[None]:
    """So that a score is the same to the last bit, however many cores the machine has."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

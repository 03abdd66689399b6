"""Needles added to the very powers that are searched: what share of them is found, and how faint that is.

A needle of known drift and joint SNR is added in memory, in units of the noise σ of the channels that it crosses, and
the coarse channel is searched again. What the flattening does to a needle is not in it: it moves a median of 512
channels by less than a thousandth of σ.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pandas as pd

from abacad.searcher.classes import SignalClass
from abacad.searcher.path import NARROWEST, Line, Paths, Powers
from abacad.searcher.second_look import Signal, crowded
from abacad.searcher.settings import Settings
from abacad.searcher.unit import Unit
from abacad.signal.compiled import compiled

SNR_RANGE = (6.0, 24.0)
"""Joint SNR of injected needles, log-uniform: from below the usual threshold, 7, to where none is missed any more."""

# A needle in an RFI zone or of near-zero drift was recovered; that it is not in the headline is another question.
_FOUND = {SignalClass.EVENT, SignalClass.ZONE, SignalClass.NEAR_ZERO}


@compiled
def _add(
    powers: Powers,
    panels: np.ndarray,
    x: float,
    slope: float,
    width: float,
    amplitude: float,
) -> float:
    """Add a line, each channel its share of the row; returns Σ share² of all its pixels, masked ones among them.

    Where part of a needle is masked, the rest keeps its amplitude, so that what masks cost is measured too.
    """
    power, weight = powers.power, 0.0
    length = max(abs(slope) + width, NARROWEST)
    for panel in panels:
        for row in range(powers.n_time[panel]):
            middle = x + slope * (powers.start_rows[panel] + row + 0.5)
            low, high = middle - 0.5 * length, middle + 0.5 * length
            first, last = int(np.floor(low + 0.5)), int(np.floor(high + 0.5))
            for c in range(first, last + 1):
                share = (min(high, c + 0.5) - max(low, c - 0.5)) / length
                weight += share * share
                if 0 <= c < power.shape[2] and power[panel, row, c] != 0:
                    power[panel, row, c] += np.float32(amplitude * share)
    return weight


def add_needle(paths: Paths, line: Line, snr: float) -> None:
    """Add a needle to the ON panels.

    Args:
        paths: sums along lines of the flattened powers, which get the needle.
        line: path of the needle.
        snr: joint SNR: that of the sum along it over all ON panels, with the filter that matches its smear.
    """
    args = (paths.powers, paths.on, line.x, line.slope, line.width)
    # An amplitude of 0 only adds up the weights: Σ share² is known once the line has been walked along.
    weight = _add(*args, 0.0)
    _add(*args, snr / np.sqrt(weight))


@contextmanager
def added(paths: Paths, needles: Sequence[tuple[Line, float]]) -> Iterator[None]:
    """The powers with needles in them; afterwards they are as before, but for the rounding of 32 bits."""
    for line, snr in needles:
        add_needle(paths, line, snr)
    try:
        yield
    finally:
        for line, snr in reversed(needles):
            add_needle(paths, line, -snr)


def draw_needles(unit: Unit, settings: Settings, rng: np.random.Generator, most: int) -> list[tuple[Line, float]]:
    """Lines and their joint SNRs, each needle in a part of the coarse channel of its own: as many as fit, or `most`.

    Drifts are log-uniform from three times the drift step to the fastest, of either sign: a slower needle would be of
    the class near-zero drift, which is no question of depth.
    """
    fastest = settings.max_drift_hz_s / unit.unit_drift_hz_s
    slowest = min(fastest, 3 * unit.drift_step_hz_s / unit.unit_drift_hz_s)
    crossed = fastest * unit.span_s / unit.dt_s
    # Two fast needles may cross all that lies between them: fewer are injected rather than two in one place.
    count = int(min(most, max(1, (unit.end - unit.begin) // (crossed + 300))))
    edges = np.linspace(unit.begin, unit.end - 1, count + 1)
    needles = []
    for low, high in pairwise(edges):
        slope = float(np.exp(rng.uniform(np.log(slowest), np.log(fastest))) * rng.choice((-1, 1)))
        snr = float(np.exp(rng.uniform(*np.log(SNR_RANGE))))
        needles.append((Line(float(rng.uniform(low, high)), slope, 0.0), snr))
    return needles


def injections_table(
    unit: Unit, needles: Sequence[tuple[Line, float]], signals: Sequence[Signal], ground: Sequence[Signal], coarse: int
) -> pd.DataFrame:
    """One row for each injected needle: where it was, how bright, and what the search took it for.

    Args:
        unit: the coarse channel that was searched.
        needles: lines and joint SNRs of what was injected.
        signals: result of the search with the needles in it.
        ground: result of the search without them, which tells where interference is dense.
        coarse: number of the coarse channel.
    """
    per_row = unit.df_hz / unit.dt_s
    dense = crowded(ground)
    rows = []
    for line, snr in needles:
        match = next((signal for signal in signals if _same(unit, line, signal)), None)
        rows.append({
            "coarse": coarse, "channel": unit.first + round(line.x), "drift_hz_s": line.slope * per_row, "snr": snr,
            "smear": max(1.0, abs(line.slope), NARROWEST), "dense": bool(dense(line.x)),
            "found": match is not None and match.class_name in _FOUND, "class": str(match.class_name) if match else "",
            "found_snr": match.snr if match else float("nan"),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _same(unit: Unit, line: Line, signal: Signal) -> bool:
    """Whether a signal is this needle: within 2 channels and the smear at the start, and a drift step of its octave."""
    smear = max(1.0, abs(line.slope))
    step = max(2.0, smear) / (unit.span_s / unit.dt_s)
    return abs(signal.line.x - line.x) <= 2 + smear and abs(signal.line.slope - line.slope) <= step

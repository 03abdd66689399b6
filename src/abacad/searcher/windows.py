"""Windows that the detector scores as they are, for signals that wander or blink and so are no straight line.

The search adds powers along straight lines. A squiggle is spread over many of them, and a few dashes fill a part of
one; the detector has learnt both, in windows of 256 channels. So every window of a coarse channel can be scored, each
half a window after the one before. What stands in OFF panels too is masked first, so that no carrier lifts a window.

A window that a line of the search crosses gives that line its score. Any other window with a high score is a signal of
the class `window`, of which no more is known than that it lies between these channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from abacad.searcher.classes import SignalClass
from abacad.searcher.path import Line, Paths
from abacad.searcher.second_look import Signal
from abacad.searcher.stamp import abacad_order, scores
from abacad.searcher.unit import Judge, Unit
from abacad.signal.cadence import WIDTH

LEAST = 0.5
"""Score from which on a window may hold a needle. A coarse channel has some 40 such windows without any needle, and at
0.5 squiggles of panel SNR 15 are all found (docs/benchmarks.md)."""

_ROWS = 64 * 16  # of the windows that are cut out at once: 6 MB
_OF_THE_GROUND = {SignalClass.IN_OFF, SignalClass.DC_SPIKE}
_LINES = {SignalClass.EVENT, SignalClass.ZONE, SignalClass.NEAR_ZERO}


@dataclass(frozen=True)
class Window:
    """A window in which the detector sees a needle.

    Attributes:
        first: first column of the window in the unit.
        score: score of the detector, 0.5 to 1.
        lines: numbers of the signals of the search that cross it, of the classes that a transmitter may make.
    """

    first: int
    score: float
    lines: tuple[int, ...] = ()

    def signal(self, unit: Unit) -> Signal:
        """The window as a signal for the table: at its middle, 256 channels wide, without SNR and drift."""
        nothing = (float("nan"),) * len(unit.n_time)
        line = Line(self.first + 0.5 * (WIDTH - 1), 0.0, WIDTH - 1.0)
        return Signal(line, float("nan"), float("nan"), float("nan"), nothing, float("nan"), 0.0, SignalClass.WINDOW, 0)


def windows(unit: Unit, signals: Sequence[Signal], judge: Judge | None, count: int) -> list[Window]:
    """The windows with the highest scores that do not overlap, best first; the unit's powers are as before afterwards.

    Args:
        unit: flattened powers.
        signals: signals of the search in these powers.
        judge: the detector; without one there are no windows, nor where there are not three ON and three OFF panels.
        count: largest number of windows without a line.
    """
    if not count or judge is None or abacad_order(unit.on, unit.off) is None or unit.power.shape[2] < WIDTH:
        return []
    paths = Paths(unit)
    for signal in signals:
        if signal.class_name in _OF_THE_GROUND:
            paths.blank(signal.line, paths.all, max(signal.half, 1.0 + signal.line.width))
    starts = _starts(unit)
    apart = _apart(starts, _scores(unit, starts, judge))
    paths.restore()
    crossed = [replace(window, lines=_crossing(unit, window, signals)) for window in apart]
    alone = [window for window in crossed if not window.lines][:count]
    return [window for window in crossed if window.lines or window in alone]


def with_windows(
    unit: Unit, signals: Sequence[Signal], scores: Float[np.ndarray, " signal"], judge: Judge, count: int
) -> tuple[list[Signal], Float[np.ndarray, " more"], Float[np.ndarray, " more"]]:
    """Signals, their scores, and the scores of the windows that they cross, with windows that are signals of their own.

    Args:
        unit: flattened powers.
        signals: signals of the search in these powers.
        scores: scores of these signals along their drift; NaN where not judged.
        judge: the detector.
        count: largest number of windows that become signals.
    """
    scored = windows(unit, signals, judge, count)
    crossed = np.full(len(signals), np.nan, np.float32)
    for window in reversed(scored):  # so that the best of those that a line crosses is the last
        crossed[list(window.lines)] = window.score
    alone = [window for window in scored if not window.lines]
    own = np.array([window.score for window in alone], np.float32)
    more = [window.signal(unit) for window in alone]
    return [*signals, *more], np.concatenate([scores, own]), np.concatenate([crossed, own])


def _starts(unit: Unit) -> Int[np.ndarray, " window"]:
    """First columns: half a window apart, from the coarse channel's first on, none beyond the band."""
    # Half a window apart: a needle that the edge of one window cuts stands in the middle of the next.
    last = unit.power.shape[2] - WIDTH
    return np.unique(np.minimum(np.arange(unit.begin, unit.end, WIDTH // 2), last))


def _scores(unit: Unit, starts: Int[np.ndarray, " window"], judge: Judge) -> Float[np.ndarray, " window"]:
    order = abacad_order(unit.on, unit.off) or []
    rows = min(unit.n_time[panel] for panel in order)
    # Whole fours, as the detector is shown them: scores do not depend on how many are cut out at once.
    batch = max(4, _ROWS // rows // 4 * 4)
    parts = np.split(starts, range(batch, len(starts), batch))
    return np.concatenate([some for part in parts for some in scores(unit, _cut(unit, order, rows, part), judge)])


def _cut(
    unit: Unit, order: Sequence[int], rows: int, starts: Int[np.ndarray, " window"]
) -> Float[np.ndarray, "window panel time freq"]:
    return np.stack([unit.power[list(order), :rows, start : start + WIDTH] for start in starts.tolist()])


def _apart(starts: Int[np.ndarray, " window"], scores: Float[np.ndarray, " window"]) -> list[Window]:
    """The windows with scores of 0.5 and more; of those that overlap only the one with the highest score."""
    kept: list[Window] = []
    for place in np.lexsort([starts, -scores]):
        first, score = int(starts[place]), float(scores[place])
        if score < LEAST:
            break
        if all(abs(first - other.first) >= WIDTH for other in kept):
            kept.append(Window(first, score))
    return kept


def _crossing(unit: Unit, window: Window, signals: Sequence[Signal]) -> tuple[int, ...]:
    """The lines that are in a window during some ON panel."""
    return tuple(
        place
        for place, signal in enumerate(signals)
        if signal.class_name in _LINES and any(_inside(unit, window, signal.line, panel) for panel in unit.on)
    )


def _inside(unit: Unit, window: Window, line: Line, panel: int) -> bool:
    start = unit.start_s[panel] / unit.dt_s
    low, high = sorted((line.at(start), line.at(start + unit.n_time[panel])))
    return low < window.first + WIDTH and high >= window.first

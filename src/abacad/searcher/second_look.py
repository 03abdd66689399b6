"""The second look: from places of the first look to one signal each, brightest first, each masked once it is known.

A bright line lifts every path that crosses it, and so makes hundreds of places. Taken brightest first, the line itself
comes before the paths that cross it; it is measured, told apart (does it stand in the OFF panels too?), and masked in
the powers, and what has only crossed it is then no longer there. This is the CLEAN of radio imaging, with lines for
point sources.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from abacad.searcher.classes import OFF_PANEL_SNR, SHOWN_SNR, SignalClass, class_of
from abacad.searcher.first_look import CLIP, Place
from abacad.searcher.path import Line, Paths
from abacad.searcher.unit import Unit
from abacad.signal.deviation import MAD_TO_SIGMA

WIDTHS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Channels beyond the smear that are tried for the bandwidth."""

_HOPELESS = 1.0  # a place that is still this far below the threshold after one short climb is given up
# SNR in one panel alone, the best of some 200 lines near the joint one: of 240,000 panels of noise one exceeds 5.5.
_BENT_SNR = 5.5
_FINEST = 0.15  # channels: no place is known better than to such a part of a channel
_FAINT = 12.0  # SNR up to which a line is compared with the lines parallel to it
_PARALLELS = 40  # these lines, on either side
_BY_CHANCE = 1.25  # scatter of so few parallels that pure noise seldom exceeds: nearly two standard errors above 1
_REACH = 96  # channels beside a line up to which its wings are followed
_SPIKE = 1.0  # channels off the middle: programs differ in which of the two middle ones they count


@dataclass(frozen=True)
class Signal:
    """One signal of a coarse channel, whatever number of paths it lifted in the first look.

    Attributes:
        line: its path; `line.width` is its bandwidth in channels beyond the smear.
        snr: SNR along the line through all ON panels.
        robust_snr: the same with bright pixels cut; this is what is compared with the threshold.
        off_snr: SNR along the line through all OFF panels, at its brightest within the signal's own width.
        panel_snr: SNR along the line in each panel by itself.
        slope_error: 1 σ of the drift, channels a row.
        half: channels on either side that were masked together with it.
        class_name: what it is taken for.
        hits: places of the first look that this one signal explains.
    """

    line: Line
    snr: float
    robust_snr: float
    off_snr: float
    panel_snr: tuple[float, ...]
    slope_error: float
    half: float
    class_name: SignalClass
    hits: int = 1


def second_look(paths: Paths, places: Sequence[Place], threshold: float) -> list[Signal]:
    """Signals above a threshold, brightest first. Each is masked in the powers as soon as it is known.

    Args:
        paths: sums along lines of the flattened powers, in which standing carriers are masked.
        places: where to look, brightest first.
        threshold: least SNR of a line through all ON panels.
    """
    signals: list[Signal] = []
    for place in places:
        settled = _settle(paths, place, threshold)
        if settled is None:
            continue
        signal = _told_apart(paths, *settled)
        parent = _parent(paths, signals, signal)
        if parent is None:
            signals.append(signal)
        else:
            signals[parent] = replace(signals[parent], hits=signals[parent].hits + 1)
        # In OFF panels only interference is masked: another signal may still need what these panels show.
        everywhere = signal.class_name is SignalClass.IN_OFF or parent is not None
        paths.blank(signal.line, paths.all if everywhere else paths.on, signal.half)
    return signals


def _settle(paths: Paths, place: Place, threshold: float) -> tuple[Line, float] | None:
    """The best line near a place, with its bandwidth and robust SNR; None below the threshold."""
    step_x, step_slope = 0.5 * place.octave.step, 0.75 * place.octave.step / paths.span_rows
    snr, line = paths.climb(place.line, step_x, step_slope, CLIP, rounds=3)
    if snr < threshold - _HOPELESS:
        return None
    # Twice: how bright a pixel may count depends on the line, and the line found depends on that.
    for _ in range(2):
        clip = _clip(paths, line)
        snr, line = paths.climb(line, 0.5 * step_x, 0.5 * step_slope, clip)
        snr, line = max((paths.climb(replace(line, width=w), 0.5, 0.5 / paths.span_rows, clip, 2) for w in WIDTHS),
                        key=lambda climbed: climbed[0])  # fmt: skip
    if snr < threshold or not _starts_here(paths.unit, line):
        return None
    snr = _above_its_neighbours(paths, line, snr, clip)
    return (line, snr) if snr >= threshold else None


def _above_its_neighbours(paths: Paths, line: Line, snr: float, clip: float) -> float:
    """The SNR of a faint line above its parallels: less their median, and over their scatter where that exceeds noise.

    Where the bandpass is off, or interference stands close, all parallel lines are bright and none of them is a signal.
    """
    if snr > _FAINT:
        return snr
    step = max(1, round(abs(line.slope) + line.width))
    parallels = paths.profile(line, _PARALLELS, step, clip)
    # The line itself and the two nearest on either side, which it lifts, say nothing about its surroundings.
    beside = np.delete(parallels, slice(_PARALLELS - 2, _PARALLELS + 3))
    beside = beside[beside != 0]  # beyond the band
    if len(beside) < _PARALLELS // 2:
        return snr
    middle = float(np.median(beside))
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(beside - middle)))
    return (snr - middle) / max(1.0, scatter / _BY_CHANCE)


def _clip(paths: Paths, line: Line) -> float:
    """σ that a pixel may count on this line: far above its usual pixel, but no single pixel decides."""
    pixels = paths.pixels(line)
    return max(CLIP, 3 * float(np.median(pixels))) if len(pixels) else CLIP


def _starts_here(unit: Unit, line: Line) -> bool:
    """Whether the line belongs to this coarse channel, and not to a neighbour that is searched on its own."""
    return unit.begin <= round(line.x) < unit.end


def _told_apart(paths: Paths, line: Line, robust: float) -> Signal:
    """Measure a line, and decide what it is."""
    each = paths.each(line)
    snr = paths.snr(line, paths.on)
    cut = _clip(paths, line)
    # Interference seldom moves quite straight: in OFF panels the brightest of three lines within its width counts.
    beside = max(1.0, 0.5 * abs(line.slope) + 0.5 * line.width)
    near = [replace(line, x=line.x + move) for move in (-beside, 0.0, beside)]
    off_snr = max((paths.snr(shifted, paths.off, cut) for shifted in near), default=0.0) if len(paths.off) else 0.0
    robust_each = paths.each(line, cut)
    for panel in paths.on:
        # a line may bend a little, as that of an accelerated transmitter does
        if robust_each[panel] < SHOWN_SNR and paths.seen(line, int(panel)):
            beside_it, bent = paths.bend(line, int(panel), cut)
            if beside_it >= _BENT_SNR:
                each[panel] = robust_each[panel] = beside_it
                paths.blank(bent, np.array([panel]), 1.0 + 0.5 * line.width)
    class_name = class_of(paths, line, robust, off_snr, robust_each, each[paths.on])
    # the slope of n rows of equal weight over a span; and no line is placed better than by a part of a channel
    channels = np.hypot(np.sqrt(12) * max(1.0, abs(line.slope) + line.width) / max(snr, 1.0), _FINEST)
    error = float(channels / paths.span_rows)
    return Signal(line, snr, robust, off_snr, tuple(map(float, each)), error, _half(paths, line, snr), class_name)


def _half(paths: Paths, line: Line, snr: float) -> float:
    """Channels beside a line over which its wings reach, as far as they stand out of the noise."""
    narrow = 1.0 + 0.5 * line.width
    # The wings of a faint line are lost in noise.
    if snr < _FAINT:
        return narrow
    profile = paths.profile(line, _REACH)
    above = profile > max(3.5, 0.01 * snr)
    right, left = above[_REACH:], above[_REACH::-1]
    reach = max(_run(right), _run(left)) - 0.5 * abs(line.slope)
    return max(narrow, reach + 1.0)


def _run(flags: Bool[np.ndarray, " some"]) -> int:
    """How many stand at the beginning without a gap."""
    return int(np.argmin(flags)) if not flags.all() else len(flags)


def _parent(paths: Paths, signals: Sequence[Signal], signal: Signal) -> int | None:
    """The far brighter signal of which this one is only a wing or a bend, if there is one."""
    rows = paths.start_rows[paths.on] + 0.5 * paths.n_time[paths.on]
    for index, other in enumerate(signals):
        if signal.snr > 0.3 * other.snr:
            continue
        apart = np.abs((other.line.x - signal.line.x) + (other.line.slope - signal.line.slope) * rows)
        close = other.half + signal.half + 2.0 + 0.5 * abs(other.line.slope)
        parallel = abs(other.line.slope - signal.line.slope) * paths.n_time.max() < 2.0 + close
        if apart.min() < close and parallel:
            return index
    return None


def carriers(unit: Unit, at_rest: Float[np.ndarray, "panel freq"], masked: Bool[np.ndarray, " freq"]) -> list[Signal]:
    """The standing carriers that were masked, neighbouring channels as one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], masked.astype(np.int8), [0]])))
    standing = []
    on, off = list(unit.on), list(unit.off)
    rows = np.array(unit.n_time)
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        peak = low + int(at_rest[:, low:high].sum(axis=0).argmax())
        if not unit.begin <= peak < unit.end:
            continue
        each = at_rest[:, peak]
        snr = float((each[on] * np.sqrt(rows[on])).sum() / np.sqrt(rows[on].sum()))
        off_snr = float((each[off] * np.sqrt(rows[off])).sum() / np.sqrt(rows[off].sum()))
        line = Line(float(peak), 0.0, float(high - low - 1))
        standing.append(Signal(line, snr, snr, off_snr, tuple(map(float, each)), 0.0, 0.0, SignalClass.IN_OFF))
    return standing


def dc_spikes(signals: Sequence[Signal], middles: Sequence[float]) -> list[Signal]:
    """Standing carriers of all panels in the middle of a coarse channel become the class `DC spike`.

    Args:
        signals: signals of one coarse channel.
        middles: middles of coarse channels, in columns of the unit, as the places of lines are.
    """

    def is_spike(signal: Signal) -> bool:
        stands = (
            signal.class_name is SignalClass.IN_OFF
            and signal.line.slope == 0
            and min(signal.panel_snr) >= OFF_PANEL_SNR
        )
        return stands and any(abs(signal.line.x - middle) <= _SPIKE for middle in middles)

    return [replace(signal, class_name=SignalClass.DC_SPIKE) if is_spike(signal) else signal for signal in signals]


def crowded(signals: Sequence[Signal], reach: int = 1024, many: int = 8) -> Callable[[float], bool]:
    """A function that tells whether at least `many` lines of interference lie within `reach` channels of a place."""
    ground = np.sort(
        [signal.line.x for signal in signals if signal.class_name in {SignalClass.IN_OFF, SignalClass.DC_SPIKE}]
    )

    def at(x: float) -> bool:
        return bool(np.searchsorted(ground, x + reach) - np.searchsorted(ground, x - reach) >= many)

    return at


def too_slow(signals: Sequence[Signal], slope: float) -> list[Signal]:
    """Events slower than some channels a row become the class `near-zero drift`."""
    return [
        replace(signal, class_name=SignalClass.NEAR_ZERO)
        if signal.class_name is SignalClass.EVENT and abs(signal.line.slope) < slope
        else signal
        for signal in signals
    ]


def in_zones(signals: Sequence[Signal]) -> list[Signal]:
    """Events among many lines of interference become the class `RFI zone`: there a chance alignment is likely."""
    dense = crowded(signals)
    return [
        replace(s, class_name=SignalClass.ZONE) if s.class_name is SignalClass.EVENT and dense(s.line.x) else s
        for s in signals
    ]

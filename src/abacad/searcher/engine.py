"""The search of one coarse channel, from powers to a table; and of all of an observation, one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from abacad.model.judge import Judge
from abacad.searcher.first_look import channel_snr, look, standing
from abacad.searcher.injection import add_needle, draw_needles, injections_table
from abacad.searcher.path import Line, Paths
from abacad.searcher.second_look import Kind, Signal, carriers, dc_spikes, in_zones, second_look, too_slow
from abacad.searcher.settings import Settings
from abacad.searcher.stamp import scores
from abacad.searcher.table import events_table, in_order
from abacad.searcher.unit import Noise, Observation, Unit, read_unit

_JUDGED = {Kind.EVENT, Kind.ZONE, Kind.NEAR_ZERO}


@dataclass(frozen=True)
class Result:
    """What a coarse channel gave.

    Attributes:
        coarse: its number.
        events: its signals, `table.columns`.
        summary: what was masked, how noisy it was, and how much was searched.
        injections: injected needles; none without them.
    """

    coarse: int
    events: pd.DataFrame
    summary: dict[str, Any]
    injections: pd.DataFrame | None = None


def signals_of(unit: Unit, settings: Settings) -> list[Signal]:
    """All signals of a unit; its powers are as before afterwards."""
    at_rest = channel_snr(unit)
    masked = standing(at_rest, unit.off)
    paths = Paths(unit)
    paths.blank_channels(masked)
    places = look(unit, settings.max_drift_hz_s, settings.first_snr)
    signals = second_look(paths, places, settings.snr) + carriers(unit, at_rest, masked)
    paths.restore()
    return in_zones(too_slow(signals, settings.min_drift_hz_s / unit.unit_drift_hz_s))


def search_unit(observation: Observation, coarse: int, settings: Settings, judge: Judge | None = None) -> Result:
    """Search one coarse channel.

    Args:
        observation: open files.
        coarse: number of the coarse channel.
        settings: how deep and wide.
        judge: scores the brightest events; none leaves scores NaN.
    """
    first, n_channels = observation.coarse()[coarse]
    unit, noise = read_unit(observation, first, n_channels, settings.max_drift_hz_s)
    signals = dc_spikes(signals_of(unit, settings), [channel - unit.first for channel in observation.middles()])
    scores = _scores(unit, signals, settings, judge)
    scored = (signals, scores, np.full(len(signals), np.nan, np.float32))
    if settings.windows and judge is not None:
        from abacad.searcher.windows import with_windows  # torch is slow to load

        scored = with_windows(unit, signals, scores, judge, settings.windows)
    events = events_table(observation, unit, coarse, *scored)
    summary = _summary(unit, noise, scored[0])
    if not settings.inject:
        return Result(coarse, events, summary)
    if unit.off:
        summary["false_events"] = sum(signal.kind is Kind.EVENT for signal in signals_of(_exchanged(unit), settings))
    return Result(coarse, events, summary, _inject(unit, signals, settings, coarse))


def _scores(unit: Unit, signals: list[Signal], settings: Settings, judge: Judge | None) -> np.ndarray:
    """Scores of the brightest events; NaN for all others."""
    out = np.full(len(signals), np.nan, np.float32)
    chosen = [place for place, signal in enumerate(signals) if signal.kind in _JUDGED]
    chosen = sorted(chosen, key=lambda place: (-signals[place].snr, place))[: settings.judged]
    lines: list[Line] = [signals[place].line for place in chosen]
    out[chosen] = scores(unit, lines, judge)
    return out


def _exchanged(unit: Unit) -> Unit:
    """The same powers with ON and OFF exchanged: an event in it is a false one."""
    start_s = tuple(start - unit.start_s[unit.off[0]] for start in unit.start_s)
    return replace(unit, on=unit.off, off=unit.on, start_s=start_s)


def _inject(unit: Unit, ground: list[Signal], settings: Settings, coarse: int) -> pd.DataFrame:
    """Search the coarse channel again with needles in it."""
    needles = draw_needles(unit, settings, np.random.default_rng([settings.seed, coarse]))
    paths = Paths(unit)
    for line, snr in needles:
        add_needle(paths, line, snr)
    return injections_table(unit, needles, signals_of(unit, settings), ground, coarse)


def _summary(unit: Unit, noise: list[Noise], signals: list[Signal]) -> dict[str, Any]:
    kinds = [str(signal.kind) for signal in signals]
    return {
        "first_channel": unit.first + unit.begin,
        "channels": unit.end - unit.begin,
        "searched_mhz": float((unit.end - unit.begin) * unit.df_hz / 1e6),
        "hours": float(sum(unit.n_time[panel] for panel in unit.on) * unit.dt_s / 3600),
        "off_hours": float(sum(unit.n_time[panel] for panel in unit.off) * unit.dt_s / 3600),
        "masked_pixels": [panel.masked for panel in noise],
        "dead_channels": [panel.dead for panel in noise],
        "relative_sigma": [round(panel.relative_sigma, 6) for panel in noise],
        "classes": {str(kind): kinds.count(str(kind)) for kind in Kind},
    }


def search_all(
    observation: Observation,
    settings: Settings,
    judge: Judge | None,
    have: Callable[[int], Result | None],
    keep: Callable[[Result], None],
) -> Iterator[Result]:
    """Results of all coarse channels in their order; what is already there is not searched again.

    Args:
        observation: open files.
        settings: how deep and wide.
        judge: of the brightest events.
        have: gives the result of a coarse channel that an earlier run has finished.
        keep: stores a result, whole or not at all.
    """
    for coarse in range(len(observation.coarse())):
        result = have(coarse)
        if result is None:
            result = search_unit(observation, coarse, settings, judge)
            keep(result)
        yield result


def joined(results: list[Result]) -> pd.DataFrame:
    """The events of all coarse channels in one table."""
    tables = [result.events for result in results if len(result.events)]
    return in_order(pd.concat(tables, ignore_index=True)) if tables else results[0].events

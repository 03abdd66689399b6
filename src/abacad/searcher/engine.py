"""The search of one coarse channel, from powers to a table."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from abacad.searcher.classes import SignalClass
from abacad.searcher.first_look import channel_snr, look, standing
from abacad.searcher.injection import added, draw_needles, injections_table
from abacad.searcher.memory import trim
from abacad.searcher.path import Line, Paths
from abacad.searcher.second_look import Signal, carriers, dc_spikes, in_zones, second_look, too_slow
from abacad.searcher.settings import Settings
from abacad.searcher.stamp import stamps, write_stamps
from abacad.searcher.table import events_table, in_order, row_order
from abacad.searcher.unit import Judge, Noise, Observation, Unit, read_unit

# Near-zero drift, too: a transmitter may drift as slowly as one on the ground, and a score can rank it.
_JUDGED = {SignalClass.EVENT, SignalClass.ZONE, SignalClass.NEAR_ZERO}


@dataclass(frozen=True)
class Result:
    """The result of searching one coarse channel.

    Attributes:
        coarse: number of the coarse channel.
        events: a row for each signal, with the columns of `abacad.searcher.table.columns`.
        summary: masked pixels, noise and dead channels of each panel, and how many MHz and hours were searched.
        injections: a row for each injected needle; none where nothing was injected.
        unscored: rows of `events` that the detector has yet to score.
        stamps: (row, panel, time, width) their stamps, or the file with them; none once the search's folder has them.
    """

    coarse: int
    events: pd.DataFrame
    summary: dict[str, Any]
    injections: pd.DataFrame | None = None
    unscored: tuple[int, ...] = ()
    stamps: np.ndarray | Path | None = None

    def scored(self, scores: Float[np.ndarray, " row"]) -> "Result":
        """The same with the scores of the rows that had none."""
        column = self.events["score"].to_numpy(dtype=float, copy=True)
        column[list(self.unscored)] = [round(float(score), 6) for score in scores]
        return replace(self, events=self.events.assign(score=column), unscored=(), stamps=None)


def signals_of(unit: Unit, settings: Settings, device: str = "cpu") -> list[Signal]:
    """All signals of a unit. Powers are masked on the way and put back before it returns.

    Args:
        unit: flattened powers of one coarse channel.
        settings: how deep and wide to search.
        device: where the first look runs: `cpu`, or `cuda`.
    """
    at_rest = channel_snr(unit)
    masked = standing(at_rest, unit.off)
    still = carriers(unit, at_rest, masked)
    del at_rest  # 25 MB for six panels of 2^20 channels, which the rest of the search does without
    paths = Paths(unit)
    # A carrier lifts every path that crosses it, at all drifts: masked first, it makes no place for the second look.
    paths.blank_channels(masked)
    places = look(unit, settings.max_drift_hz_s, settings.first_snr, device)
    signals = second_look(paths, places, settings.snr) + still
    paths.restore()
    return in_zones(too_slow(signals, settings.min_drift_hz_s / unit.unit_drift_hz_s))


def search_unit(
    observation: Observation,
    coarse: int,
    settings: Settings,
    judge: Judge | None = None,
    device: str = "cpu",
    folder: Path | None = None,
) -> Result:
    """Search one coarse channel. Its brightest events come with their stamps, which the detector is yet to score.

    The detector takes more memory than the powers: it scores the stamps of all coarse channels when no powers are left.

    Args:
        observation: open files.
        coarse: number of the coarse channel.
        settings: how deep and wide.
        judge: scores windows, where settings ask for them.
        device: where the first look runs: `cpu`, or `cuda`.
        folder: where stamps are written to; none gives them in memory.
    """
    first, n_channels = observation.coarse()[coarse]
    unit, noise = read_unit(observation, first, n_channels, settings.max_drift_hz_s)
    trim()
    signals = dc_spikes(signals_of(unit, settings, device), [channel - unit.first for channel in observation.middles()])
    chosen = _judged(signals, settings)
    cut = _cut(unit, [signals[place].line for place in chosen], folder, coarse)
    scores = np.full(len(signals), np.nan, np.float32)
    scored = (signals, scores, scores.copy())
    if settings.windows and judge is not None:
        from abacad.searcher.windows import with_windows

        scored = with_windows(unit, signals, scores, judge, settings.windows)
    injections, false_events = _tested(unit, signals, settings, coarse, device) if settings.inject else (None, {})
    table = events_table(observation, unit, coarse, *scored)
    order = row_order(table)
    unscored = tuple(np.argsort(order)[chosen].tolist()) if cut is not None else ()
    summary = _summary(unit, noise, scored[0]) | false_events
    return Result(coarse, table.iloc[order].reset_index(drop=True), summary, injections, unscored, cut)


def _cut(unit: Unit, lines: list[Line], folder: Path | None, coarse: int) -> np.ndarray | Path | None:
    """Stamps of the lines, or the file that holds them; none where there is nothing for the detector."""
    if not lines:
        return None
    if folder is None:
        return stamps(unit, lines)
    path = folder / f"{coarse:05d}.cut"
    return path if write_stamps(path, unit, lines) else None


def _tested(
    unit: Unit, signals: list[Signal], settings: Settings, coarse: int, device: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The table of injected needles, and the number of false events, which only OFF panels can tell."""
    false_events = {}
    if unit.off:
        exchanged = signals_of(_exchanged(unit), settings, device)
        false_events["false_events"] = sum(signal.class_name is SignalClass.EVENT for signal in exchanged)
    return _inject(unit, signals, settings, coarse, device), false_events


def _judged(signals: list[Signal], settings: Settings) -> list[int]:
    """Numbers of the signals that the detector scores: the brightest that may be of a transmitter."""
    named = [place for place, signal in enumerate(signals) if signal.class_name in _JUDGED]
    return sorted(named, key=lambda place: (-signals[place].snr, place))[: settings.judged]


def _exchanged(unit: Unit) -> Unit:
    """The same powers with ON and OFF exchanged: an event in it is a false one."""
    # A line's frequency counts from the start of the first ON panel, which an OFF panel is here.
    start_s = tuple(start - unit.start_s[unit.off[0]] for start in unit.start_s)
    return replace(unit, on=unit.off, off=unit.on, start_s=start_s)


def _inject(unit: Unit, ground: list[Signal], settings: Settings, coarse: int, device: str) -> pd.DataFrame:
    """Search the coarse channel again with needles in it, as often as it takes for all that are asked for.

    Fast needles cross much of a narrow band, which then holds few at a time.
    """
    # The seed holds the number of the coarse channel, so that needles do not depend on which worker searches it when.
    rng = np.random.default_rng([settings.seed, coarse])
    paths, tables, left = Paths(unit), [], settings.inject
    while left > 0:
        needles = draw_needles(unit, settings, rng, left)
        with added(paths, needles):
            tables.append(injections_table(unit, needles, signals_of(unit, settings, device), ground, coarse))
        left -= len(needles)
    return pd.concat(tables, ignore_index=True)


def _summary(unit: Unit, noise: list[Noise], signals: list[Signal]) -> dict[str, Any]:
    class_names = [str(signal.class_name) for signal in signals]
    return {
        "first_channel": unit.first + unit.begin,
        "channels": unit.end - unit.begin,
        "searched_mhz": float((unit.end - unit.begin) * unit.df_hz / 1e6),
        # ON and OFF apart: false events a MHz and hour are counted over the OFF panels, whose time may differ.
        "hours": float(sum(unit.n_time[panel] for panel in unit.on) * unit.dt_s / 3600),
        "off_hours": float(sum(unit.n_time[panel] for panel in unit.off) * unit.dt_s / 3600),
        "masked_pixels": [panel.masked for panel in noise],
        "dead_channels": [panel.dead for panel in noise],
        "relative_sigma": [round(panel.relative_sigma, 6) for panel in noise],
        "classes": {str(name): class_names.count(str(name)) for name in SignalClass},
    }


def joined(results: list[Result]) -> pd.DataFrame:
    """The events of all coarse channels in one table."""
    # The columns of an empty table have no types, of which pandas warns when it joins them to others.
    tables = [result.events for result in results if len(result.events)]
    return in_order(pd.concat(tables, ignore_index=True)) if tables else results[0].events

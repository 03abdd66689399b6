"""The page of a search: its tables (`search_tables`), and pictures of the brightest signals.

Each event has two pictures: one of all channels that it crosses, and one sheared along its drift, which is what the
detector judges. A window has one. Rows and channels are averaged into pixels, never left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from abacad.model.judge import Judge
from abacad.searcher.path import Line
from abacad.searcher.stamp import abacad_order, kept_slope, stamp
from abacad.searcher.unit import Observation, Unit, read_unit
from abacad.show import search_tables
from abacad.show.guide import FAMILIES, Guide
from abacad.show.page import Page, Section
from abacad.show.picture import Layout, evidence_legend
from abacad.show.waterfall import waterfall
from abacad.show.words import EVIDENCE_TOLD, number, told_score
from abacad.signal.cadence import WIDTH, Axes

_PICTURED = ("event", "window", "RFI zone", "near-zero drift")
"""Classes that have pictures, in this order: near-zero drift is what most interference looks like."""
_ALONG = "Sheared along the drift, as the detector sees it."
_BESIDE = 2048  # channels read beside a picture: four blocks of the bandpass, which is measured in blocks of 512


@dataclass(frozen=True)
class Pictures:
    """The two pictures of one event.

    Attributes:
        drifting: picture of all channels that it crosses, as SVG.
        along: picture sheared along its drift; empty for a window, which has no drift.
        drifting_told: what a pixel of the first is; how many channels it averages depends on the drift.
        along_told: what a pixel of the second is.
    """

    drifting: str
    along: str
    drifting_told: str
    along_told: str = ""


def pictures(observation: Observation, event: Mapping[Any, Any], judge: Judge | None = None) -> Pictures | None:
    """Draw an event; None where the observation has fewer than three ON or three OFF panels.

    Args:
        observation: open files.
        event: a row of the table of events.
        judge: detector whose evidence is drawn over the pictures; none draws no evidence.
    """
    order = abacad_order(observation.on, observation.off)
    if order is None:
        return None
    drift = 0.0 if event["class"] == "window" else event["drift_hz_s"]
    # As far as the line runs until the last panel ends, to both sides: the sign of its drift does not matter then.
    ends = np.array([s + n * observation.dt_s for s, n in zip(observation.start_s, observation.n_time, strict=True)])
    crossed = abs(drift) * ends.max() / observation.df_hz
    first = max(0, int(event["channel"] - crossed - _BESIDE))
    last = min(observation.n_freq, int(event["channel"] + crossed + _BESIDE))
    # Flattened like the searched powers: with the raw bandpass a faint line would hardly be seen.
    unit, _ = read_unit(observation, first, last - first, 0.0)
    at = (event["frequency_mhz"] * 1e6 - observation.low_hz) / observation.df_hz - unit.first
    if event["class"] == "window":
        return Pictures(_as_it_is(observation, unit, at, order, judge), "", _pixel(unit, order))
    line = Line(at, drift * unit.dt_s / unit.df_hz, event["bandwidth_hz"] / unit.df_hz - 1)
    binned, _ = kept_slope(unit, line)
    return Pictures(
        _drifting(observation, unit, line, order),
        _along(unit, line, order, judge),
        _pixel(unit, order, _across(unit, line)),
        _pixel(unit, order, binned),
    )


def _pixel(unit: Unit, order: Sequence[int], each: int = 1) -> str:
    """What a pixel is where `each` channels were averaged into one."""
    return Layout.of(_axes(unit, order, unit.df_hz * each)).told(each)


def _across(unit: Unit, line: Line) -> int:
    """How many channels are averaged into one, so that all that a line crosses fit into the picture."""
    begin, end = _span(unit)
    # 1.15 times what it crosses, so that it does not touch the edges.
    return max(1, ceil(abs(line.at(end) - line.at(begin)) * 1.15 / WIDTH))


def _span(unit: Unit) -> tuple[float, float]:
    """The first and the last row of all panels."""
    start_rows = np.array(unit.start_s) / unit.dt_s
    return float(start_rows.min()), float((start_rows + np.array(unit.n_time)).max())


def _axes(unit: Unit, order: Sequence[int], df_hz: float) -> Axes:
    rows = min(unit.n_time[panel] for panel in order)
    first = unit.start_s[order[0]]
    return Axes(rows, WIDTH, unit.dt_s, df_hz, tuple(unit.start_s[panel] - first for panel in order))


def _drifting(observation: Observation, unit: Unit, line: Line, order: Sequence[int]) -> str:
    """The event as it drifts; channels are averaged until all that it crosses fit into the picture."""
    each, (begin, end) = _across(unit, line), _span(unit)
    first = int((line.at(begin) + line.at(end)) / 2 - 0.5 * each * WIDTH)
    # Panels of unlike length are cut to the shortest: a picture has one height for all.
    cut = _binned(unit.power, first, each)[list(order)]
    axes = _axes(unit, order, unit.df_hz * each)
    channel = (line.at(unit.start_s[order[0]] / unit.dt_s) - first) / each + 0.5
    low_mhz = (observation.low_hz + (unit.first + first) * unit.df_hz) / 1e6
    # Infinite strength: the search has measured this path, so it is drawn however faint it looks in the picture.
    drawn = Guide(channel, line.slope * unit.df_hz / unit.dt_s, np.inf, FAMILIES[0])
    return waterfall(cut[:, : axes.n_time], "as it drifts", axes=axes, low_mhz=low_mhz, guide=drawn)


def _as_it_is(observation: Observation, unit: Unit, at: float, order: Sequence[int], judge: Judge | None) -> str:
    """The window of 256 channels about a channel, as the detector scored it."""
    first, axes = round(at - 0.5 * (WIDTH - 1)), _axes(unit, order, unit.df_hz)
    seen = _binned(unit.power, first, 1)[list(order), : axes.n_time]
    low_mhz = (observation.low_hz + (unit.first + first) * unit.df_hz) / 1e6
    evidence = judge.evidence(seen, axes) if judge is not None else None
    return waterfall(seen, "the window", evidence, axes=axes, low_mhz=low_mhz)


def _along(unit: Unit, line: Line, order: Sequence[int], judge: Judge | None) -> str:
    """The stamp that the detector judges."""
    cut = stamp(unit, line)[list(order)]
    binned, keep = kept_slope(unit, line)
    axes = _axes(unit, order, unit.df_hz * binned)
    start_rows = np.array(unit.start_s) / unit.dt_s
    channel = 0.5 * WIDTH + keep * float(start_rows[order[0]] - 0.5 * start_rows[-1]) + 0.5
    drawn = Guide(channel, keep * unit.df_hz * binned / unit.dt_s, np.inf, FAMILIES[0])
    seen = cut[:, : axes.n_time]
    evidence = judge.evidence(seen, axes) if judge is not None else None
    return waterfall(seen, "along its drift", evidence, axes=axes, guide=drawn)


def _binned(power: Float[np.ndarray, "panel time freq"], first: int, each: int) -> Float[np.ndarray, "panel time bin"]:
    """Sums of `each` channels from a column on, in units of their σ; 0 beyond the band."""
    out = np.zeros((*power.shape[:2], WIDTH * each), np.float32)
    low, high = max(0, first), min(power.shape[2], first + WIDTH * each)
    out[..., low - first : high - first] = power[..., low:high]
    return out.reshape(*power.shape[:2], WIDTH, each).mean(axis=-1) * np.sqrt(each, dtype=np.float32)


def findings_page(
    path: Path,
    observation: Observation,
    events: pd.DataFrame,
    counts: Mapping[str, Any],
    completeness: pd.DataFrame | None,
    shown: int,
    judge: Judge | None = None,
) -> Path:
    """Write the page of a search.

    Args:
        path: file to write.
        observation: the files that were searched.
        events: all signals, in the order of the table.
        counts: counts and depth, as search.json has them under the key `found`.
        completeness: share of the injected needles that was found; none where none were injected.
        shown: largest number of signals with pictures.
        judge: detector whose evidence is drawn over the pictures; none draws none.
    """
    # Class by class and not by SNR alone: the brightest of a table are often lines without drift.
    named = pd.concat([events[events["class"] == class_name] for class_name in _PICTURED]).head(shown)
    page = Page(
        title=f"Search of {observation.sources[observation.on[0]]}",
        lead=_lead(observation, counts),
        # Classes of which there are none say nothing; that there are no events is the result itself.
        tiles=[(name, f"{count:,}") for name, count in counts["classes"].items() if count or name == "event"],
    )
    page.sections.append(search_tables.signals(events, max(shown, 50), len(named)))
    for place, event in enumerate(named.to_dict("records")):
        page.sections.append(_event(observation, event, judge, first=place == 0))
    page.sections.append(search_tables.depth(counts))
    if completeness is not None and len(completeness):
        page.sections.append(search_tables.completeness(completeness))
    return page.write(path)


def _lead(observation: Observation, counts: Mapping[str, Any]) -> str:
    done, whole = counts["coarse_channels"]
    looked_at = dict(zip(observation.pattern, observation.sources, strict=True))
    panels = ", ".join(f"{letter} {source}" for letter, source in looked_at.items())
    return (
        f"{observation.telescope or 'Telescope'}, MJD {observation.tstart_mjd:.6f}, pattern {observation.pattern}: "
        f"{panels}. Searched: {done} of {whole} coarse channels, {counts['searched_mhz']:.3f} MHz, "
        f"{counts['on_hours']:.3f} hours on the target. Frequencies hold at the start of the first ON panel."
    )


def _event(observation: Observation, event: Mapping[Any, Any], judge: Judge | None, first: bool) -> Section:
    title, text = _words(event)
    looked_at = zip(observation.pattern, observation.sources, strict=True)
    panels = [
        (panel + 1, "ON" if panel in observation.on else "OFF", source, number(event[f"snr_{panel + 1}"], 1))
        for panel, (_, source) in enumerate(looked_at)
    ]
    section = Section(title, text, columns=("panel", "", "target", "SNR"), rows=[row for row in panels if row[-1]])
    drawn = pictures(observation, event, judge)
    # Observations of other patterns have no pictures: the page lays out three ON and three OFF panels.
    if drawn is None:
        return section
    along = [(drawn.along, f"{_ALONG} {drawn.along_told}")] if drawn.along else []
    section.figures = [(drawn.drifting, drawn.drifting_told), *along]
    # What its colours mean is told once: a shade means the same in every picture of the page.
    if first and judge is not None:
        section.text, section.legend = f"{text} {EVIDENCE_TOLD}", evidence_legend()
    return section


def _words(event: Mapping[Any, Any]) -> tuple[str, str]:
    """Title and text of an event's section."""
    where = f"{event['frequency_mhz']:.6f} MHz"
    if event["class"] == "window":
        return f"{where}: window", f"No line explains it. Score: {told_score(event['score'])}."
    drift, snr = number(event["drift_hz_s"], 4, sign=True), number(event["snr"], 1)
    score = "not judged" if np.isnan(event["score"]) else told_score(event["score"])
    return f"{where}, {drift} Hz/s, SNR {snr}: {event['class']}", f"Score: {score}."

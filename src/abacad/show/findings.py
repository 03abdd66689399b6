"""The page of a search: a table of its signals, pictures of the brightest, and how deep the search was.

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
from abacad.searcher.stamp import WIDTH, abacad_order, kept_slope, stamp
from abacad.searcher.unit import Observation, Unit, read_unit
from abacad.show.guide import FAMILIES, Guide
from abacad.show.page import Page, Section
from abacad.show.picture import Layout, evidence_legend
from abacad.show.waterfall import waterfall
from abacad.show.words import EVIDENCE_TOLD, told_score
from abacad.signal.cadence import Axes

_COLUMNS = (
    "class",
    "score",
    "window_score",
    "frequency_mhz",
    "drift_hz_s",
    "snr",
    "off_snr",
    "bandwidth_hz",
    "hits",
    "excluded",
)
_PICTURED = ("event", "window", "RFI zone", "near-zero drift")
"""Classes that have pictures, in this order: near-zero drift is what most interference looks like."""
_ALONG = "Bins as the detector sees them."
_BESIDE = 2048  # channels read beside a picture: four blocks of the bandpass, which is measured in blocks of 512


@dataclass(frozen=True)
class Pictures:
    """The two pictures of one event.

    Attributes:
        drifting: picture of all channels that it crosses, as SVG.
        along: picture sheared along its drift; empty for a window, which has no drift.
    """

    drifting: str
    along: str


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
        return Pictures(_as_it_is(observation, unit, at, order, judge), "")
    line = Line(at, drift * unit.dt_s / unit.df_hz, event["bandwidth_hz"] / unit.df_hz - 1)
    return Pictures(_drifting(observation, unit, line, order), _along(unit, line, order, judge))


def _axes(unit: Unit, order: Sequence[int], df_hz: float) -> Axes:
    rows = min(unit.n_time[panel] for panel in order)
    first = unit.start_s[order[0]]
    return Axes(rows, WIDTH, unit.dt_s, df_hz, tuple(unit.start_s[panel] - first for panel in order))


def _drifting(observation: Observation, unit: Unit, line: Line, order: Sequence[int]) -> str:
    """The event as it drifts; channels are averaged until all that it crosses fit into the picture."""
    start_rows = np.array(unit.start_s) / unit.dt_s
    begin, end = start_rows.min(), float((start_rows + np.array(unit.n_time)).max())
    low, high = sorted((line.at(begin), line.at(end)))
    # 1.15 times what it crosses, so that it does not touch the edges.
    each = max(1, ceil((high - low) * 1.15 / WIDTH))
    first = int((low + high) / 2 - 0.5 * each * WIDTH)
    # Panels of unlike length are cut to the shortest: a picture has one height for all.
    cut = _binned(unit.power, first, each)[list(order)]
    axes = _axes(unit, order, unit.df_hz * each)
    channel = (line.at(float(start_rows[order[0]])) - first) / each + 0.5
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
        tiles=[(name, str(count)) for name, count in counts["classes"].items()],
    )
    page.sections.append(_table(events, shown))
    for event in named.to_dict("records"):
        page.sections.append(_event(observation, event, judge))
    page.sections.append(_depth(counts))
    if completeness is not None and len(completeness):
        page.sections.append(_completeness(completeness))
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


def _table(events: pd.DataFrame, shown: int) -> Section:
    # Interference is by far the most of a table; it stands in the CSV file, and here it would hide what drifts.
    head = events[~events["class"].isin(["in OFF", "DC spike"])].head(max(shown, 50))
    rows = [[_told(value) for value in row] for row in head[list(_COLUMNS)].itertuples(index=False)]
    return Section("Signals", text="All of them stand in events.csv.", columns=_COLUMNS, rows=rows)


def _told(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)


def _event(observation: Observation, event: Mapping[Any, Any], judge: Judge | None) -> Section:
    title, text = _words(event, len(observation.pattern))
    drawn = pictures(observation, event, judge)
    # Observations of other patterns have no pictures: the page lays out three ON and three OFF panels.
    if drawn is None:
        return Section(title, text=text)
    axes = Axes(min(observation.n_time), WIDTH, observation.dt_s, observation.df_hz)
    caption, told = Layout.of(axes).told(), _ALONG if judge is None else f"{_ALONG} {EVIDENCE_TOLD}"
    figures = (
        [(drawn.drifting, caption), (drawn.along, told)] if drawn.along else [(drawn.drifting, f"{caption} {told}")]
    )
    return Section(title, text=text, figures=figures, legend=evidence_legend() if judge is not None else ())


def _words(event: Mapping[Any, Any], n_panels: int) -> tuple[str, str]:
    """Title and text of an event's section."""
    where = f"{event['frequency_mhz']:.6f} MHz"
    if event["class"] == "window":
        return f"{where}: window", f"No line explains it. Score: {told_score(event['score'])}."
    panels = ", ".join(f"{event[f'snr_{panel + 1}']:.1f}" for panel in range(n_panels))
    score = "not judged" if np.isnan(event["score"]) else told_score(event["score"])
    title = f"{where}, {event['drift_hz_s']:+.4f} Hz/s, SNR {event['snr']:.1f}: {event['class']}"
    return title, f"SNR of each panel: {panels}. Score: {score}."


def _depth(counts: Mapping[str, Any]) -> Section:
    masked = ", ".join(f"{name}: {count}" for name, count in counts["masked_pixels"].items() if count)
    points = [
        f"{name.replace('_', ' ')}: {'not measured' if np.isnan(value) else f'{value:.4g}'}"
        for name, value in counts["depth"].items()
    ]
    # Files without masked pixels are not named: the list is for the ones that are damaged.
    points.append(f"Masked pixels: {masked or 'none'}; channels without power: {counts['dead_channels']}.")
    if "false_events_per_mhz_hour" in counts:
        rate = counts["false_events_per_mhz_hour"]
        points.append(f"False events, counted with ON and OFF exchanged: {rate:.3g} in a MHz and hour.")
    points += [_recovered(name, part) for name, part in counts.get("recovered", {}).items()]
    return Section("How deep it was", points=points)


def _recovered(name: str, part: Mapping[str, Any]) -> str:
    """How many bright injected needles were found in one kind of place."""
    where = {"outside": "outside dense interference", "dense": "in dense interference"}[name]
    if not part["needles"]:
        return f"Injected needles of joint SNR 10 and more {where}: none."
    share, low, high = (f"{100 * part[key]:.3g}" for key in ("share", "share_low", "share_high"))
    found = f"{part['found']} of {part['needles']} found, {share} % ({low} to {high} %)"
    return f"Injected needles of joint SNR 10 and more {where}: {found}."


def _completeness(table: pd.DataFrame) -> Section:
    columns = ["of", "low", "high", "needles", "found", "share", "share_low", "share_high"]
    rows = [[_told(value) for value in row] for row in table[columns].round(3).itertuples(index=False)]
    from abacad.show.figure import completeness as completeness_figure  # matplotlib, for this picture alone

    curves = {}
    for name, kind in (("outside dense interference", "SNR, outside"), ("in dense interference", "SNR, dense")):
        part = table[table["of"] == kind]
        if len(part) > 1:
            middle = np.sqrt(part["low"].to_numpy() * part["high"].to_numpy())
            curves[name] = (middle, *part[columns[-3:]].to_numpy().T)
    picture = completeness_figure(curves, "joint SNR of the injected needle") if curves else ""
    return Section(
        "Completeness",
        text="Needles were added in memory to the searched powers, which were searched again; intervals of 95 %.",
        columns=columns,
        rows=rows,
        figures=[(picture, "")] if picture else [],
    )

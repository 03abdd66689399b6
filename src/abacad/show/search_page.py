"""What a search found, as one page: a table, and a waterfall of each signal along the whole of its line.

A waterfall spans all the channels that the line crosses; their powers are averaged into its pixels, none is left out.
The guide beside each line can be switched off, so that the eye decides on its own.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from abacad.data.observation import Observation
from abacad.errors import CadenceError
from abacad.show.line import Line
from abacad.show.page import Page, Section
from abacad.show.picture import Layout
from abacad.show.waterfall import waterfall
from abacad.signal.cadence import N_PANELS, ON

SHOWN = ("event", "near-zero drift")
"""Classes that are for a person to look at."""

_COLUMNS = {
    "class": ("class", "{}"),
    "frequency_mhz": ("MHz", "{:.6f}"),
    "drift_hz_s": ("Hz/s", "{:+.4f}"),
    "snr": ("joint SNR", "{:.1f}"),
    "off_snr": ("SNR in OFF", "{:.1f}"),
    "score": ("score", "{:.3f}"),
    "bandwidth_hz": ("width, Hz", "{:.1f}"),
}
_MARGIN = 48  # channels beside a line
_NARROWEST = 256
_SWITCH = (
    "<style>body:has(#guide:not(:checked)) svg.waterfall line[stroke-dasharray] { display: none }</style>"
    '<label><input type="checkbox" id="guide" checked> guides beside the lines</label>'
)


def search_page(
    observation: Observation,
    events: pd.DataFrame,
    title: str = "Search",
    *,
    first: Sequence[Section] = (),
    tiles: Sequence[tuple[str, str]] = (),
    most: int = 24,
) -> Page:
    """The page of a search; pictures where the observation has six panels with the target in every other one.

    Args:
        observation: What was searched.
        events: One row a signal, as `abacad search` writes them.
        title: Heading.
        first: Sections above the signals.
        tiles: Pairs of a name and its figure, shown large at the top.
        most: Signals with a picture, the first rows of each class.
    """
    shown = events[events["class"].isin(SHOWN)]
    counts = ", ".join(f"{count} {name}" for name, count in events["class"].value_counts().items())
    where = f"{observation.telescope or 'telescope unknown'}, MJD {observation.tstart_mjd:.5f}"
    lead = (
        f"{' '.join(observation.sources)}, {where}: {observation.n_freq:,} channels of {observation.df_hz:.4g} Hz from "
        f"{observation.low_hz * 1e-6:.6f} MHz on. Signals: {counts or 'none'}."
    )
    rows = [[form.format(row[name]) for name, (_, form) in _COLUMNS.items()] for _, row in shown.iterrows()]
    columns = [said for said, _ in _COLUMNS.values()]
    page = Page(title, lead, tiles, [*first, Section("Signals in ON panels alone", columns=columns, rows=rows)])
    if len(observation.files) == N_PANELS and observation.on == ON and len(shown):
        text = f"{Layout.of(observation.axes(_NARROWEST)).told()} "
        text += "Where a line crosses more than 256 channels, a pixel is the mean of as many more."
        page.sections.append(Section("Waterfalls", text, figures=[(_SWITCH, "")]))
        page.sections += [_pictures(observation, shown[shown["class"] == name], name, most) for name in SHOWN]
    return page


def _pictures(observation: Observation, rows: pd.DataFrame, name: str, most: int) -> Section:
    figures = [figure for _, row in rows.head(most).iterrows() if (figure := _figure(observation, row)) is not None]
    return Section(f"{name}: {len(figures)} of {len(rows)}", figures=figures)


def _figure(observation: Observation, row: Any) -> tuple[str, str] | None:
    """A waterfall and its caption; none where a panel holds no values there."""
    begin = (row["frequency_mhz"] * 1e6 - observation.low_hz) / observation.df_hz
    begin -= (
        row["drift_hz_s"] * observation.start_s[observation.on[0]] / observation.df_hz
    )  # when the first panel began
    low, width = window_along(observation, begin, row["drift_hz_s"])
    axes = observation.axes(width)
    try:
        cadence = observation.window(low, width)
    except CadenceError:
        return None
    picture = waterfall(
        cadence,
        f"{row['frequency_mhz']:.6f} MHz, {row['drift_hz_s']:+.4f} Hz/s",
        axes=axes,
        low_mhz=observation.freq_hz(low) * 1e-6,
        line=Line(begin - low + 0.5, row["drift_hz_s"], row["snr"], row["class"]),
    )
    return picture, f"{row['class']}, SNR {row['snr']:.1f} (OFF {row['off_snr']:.1f}), score {row['score']:.3f}"


def window_along(observation: Observation, channel: float, drift_hz_s: float) -> tuple[int, int]:
    """(first channel, channels) that a line from `channel` on crosses until the last panel ends, and some beside it.

    1 Hz/s for 1,900 s are 680 channels of 2.79 Hz.
    """
    last_s = observation.start_s[-1] + observation.n_time[-1] * observation.dt_s
    ends = sorted((channel, channel + drift_hz_s * last_s / observation.df_hz))
    width = min(max(_NARROWEST, round(ends[1] - ends[0]) + 2 * _MARGIN), observation.n_freq)
    low = round((ends[0] + ends[1] - width) / 2)
    return min(max(low, 0), observation.n_freq - width), width

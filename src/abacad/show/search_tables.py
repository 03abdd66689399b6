"""The tables on the page of a search: its signals, how deep it was, and the share of injected needles that it found.

The CSV files have all columns under the names that programs read; here each has a heading with its unit, as many digits
as mean something, and is left out where it would be empty.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from abacad.show.page import Section
from abacad.show.words import log_odds, number

_NO_LINES = ("in OFF", "DC spike")
"""Classes that are counted and not listed: they are nearly all of a table, and would hide what drifts."""

_COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "class": ("class", str),
    "score": ("log-odds", lambda value: number(log_odds(value), 1, sign=True)),
    "window_score": ("log-odds of its window", lambda value: number(log_odds(value), 1, sign=True)),
    "frequency_mhz": ("MHz", lambda value: number(value, 6).replace(",", "")),
    "drift_hz_s": ("drift, Hz/s", lambda value: number(value, 4, sign=True)),
    "snr": ("SNR in ON", lambda value: number(value, 1)),
    "off_snr": ("SNR in OFF", lambda value: number(value, 1)),
    "bandwidth_hz": ("width, Hz", lambda value: number(value, 1)),
    "hits": ("lines joined", str),
    "excluded": ("excluded band", str),
}
"""Column of the table of events: its heading on the page, and how a value of it is written."""

_DEPTHS = {
    "snr_threshold": "Threshold: joint SNR {}.",
    "snr_50_percent": "Half of the injected needles are found at joint SNR {}.",
    "snr_90_percent": "Nine in ten injected needles are found at joint SNR {}.",
    "flux_snr": "The fluxes below are those of joint SNR {}.",
    "flux_w_m2_slow": "Smallest flux of a line that does not drift: {} W/m².",
    "flux_w_m2_fastest": "Smallest flux of a line of the fastest drift: {} W/m².",
    "eirp_w_slow": "Smallest power (EIRP) of a transmitter at the target whose line does not drift: {} W.",
    "eirp_w_fastest": "Smallest power (EIRP) of a transmitter at the target with the fastest drift: {} W.",
}
_OF = {
    "SNR, outside": "joint SNR",
    "SNR, dense": "joint SNR, dense",
    "drift": "|drift|, Hz/s",
}


def signals(events: pd.DataFrame, most: int, pictured: int) -> Section:
    """The table of signals without interference.

    Args:
        events: All signals, in the order of the table.
        most: Largest number of rows.
        pictured: How many signals have pictures on the page.
    """
    listed = events[~events["class"].isin(_NO_LINES)]
    head = listed.head(most)
    written = {
        heading: ["" if pd.isna(value) else told(value) for value in head[name]]
        for name, (heading, told) in _COLUMNS.items()
    }
    # An empty column takes the room of one that tells something: windows were not asked for, no band is excluded.
    kept = {heading: cells for heading, cells in written.items() if any(cells)}
    return Section(
        "Signals",
        f"{_count(len(head), len(listed))}{f', {pictured} with pictures below' if pictured else ''}. events.csv has "
        f"all {len(events):,}, with interference ({', '.join(_NO_LINES)}) and more columns. SNR in ON: of the line "
        "through all ON panels together (joint SNR).",
        columns=tuple(kept),
        rows=list(zip(*kept.values(), strict=True)),
    )


def _count(shown: int, of: int) -> str:
    if shown < of:
        return f"The first {shown:,} of {of:,} signals"
    return "1 signal" if of == 1 else f"{of:,} signals"


def depth(counts: Mapping[str, Any]) -> Section:
    """How faint a signal the search would have found, and what could not be searched.

    Args:
        counts: Counts and depth, as search.json has them under the key `found`.
    """
    points = [_DEPTHS[name].format(_measured(value)) for name, value in counts["depth"].items()]
    masked = ", ".join(f"{name}: {count}" for name, count in counts["masked_pixels"].items() if count)
    # Files without masked pixels are not named: the list is for the ones that are damaged.
    points.append(f"Masked pixels: {masked or 'none'}; channels without power: {counts['dead_channels']}.")
    if "false_events_per_mhz_hour" in counts:
        rate = counts["false_events_per_mhz_hour"]
        points.append(f"False events, counted with ON and OFF exchanged: {rate:.3g} in a MHz and hour.")
    points += [_recovered(name, part) for name, part in counts.get("recovered", {}).items()]
    return Section("How deep it was", points=points)


def _measured(value: float | None) -> str:
    # No number: none of the needles was lost, or all, or they were fewer than twenty.
    return "… (not measured: needles of too few strengths)" if value is None else f"{value:.3g}"


def _recovered(name: str, part: Mapping[str, Any]) -> str:
    """How many bright injected needles were found in one kind of place."""
    where = {"outside": "outside dense interference", "dense": "in dense interference"}[name]
    if not part["needles"]:
        return f"Injected needles of joint SNR 10 and more {where}: none."
    share, low, high = (f"{100 * part[key]:.3g}" for key in ("share", "share_low", "share_high"))
    found = f"{part['found']} of {part['needles']} found, {share} % ({low} to {high} %)"
    return f"Injected needles of joint SNR 10 and more {where}: {found}."


def completeness(table: pd.DataFrame) -> Section:
    """The share of injected needles that was found, by SNR and by drift.

    Args:
        table: As `abacad.searcher.depth.completeness` makes it.
    """
    from abacad.show.figure import completeness as drawn  # matplotlib, for this picture alone

    rows = [
        (_OF[row["of"]], f"{row['low']:.3g} – {row['high']:.3g}", f"{row['found']} of {row['needles']}",
         f"{100 * row['share']:.0f} % [{100 * row['share_low']:.0f}, {100 * row['share_high']:.0f}]")
        for row in table.to_dict("records")
    ]  # fmt: skip
    curves = {}
    for name, kind in (("outside dense interference", "SNR, outside"), ("in dense interference", "SNR, dense")):
        part = table[table["of"] == kind]
        if len(part) > 1:
            middle = np.sqrt(part["low"].to_numpy() * part["high"].to_numpy())
            curves[name] = (middle, *part[["share", "share_low", "share_high"]].to_numpy().T)
    return Section(
        "Completeness",
        text="Needles were added in memory to the searched powers, which were searched again. Dense: within dense "
        "interference; all others are outside it. By drift: needles of joint SNR 10 and more.",
        columns=("needles by", "range", "found", "share [95 % interval]"),
        rows=rows,
        figures=[(drawn(curves, "joint SNR of the injected needle"), "")] if curves else [],
    )

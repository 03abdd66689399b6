"""Sections of the page of `abacad sensitivity`: the panel SNR at which half of the needles are recovered, and curves.

completeness = share of the needles whose score exceeds that of all but a share, the false-alarm rate, of the others
half         = the SNR at which completeness crosses ½, between the middles of two bins in log SNR
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from abacad.show.figure import ACCENT, INK, OFF_COLOUR, ON_COLOUR, STYLE, log_ticks, svg
from abacad.show.page import Section

DETECTORS = {
    "run": "trained detector",
    "unlearned": "lines and tracks, no learning",
    "classical": "classical ON–OFF search",
    "bound": "near-ideal observer",
}
AXES = {"panel_snr": "panel SNR", "pixel_snr": "pixel SNR", "drift_bins_per_panel": "|drift|, channels a panel"}

_LOOKS: dict[str, dict[str, Any]] = {
    "run": {"color": ON_COLOUR, "ls": "-", "marker": "o"},
    "unlearned": {"color": OFF_COLOUR, "ls": ":", "marker": "D"},
    "classical": {"color": ACCENT, "ls": "-.", "marker": "s"},
    "bound": {"color": INK, "ls": "--", "marker": "^"},
}
_KEYS = ("completeness", "completeness_low", "completeness_high")
_FEW = 10  # needles in a bin; the point of a bin with fewer is drawn hollow, since chance moves it by 0.15 and more


@dataclass(frozen=True)
class Half:
    """The SNR at which half of the needles are recovered.

    Attributes:
        value: The SNR; infinite where less than half are recovered at every SNR, 0 where more are.
        low: SNR at which the upper ends of the 95 % intervals cross ½.
        high: SNR at which their lower ends do.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """The SNR with its interval, as `3.4 [3.1, 3.8]`; not known where the interval holds every SNR."""
        if self.low == 0 and not np.isfinite(self.high):
            return "not known"
        if not np.isfinite(self.value):
            return "beyond all"
        if self.value == 0:
            return "below all"
        return f"{self.value:.2g} [{_end(self.low)}, {_end(self.high)}]"


def _end(value: float) -> str:
    return "0" if value == 0 else "∞" if not np.isfinite(value) else f"{value:.2g}"


def half(part: pd.DataFrame) -> Half:
    """The SNR at which half of the needles of one detector, rate and family are found.

    Args:
        part: Rows of the table of completeness on one axis, a bin each.
    """
    # Where the lower ends of the shares' intervals cross ½ is the upper end of the SNR's interval, and vice versa.
    middles = np.log(bin_middles(part))
    value, high, low = (_crossing(middles, part[key].to_numpy()) for key in _KEYS)
    return Half(value, low, high)


def _crossing(log_snr: np.ndarray, shares: np.ndarray) -> float:
    """The SNR at which the shares cross ½ upwards for the last time; bins with few needles may cross it before."""
    below = np.flatnonzero(shares < 0.5)
    if not len(below):
        return 0.0
    last = int(below[-1])
    if last + 1 == len(shares):
        return float("inf")
    # In log SNR, in which completeness is nearly a straight line about ½.
    part = (0.5 - shares[last]) / (shares[last + 1] - shares[last])
    return float(np.exp(log_snr[last] + part * (log_snr[last + 1] - log_snr[last])))


def bin_middles(part: pd.DataFrame) -> np.ndarray:
    """Geometric middles of the bins; a bin that begins at 0 has none, and half its upper end is taken."""
    return np.sqrt(np.maximum(part["low"], part["high"] / 4) * part["high"]).to_numpy()


def detectors_of(table: pd.DataFrame) -> list[str]:
    """The detectors of a table, in the order of the legend."""
    return [name for name in DETECTORS if (table["detector"] == name).any()]


def cell(table: pd.DataFrame, detector: str, rate: float, family: str, axis: str) -> pd.DataFrame:
    """The rows of one curve: one detector, false-alarm rate, family and axis, a bin a row."""
    # Rates are compared for equality: they are the very numbers that were written, not results of arithmetic.
    chosen = (table["detector"] == detector) & (table["family"] == family) & (table["axis"] == axis)
    return table[chosen & (table["false_alarm_rate"] == rate)]


def first_sentence(table: pd.DataFrame) -> str:
    """What the page says first: how faint a needle the trained detector finds."""
    rate = usual_rate(table, "run")
    part = cell(table, "run", rate, "all", "panel_snr")
    if part.empty:
        return f"The cadences are too few to tell how faint a needle is found at a false-alarm rate of {rate:g}."
    told, end = half(part), f"are found at a false-alarm rate of {rate:g}."
    if str(told) == "not known":
        return f"The needles are too few to tell at which panel SNR half of them {end}"
    if not np.isfinite(told.value):
        return f"Fewer than half of the needles at each panel SNR up to {part['high'].max():g} {end}"
    if told.value == 0:
        return f"More than half of the needles at each panel SNR from {part['low'].min():g} on {end}"
    return f"Half of the needles at panel SNR {told} {end}"


def headline(table: pd.DataFrame) -> Section:
    """The first table of the page: at which panel SNR half of the needles are found, by detector and rate."""
    rates = sorted(table["false_alarm_rate"].unique())[::-1]
    rows = [
        (DETECTORS[detector], *(_half_at(table, detector, rate, "all") for rate in rates))
        for detector in detectors_of(table)
    ]
    return Section(
        "How faint",
        "The panel SNR at which half of the needles are found [95 % interval]. ∞: the interval has no end among the "
        "SNRs that were simulated; beyond all: fewer than half are found at each; below all: more than half are found "
        "at each; not known or —: the cadences are too few.",
        columns=("detector", *(f"false-alarm rate {rate:g}" for rate in rates)),
        rows=rows,
    )


def _half_at(table: pd.DataFrame, detector: str, rate: float, family: str) -> str:
    part = cell(table, detector, rate, family, "panel_snr")
    return str(half(part)) if len(part) else "—"


def usual_rate(table: pd.DataFrame, detector: str) -> float:
    """A false-alarm rate of 1e-2, or the nearest that the detector has."""
    rates = table.loc[table["detector"] == detector, "false_alarm_rate"].unique()
    # A background from a file may hold too few cadences for a rate of 1e-2.
    return float(min(rates, key=lambda rate: abs(np.log10(rate) + 2))) if len(rates) else 1e-2


def all_families(table: pd.DataFrame) -> Section:
    """The figure of all families together: a row for each false-alarm rate, a column for each axis."""
    rates = sorted(table["false_alarm_rate"].unique())[::-1]
    rows = [(f"false-alarm\nrate {rate:g}", float(rate), "all") for rate in rates]
    told = "Completeness of all families against panel SNR, pixel SNR and drift, a row a false-alarm rate"
    observer = (
        "The observer's thresholds rest on its needles' likelihood ratios where its negatives are too few "
        "(`threshold_from` in the table). "
    )
    return Section(
        "All families",
        "Shaded: 95 % intervals, which hold the threshold's own uncertainty, too. "
        f"{observer if 'bound' in detectors_of(table) else ''}"
        f"Hollow: a bin with fewer than {_FEW} needles.",
        figures=[(grid(table, rows, told), "")],
    )


def by_family(table: pd.DataFrame) -> Section:
    """One figure at one rate, a row a family; and at which panel SNR half of each family is found at every rate."""
    rate = usual_rate(table, "run")
    families = [str(name) for name in table["family"].unique() if name != "all"]
    counts = table[(table["detector"] == "run") & (table["axis"] == "pixel_snr") & (table["false_alarm_rate"] == rate)]
    needles = counts.groupby("family")["needles"].sum()
    rows = [(f"{name}\n{needles.get(name, 0):,} needles", rate, name) for name in families]
    rates = sorted(table["false_alarm_rate"].unique())[::-1]
    halves = {
        (name, DETECTORS[detector]): [_half_at(table, detector, float(one), name) for one in rates]
        for name in families
        for detector in detectors_of(table)
    }
    told = [(*of, *found) for of, found in halves.items() if not set(found) <= {"not known", "—"}]
    left_out = f" Left out, for want of needles: {len(halves) - len(told)} rows." if len(told) < len(halves) else ""
    observer = (
        "The near-ideal observer's ratio is the best for the mixture of all families: for one family alone it is no "
        "bound, and a detector may find more. "
    )
    return Section(
        "Each family",
        f"Curves at a false-alarm rate of {rate:g}; in the table, the panel SNR at which half are found.{left_out} "
        f"{observer if 'bound' in detectors_of(table) else ''}All figures stand in the CSV file beside this page.",
        columns=("family", "detector", *(f"rate {one:g}" for one in rates)),
        rows=told,
        figures=[(grid(table, rows, f"Completeness of each family at a false-alarm rate of {rate:g}"), "")],
    )


def grid(table: pd.DataFrame, rows: Sequence[tuple[str, float, str]], told: str) -> str:
    """Curves in aligned rows and columns.

    Args:
        table: Completeness by detector, rate, family and bin, as `abacad.completeness` makes it.
        rows: Name, false-alarm rate and family of each row.
        told: What the picture shows, for those who do not see it.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 0.9 + 1.75 * len(rows)), layout="constrained")
        # Shared axes, so that a curve can be compared with the one above it without reading numbers.
        axes = figure.subplots(len(rows), len(AXES), sharex="col", sharey=True, squeeze=False)
        for line, (name, rate, family) in zip(axes, rows, strict=True):
            for place, (axis, key) in enumerate(zip(line, AXES, strict=True)):
                _curves(axis, table, rate, family, key)
                if place == 0:
                    axis.set_ylabel(name)
        for axis, label in zip(axes[-1], AXES.values(), strict=True):
            axis.set_xlabel(label)
            log_ticks(axis)
        # One legend for all: a detector that is missing in the first cell, for want of needles, is in another one.
        handles: dict[str, Any] = {}
        for axis in axes.flat:
            handles |= {name: handle for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), frameon=False, loc="outside upper left", ncols=3)
        return svg(figure, told)


def _curves(axis: Axes, table: pd.DataFrame, rate: float, family: str, key: str) -> None:
    for detector in detectors_of(table):
        part = cell(table, detector, rate, family, key)
        if part.empty:
            continue
        places, look = bin_middles(part), _LOOKS[detector]
        shares, lows, highs = (part[name].to_numpy() for name in _KEYS)
        axis.fill_between(places, lows, highs, color=look["color"], alpha=0.13, lw=0)
        few = part["needles"].to_numpy() < _FEW
        # Drawn twice: the line with full markers, then hollow markers for bins with few needles.
        axis.plot(places, shares, ms=4, lw=1.3, label=DETECTORS[detector], markevery=list(np.flatnonzero(~few)), **look)
        axis.plot(places[few], shares[few], ls="", marker=look["marker"], ms=4, mfc="white", mec=look["color"])
    axis.axhline(0.5, color="#9aa5b1", lw=0.6)
    # SNRs span three decades, and completeness rises within one of them: only a logarithmic axis shows where.
    axis.set(xscale="log", ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    axis.grid(axis="x", color="#e4e7eb", lw=0.6)

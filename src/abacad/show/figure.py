"""Figures for the pages: ROC curves, histograms, curves over epochs, each as HTML text with an SVG or a PNG in it.

Every figure has a text alternative for people who do not see it. Curves differ in line and marker as well as in colour,
for people who do not tell colours apart and for printers.
"""

import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, MaxNLocator, NullLocator
from PIL import Image

from abacad.metric import roc_band
from abacad.show.picture import MOST_ROWS, data_uri
from abacad.show.waterfall import waterfall
from abacad.show.words import MOST, log_odds

__all__ = ["bars", "completeness", "curves", "fold_bars", "histogram", "plane_images", "roc", "waterfall"]

INK, ON_COLOUR, OFF_COLOUR, ACCENT = "#1f2933", "#0b6e4f", "#7b8794", "#c8553d"
STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
}

# One look more than the folds of a usual run.
_COLOURS = (ON_COLOUR, ACCENT, "#3b5bdb", "#8a6d00", "#7b2d8e", INK)
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "x")


def looks() -> Iterator[dict[str, Any]]:
    """Keywords of Matplotlib for one curve after the other: colour, line and marker, each its own."""
    while True:
        for colour, line, marker in zip(_COLOURS, _LINES, _MARKERS, strict=True):
            yield {"color": colour, "ls": line, "marker": marker}


def plane_images(planes: np.ndarray, names: Sequence[str], title: str = "") -> str:
    """The planes that a detector reads, side by side, from blue (−3 σ) over white (0) to red (+3 σ).

    Args:
        planes: (plane, row, freq), with a standard deviation σ of 1; a mean of n rows has 1/√n of it.
        names: Name of each plane.
        title: Name of the cadence.

    Returns:
        An img element with a PNG; rows are averaged to 64 at most, so that the page stays small.
    """
    # `Figure` itself and not pyplot: pyplot keeps every figure until it is told to close it, and asks for a display.
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.9 * len(names), 2.5), layout="constrained")
        for axis, values, name in zip(np.atleast_1d(figure.subplots(1, len(names))), planes, names, strict=True):
            pixels = _fewer_rows(np.asarray(values, dtype=float), 2 * MOST_ROWS)
            most = 3 * np.sqrt(len(pixels) / len(values))
            axis.imshow(pixels, aspect="auto", vmin=-most, vmax=most, cmap="RdBu_r", interpolation="nearest")
            axis.set_title(name, fontsize=8)
            axis.set_xlabel(f"{values.shape[1]} channels", fontsize=8)
            axis.set_xticks([])
            axis.set_yticks([])
            if axis.get_subplotspec().is_first_col():
                axis.set_ylabel(f"{len(values)} rows, downwards", fontsize=8)
        figure.suptitle(title, fontsize=8)
        return png(figure, f"What a detector sees of {title or 'a cadence'}: {', '.join(names)}")


def _fewer_rows(values: np.ndarray, most: int) -> np.ndarray:
    """Averages neighbouring rows so that at most `most` are left."""
    n_rows = min(most, len(values))
    # Blocks differ by one row at most.
    edges = np.round(np.linspace(0, len(values), n_rows + 1)).astype(int)
    return np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None]


def roc(targets: np.ndarray, scores: np.ndarray) -> str:
    """ROC curve with its 95 % bootstrap band.

    Args:
        targets: (cadence,) 0 or 1.
        scores: (cadence,) higher where a needle is more likely.
    """
    grid = np.linspace(0, 1, 201)
    tpr, low, high = roc_band(targets, scores, grid)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 3.9), layout="constrained")
        axis = figure.subplots()
        axis.plot([0, 1], [0, 1], color="#9aa5b1", lw=1, ls="--", label="chance")
        axis.fill_between(grid, low, high, color=ON_COLOUR, alpha=0.18, lw=0, label="95 % band")
        axis.plot(grid, tpr, color=ON_COLOUR, lw=1.8, label="held-back cadences")
        # A little room above 1, or the line of a perfect detector would lie under the frame.
        axis.set(xlabel="false-alarm rate", ylabel="true-positive rate", xlim=(0, 1), ylim=(0, 1.005))
        legend_above(figure, 3)
        told = ", ".join(f"{np.interp(rate, grid, tpr):.2f} at {rate:g}" for rate in (0.01, 0.1, 0.5))
        return svg(figure, f"ROC curve: true-positive rate {told} false-alarm rate")


def histogram(targets: np.ndarray, scores: np.ndarray) -> str:
    """Histogram of the scores of both classes as log-odds.

    Args:
        targets: (cadence,) 0 or 1.
        scores: (cadence,) in [0, 1].
    """
    # As probabilities most scores would fall into the first and the last bin.
    values = np.array([log_odds(score) for score in scores])
    reach = max(1.0, float(np.ceil(np.abs(values).max())))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 3.9), layout="constrained")
        axis = figure.subplots()
        # Bins to both sides alike, so that 0, where a needle is as likely as none, is in the middle of the picture.
        bins = list(np.linspace(-reach, reach, 41))
        for value, name, colour, fill in ((0, "without needle", OFF_COLOUR, True), (1, "with needle", ACCENT, False)):
            style: dict[str, Any] = (
                {"histtype": "stepfilled", "alpha": 0.5} if fill else {"histtype": "step", "lw": 1.8}
            )
            axis.hist(values[targets == value], bins, label=name, color=colour, **style)
        name = "score, log-odds" + (" (±16 or beyond at the ends)" if reach >= MOST else "")
        # Counts on a logarithmic axis: one in ten has a needle, and the few false alarms are what one looks for.
        axis.set(xlabel=name, ylabel="cadences", yscale="log", xlim=(-reach, reach))
        axis.xaxis.set_major_locator(MaxNLocator(6))
        legend_above(figure, 2)
        return svg(figure, "Histogram of the scores, cadences with and without a needle")


def fold_bars(values: Sequence[float], lows: Sequence[float], highs: Sequence[float], gate: float | None = None) -> str:
    """AUC of each fold with its interval.

    Args:
        values: AUC of each fold.
        lows: Lower ends of the intervals.
        highs: Upper ends of the intervals.
        gate: Threshold for the mean, drawn as a line; none: no line.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 1.1 + 0.42 * len(values)), layout="constrained")
        axis = figure.subplots()
        places = np.arange(len(values))
        below, above = np.subtract(values, lows), np.subtract(highs, values)
        axis.errorbar(values, places, xerr=[below, above], fmt="o", color=ON_COLOUR, capsize=3)
        if gate is not None:
            axis.axvline(gate, color=ACCENT, lw=1, ls="--", label=f"gate of the mean, {gate}")
            legend_above(figure, 1)
        axis.set(xlabel="AUC, 95 % interval", yticks=places, yticklabels=[f"fold {place}" for place in places])
        axis.set_ylim(len(values) - 0.5, -0.5)  # fold 0 on top, as in the table beside it
        told = ", ".join(f"fold {place}: {value:.3f}" for place, value in enumerate(values))
        return svg(figure, f"AUC with its interval, {told}")


def curves(by_fold: dict[str, tuple[np.ndarray, np.ndarray]], label: str) -> str:
    """Curves over the epochs, one a fold.

    Args:
        by_fold: Epochs and values by the name of the fold.
        label: Name of the values.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.4, 3.2), layout="constrained")
        axis = figure.subplots()
        for (name, (epochs, values)), look in zip(by_fold.items(), looks(), strict=False):
            axis.plot(epochs, values, ms=3.5, lw=1.2, label=name, **look)
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_above(figure, 3)
        last = ", ".join(f"{name} {values[-1]:.3f}" for name, (_, values) in by_fold.items() if len(values))
        return svg(figure, f"{label} by epoch, at the end: {last}")


def completeness(curves: dict[str, tuple[np.ndarray, ...]], xlabel: str) -> str:
    """Completeness against a logarithmic axis, a curve with its interval for each detector.

    Args:
        curves: By name: places on the axis, shares, and the lower and upper bounds of their intervals.
        xlabel: Name of the axis.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.3), layout="constrained")
        axis = figure.subplots()
        for (name, (places, shares, lows, highs)), look in zip(curves.items(), looks(), strict=False):
            axis.fill_between(places, lows, highs, color=look["color"], alpha=0.12, lw=0)
            axis.plot(places, shares, ms=3.5, lw=1.4, label=name, **look)
        axis.set(xlabel=xlabel, ylabel="completeness", xscale="log", ylim=(-0.02, 1.02))
        log_ticks(axis)
        axis.grid(axis="y", color="#e4e7eb", lw=0.8)
        legend_above(figure, 3)
        return svg(figure, f"Completeness against {xlabel} of {', '.join(curves)}")


def log_ticks(axis: Axes) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten on a logarithmic axis of frequency or SNR."""
    low, high = axis.get_xlim()
    ticks = [digit * 10.0**power for power in range(-3, 4) for digit in (1, 2, 5)]
    axis.set_xticks([tick for tick in ticks if low <= tick <= high])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))


def bars(names: Sequence[str], counts: Sequence[int], xlabel: str) -> str:
    """Horizontal bars with the count at the end of each."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 0.8 + 0.4 * len(names)), layout="constrained")
        axis = figure.subplots()
        drawn = axis.barh(list(names), list(counts), color=[OFF_COLOUR, ACCENT][: len(names)], height=0.6)
        axis.bar_label(drawn, padding=3)
        axis.set(xlabel=xlabel, xlim=(0, 1.15 * max(counts)))  # room for the number behind the longest bar
        axis.invert_yaxis()
        told = ", ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True))
        return svg(figure, f"Numbers of {xlabel}: {told}")


def legend_above(figure: Figure, n_columns: int) -> None:
    """Put the legend above the axes, since within them it would hide data."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=8, loc="outside upper left", ncols=n_columns,
                  columnspacing=1.2, handlelength=2.6, borderaxespad=0.1)  # fmt: skip


def png(figure: Figure, told: str) -> str:
    """The figure as an img element with a PNG of tens of kB.

    Args:
        figure: The figure; its images have few colours, so a palette of 64 is enough.
        told: The text alternative.
    """
    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    Image.open(buffer).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
    return f'<img alt="{escape(told)}" title="{escape(told)}" src="{data_uri(small.getvalue())}">'


def svg(figure: Figure, told: str) -> str:
    """The figure as an svg element.

    Args:
        figure: The figure; one that is wider than 6 inches gets the class `wide`.
        told: The text alternative.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})  # without it the same page differs from day to day
    text = buffer.getvalue()
    # Without the XML declaration and document type, which must not stand within a page.
    text = text[text.index("<svg") :]
    start = text.index(">") + 1
    wide = ' class="wide"' if figure.get_figwidth() > 6 else ""
    return (
        f'<svg{wide} role="img" aria-label="{escape(told)}"{text[4:start]}<title>{escape(told)}</title>{text[start:]}'
    )

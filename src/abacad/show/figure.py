"""Pictures for the pages: waterfalls of cadences, ROC curves, histograms. Each gives an SVG or PNG as text for HTML."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, MaxNLocator, NullLocator

from abacad.metric import roc_band
from abacad.signal.cadence import N_PANELS, ON

INK, ON_COLOUR, OFF_COLOUR, ACCENT = "#1f2933", "#0b6e4f", "#7b8794", "#c8553d"
_STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
}


def waterfall(cadence: np.ndarray, title: str = "", evidence: np.ndarray | None = None) -> str:
    """Six panels one below the other, time downwards, as in an observer's notebook; ON panels named in green.

    Args:
        cadence: (6, time, freq).
        title: Above it.
        evidence: (6, time, freq) how much each pixel speaks for a needle; its strongest half is drawn in red.
    """
    most = 0.0 if evidence is None else float(evidence.max())
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(2.95, 5.2), layout="constrained")
        axes = figure.subplots(N_PANELS, 1, sharex=True)
        for panel, (axis, values) in enumerate(zip(axes, cadence, strict=True)):
            low, high = np.percentile(values, [2, 99.5])
            grey = evidence is not None
            axis.imshow(
                values, aspect="auto", vmin=low, vmax=high, cmap="gray" if grey else "viridis", interpolation="nearest"
            )
            if evidence is not None and most > 0:
                opacity = np.clip((evidence[panel] / most - 0.1) / 0.4, 0, 0.75)
                axis.imshow(np.ones_like(opacity), aspect="auto", alpha=opacity, vmin=0, vmax=1.4, cmap="Reds")
            axis.set_yticks([])
            is_on = panel in ON
            axis.set_ylabel(
                "ON" if is_on else "OFF", color=ON_COLOUR if is_on else OFF_COLOUR, rotation=0, labelpad=12, va="center"
            )
        axes[-1].set_xlabel("frequency channel")
        figure.suptitle(title, fontsize=8, color=INK)
        return _png(figure)


def channel_images(channels: np.ndarray, names: Sequence[str], title: str = "") -> str:
    """The channels that a detector sees, side by side."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(1.9 * len(names), 2.3), layout="constrained")
        for axis, values, name in zip(np.atleast_1d(figure.subplots(1, len(names))), channels, names, strict=True):
            axis.imshow(values, aspect="auto", vmin=-3, vmax=3, cmap="RdBu_r", interpolation="nearest")
            axis.set_title(name, fontsize=8, color=INK)
            axis.set_xticks([])
            axis.set_yticks([])
        figure.suptitle(title, fontsize=8, color=INK)
        return _png(figure)


def roc(targets: np.ndarray, scores: np.ndarray) -> str:
    """ROC with its 95 % bootstrap band."""
    grid = np.linspace(0, 1, 201)
    tpr, low, high = roc_band(targets, scores, grid)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 3.8), layout="constrained")
        axis = figure.subplots()
        axis.plot([0, 1], [0, 1], color="#cbd2d9", lw=1, ls="--", label="chance")
        axis.fill_between(grid, low, high, color=ON_COLOUR, alpha=0.18, lw=0, label="95 % band")
        axis.plot(grid, tpr, color=ON_COLOUR, lw=1.8, label="held-back cadences")
        axis.set(xlabel="false-alarm rate", ylabel="true-positive rate", xlim=(0, 1), ylim=(0, 1.005))
        axis.legend(frameon=False, loc="lower right")
        return _svg(figure)


def histogram(targets: np.ndarray, scores: np.ndarray) -> str:
    """Scores of negatives and positives, on a logarithmic count axis."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 3.8), layout="constrained")
        axis = figure.subplots()
        bins = np.linspace(0, 1, 41)
        for value, name, colour in ((0, "without needle", OFF_COLOUR), (1, "with needle", ACCENT)):
            axis.hist(scores[targets == value], list(bins), label=name, color=colour, alpha=0.65)
        axis.set(xlabel="score", ylabel="cadences", yscale="log", xlim=(0, 1))
        axis.legend(frameon=False)
        return _svg(figure)


def fold_bars(values: Sequence[float], lows: Sequence[float], highs: Sequence[float], gate: float) -> str:
    """AUC per fold with its interval, and the gate of the mean."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 0.9 + 0.42 * len(values)), layout="constrained")
        axis = figure.subplots()
        places = np.arange(len(values))
        below, above = np.subtract(values, lows), np.subtract(highs, values)
        axis.errorbar(values, places, xerr=[below, above], fmt="o", color=ON_COLOUR, capsize=3)
        axis.axvline(gate, color=ACCENT, lw=1, ls="--", label=f"gate of the mean, {gate}")
        axis.set(xlabel="AUC, 95 % interval", yticks=places, yticklabels=[f"fold {place}" for place in places])
        axis.set_ylim(len(values) - 0.5, -0.5)
        axis.legend(frameon=False, fontsize=8)
        return _svg(figure)


def curves(by_fold: dict[str, tuple[np.ndarray, np.ndarray]], label: str) -> str:
    """One curve per fold over the epochs."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 3.0), layout="constrained")
        axis = figure.subplots()
        for name, (epochs, values) in by_fold.items():
            axis.plot(epochs, values, marker="o", ms=3, lw=1.2, label=name)
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend(frameon=False, fontsize=8)
        return _svg(figure)


def completeness(curves: dict[str, tuple[np.ndarray, ...]], xlabel: str) -> str:
    """Share of needles found with its interval, against a logarithmic axis; a curve a detector.

    Args:
        curves: By name: places on the axis, shares, and the lower and upper bounds of their intervals.
        xlabel: Name of the axis.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.6, 3.3), layout="constrained")
        axis = figure.subplots()
        styles = ((ON_COLOUR, "-", "o"), (ACCENT, "-", "s"), (INK, "--", "^"))
        for (name, (places, shares, lows, highs)), (colour, line, marker) in zip(curves.items(), styles, strict=False):
            axis.fill_between(places, lows, highs, color=colour, alpha=0.12, lw=0)
            axis.plot(places, shares, marker=marker, ms=3.5, lw=1.4, ls=line, color=colour, label=name)
        axis.set(xlabel=xlabel, ylabel="completeness", xscale="log", ylim=(-0.02, 1.02))
        low, high = axis.get_xlim()
        ticks = [digit * 10.0**power for power in range(-3, 4) for digit in (1, 2, 5)]
        axis.set_xticks([tick for tick in ticks if low <= tick <= high])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axis.grid(axis="y", color="#e4e7eb", lw=0.8)
        # above the axes: within them it would hide points
        figure.legend(frameon=False, fontsize=7.5, loc="outside upper left", ncols=3, columnspacing=1.0,
                      handlelength=1.8, borderaxespad=0.1)  # fmt: skip
        return _svg(figure)


def bars(names: Sequence[str], counts: Sequence[int], xlabel: str) -> str:
    """Counts by name."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 0.8 + 0.4 * len(names)), layout="constrained")
        axis = figure.subplots()
        drawn = axis.barh(list(names), list(counts), color=[OFF_COLOUR, ACCENT][: len(names)], height=0.6)
        axis.bar_label(drawn, padding=3)
        axis.set(xlabel=xlabel, xlim=(0, 1.15 * max(counts)))
        axis.invert_yaxis()
        return _svg(figure)


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

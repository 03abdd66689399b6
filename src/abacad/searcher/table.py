"""The tables of a search: one row a signal, with frequencies, drifts and times as an astronomer states them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from abacad.searcher.classes import SignalClass
from abacad.searcher.second_look import Signal
from abacad.searcher.unit import Observation, Unit

CLASSES = tuple(SignalClass)
"""Classes in the order of the table."""


def columns(n_panels: int) -> list[str]:
    """Columns of the table of events of an observation of so many panels.

    `frequency_mhz` is where the line is at `epoch_mjd`, the start of the first ON panel. `start_mhz` and `end_mhz` tell
    where it is at the start of the first ON panel and at the end of the last; `drift_error_hz_s` is 1 σ. `snr` sums one
    line through all ON panels, `off_snr` the same line through all OFF panels, and `snr_1` … through each panel alone.
    `window_score` is the score of the window that the signal crosses, not sheared. Of a signal that is a window, only
    its middle and its width are known.
    """
    panels = [f"snr_{panel + 1}" for panel in range(n_panels)]
    return [
        "class", "score", "window_score", "frequency_mhz", "drift_hz_s", "drift_error_hz_s", "snr", "off_snr", *panels,
        "bandwidth_hz", "start_mhz", "end_mhz", "epoch_mjd", "source", "telescope", "pattern", "file", "channel",
        "coarse", "hits", "excluded",
    ]  # fmt: skip


def events_table(
    observation: Observation,
    unit: Unit,
    coarse: int,
    signals: Sequence[Signal],
    scores: Float[np.ndarray, " signal"],
    window_scores: Float[np.ndarray, " signal"],
) -> pd.DataFrame:
    """The signals of one coarse channel as a table, in their own order; `in_order` sorts it.

    Args:
        observation: open files, for times and names.
        unit: the coarse channel that was searched.
        coarse: its number.
        signals: its signals.
        scores: score of each signal along its drift; NaN where it was not judged.
        window_scores: score of the window that each signal crosses; NaN where none was scored.
    """
    about = {
        "epoch_mjd": observation.tstart_mjd + observation.start_s[observation.on[0]] / 86400,
        "source": str(observation.sources[observation.on[0]]),
        "telescope": str(observation.telescope),
        "pattern": observation.pattern,
        "file": Path(
            str(getattr(observation.files[observation.on[0]], "path", observation.files[observation.on[0]]))
        ).name,
        "coarse": coarse,
        "excluded": "",
    }
    rows = [
        _row(observation, unit, signal, float(score)) | {"window_score": round(float(window), 6)} | about
        for signal, score, window in zip(signals, scores, window_scores, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns(len(unit.n_time)))


def _row(observation: Observation, unit: Unit, signal: Signal, score: float) -> dict[str, Any]:
    line = signal.line
    per_row = unit.df_hz / unit.dt_s

    # Nine digits of MHz are a thousandth of a hertz, far finer than a channel, and the same text on every machine.
    def mhz(rows: float) -> float:
        return round((observation.low_hz + (unit.first + line.at(rows)) * unit.df_hz) / 1e6, 9)

    return {
        "class": str(signal.class_name),
        "score": round(score, 6),
        # At the start of the first ON panel, as turboSETI tells it: half-way through would be elsewhere for fast lines.
        "frequency_mhz": mhz(0.0),
        "drift_hz_s": round(line.slope * per_row, 7) if signal.class_name is not SignalClass.WINDOW else float("nan"),
        "drift_error_hz_s": round(signal.slope_error * per_row, 7),
        "snr": round(signal.snr, 3),
        "off_snr": round(signal.off_snr, 3),
        **{f"snr_{panel + 1}": round(value, 3) for panel, value in enumerate(signal.panel_snr)},
        "bandwidth_hz": round((1.0 + line.width) * unit.df_hz, 3),
        "start_mhz": mhz(0.0),
        "end_mhz": mhz(unit.span_s / unit.dt_s),
        "channel": int(unit.first + round(line.x)),
        "hits": signal.hits,
    }


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Events first, then the other classes; in each the highest SNR first, equal ones by frequency and drift."""
    return table.iloc[row_order(table)].reset_index(drop=True)


def row_order(table: pd.DataFrame) -> Int[np.ndarray, " row"]:
    """Numbers of a table's rows, as `in_order` puts them.

    Windows have no SNR: the highest score is first. The scores of all others have no say, since they come later.
    """
    rank = table["class"].map({str(name): place for place, name in enumerate(CLASSES)})
    inside = (table["excluded"].fillna("") != "").astype(int)  # what lies in an excluded band is out of the headline
    bright = table["snr"].where(table["class"] != str(SignalClass.WINDOW), table["score"])
    keys = (table["drift_hz_s"], table["frequency_mhz"], -bright, rank, inside)  # the last one counts first
    return np.lexsort([np.asarray(key, dtype=float) for key in keys])

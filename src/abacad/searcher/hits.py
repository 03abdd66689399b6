"""Hits: signals by panel, as `hits.csv` and as the `.dat` files that turboSETI's own tools read.

A hit is a signal that one panel alone shows above a threshold. Its frequency is where the line is at the start of that
panel. In a `.dat` file the columns are those of turboSETI 2.3 (`DATFORMAT`: number, drift rate, SNR, uncorrected and
corrected frequency, channel, bounds, neighbourhood); `read_dat`, `find_event_pipeline` and `plot_event` take them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.files import replacing, write_table
from abacad.searcher.unit import Observation

_DAY = 86400.0


def hits_table(observation: Observation, events: pd.DataFrame, snr: float) -> pd.DataFrame:
    """One row for each signal in each panel that shows it with at least that SNR by itself, by panel and frequency.

    Args:
        observation: the files that were searched.
        events: the table of signals; its frequencies hold at the start of the first ON panel.
        snr: least SNR of a signal in one panel.
    """
    drift = events["drift_hz_s"].to_numpy(dtype=float)
    first = observation.start_s[observation.on[0]]
    parts = []
    for panel, file in enumerate(observation.files):
        later = observation.start_s[panel] - first
        # A window, whose SNR is NaN, is never bright: no line is known that a panel could show.
        bright = events[f"snr_{panel + 1}"].to_numpy(dtype=float) >= snr
        end = later + observation.n_time[panel] * observation.dt_s
        lit = events[bright]
        at, rate = lit["frequency_mhz"].to_numpy(dtype=float), drift[bright]
        parts.append(pd.DataFrame({
            "file": Path(file.path).name,
            "panel": panel + 1,
            "letter": observation.pattern[panel],
            "source": str(observation.sources[panel]),
            "mjd": observation.tstart_mjd + observation.start_s[panel] / _DAY,
            "frequency_mhz": np.round(at + rate * later / 1e6, 9),
            "end_mhz": np.round(at + rate * end / 1e6, 9),
            "drift_hz_s": rate,
            "snr": lit[f"snr_{panel + 1}"].to_numpy(),
            "bandwidth_hz": lit["bandwidth_hz"].to_numpy(),
            "class": lit["class"].to_numpy(),
            "event": np.flatnonzero(bright),
        }).sort_values(["frequency_mhz", "drift_hz_s"], kind="stable"))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def write_hits(folder: Path, observation: Observation, hits: pd.DataFrame, max_drift_hz_s: float) -> list[Path]:
    """Write `hits.csv` and one `.dat` a file."""
    write_table(folder / "hits.csv", hits)
    # turboSETI's `find_event_pipeline` asks for one .dat a panel, also of a panel without a hit.
    names = [Path(file.path).name for file in observation.files]
    written = [folder / "dat" / f"{stem}.dat" for stem in _stems(names)]
    for panel, path in enumerate(written):
        write_dat(path, observation, panel, names[panel], hits[hits["panel"] == panel + 1], max_drift_hz_s)
    return written


def _stems(names: Sequence[str]) -> list[str]:
    """Names of the `.dat` files: those of the panels' files, numbered where files of two folders share one."""
    stems = [Path(name).stem for name in names]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{panel}_{stem}" for panel, stem in enumerate(stems, start=1)]


def write_dat(
    path: Path, observation: Observation, panel: int, name: str, hits: pd.DataFrame, max_drift_hz_s: float
) -> None:
    """The hits of one panel in turboSETI's layout, tabs between columns."""
    lines = _header(observation, panel, name, max_drift_hz_s)
    numbered = hits.sort_values("snr", ascending=False, kind="stable")
    for number, hit in enumerate(numbered.to_dict("records"), start=1):
        lines.append(_row(observation, number, hit))
    with replacing(path) as temporary:
        # turboSETI reads ASCII; a source's name in another alphabet loses letters and does not stop the search.
        temporary.write_text("".join(lines), encoding="ascii", errors="replace")


def _header(observation: Observation, panel: int, name: str, max_drift_hz_s: float) -> list[str]:
    rows, dt_s, df_hz = observation.n_time[panel], observation.dt_s, observation.df_hz
    mjd = observation.tstart_mjd + observation.start_s[panel] / _DAY
    right, declination = _position(observation.files[panel])
    # `read_dat` finds the header's values by line number and tab: no line may be added here, and none left out.
    rule = "# -------------------------- o --------------------------\n"
    return [
        rule,
        f"# File ID: {name} \n",
        rule,
        f"# Source:{observation.sources[panel]}\n",
        f"# MJD: {mjd:18.12f}\tRA: {right}\tDEC: {declination}\n",
        f"# DELTAT: {dt_s:10.6f}\tDELTAF(Hz): {-df_hz:10.6f}\tmax_drift_rate: {max_drift_hz_s:10.6f}"
        f"\tobs_length: {rows * dt_s:10.6f}\n",
        "# --------------------------\n",
        "# Top_Hit_# \tDrift_Rate \tSNR \tUncorrected_Frequency \tCorrected_Frequency \tIndex \tfreq_start \tfreq_end "
        "\tSEFD \tSEFD_freq \tCoarse_Channel_Number \tFull_number_of_hits \n",
        "# --------------------------\n",
    ]


def _position(file: object) -> tuple[str, str]:
    """Right ascension and declination as the header gives them; zero where it does not."""
    header = getattr(file, "header", None)
    values = [getattr(header, name, None) for name in ("ra_hours", "dec_deg")]
    return _sexagesimal(values[0]), _sexagesimal(values[1])


def _sexagesimal(value: object) -> str:
    """Hours or degrees as blimpy prints them: 17h10m03.984s."""
    number = float(value) if isinstance(value, int | float) and np.isfinite(value) else 0.0
    sign, number = ("-" if number < 0 else ""), abs(number)
    whole = int(number)
    minutes = (number - whole) * 60
    return f"{sign}{whole:d}h{int(minutes):02d}m{(minutes - int(minutes)) * 60:06.3f}s"


def _row(observation: Observation, number: int, hit: dict) -> str:
    mhz, df_mhz = hit["frequency_mhz"], observation.df_hz / 1e6
    high_mhz = observation.low_hz / 1e6 + (observation.n_freq - 1) * df_mhz
    # Channels count downwards from the highest there: turboSETI works on files of descending frequency (foff < 0).
    index = round((high_mhz - mhz) / df_mhz)
    return (
        f"{number:03d}\t{hit['drift_hz_s']:10.6f}\t{hit['snr']:10.6f}\t{mhz:14.6f}\t{mhz:14.6f}\t{index:d}\t"
        f"{mhz - 250 * df_mhz:14.6f}\t{mhz + 250 * df_mhz:14.6f}\t0.0\t0.000000\t0\t1\t\n"
    )

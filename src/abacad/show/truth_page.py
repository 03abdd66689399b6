"""The page of `abacad demo --search`: a search of simulated files compared with the truth.

Pictures show the emissions that were missed and the signals that were invented. A waterfall spans all channels that the
line crosses; neighbouring channels are averaged into its pixels, so that none is left out.
"""

from collections.abc import Sequence

import pandas as pd

from abacad.data.observation import Observation
from abacad.errors import CadenceError
from abacad.show.guide import Guide
from abacad.show.page import Page, Section
from abacad.show.waterfall import waterfall

OURS = ("event", "near-zero drift")
"""Classes of signals that stand in ON panels alone."""

_MARGIN = 48  # channels on either side of what a line crosses, so that noise is seen beside it
_NARROWEST = 256  # channels of a picture: a narrower one would blow up single channels
_COLUMNS = ("what", "MHz", "Hz/s", "SNR of a panel, before smearing", "joint SNR", "found as", "off by, Hz")


def truth_page(
    observation: Observation,
    truth: pd.DataFrame,
    invented: pd.DataFrame,
    rows: Sequence[tuple[str, int, int, int]],
    most: int = 24,
) -> Page:
    """The page of a search and its truth.

    Args:
        observation: The searched files: six panels with the target in every other one.
        truth: The emissions in them, with the columns found (class that the search gave) and off_hz (error, Hz).
        invented: Rows of the search's table that belong to no emission.
        rows: Group of emissions, number, given the right class, missed or given another.
        most: Largest number of pictures of missed emissions, and of invented signals.
    """
    ours = truth[truth["class"].isin(OURS)]
    # Interference is counted and not listed: whether a search names it is no question of this page.
    missed = ours[ours["found"] != ours["class"]]
    table = [
        (line.kind, f"{line.freq_mhz:.6f}", f"{line.drift_hz_s:+.4f}", f"{line.snr:.1f}", f"{line.joint_snr:.1f}",
         line.found or "not found", f"{line.off_hz:+.1f}" if line.found else "")
        for line in ours.itertuples()
    ]  # fmt: skip
    lost = _lines(missed, "freq_mhz", [f"{line.kind}, joint SNR {line.joint_snr:.1f}" for line in missed.itertuples()])
    claimed = _lines(invented, "frequency_mhz", [f"said to stand there, SNR {snr:.1f}" for snr in invented["snr"]])
    return Page(
        "A search against the truth",
        f"Six simulated files, {observation.n_freq:,} channels of {observation.df_hz:.4g} Hz.",
        [(name, f"{right} of {there}") for name, there, right, _ in rows] + [("invented", str(len(invented)))],
        [
            Section("Counts", columns=("what", "there", "right", "missed or wrong"), rows=rows),
            Section("Needles and lines that stand still", columns=_COLUMNS, rows=table),
            Section("Missed", _told(len(missed)), figures=_figures(observation, lost[:most])),
            Section("Invented", _told(len(invented)), figures=_figures(observation, claimed[:most])),
        ],
    )


def _lines(table: pd.DataFrame, frequency: str, captions: Sequence[str]) -> list[tuple[str, float, float]]:
    places = table[[frequency, "drift_hz_s"]].to_numpy(float).tolist()
    return [(caption, mhz, drift) for caption, (mhz, drift) in zip(captions, places, strict=True)]


def _told(n: int) -> str:
    return f"{n}; the guides show where the line is, or is said to be." if n else "None."


def _figures(observation: Observation, lines: Sequence[tuple[str, float, float]]) -> list[tuple[str, str]]:
    """Pictures of lines (caption, MHz at the start of the first panel, Hz/s), where all panels have values."""
    pictures = []
    for caption, mhz, drift_hz_s in lines:
        begin = (mhz * 1e6 - observation.low_hz) / observation.df_hz
        low, width = window_along(observation, begin, drift_hz_s)
        guide = Guide(begin - low + 0.5, drift_hz_s, 0.0, caption)
        try:
            cadence = observation.window(low, width)
        except CadenceError:  # a panel has no values there, so there is nothing to show
            continue
        title, low_mhz = f"{mhz:.6f} MHz, {drift_hz_s:+.4f} Hz/s", observation.freq_hz(low) * 1e-6
        drawn = waterfall(cadence, title, axes=observation.axes(width), low_mhz=low_mhz, guide=guide)
        pictures.append((drawn, caption))
    return pictures


def window_along(observation: Observation, channel: float, drift_hz_s: float) -> tuple[int, int]:
    """The channels that a line crosses until the last panel ends, with a margin on both sides.

    Args:
        observation: The files.
        channel: Channel of the line when the first panel begins.
        drift_hz_s: Drift, Hz/s; 1 Hz/s for 1,900 s are 680 channels of 2.79 Hz.

    Returns:
        First channel, and number of channels, within the observation.
    """
    last_s = observation.start_s[-1] + observation.n_time[-1] * observation.dt_s
    ends = sorted((channel, channel + drift_hz_s * last_s / observation.df_hz))
    width = min(max(_NARROWEST, round(ends[1] - ends[0]) + 2 * _MARGIN), observation.n_freq)
    # In the middle of the picture where the band allows it, at its edge otherwise.
    low = round((ends[0] + ends[1] - width) / 2)
    return min(max(low, 0), observation.n_freq - width), width

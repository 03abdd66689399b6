"""`abacad demo --search`: simulate telescope files, search them, and compare the result with the truth.

simulate --telescope → search → truth
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.data.observation import open_observation
from abacad.run.search import search
from abacad.run.simulate_telescope import simulate_telescope
from abacad.show.truth_page import OURS, truth_page
from abacad.signal.cadence import Axes
from abacad.simulator.telescope import Session
from abacad.summary import Summary

log = logging.getLogger(__name__)

PROMISED_SNR = 8.0
"""Joint SNR, through all ON panels along the true path, from which on the search is expected to find a needle."""


@dataclass(frozen=True, repr=False)
class SearchDemo(Summary):
    """A search of simulated files, compared with the truth.

    Attributes:
        truth: The emissions in the files. The column found has the class that the search gave to each, empty where it
            missed it; off_hz is the error of the frequency, Hz.
        invented: Rows of the search's table, of the class event or near-zero drift, where no such emission is.
        files: Paths by name.
        seconds: Wall time of this call, s.
    """

    truth: pd.DataFrame
    invented: pd.DataFrame
    files: dict[str, Path]
    seconds: float

    def rows(self) -> list[tuple[str, int, int, int]]:
        """Rows (group of emissions, number, given the right class, missed or given another)."""
        needles = self.truth["class"] == "event"
        bright = self.truth["joint_snr"] >= PROMISED_SNR
        groups = {
            f"needles, joint SNR {PROMISED_SNR:g} or more": needles & bright,
            "needles, fainter": needles & ~bright,
            "lines that stand still, in ON panels alone": self.truth["class"] == "near-zero drift",
            "interference, kept out of the events": self.truth["class"] == "in OFF",
        }
        told = []
        for name, chosen in groups.items():
            some = self.truth[chosen]
            # Interference need not be found: it is dealt with rightly as long as it is not called a signal of ours.
            right = (some["found"] == some["class"]) | ((some["class"] == "in OFF") & ~some["found"].isin(OURS))
            told.append((name, len(some), int(right.sum()), int((~right).sum())))
        return told

    def title(self) -> str:
        """The verb and its wall time."""
        return f"Search demo, {self.seconds:.0f} s"

    def told(self) -> list[tuple[str, str]]:
        """The right ones of each group, and the number of invented signals."""
        return [(name, f"{right} of {n}") for name, n, right, _ in self.rows()] + [
            ("invented", str(len(self.invented)))
        ]


def demo_search(
    out: str | Path = "demo-search", *, seed: int = 0, session: Session | None = None, progress: bool = True
) -> SearchDemo:
    """Simulate six telescope files in the folder `out`, search them, and compare; a second call reuses what is there.

    Args:
        out: Folder to work in.
        seed: Seed of the simulated files.
        session: Channels, needles and interference of the observation; none: 2^18 channels with 20 needles.
        progress: Show progress bars.

    Raises:
        AbacadError: the folder holds something else.
    """
    started = time.monotonic()
    out = Path(out)
    paths = simulate_telescope(out / "sky", session, seed=seed, progress=progress)
    log.info("1/3 Simulated six files: %s", out / "sky")
    # With the defaults of `abacad search`: the demo shows what a user gets, and no tuned search.
    events = search(paths, out=out / "found", progress=progress)
    log.info("2/3 Searched them")
    observation = open_observation(paths)
    truth, invented = compared(
        events, pd.read_csv(out / "sky" / "truth.csv", keep_default_na=False), observation.axes(256)
    )
    files = {
        "files": out / "sky",
        "tables": out / "found",
        "findings": out / "found" / "search.html",
        "page": out / "truth.html",
    }
    result = SearchDemo(truth, invented, files, time.monotonic() - started)
    truth_page(observation, truth, invented, result.rows()).write(files["page"])
    log.info("3/3 Wrote the page")
    return SearchDemo(truth, invented, files, time.monotonic() - started)  # with the time of the page in it


def compared(events: pd.DataFrame, truth: pd.DataFrame, axes: Axes) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the table of a search with the truth.

    A row of the search belongs to an emission when their frequencies agree within two channels plus the smear plus half
    the width, and their drifts within one channel a panel.

    Args:
        events: The search's table; frequencies hold when the first panel begins, as the truth's.
        truth: The table of `simulate_telescope`.
        axes: Units of what was searched.

    Returns:
        The truth with the columns found, the class of its row, empty where it has none, and off_hz; and the rows that
        say event or near-zero drift where there is none.
    """
    # One channel a panel: a drift that is off by more would lose the line within a panel, and be another signal.
    step = axes.df_hz / axes.panel_s
    classes, off_hz, taken = [], [], set()
    for _, line in truth.iterrows():
        # The smear and half the width, since the middle of a broad line is where noise happens to put it.
        reach = 2 * axes.df_hz + abs(line["drift_hz_s"]) * axes.dt_s + line["width_hz"] / 2
        away = (events["frequency_mhz"] - line["freq_mhz"]) * 1e6
        near = (away.abs() <= reach) & ((events["drift_hz_s"] - line["drift_hz_s"]).abs() <= step)
        rows = events[near]
        # Several rows may belong to an emission; one of the right class counts before others.
        right_first = (rows["class"] != line["class"]).sort_values(kind="stable").index
        best = rows.loc[right_first[0]] if len(rows) else None
        classes.append("" if best is None else best["class"])
        off_hz.append(np.nan if best is None else away[best.name])
        if line["class"] in OURS:
            taken |= set(rows.index)
    claimed = events[events["class"].isin(OURS)]
    return truth.assign(found=classes, off_hz=off_hz), claimed[~claimed.index.isin(taken)]

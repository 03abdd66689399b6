"""The events of a search as cadences for a page: each is cut out of the files with all the channels that it crosses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np
from jaxtyping import Float

from abacad.data.observation import Observation, open_observation
from abacad.errors import AbacadError
from abacad.files import read_json, read_table
from abacad.searcher.stamp import abacad_order
from abacad.show.guide import Guide
from abacad.show.words import log_odds
from abacad.signal.cadence import WIDTH, Axes
from abacad.signal.deviation import MAD_TO_SIGMA
from abacad.types import CadenceArray

EVENTS = "events.csv"
_ROOM = 1.25  # times the channels that an event crosses: it should not touch the edges of its picture
_NEEDED = {"class": str, "frequency_mhz": float}
_OF_LINES = ("drift_hz_s", "snr")  # empty where a window holds no line


@dataclass(frozen=True)
class Event:
    """A row of the table of events, and the channels of the files that its picture shows.

    Attributes:
        name: Frequency and drift, which name it on the page.
        log_odds: Its score as log-odds; none where the detector did not judge it.
        first: First channel of the files in the picture; negative where the picture begins below the band.
        each: Channels of the files that are averaged into one of the picture.
        low_mhz: Frequency of the first channel of the picture, MHz.
        df_hz: Width of a channel of the picture, Hz.
        guide: Path of the event, in channels of the picture.
        family: Class that the search gave it.
    """

    name: str
    log_odds: float | None
    first: int
    each: int
    low_mhz: float
    df_hz: float
    guide: Guide
    family: str

    @property
    def end(self) -> int:
        """The channel of the files behind the last one of the picture."""
        return self.first + self.each * WIDTH


@dataclass(frozen=True)
class Search:
    """The events of a search, in the order of its table, and its files.

    Attributes:
        observation: The open files.
        order: The six panels that are shown, ON and OFF in turn.
        axes: Axes of pictures without averaged channels.
        events: The events, in the order of the table.
    """

    observation: Observation
    order: tuple[int, ...]
    axes: Axes
    events: Sequence[Event]

    def cut(self, event: Event, added: Sequence[Float[np.ndarray, "time fine"]] | None = None) -> CadenceArray:
        """The cadence (6, time, 256) of an event; what is masked or beyond the band gets its panel's median.

        Args:
            event: The event, which says what to read and how many channels to average.
            added: Powers to add to each panel, in units of its σ; none adds nothing.
        """
        # Rows beyond those of the shortest panel are left out: a picture has one height for all six.
        read = self.observation.read(event.first, event.each * WIDTH)
        panels = [read[panel][: self.axes.n_time] for panel in self.order]
        if added is not None:
            panels = [panel + _sigma(panel) * more for panel, more in zip(panels, added, strict=True)]
        return np.stack([_averaged(panel, event.each) for panel in panels])


def open_search(folder: Path, files: Sequence[Path]) -> Search:
    """The events in a folder that `abacad search` wrote.

    Args:
        folder: The folder.
        files: The telescope files that were searched; the folder has their names, and not where they lie.

    Raises:
        AbacadError: the files are missing or others were searched, the folder holds no table of events, or ON and OFF
            panels do not alternate.
    """
    if not files:
        raise AbacadError(f"{folder} knows its telescope files by name alone.\nName them: --files FILE…")
    asked = read_json(folder / "search.json").get("asked", {})
    observation = open_observation(list(files), pattern=asked.get("pattern"))
    # By name: other files would be cut at the same frequencies and show noise, which a reviewer would believe.
    known = sorted(str(one.get("name")) for one in asked.get("files", []))
    if known and known != sorted(file.path.name for file in observation.files):
        raise AbacadError(f"{folder} searched other files: {', '.join(known)}.\nName these: --files FILE…")
    order = abacad_order(observation.on, observation.off)
    # Time runs downwards in a picture: panels in another order than that of time would break every line.
    if order is None or list(order) != sorted(order):
        raise AbacadError(f"The panels are {observation.pattern}: the page shows three ON and three OFF in turn.")
    # The real starts, from the headers: with those of a usual cadence a guide would leave its line panel by panel.
    starts = tuple(observation.start_s[panel] - observation.start_s[order[0]] for panel in order)
    axes = Axes(min(observation.n_time[panel] for panel in order), WIDTH, observation.dt_s, observation.df_hz, starts)
    table = read_table(folder / EVENTS, _NEEDED, "The same `abacad search` writes it again.")
    if missing := [name for name in _OF_LINES if name not in table.columns]:
        has = ", ".join(map(str, table.columns[:6]))
        raise AbacadError(
            f"{folder / EVENTS} has the columns {has}, and no {missing[0]}.\nThe same `abacad search` writes it again."
        )
    events = [_event(row, observation, axes) for row in table.to_dict("records")]
    return Search(observation, tuple(order), axes, events)


def _event(row: dict, observation: Observation, axes: Axes) -> Event:
    # From the frequency, since the column `channel` is rounded, and half a channel is seen beside a guide.
    at = (float(row["frequency_mhz"]) * 1e6 - observation.low_hz) / axes.df_hz
    made = event_at(at, _number(row["drift_hz_s"], 0.0), _number(row["snr"], 0.0), observation, axes)
    family = str(row["class"])
    return replace(
        made,
        name=made.name if row["drift_hz_s"] != "" else f"{float(row['frequency_mhz']):.6f} MHz",
        log_odds=_log_odds(row.get("score")),
        guide=replace(made.guide, family=family),
        family=family,
    )


def event_at(at: float, drift: float, snr: float, observation: Observation, axes: Axes) -> Event:
    """A line as an event without score and class, whose picture it crosses in the middle half-way through the cadence.

    Args:
        at: Channel of the line at the start of the first panel; whole numbers are the middles of channels.
        drift: Drift rate, Hz/s.
        snr: SNR of the line through all ON panels together.
        observation: The open files.
        axes: Axes of pictures without averaged channels.
    """
    crossed = drift * (axes.panel_start_s[-1] + axes.panel_s) / axes.df_hz
    # Averaged and not cropped: 4 Hz/s cross 2,600 channels of the fine product in half an hour, and a page has 256.
    each = max(1, ceil(_ROOM * abs(crossed) / WIDTH))
    first = int(at + crossed / 2 - each * WIDTH / 2)
    return Event(
        f"{observation.freq_hz(at) * 1e-6:.6f} MHz {drift:+.4f} Hz/s",
        None,
        first,
        each,
        (observation.low_hz + (first + (each - 1) / 2) * axes.df_hz) * 1e-6,
        axes.df_hz * each,
        Guide((at - first + 0.5) / each, drift, snr, ""),
        "",
    )


def _number(cell: object, otherwise: float) -> float:
    """The number in a cell of the table; `otherwise` where the cell is empty or holds none."""
    try:
        value = float(str(cell))
    except ValueError:
        return otherwise
    return otherwise if np.isnan(value) else value


def _log_odds(score: object) -> float | None:
    """A score in a cell of the table as log-odds; none where the cell is empty, since nothing was judged."""
    value = _number(score, np.nan)
    return None if np.isnan(value) else log_odds(value)


def _sigma(panel: Float[np.ndarray, "time freq"]) -> float:
    """Robust σ of the powers that are not masked."""
    values = panel[np.isfinite(panel)]
    return float(MAD_TO_SIGMA * np.median(np.abs(values - np.median(values)))) if values.size else 0.0


def _averaged(panel: np.ndarray, each: int) -> np.ndarray:
    """Means of `each` channels; NaN becomes the median."""
    # A masked pixel at 0, far from a raw power's level, would be the most striking thing in the picture.
    seen = np.isfinite(panel)
    whole = np.where(seen, panel, np.median(panel[seen]) if seen.any() else 0.0)
    return whole.reshape(len(panel), WIDTH, each).mean(axis=2).astype(np.float32)

"""Tests for the reviewer of a search: needles added to the searched files, and stretches where nothing was found.

    share of a channel = part of the path's length in a row that lies in it
    amplitude          = joint SNR · σ / √(Σ share² over the ON panels)

Both are cut out of the files as events of the search are: along a drift, over all channels that it crosses. The joint
SNRs of needles are log-uniform, from the lowest on the page, which is near the threshold, to four times that.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from abacad.show.events import Event, Search, event_at
from abacad.show.guide import best_guide
from abacad.show.picture import Layout
from abacad.signal.cadence import ON
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

_TRIES = 40  # places that are tried for each stretch without a signal, before it is given up
# Stretches from which the one with the strongest line of noise is taken: candidates are places where something seems to
# be, so that plain noise would be known at once.
_LOOKED_AT = 8
_THRESHOLD = 7.0  # joint SNR that stands for the lowest on a page of windows alone, which have no SNR
_SPAN = 4.0  # largest joint SNR over the smallest
_SHORTEST = 0.2  # of a path within a row, in channels


@dataclass(frozen=True)
class SearchTrial:
    """A cadence that tests the reviewer of a search.

    Attributes:
        content: `needle`: one was added in the ON panels; `empty`: a stretch as it stands in the files.
        event: Where and how it was cut out, and its guide.
        cadence: (6, time, 256).
    """

    content: Literal["needle", "empty"]
    event: Event
    cadence: CadenceArray


def search_trials(
    search: Search, shown: Sequence[Event], n_wanted: int, layout: Layout, seed: int
) -> list[SearchTrial]:
    """Cadences half of which hold a needle (the larger half); fewer where the files have too few free stretches.

    Args:
        search: Events of the search, and the open files.
        shown: The events on the page, whose drifts and SNRs the tests take over.
        n_wanted: Number of cadences.
        layout: Layout of the page's pictures.
        seed: Decides where the tests lie in the files.
    """
    rng = np.random.default_rng(seed)
    # Fainter needles than the page's faintest event would be known by that alone.
    lowest = min((event.guide.strength for event in shown if event.guide.strength > 0), default=_THRESHOLD)
    needles = [_needle(search, place, lowest, rng) for place in _free(search, shown, (n_wanted + 1) // 2, rng)]
    empty: list[SearchTrial] = []
    for _ in range(n_wanted // 2):
        looked_at = [_empty(search, place, layout) for place in _free(search, shown, _LOOKED_AT, rng)]
        # Two stretches that overlap are moved to the same line: the page would show it twice, under one name.
        new = [one for one in looked_at if one.event.name not in {other.event.name for other in empty}]
        empty += [max(new, key=lambda trial: trial.event.guide.strength)] if new else []
    if len(needles) + len(empty) < n_wanted:
        log.warning("%d of %d trials: the rest of the files is full of signals", len(needles) + len(empty), n_wanted)
    return needles + empty


def _free(search: Search, shown: Sequence[Event], n_wanted: int, rng: np.random.Generator) -> Iterator[Event]:
    """Places whose picture holds no signal of the table, with drifts like those of the page's events."""
    drifts = [event.guide.drift_hz_s for event in shown]
    for _ in range(n_wanted):
        for _ in range(_TRIES):
            # Both signs: a drift that the page shows twice with the same sign would be a sign, too.
            drift = float(rng.choice(drifts) * rng.choice((-1, 1)))
            at = float(rng.uniform(0, search.observation.n_freq))
            place = event_at(at, drift, 0.0, search.observation, search.axes)
            if _is_free(place, search):
                yield place
                break


def _is_free(place: Event, search: Search) -> bool:
    """Whether it lies within the band, and its picture would share no channel with that of a signal."""
    within = place.first >= 0 and place.end <= search.observation.n_freq
    return within and not any(place.first < other.end and other.first < place.end for other in search.events)


def _needle(search: Search, place: Event, lowest: float, rng: np.random.Generator) -> SearchTrial:
    snr = float(np.exp(rng.uniform(np.log(lowest), np.log(_SPAN * lowest))))
    return SearchTrial("needle", place, search.cut(place, added(search, place, snr)))


def _empty(search: Search, place: Event, layout: Layout) -> SearchTrial:
    """A stretch without a signal, moved so that its strongest line of noise is in the middle, as that of an event."""
    guide = best_guide(search.cut(place), layout)
    at = place.first + (guide.channel - 0.5) * place.each
    drift = guide.drift_hz_s * place.df_hz / search.axes.df_hz
    there = event_at(at, drift, guide.strength, search.observation, search.axes)
    there = there if _is_free(there, search) else place  # moved, it may have come upon a signal beside it
    return SearchTrial("empty", there, search.cut(there))


def added(search: Search, place: Event, snr: float) -> list[Float[np.ndarray, "time freq"]]:
    """The powers of a needle in each of the six panels, in units of their σ; 0 in OFF panels.

    Args:
        search: The search whose files get the needle.
        place: Where it is added; the path is that of its guide, in channels of the picture.
        snr: Joint SNR: of the sum along the path over the ON panels, with the filter that matches its smear.
    """
    axes, n_channels = search.axes, place.each * search.axes.n_freq
    shares = [_shares(place, axes.panel_start_s[panel], axes.n_time, axes.dt_s, n_channels) for panel in range(6)]
    weight = sum(float((shares[panel] ** 2).sum()) for panel in ON)
    return [snr / np.sqrt(weight) * share * (panel in ON) for panel, share in enumerate(shares)]


def _shares(place: Event, start_s: float, n_time: int, dt_s: float, n_channels: int) -> Float[np.ndarray, "time freq"]:
    """The share of each row's path that lies in each channel of the files; a row within the picture adds up to 1."""
    df_hz = place.df_hz / place.each
    slope = place.guide.drift_hz_s * dt_s / df_hz
    middle = (
        place.guide.channel * place.each + place.guide.drift_hz_s * start_s / df_hz + slope * (np.arange(n_time) + 0.5)
    )
    length = max(abs(slope), _SHORTEST)
    edges = np.arange(n_channels + 1)
    below = np.clip(edges - (middle - 0.5 * length)[:, None], 0.0, length)
    return np.diff(below, axis=1) / length

"""Bright paths of single ON panels, whatever their shape: a needle's ends with its panel.

An emitter on the ground that is switched, or that bends, may fill an ON panel and part of an OFF panel beside it, where
no straight line finds it. So the brightest paths of each ON panel are followed from both ends on into the OFF panels
before and after: what goes on there is no needle, and is left out.

A path is the likeliest of a chain over place and slope, in bins of some rows; a change of the slope costs `_BEND`.
"""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from jaxtyping import Bool, Float, Int

from abacad.ideal.clutter import BINNED, DRIFT_BINS, in_bins, least_third
from abacad.signal.cadence import N_PANELS, OFF, ON, Axes

_HALF = 2  # places a channel
_BEND = 0.3  # σ of a bin, which a change of the slope by half a channel a bin costs
_LEAST = 8.0  # σ of a path in an ON panel: noise reached 6.8 in 120 panels
_GOES_ON = 7.0  # σ of what follows in an OFF panel from a place and a slope that are known: noise reached 6.0 in 312
_NEAR, _ALIKE = 8, 2  # half channels, and half channels a bin, by which it may begin elsewhere and with another slope
_END = 4  # bins at an end of a path, over which its slope is averaged
_ROUNDS = 3  # paths of a panel
_BESIDE = 3  # channels at either side of a path that are left out
_CARRIER, _LASTS = 5, 1.5  # channels around, and σ in each third of an ON panel, from which one holds a carrier
_NEVER = -1e6


@dataclass(frozen=True)
class Track:
    """A path through a panel.

    Attributes:
        place: half channels, by bin.
        snr: of the sum along the path, where a bin's noise is 1.
    """

    place: Int[np.ndarray, " bin"]
    snr: float

    @property
    def turned(self) -> "Track":
        """The same path of a panel whose time was turned round."""
        return Track(self.place[::-1], self.snr)


def going_on(
    excess: Float[np.ndarray, "panel time freq"], sigma: float, axes: Axes
) -> Bool[np.ndarray, "panel time freq"]:
    """Pixels of paths that stand in an ON panel and go on in an OFF panel before or after it.

    The same emitter may be seen in the ON panels before and after, which are left out, too: what is bright there, and
    roughly where the path leads.

    Args:
        excess: power less the mean noise, in its units, 0 in patches; with carriers.
        sigma: of a pixel's noise, in the same units.
        axes: of the cadence, for the times between panels.
    """
    n_time = excess.shape[1]
    size, binned = in_bins(excess, 3, sigma)
    start = np.asarray(axes.panel_start_s) / axes.dt_s
    bins = (np.abs(start[:, None] - start) - n_time) / size + 1  # from the last bin of a panel to the first of another
    lasts = scipy.ndimage.maximum_filter1d(least_third(excess, sigma)[0], _CARRIER, axis=-1) > _LASTS
    rows, lasts = halves(binned), np.repeat(lasts, _HALF, axis=-1)
    seen = np.zeros(excess.shape, dtype=bool)
    for panel in ON:
        # A carrier that stands in this panel is no path's, and in the panels beside it is the same carrier.
        plain = np.where(lasts[panel], 0, rows)
        for _ in range(_ROUNDS):
            track = brightest(plain[panel])
            if track is None or track.snr < _LEAST:
                break
            found = {panel: track, **_elsewhere(track, panel, plain, bins[panel])}
            if found.keys() & set(OFF):
                for at, path in found.items():
                    _leave_out(seen[at], path.place)
            _erase(plain[panel], track.place)
    return seen


def _elsewhere(
    track: Track, panel: int, rows: Float[np.ndarray, "panel bin place"], bins: Float[np.ndarray, " panel"]
) -> dict[int, Track]:
    """What a path of an ON panel is in the OFF panels and the ON panels before and after, as far as it is bright."""
    found = {}
    for other in range(max(panel - 2, 0), min(panel + 3, N_PANELS)):
        far = abs(other - panel)
        path = follow(track, rows[other], float(bins[other]), other > panel, far) if far else None
        if path is not None and path.snr > (_GOES_ON if other in OFF else _LEAST):
            found[other] = path
    return found


def follow(
    track: Track, rows: Float[np.ndarray, "bin place"], bins: float, later: bool, wider: int = 1
) -> Track | None:
    """What a path is in another panel, roughly where it leads.

    Args:
        track: in one panel.
        rows: of the other.
        bins: from the end of the one to the beginning of the other.
        later: whether the other was taken later, or before.
        wider: how many times as far from where the path leads that of the other may begin.
    """
    end = track if later else track.turned
    steps = min(_END, len(end.place) - 1)
    slope = (end.place[-1] - end.place[-1 - steps]) / max(steps, 1)
    found = brightest(rows if later else rows[::-1], (end.place[-1] + slope * bins, slope), wider)
    return found if later or found is None else found.turned


def brightest(
    rows: Float[np.ndarray, "bin place"], near: tuple[float, float] | None = None, wider: int = 1
) -> Track | None:
    """The path with the largest sum; none where all that begin there leave the band.

    Args:
        rows: of a panel, in units of their noise, in half channels.
        near: place and slope with which the path begins, roughly; none means any.
        wider: how many times as roughly.
    """
    n_bin, n_place = rows.shape
    steepest = int(np.ceil(_HALF * DRIFT_BINS / n_bin))
    slopes = np.arange(-steepest, steepest + 1)
    sums = np.full((n_bin, len(slopes), n_place), _NEVER, np.float32)
    begins = np.ones(sums.shape[1:], dtype=bool)
    if near is not None:
        place, slope = near
        begins = np.abs(np.arange(n_place) - place) <= wider * _NEAR
        begins = begins & (np.abs(slopes - slope) <= wider * _ALIKE)[:, None]
    sums[0][begins] = np.broadcast_to(rows[0], begins.shape)[begins]
    for before, after, row in zip(sums[:-1], sums[1:], rows[1:], strict=True):
        come = before.copy()
        np.maximum(come[1:], before[:-1] - _BEND, out=come[1:])
        np.maximum(come[:-1], before[1:] - _BEND, out=come[:-1])
        for number, move in enumerate(slopes.tolist()):
            first, last = max(move, 0), n_place + min(move, 0)
            after[number, first:last] = come[number, first - move : last - move] + row[first:last]
    return _traced(sums, slopes) if sums[-1].max() > _NEVER / 2 else None


def _traced(sums: Float[np.ndarray, "bin slope place"], slopes: Int[np.ndarray, " slope"]) -> Track:
    """The path that ends in the largest sum."""
    n_bin = len(sums)
    number, place = (int(at) for at in np.unravel_index(int(sums[-1].argmax()), sums.shape[1:]))
    snr = float(sums[-1, number, place]) / np.sqrt(n_bin)
    places = np.empty(n_bin, int)
    for step in range(n_bin - 1, -1, -1):
        places[step] = place
        if step:
            place -= int(slopes[number])
            first = max(number - 1, 0)
            come = sums[step - 1, first : number + 2, place] - _BEND
            come[number - first] += _BEND
            number = first + int(come.argmax())
    return Track(places, snr)


def halves(binned: Float[np.ndarray, "panel bin freq"]) -> Float[np.ndarray, "panel bin place"]:
    """Channels, and the means of two neighbours between them."""
    out = np.repeat(binned, _HALF, axis=-1)
    out[..., 1:-1:2] = (binned[..., :-1] + binned[..., 1:]) / 2
    return out


def _erase(rows: Float[np.ndarray, "bin place"], place: Int[np.ndarray, " bin"]) -> None:
    rows[np.abs(np.arange(rows.shape[1]) - place[:, None]) <= _HALF * (_BESIDE + 1)] = 0


def _leave_out(seen: Bool[np.ndarray, "time freq"], place: Int[np.ndarray, " bin"]) -> None:
    n_time, n_freq = seen.shape
    middle = (np.arange(len(place)) + 0.5) * min(BINNED, n_time) - 0.5
    channel = np.interp(np.arange(n_time), middle, place / _HALF)
    seen |= np.abs(np.arange(n_freq) - channel[:, None]) <= _BESIDE

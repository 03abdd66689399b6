"""Interference found in the pixels alone: patches, carriers, and lines that drift through OFF panels.

All three take a cadence's power in units of its mean noise, and give the pixels that say nothing of a needle. A needle
is at most two channels wide in a row and does not stand in OFF panels, so what is wider, and what stands there, is
interference. A needle on such a pixel is lost: few of them are, since most interference takes a few channels of 256.
"""

import numpy as np
import scipy.ndimage
from jaxtyping import Bool, Float, Int

from abacad.signal.cadence import N_PANELS, OFF, Axes

_WIDE = ((1, 5, 6.0), (0, 3, 7.0))
"""Rank, channels and threshold: four of five neighbouring channels at 6 σ, or three of three at 7 σ, are a patch."""
_SHORT = 3  # rows in which a needle moves by less than a channel: 0.13 channels a row at 0.35 Hz/s
_LONG = (9, 31, 91)  # rows over which a patch is looked for: patches flicker, and faint ones need longer sums
_EVENLY = 0.4  # of the mean of five channels, by which a patch lifts the darkest of them
_GROWN = (9, 5)  # rows and channels by which a patch is enlarged, since its edges are fainter
_OFTEN = 0.25  # of a panel's rows: a channel with so much of it in patches is left out as a whole
_STRAYED = 5  # channels around it, in the panels before and after
_LEAST_ROWS = 30  # that a channel's mean needs
_ALONE, _TOGETHER, _STANDS = 5.0, 5.0, 3.0
"""σ of a channel's mean that make a carrier: in one OFF panel, in all three, and in a panel where another has it."""
_STEADY = 0.2  # of what the thirds of a panel have of a carrier on average, that each of them has at least
_SWING = 51  # rows over which a carrier's level is taken as steady: it swings by up to a third, slowly
_BRIGHT = 2.0  # σ of a pixel: where a carrier is brighter, what its level is off by would hide or feign a needle
BINNED = 7  # rows of the sums along drifting lines: a seventh of the work
DRIFT_BINS = 120  # channels a panel up to which lines of OFF panels are followed: 0.7 Hz/s in 293 s
_LINE = 9.0  # σ of a line in an OFF panel
_MOST_LINES = 3  # of an OFF panel, and as many paths of what recurs
_WIDE_BINS = 5  # channels of the means in which what recurs is looked for
_SLOW_BINS = 12  # channels a panel period up to which it may drift
_RECURS = 7.0  # σ of all that stands out along its path: noise reached 5.6 in 18 simulated cadences, patches 10 to 20
_BESIDE = 3  # channels at either side of such a line, and more where it is only continued from another panel


def patches(excess: Float[np.ndarray, "panel time freq"], sigma: float) -> Bool[np.ndarray, "panel time freq"]:
    """Pixels of patches three or more channels wide: noise that is modulated, or wide emissions.

    Args:
        excess: power less the mean noise, in its units.
        sigma: of a pixel's noise, in the same units.
    """
    level = np.median(excess, axis=1)
    level -= np.median(level, axis=1, keepdims=True)
    # A carrier's neighbours are dark: what an opening by four channels takes away is narrow, and so no patch.
    narrow = level - scipy.ndimage.grey_opening(level, size=(1, 4), mode="nearest")
    narrow[narrow < 4 * sigma / np.sqrt(excess.shape[1])] = 0
    short = running_mean(np.clip(excess - narrow[:, None], -2, 4), _SHORT)
    seen = np.zeros(excess.shape, dtype=bool)
    ranked = [scipy.ndimage.rank_filter(short, rank, (1, 1, channels), mode="nearest") for rank, channels, _ in _WIDE]
    around = scipy.ndimage.uniform_filter1d(excess, 5, axis=-1, mode="nearest")
    for rows in _LONG:
        mean = running_mean(around, rows)
        for (_, channels, least), dark in zip(_WIDE, ranked, strict=True):
            darkest = running_mean(dark, rows)
            lift, sigma_of_lift = _lifted(darkest, rows)
            # Beside a bright line the darkest channels are a little lifted as well, a patch lifts all of them. At the
            # edge of the band there are too few channels, one of which would count for all.
            inside = slice(channels // 2, -(channels // 2))
            seen[..., inside] |= ((lift > least * sigma_of_lift) & (lift > _EVENLY * mean))[..., inside]
    seen = scipy.ndimage.binary_dilation(seen, structure=np.ones((1, *_GROWN)))
    left_out = seen.mean(axis=1) > _OFTEN
    off = np.zeros_like(left_out)
    off[list(OFF)] = scipy.ndimage.binary_dilation(left_out[list(OFF)], structure=np.ones((1, _STRAYED)))
    # A patch that shines into an OFF panel is the same emission in the ON panels before and after, however faint.
    left_out[:-1] |= off[1:]
    left_out[1:] |= off[:-1]
    return seen | left_out[:, None]


def carriers(
    excess: Float[np.ndarray, "panel time freq"], good: Bool[np.ndarray, "panel time freq"], sigma: float
) -> tuple[Float[np.ndarray, "panel time freq"], Bool[np.ndarray, "panel freq"]]:
    """Carriers that stand in OFF panels: their power, and the channels where they are too bright to be taken off.

    Args:
        excess: power less the mean noise, in its units.
        good: pixels outside patches.
        sigma: of a pixel's noise, in the same units.
    """
    n = good.sum(axis=1)
    mean = (excess * good).sum(axis=1) / np.maximum(n, 1)
    snr = np.where(n > _LEAST_ROWS, mean * np.sqrt(n) / sigma, 0)
    off = snr[list(OFF)]
    # A line that drifts through stands in one third or two. The SNR of a third is 1 / √3 of that of a panel on average.
    each, pooled = least_third(excess, sigma, good)
    alone = (off > _ALONE) & (each[list(OFF)] > _STEADY * off / np.sqrt(3))
    together = (off.sum(0) > _TOGETHER * np.sqrt(len(OFF))) & (pooled > _STEADY * off.sum(0) / 3)
    stands = alone.any(0) | together
    stands = scipy.ndimage.binary_dilation(stands)
    lit = scipy.ndimage.maximum_filter1d(snr > _STANDS, 3, axis=1) & stands
    power = np.zeros_like(excess)
    weighted = running_mean(running_mean(np.where(good, excess, 0)[..., stands], _SWING), _SWING // 2)
    weight = running_mean(running_mean(good[..., stands].astype(excess.dtype), _SWING), _SWING // 2)
    power[..., stands] = weighted / np.maximum(weight, 1e-3) * lit[:, None, stands]
    bright = scipy.ndimage.binary_dilation(power.mean(axis=1) > _BRIGHT * sigma, structure=np.ones((1, 5)))
    # A carrier that shines into an OFF panel is the same transmitter in the next ON panel, however faint it is there.
    return power, bright | scipy.ndimage.binary_dilation(bright[list(OFF)].any(0))


def least_third(
    excess: Float[np.ndarray, "panel time freq"], sigma: float, good: Bool[np.ndarray, "panel time freq"] | None = None
) -> tuple[Float[np.ndarray, "panel freq"], Float[np.ndarray, " freq"]]:
    """SNR of the faintest third of each channel: a carrier lasts, a line that drifts passes through.

    Args:
        excess: power less the mean noise, in its units.
        sigma: of a pixel's noise, in the same units.
        good: pixels that count; none means all. A third without any has no bound.

    Returns:
        each: of each panel.
        pooled: of the OFF panels together.
    """
    some = np.ones(excess.shape, dtype=bool) if good is None else good
    pixels = excess * some / sigma
    sums, n = (np.stack([third.sum(axis=1) for third in np.array_split(all_, 3, axis=1)]) for all_ in (pixels, some))
    off = list(OFF)
    return _faintest(sums, n), _faintest(sums[:, off].sum(axis=1), n[:, off].sum(axis=1))


def _faintest(sums: Float[np.ndarray, "third *rest"], n: Int[np.ndarray, "third *rest"]) -> Float[np.ndarray, "*rest"]:
    return np.where(n > 0, sums / np.sqrt(np.maximum(n, 1)), np.inf).min(axis=0)


def drifting(excess: Float[np.ndarray, "panel time freq"], sigma: float, axes: Axes) -> Bool[np.ndarray, "..."]:
    """Pixels along lines of the OFF panels, and along these lines' continuation in all other panels.

    Args:
        excess: power less the mean noise, in its units, 0 where it is interference already.
        sigma: of a pixel's noise, in the same units.
        axes: of the cadence, for the times between panels.
    """
    n_time, n_freq = excess.shape[1:]
    size, binned = in_bins(excess, 3, sigma)
    n_bin = binned.shape[1]
    slopes = np.arange(-DRIFT_BINS, DRIFT_BINS + 1, 2) / n_time
    shift = np.rint(slopes[:, None] * ((np.arange(n_bin) + 0.5) * size - n_time / 2)).astype(int)
    start = np.asarray(axes.panel_start_s) / axes.dt_s
    seen = np.zeros(excess.shape, dtype=bool)
    for panel in OFF:
        rows = binned[panel]
        for _ in range(_MOST_LINES):
            sums = _sheared(rows, shift) / np.sqrt(n_bin)
            line, channel = np.unravel_index(int(sums.argmax()), sums.shape)
            if sums[line, channel] < _LINE:
                break
            beside = _beside(float(slopes[line]), int(channel), (start - start[panel]), excess.shape)
            seen |= beside
            rows[beside[panel, : n_bin * size].reshape(n_bin, size, n_freq).any(axis=1)] = 0
    return seen


def recurring(excess: Float[np.ndarray, "panel time freq"], sigma: float, axes: Axes) -> Bool[np.ndarray, "..."]:
    """Pixels of what comes back in the OFF panels along a slow path: flickering patches too faint to stand out in one.

    Means say little of an emission that shows for a tenth of the time; what stands above 1 σ adds up over all panels.

    Args:
        excess: power less the mean noise, in its units, 0 where it is interference already.
        sigma: of a pixel's noise, in the same units.
        axes: of the cadence, for the times between panels.
    """
    size, binned = in_bins(excess, _WIDE_BINS, sigma)
    n_bin, n_freq = binned.shape[1:]
    start = np.asarray(axes.panel_start_s) - (axes.panel_start_s[-1] + axes.panel_s) / 2
    later = (start[list(OFF), None] + (np.arange(n_bin) + 0.5) * size * axes.dt_s).ravel()
    slopes = np.arange(-_SLOW_BINS, _SLOW_BINS + 0.25, 0.5) / axes.panel_period_s
    shift = np.rint(slopes[:, None] * later).astype(int)
    times = start[:, None] + (np.arange(excess.shape[1]) + 0.5) * axes.dt_s
    rows = np.maximum(binned[list(OFF)].reshape(-1, n_freq) - 1, 0)
    rows = (rows - rows.mean()) / max(float(rows.std()), 1e-6)
    seen = np.zeros(excess.shape, dtype=bool)
    for _ in range(_MOST_LINES):
        sums = _sheared(rows, shift) / np.sqrt(len(rows))
        slope, channel = np.unravel_index(int(sums.argmax()), sums.shape)
        if sums[slope, channel] < _RECURS:
            break
        away = np.abs(np.arange(n_freq) - channel - slopes[slope] * times[..., None])
        seen |= away <= _BESIDE + 1
        rows[np.abs(np.arange(n_freq) - channel - slopes[slope] * later[:, None]) <= _BESIDE + _WIDE_BINS] = 0
    return seen


def in_bins(
    excess: Float[np.ndarray, "panel time freq"], channels: int, sigma: float
) -> tuple[int, Float[np.ndarray, "panel bin freq"]]:
    """Rows of a bin, and means over bins and so many channels in units of their noise; one bright pixel is no line."""
    n_time, n_freq = excess.shape[1:]
    size = min(BINNED, n_time)
    n_bin = n_time // size
    binned = np.clip(excess, -2, 4)[:, : n_bin * size].reshape(N_PANELS, n_bin, size, n_freq).sum(axis=2)
    binned = scipy.ndimage.uniform_filter1d(binned, channels, axis=-1, mode="constant")
    return size, np.minimum(binned * np.sqrt(channels / size) / sigma, 5)


def _sheared(
    rows: Float[np.ndarray, "bin freq"], shift: Int[np.ndarray, "slope bin"]
) -> Float[np.ndarray, "slope freq"]:
    """Sums along all slopes."""
    most = int(np.abs(shift).max(initial=0))
    padded = np.pad(rows, ((0, 0), (most, most)))
    views = np.lib.stride_tricks.sliding_window_view(padded, rows.shape[1], axis=1)
    return np.stack([views[np.arange(len(rows)), most + by].sum(axis=0) for by in shift])


def _beside(
    slope: float, channel: int, later: Float[np.ndarray, " panel"], shape: tuple[int, ...]
) -> Bool[np.ndarray, "panel time freq"]:
    """Pixels beside a line: the further from the panel that shows it, the wider, since its drift has an error."""
    n_panels, n_time, n_freq = shape
    rows = np.arange(n_time) - n_time / 2
    path = channel + slope * (rows[None] + later[:, None])
    away = np.abs(np.arange(n_panels) - int(np.flatnonzero(later == 0)[0]))
    width = _BESIDE + np.where(away > 0, 1 + 1.5 * away, 0)
    return np.abs(np.arange(n_freq) - path[..., None]) <= width[:, None, None]


def running_mean(values: Float[np.ndarray, "panel time freq"], rows: int) -> Float[np.ndarray, "panel time freq"]:
    """Mean over so many rows around each, an odd number; fewer at the ends of a panel."""
    mean = scipy.ndimage.uniform_filter1d(values, rows, axis=1, mode="constant")
    return mean / _share_inside(values, rows)


def _share_inside(values: Float[np.ndarray, "panel time freq"], rows: int) -> Float[np.ndarray, "time 1"]:
    """Which share of so many rows around each lies within the panel."""
    inside = np.ones(values.shape[1], values.dtype)
    return scipy.ndimage.uniform_filter1d(inside, rows, mode="constant")[:, None]


def _lifted(
    values: Float[np.ndarray, "panel time freq"], rows: int
) -> tuple[Float[np.ndarray, "panel time freq"], Float[np.ndarray, "panel time 1"]]:
    """Values above their panel's median, and σ of them: more where a running mean over so many rows had fewer."""
    low, middle = np.quantile(values[:, ::3], [0.16, 0.5], axis=(1, 2))[..., None, None].astype(values.dtype)
    return values - middle, np.maximum(middle - low, 1e-6) / np.sqrt(_share_inside(values, rows))

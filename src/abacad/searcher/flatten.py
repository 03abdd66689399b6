"""Powers of a telescope to multiples of the noise σ: bandpass, gain of each row, σ by frequency, masks.

    y = (x / (bandpass(f) · gain(t)) − 1) / σ(f)          so that noise has mean 0 and σ 1 at every frequency

The bandpass is a spline through medians of 512 channels of the mean spectrum, which a line does not move; σ is the
median absolute deviation of 8,192 channels. Noise that is χ² with k degrees of freedom has σ = √(2 / k) of its level,
so that a band that falls to a quarter at its edges has a quarter of the σ there: dividing comes before measuring.
Where k is small, as it is of a product with δν · δt near 1, the deviation is that of sums of some rows: of a single
skew pixel with 8 degrees of freedom it is 7 % less than σ, and every SNR would be 8 % too high.
Values of one or two bits have medians and deviations of whole steps; mean and standard deviation, which their few steps
keep from running away, take their place. Counts of more bits are spread over their steps by chance before a median is
taken: of noise of five counts, the deviation in whole counts would be off by a tenth. Values about 0 are no powers but
differences from a level, and get one.
A masked pixel is exactly 0 afterwards: it neither adds to a path nor counts as one of its rows.
"""

import warnings
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.interpolate import CubicSpline

from abacad.signal.compiled import compiled
from abacad.signal.deviation import MAD_TO_SIGMA

BLOCK = 512
"""Channels of one median of the bandpass."""

_FINE = 8  # channels that the spline gives one value for: over so few a bandpass does not change
# σ changes more slowly than the level, and the median deviation of few values would itself be noise.
_NOISE_BLOCK = 8192
# Channels from one that σ is measured on to the next: (8,192 / 32) · 16 rows = 4,096 values of a block give σ to 2 %.
_EVERY = 32
_FEW_STEPS = 32  # values that differ: 5 bits, or two polarisations of 4
_MANY_COUNTS = 1 << 16
# Powers with 200 degrees of freedom, as those of the fine product, lie 10 σ above 0.
_LEVEL = 10.0
_NEARLY_NORMAL = 128  # degrees of freedom from which on the median deviation gives σ to half a percent


def flatten(
    panel: Float[np.ndarray, "time freq"], out: Float[np.ndarray, "time freq"], counted: slice = slice(None)
) -> tuple[int, int, float]:
    """Flatten one panel.

    Args:
        panel: powers, float32, NaN where there is no sound value; what is NaN becomes 0 here, and differences powers.
        out: filled with the flattened powers; may be `panel`.
        counted: channels of which masked pixels and channels without power are counted.

    Returns:
        masked pixels, channels without power, and the median over the band of a pixel's σ over its level.
    """
    some = panel[:, :: max(1, panel.shape[1] // 1024)]
    if (some < 0).mean() > 0.01:
        panel += _lift(some)
    steps = len(np.unique(some)) <= _FEW_STEPS
    spectrum = panel.mean(axis=0)
    # One sum tells whether any value is NaN or infinite; a mask of the whole panel is made only where one is.
    bad = None if np.isfinite(spectrum.sum()) else ~np.isfinite(panel)
    if bad is not None:
        panel[bad] = 0
        spectrum = panel.sum(axis=0) / np.maximum((~bad).sum(axis=0), 1)
    band = bandpass(spectrum)
    dead = ~(band > 0)
    # Divided once a channel, multiplied once a pixel: a division takes several times as long as a product.
    inverse = np.where(dead, 0, 1 / np.where(dead, 1, band)).astype(np.float32)
    sample = _sample(panel, inverse, bad)
    count = inverse[:: _every(panel.shape[1])] if not steps and _are_counts(some) else None
    if count is not None:
        # Always the same numbers, so that a search that is repeated finds the same.
        sample += count * np.random.default_rng(0).uniform(-0.5, 0.5, sample.shape).astype(np.float32)
    gain = _row_gain(sample, steps)
    sigma = noise_sigma(sample / gain[:, None] - 1, panel.shape[1], steps, count)
    _scale(panel, inverse, (1 / gain).astype(np.float32), (1 / sigma).astype(np.float32), out)
    # Exactly 0 says "masked" from here on; a dead channel would otherwise hold −1 / σ, the value of no power at all.
    out[:, dead] = 0
    if bad is not None:
        out[bad] = 0
    masked = int(bad[:, counted].sum()) if bad is not None else 0
    return masked, int(dead[counted].sum()), float(np.median(sigma))


def _are_counts(some: Float[np.ndarray, "time some"]) -> bool:
    """Whether the values are whole numbers, so few that a step matters."""
    known = some[np.isfinite(some)]
    return bool((np.abs(known) < _MANY_COUNTS).all() and (known == np.rint(known)).all())


def _lift(some: Float[np.ndarray, "time some"]) -> np.float32:
    """What makes powers of differences from a level."""
    known = some[np.isfinite(some)]
    middle = np.median(known)
    return np.float32(_LEVEL * MAD_TO_SIGMA * np.median(np.abs(known - middle)) - middle)


@compiled
def _scale(
    panel: np.ndarray, inverse: np.ndarray, inverse_gain: np.ndarray, inverse_sigma: np.ndarray, out: np.ndarray
) -> None:
    """(x / (bandpass · gain) − 1) / σ in one pass over memory."""
    for row in range(panel.shape[0]):
        values, target, factor = panel[row], out[row], inverse_gain[row]
        for i in range(panel.shape[1]):
            target[i] = (values[i] * inverse[i] * factor - np.float32(1)) * inverse_sigma[i]


def _sample(
    panel: Float[np.ndarray, "time freq"],
    inverse: Float[np.ndarray, " freq"],
    bad: Bool[np.ndarray, "time freq"] | None,
) -> Float[np.ndarray, "time some"]:
    """One channel in 32 over its level; NaN where masked or dead."""
    every = _every(panel.shape[1])
    sample = panel[:, ::every] * inverse[::every]
    if bad is not None:
        sample[bad[:, ::every]] = np.nan
    dead = inverse[::every] == 0
    if dead.any():
        sample[:, dead] = np.nan
    return sample


def _every(n_freq: int) -> int:
    """Channels from one of the sample to the next."""
    return _EVERY if n_freq > _NOISE_BLOCK else 1


def bandpass(spectrum: Float[np.ndarray, " freq"]) -> Float[np.ndarray, " freq"]:
    """The smooth level of a spectrum that holds lines; 0 where blocks of channels are dead.

    Args:
        spectrum: mean powers; 0 where there is none.
    """
    edges = _edges(len(spectrum), BLOCK)
    middles = (edges[:-1] + edges[1:] - 1) / 2
    levels = _levels(spectrum, edges)
    alive = levels > 0
    sizes = np.diff(edges)
    # Few medians leave a cubic free to swing between them, so that the blocks' own levels are taken.
    if alive.sum() < 4:
        return np.repeat(levels, sizes).astype(np.float32)
    # medians say nothing beyond the middles of the outermost blocks, where a coarse channel is steepest
    begin = _level_at_start(spectrum[: edges[1]]) if alive[0] else levels[alive][0]
    end = _level_at_start(spectrum[: edges[-2] - 1 : -1]) if alive[-1] else levels[alive][-1]
    places = np.concatenate([[0], middles[alive], [len(spectrum) - 1]])
    points = np.concatenate([[begin], levels[alive], [end]])
    smooth = CubicSpline(places, points)(np.arange(0, len(spectrum), _FINE) + 0.5 * (_FINE - 1))
    smooth = np.repeat(smooth.astype(np.float32), _FINE)[: len(spectrum)]
    # a spline may swing below its points, and says nothing where there are none
    least = np.repeat(np.where(alive, 0.2 * levels, np.inf).astype(np.float32), sizes)
    return np.where(smooth > least, smooth, np.repeat(levels.astype(np.float32), sizes))


def _level_at_start(values: Float[np.ndarray, " some"]) -> float:
    """Where a straight line through the values begins; lines of the sky and the ground are cut to the noise first."""
    x = np.arange(len(values))
    middle = np.median(values)
    spread = 4 * MAD_TO_SIGMA * np.median(np.abs(values - middle))
    # Each round cuts about the line of the round before: a steep edge lies outside a band about the plain median.
    for _ in range(3):
        slope, level = np.polyfit(x, np.clip(values, middle - spread, middle + spread), 1)
        middle = level + slope * x
    return float(level)


def _levels(spectrum: Float[np.ndarray, " freq"], edges: Int[np.ndarray, " edge"]) -> Float[np.ndarray, " block"]:
    """Median of each block; 0 where most of its channels have no power."""
    size = edges[1] - edges[0]
    # One call for all blocks of equal size; only the last, which takes what is left over, may be wider.
    whole = np.median(spectrum[: size * (len(edges) - 2)].reshape(-1, size), axis=1)
    return np.maximum(np.append(whole, np.median(spectrum[edges[-2] :])), 0)


def _edges(size: int, block: int) -> np.ndarray:
    """Bounds of blocks; what is left over at the end joins the last."""
    count = max(1, size // block)
    return np.array([*range(0, count * block, block), size])


def _row_gain(sample: Float[np.ndarray, "time some"], steps: bool) -> Float[np.ndarray, " time"]:
    """Level of each row over the usual row: a gain that drifts, or a burst across the band, is not a line."""
    gains = _without_nan(np.nanmean, sample) if steps else _median(sample)
    known = gains[gains > 0]
    # median and mean of noise differ; the bandpass is a mean, so only the change from row to row is taken out
    return np.where(gains > 0, gains / (np.median(known) if len(known) else 1), 1).astype(np.float32)


def _median(values: Float[np.ndarray, "some many"]) -> Float[np.ndarray, " some"]:
    """Median along the last axis without NaN; NaN where nothing else is."""
    # `nanmedian` copies and sorts out NaN first; most panels have none and take the faster way.
    if not np.isnan(values.sum()):
        return np.median(values, axis=1)
    return _without_nan(np.nanmedian, values)


def _without_nan(
    statistic: Callable[..., np.ndarray], values: Float[np.ndarray, "some many"]
) -> Float[np.ndarray, " some"]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without a sound value
        return statistic(values, axis=1)


def noise_sigma(
    sample: Float[np.ndarray, "time some"],
    n_freq: int,
    steps: bool = False,
    count: Float[np.ndarray, " some"] | None = None,
) -> Float[np.ndarray, " freq"]:
    """σ of a pixel by frequency, from neighbours in frequency that no line moves.

    Args:
        sample: (time, some) powers of every 32nd channel over their level, less 1; NaN where masked.
        n_freq: channels to give σ for.
        steps: whether the file's values are few steps, as those of one or two bits are.
        count: one count over the level, where the values are counts that were spread over their steps by chance.
    """
    each = min(_NOISE_BLOCK // _every(n_freq), sample.shape[1])
    # Rows that were cut off or lost hold nothing, and would leave nothing of the rows that they are averaged with.
    sample = sample[~np.isnan(sample).all(axis=1)]
    known = _deviations(sample, each, steps) if len(sample) else np.zeros(1)
    # Constant counts that were spread deviate by 0.37 of a count. (Of noise the spread takes 0.3 % at most.)
    least = 0.0 if count is None else 0.4 * count[: len(count) // each * each].reshape(-1, each).mean(axis=1)
    usable = known > least
    # Infinite σ makes every pixel of a panel without scatter 0, that is masked: a constant file holds no signal.
    if not usable.any():
        return np.full(n_freq, np.inf, np.float32)
    rows = _rows_together(float(np.median(known[usable])), len(sample))
    if rows > 1:
        whole = sample[: len(sample) // rows * rows].reshape(-1, rows, sample.shape[1])
        # A mean of n rows scatters by σ / √n; its own skewness is √n times smaller, too.
        averaged = _deviations(whole.mean(axis=1), each, steps) * np.sqrt(rows)
        # Where a chunk is lost in one row of each group, the pixels' own σ has to do.
        known = np.where(averaged > 0, averaged, known)
        usable = known > least
    middles = (np.arange(len(known)) + 0.5) * each * _every(n_freq)
    fine = np.interp(np.arange(0, n_freq, _FINE), middles[usable], known[usable])
    return np.repeat(fine.astype(np.float32), _FINE)[:n_freq]


def _deviations(sample: Float[np.ndarray, "time some"], each: int, steps: bool) -> Float[np.ndarray, " block"]:
    """σ of each block of channels by the median absolute deviation of its pixels; NaN where it has none."""
    count = sample.shape[1] // each
    blocks = sample[:, : count * each].reshape(len(sample), count, each).transpose(1, 0, 2).reshape(count, -1)
    if steps:
        return _without_nan(np.nanstd, blocks)
    return MAD_TO_SIGMA * _median(np.abs(blocks - _median(blocks)[:, None]))


def _rows_together(relative_sigma: float, n_time: int) -> int:
    """Rows whose sums are nearly normal: σ² / level² of χ² noise with k degrees of freedom is 2 / k.

    Example:
        >>> _rows_together(0.099, 16), _rows_together(0.5, 273)
        (1, 16)
    """
    # A sum of n rows has n · k degrees of freedom, so 128 / k rows are needed, or all there are.
    return max(1, min(int(np.ceil(_NEARLY_NORMAL * relative_sigma**2 / 2)), n_time))

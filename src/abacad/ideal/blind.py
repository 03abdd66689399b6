"""What the near-ideal observer has to know of a cadence, estimated from its pixels alone.

    given = (gain(panel, time) · gain(freq) · (noise + carriers) − mean) / std          outside patches and lines

The observer of `abacad.ideal.observer` knows gains and interference because it may ask the simulator. Here they are
estimated, so that the same likelihoods can be worked out for any cadence of noise χ²_k / k. What cannot be told from a
needle's surroundings (wide patches, bright carriers, lines of OFF panels) is marked as pixels that say nothing.
"""

import functools

import numpy as np
import scipy.ndimage
import scipy.stats
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from abacad.ideal.clutter import carriers, drifting, patches, recurring
from abacad.ideal.known import STEPS, Known, closer
from abacad.ideal.tracks import going_on
from abacad.signal.cadence import OFF, ON, Axes

_ROUNDS = 3  # gains, patches and carriers are estimated in turn; a fourth round moves pixels by 1 % of their σ (median)
_BRIGHTEST = 2.2  # of the mean noise, at which pixels are clipped in means; 1.08 undoes what clipping takes of a gain
_UNDONE = 1.08
_SKEW_AT = (0.02, 0.3, 0.7)  # quantiles that needles and interference hardly move
_FEWEST, _MOST = 4.5, 400.0  # degrees of freedom: likelihoods want more than 4, and above 400 noise is normal
_SLOW = 8  # rows: σ of the Gaussian that follows the slow gain of a panel
_BURST = 3.5  # σ of a row's mean above the slow gain, from which it is a burst
_SMOOTH = 6  # channels: σ of the Gaussian that follows the bandpass
_LEAST_CARRIER = 0.075  # of the mean noise: a channel that differs by more from its neighbours is no matter of gain
_OWN_ROW, _OWN_CHANNEL = 0.12, 0.77
"""Of a row's or channel's difference from the slow gain, the share that is gain and no noise: by their variances,
0.01² against 0.027² of a row's mean, and 0.02² against 0.011² of a channel's over six panels."""


def estimated(panels: Float[Tensor, "panel time freq"], axes: Axes) -> tuple[Float[Tensor, "panel time freq"], Known]:
    """A cadence in units of its noise, and its conditions, from its pixels alone.

    Args:
        panels: (6, time, freq) as a file has them: each panel may have its own zero and scale.
        axes: of the cadence.

    Returns:
        noise: the same shape, float32, χ²_k / k with mean 1 where nothing else stands.
        known: gain and carriers as estimated; `needle` is 0 on pixels that say nothing, else 1.
    """
    given = panels.numpy().astype(np.float32)
    alive = np.ptp(given, axis=(1, 2)) > 0
    dof = degrees_of_freedom(given[alive]) if alive.any() else _MOST
    sigma, power = float(np.sqrt(2 / dof)), _power(given, dof)
    time, freq = np.ones(power.shape[:2], np.float32), np.ones(power.shape[2], np.float32)
    added, good = np.zeros_like(power), np.broadcast_to(alive[:, None, None], power.shape).copy()
    for turn in range(_ROUNDS):
        time = _time_gain(time, power / (time[..., None] * freq) - added, good, dof)
        freq = _freq_gain(freq, power / (time[..., None] * freq) - added, good, dof)
        even = power / (time[..., None] * freq)
        if turn == 0:
            good &= ~patches(even - 1, sigma)
        added, bright = carriers(even - 1, good, sigma)
    noise = even - added
    follows = going_on(np.where(good, even - 1, 0), sigma, axes)
    good &= ~bright[:, None]
    good &= ~drifting(np.where(good, noise - 1, 0), sigma, axes) & ~follows
    # with short patches, which are part of what comes back; of channels that are left out nothing is asked
    good &= ~recurring(np.where(good.mean(axis=1, keepdims=True) > 0.5, noise - 1, 0), sigma, axes)
    dof = degrees_of_freedom(noise, good) if good.any() else dof
    noise = np.where(good, _centred(noise, good, dof), 1)
    gain = np.broadcast_to(time[..., None] * freq, power.shape).copy()
    known = Known(_tensor(gain), torch.ones(power.shape), _tensor(added), _tensor(good), dof)
    return _tensor(noise), known


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def degrees_of_freedom(
    panels: Float[np.ndarray, "panel time freq"], good: Bool[np.ndarray, "panel time freq"] | None = None
) -> float:
    """k of noise χ²_k / k by the skewness of its middle, in steps of a twentieth.

    Of 16 simulated cadences as files have them 5 % too low (rms 7 %), since gains differ from channel to channel; with
    gains taken off, of good pixels, right (rms 2 %).

    Args:
        panels: in any units.
        good: pixels that count; none means all.
    """
    pixels = [panel if good is None else panel[good[number]] for number, panel in enumerate(panels)]
    low, middle, high = np.array([np.quantile(some, _SKEW_AT) for some in pixels if some.size]).T
    skew = float(np.mean((low + high - 2 * middle) / np.maximum(high - low, 1e-9)))
    dofs, skews = _skews()
    return float(dofs[np.abs(skews - skew).argmin()])


@functools.lru_cache(maxsize=1)
def _skews() -> tuple[Float[np.ndarray, " dof"], Float[np.ndarray, " dof"]]:
    """The same skewness of noise from 4.5 to 400 degrees of freedom; in steps, so that tables by k can be kept."""
    dofs = np.geomspace(_FEWEST, _MOST, 1 + round(np.log(_MOST / _FEWEST) / 0.05))
    low, middle, high = (scipy.stats.chi2(dofs).ppf(share) for share in _SKEW_AT)
    return dofs, (low + high - 2 * middle) / (high - low)


@functools.lru_cache(maxsize=64)
def _quantiles(dof: float) -> tuple[float, float, float]:
    low, middle, high = scipy.stats.chi2(dof, scale=1 / dof).ppf([0.05, 0.5, 0.75])
    return float(low), float(middle), float(high)


@functools.lru_cache(maxsize=64)
def _clipped_mean(dof: float) -> float:
    """Mean of min(noise, 2.2)."""
    law, x = scipy.stats.chi2(dof, scale=1 / dof), np.linspace(0, _BRIGHTEST, 4001)
    return float(np.trapezoid(law.sf(x), x))


def _power(panels: Float[np.ndarray, "panel time freq"], dof: float) -> Float[np.ndarray, "panel time freq"]:
    """Panels over their mean noise: the zero and the scale that put low quantiles, which needles hardly move, right."""
    low, middle, high = np.quantile(panels, [0.05, 0.5, 0.75], axis=(1, 2))[..., None, None].astype(np.float32)
    of_low, of_middle, of_high = _quantiles(dof)
    wide = high - low
    return of_middle + (of_high - of_low) * np.divide(panels - middle, wide, out=np.zeros_like(panels), where=wide > 0)


def _level(
    noise: Float[np.ndarray, "panel time freq"], good: Bool[np.ndarray, "panel time freq"], axis: int, dof: float
) -> Float[np.ndarray, "panel row"]:
    """Mean of clipped good pixels over what noise alone has; at least 0.2, so that it has a logarithm, and 1, which
    changes no gain, where none is good."""
    n = good.sum(axis=axis)
    mean = (np.minimum(noise, _BRIGHTEST) * good).sum(axis=axis) / np.maximum(n, 1)
    return np.where(n > 0, np.maximum(mean / _clipped_mean(dof), 0.2), 1)


def _time_gain(
    before: Float[np.ndarray, "panel time"],
    noise: Float[np.ndarray, "panel time freq"],
    good: Bool[np.ndarray, "panel time freq"],
    dof: float,
) -> Float[np.ndarray, "panel time"]:
    """Slow gain of each panel, and the rows of bursts."""
    error = np.sqrt(2 / dof / noise.shape[2])
    log = np.log(before) + _UNDONE * np.log(_level(noise, good, 2, dof))
    slow = _smooth(log, 3 * error, (1, 21), _SLOW, "reflect")
    own = log - slow
    return np.exp(slow + own * np.where(own > _BURST * error, 1, _OWN_ROW)).astype(np.float32)


def _freq_gain(
    before: Float[np.ndarray, " freq"],
    noise: Float[np.ndarray, "panel time freq"],
    good: Bool[np.ndarray, "panel time freq"],
    dof: float,
) -> Float[np.ndarray, " freq"]:
    """Bandpass and the gain of each channel: of all panels, but of OFF panels alone where ON panels have more."""
    error = np.sqrt(2 / dof / noise.shape[1])
    level, seen = _level(noise, good, 1, dof), good.mean(axis=1)
    on, off = (_weighted(level[list(panels)], seen[list(panels)]) for panels in (ON, OFF))
    both = np.where(on - off < 3 * error * np.sqrt(2 / len(ON)), _weighted(level, seen), off)
    log = np.log(before) + _UNDONE * np.log(both)
    smooth = _smooth(log, _LEAST_CARRIER, 15, _SMOOTH, "nearest")
    own = log - smooth
    return np.exp(smooth + own * np.where(np.abs(own) < _LEAST_CARRIER, _OWN_CHANNEL, 0)).astype(np.float32)


def _weighted(
    level: Float[np.ndarray, "panel freq"], seen: Float[np.ndarray, "panel freq"]
) -> Float[np.ndarray, " freq"]:
    """Mean over panels, each as far as its pixels are good; 1 where none is."""
    total = seen.sum(axis=0)
    return np.where(total > 0, (level * seen).sum(axis=0) / np.maximum(total, 1e-9), 1)


def _smooth(
    log: Float[np.ndarray, "*rows place"], most: float, around: int | tuple[int, ...], width: float, mode: str
) -> Float[np.ndarray, "*rows place"]:
    """A Gaussian mean along the last axis, over values that differ by at most so much from the median around them."""
    middle = scipy.ndimage.median_filter(log, size=around, mode=mode)
    return scipy.ndimage.gaussian_filter1d(np.where(np.abs(log - middle) > most, middle, log), width, mode=mode)


def _centred(
    noise: Float[np.ndarray, "panel time freq"], good: Bool[np.ndarray, "panel time freq"], dof: float
) -> Float[np.ndarray, "panel time freq"]:
    """The zero and the scale of each panel by the two averages that `abacad.ideal.known` uses, over good pixels."""
    out = noise.copy()
    for panel, seen in zip(out, good, strict=True):
        pixels = torch.from_numpy(panel[seen] - 1)[None]
        if not seen.any():  # a panel without values, or covered with interference
            continue
        std, mean = torch.ones(1, 1), torch.ones(1, 1)
        for _ in range(STEPS):
            std, mean = closer(std, mean, pixels, torch.ones_like(pixels), torch.zeros_like(pixels), dof)
        panel[:] = float(std) * (panel - 1) + float(mean)
    return out

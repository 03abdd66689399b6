"""The likelihood ratio of a pixel, and of a tone at every quarter of a channel.

Noise x ~ χ²_k / k has the density p(x) ∝ x^(k/2 − 1) e^(−k x / 2). With a power s on top of it,

    log p(x − s) / p(x) = (k/2 − 1) log(1 − s/x) + k s / 2      for x > s, else −∞

For k → ∞ and s → 0 that is s x / σ² − s² / 2σ², σ² = 2/k. For k = 10 it tells more: the Fisher information on s is
k² / (2 (k − 4)) = 8.3 instead of 1/σ² = 5, and it lies in the faint pixels.

The cliff at x = s is softened, because s is known on a grid only and x is rounded: 1 − s/x is taken as at least 0.15.
The mean of this softened ratio over noise is no longer 1; it is divided out, so that it is a likelihood ratio again.
"""

import functools
from collections.abc import Sequence

import numpy as np
import scipy.integrate
import scipy.stats
import torch
from jaxtyping import Float
from torch import Tensor

QUARTERS = 4
"""Places per channel: a tone is at most ⅛ channel from the nearest one, and its power split is right to ⅛."""
_LEAST = 0.15  # of 1 − s/x: a pixel fainter than the power asked for speaks against it by a factor of 0.15^(k/2 − 1)
_FAINTEST = 1e-3  # of the mean noise; float16 rounding can make a pixel 0 or negative
_LEAST_SHARE = 0.02  # of a tone's power in a neighbouring channel, below which the pixel is not worth its time


def log_ratio(
    noise: Float[Tensor, "*shape"], power: float, dof: float, factor: Float[Tensor, "*shape"] | None = None
) -> Float[Tensor, "*shape"]:
    """Log likelihood ratio of each pixel for `power` in it against noise alone.

    Args:
        noise: pixels in units of the mean noise.
        power: what would be added, over the mean noise.
        dof: degrees of freedom k of the noise.
        factor: on the power in each pixel; none means 1.
    """
    over = noise.clamp(min=_FAINTEST).reciprocal()
    if factor is not None:
        over *= factor
    ratio = over.mul_(-power).add_(1).clamp_(min=_LEAST).log_().mul_(dof / 2 - 1)
    offset = dof / 2 * power - _log_mean(power, dof)
    return ratio.add_(offset) if factor is None else ratio.add_(factor, alpha=offset)


@functools.lru_cache(maxsize=4096)
def _log_mean(power: float, dof: float) -> float:
    """Logarithm of the mean of the softened ratio over noise, integrated out to 12 σ."""
    law = scipy.stats.chi2(dof, scale=1 / dof)
    x = np.linspace(1e-4, 1 + 12 * np.sqrt(2 / dof), 4001)
    ratio = (dof / 2 - 1) * np.log(np.maximum(1 - power / x, _LEAST)) + dof / 2 * power
    return float(np.log(scipy.integrate.simpson(np.exp(ratio + law.logpdf(x)), x=x)))


def shares(width: float) -> Float[np.ndarray, "quarter near"]:
    """What the channels −1, 0 and 1 get of a tone at 0, ¼, ½ and ¾ channel, over its amplitude (see `path`)."""
    place = np.arange(QUARTERS)[:, None] / QUARTERS
    channel = np.arange(-1, 2)
    high = np.minimum(channel + 0.5, place + width / 2)
    low = np.maximum(channel - 0.5, place - width / 2)
    return np.round(np.clip(high - low, 0, None) * max(1.0, width) / width, 3)


def tone_ratios(
    noise: Float[Tensor, "time freq"],
    powers: Sequence[float],
    widths: Sequence[float],
    dof: float,
    factor: Float[Tensor, "time freq"] | None = None,
) -> Float[Tensor, "tone time place"]:
    """Log likelihood ratios of a tone at each place of each row, a place being a quarter of a channel.

    Args:
        noise: a panel in units of its mean noise.
        powers: amplitudes, over the mean noise.
        widths: in channels, at most 1.5.
        dof: degrees of freedom k.
        factor: on the power in each pixel; none means 1.

    Returns:
        One tone for each power and each width, the widths of one power following one another; place 4 c + j is at
        channel c + j/4.
    """
    n_time, n_freq = noise.shape
    out = torch.zeros(len(powers) * len(widths), n_time, n_freq, QUARTERS)
    for at, power in enumerate(powers):
        made: dict[float, Tensor] = {}  # ratios by share: different widths and quarters have many shares in common
        for of, width in enumerate(widths):
            tone = out[at * len(widths) + of]
            for quarter, row in enumerate(shares(width)):
                for step, share in zip((-1, 0, 1), row.tolist(), strict=True):
                    if share < _LEAST_SHARE:
                        continue
                    if share not in made:
                        made[share] = log_ratio(noise, power * share, dof, factor)
                    to, of_pixel = _shifted(step, n_freq)
                    tone[:, to, quarter] += made[share][:, of_pixel]
    return out.view(len(out), n_time, n_freq * QUARTERS)


def _shifted(step: int, n_freq: int) -> tuple[slice, slice]:
    """Slices of the channels that have a neighbour `step` channels on, and of those neighbours."""
    return slice(max(0, -step), n_freq - max(0, step)), slice(max(0, step), n_freq + min(0, step))

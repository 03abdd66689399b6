"""Panels cleaned of what is not a needle: bandpass, carriers, bursts, gain drift.

All of these are nearly separable (a spectrum times a time profile) while a needle that moves is not, and all but the
bursts stand in ON and OFF panels alike while a needle does not. Two steps follow from this, each in units of the
panel's pixel noise σ:

1. *Common spectrum.* The median spectrum of each panel is measured, and the third smallest of the six values in each
   channel is subtracted from all six. It is the carrier where a carrier stands in at least four panels, and noise
   where something stands in ON alone or OFF alone, so that a needle with little drift survives. (Subtracting each
   panel's own median spectrum takes a third of the SNR of a line that drifts 5 channels a panel.)
2. *Other class's spectra.* ON panels lose the strongest spectral shapes of the OFF panels and the other way round:
   w ← w − w V Vᵀ, V the leading right singular vectors of the clipped panels of the other class. Then each panel loses
   its own strongest one.
"""

import torch
from torch import Tensor

from abacad.represent.rows import row_blocks, row_sums
from abacad.signal.cadence import OFF, ON
from abacad.signal.robust import inverse, median, noise_sigma, quantiles
from abacad.types import Panels

CLIP = (-4.0, 6.0)
"""Cleaned pixels are held between these, in σ, so that no single pixel decides."""

_COARSE = 7  # rows that are binned to measure spectra: binned noise has σ / √7, and there is a seventh of the work
_QUANTILES = torch.tensor([0.05, 0.5, 0.95])  # skewness by these: 0.24 for 10 degrees of freedom, 0.05 for 200
# r = 0.7 / skewness is 3 for k = 10 and 14 for k = 200. Below a skewness of 0.005 noise is as good as normal: r = 140.
_REACH, _LEAST_SKEW = 0.7, 0.005
_DEAD = 1e-6  # a panel whose spread is below this share of its largest value holds rounding, not data


def cleaned(panels: Panels) -> Panels:
    """Panels without carriers, bursts and gains, in units of their pixel noise: all steps one after the other."""
    white, alive = whitened(panels)
    return decluttered(evened(white) * alive)


def whitened(panels: Panels) -> tuple[Panels, Tensor]:
    """Panels in units of their pixel noise, less their rows' means and the common spectrum; and which are alive.

    Returns:
        panels: same shape, zero where a panel is constant.
        alive: (*batch, 6, 1, 1), 1 or 0.
    """
    panels = panels.float()
    low, high = (extreme[..., None, None] for extreme in (panels.amin((-2, -1)), panels.amax((-2, -1))))
    half = high / 2 - low / 2  # high − low could overflow
    alive = half > (_DEAD * torch.maximum(high.abs(), low.abs())).clamp_min(torch.finfo(half.dtype).tiny)
    p = (panels - (high / 2 + low / 2)).mul_(inverse(half, alive))  # within ±1

    spectrum = median(row_blocks(p, min(_COARSE, p.shape[-2])).mean(-2).mT)[..., None, :]
    sigma = noise_sigma(p)
    alive = alive & (sigma > _DEAD)
    scale = inverse(sigma, alive)
    spectrum = spectrum * scale
    p.mul_(scale).sub_(spectrum)
    spectrum = spectrum - median(spectrum)[..., None]
    # the third smallest of the six panels: a needle in the three ON panels alone is not in it, a carrier in all six is
    own = spectrum - spectrum.kthvalue(3, -3, keepdim=True).values
    level = p.clamp(-3, 3).mean(-1, keepdim=True)  # of each row, for bursts; clipped, as carriers are bright
    return p.add_(own).sub_(level).mul_(alive), alive.to(p.dtype)


def evened(white: Panels) -> Panels:
    """Whitened panels with the skewness of their noise taken out; σ stays 1 and the mean 0.

    The power of a pixel is χ²: many values a little below the mean, few far above. A weak signal in such noise is seen
    best not by its power but by the slope of the noise's log-probability, which weighs low values more and high ones
    less. z → r·log(1 + z/r) comes near it and forgives an error of the zero level; r follows the skewness of the
    cadence's own pixels, from 3 at 10 degrees of freedom to a straight line for normal noise.
    """
    every = max(1, white.shape[-2] * white.shape[-1] // 4096)  # 4,096 pixels of a panel give the quantiles to 2 %
    low, middle, high = quantiles(white.flatten(-2)[..., ::every], _QUANTILES)
    skew = ((high + low - 2 * middle) / (high - low).clamp_min(_DEAD)).mean(-1)
    reach = (_REACH / skew.clamp_min(_LEAST_SKEW))[..., None, None, None]
    y = (white / reach).clamp_min_(-0.95).log1p_().mul_(reach)  # log(1 + z/r) ends at z = −r
    y.sub_(y.mean((-2, -1), keepdim=True))
    sigma = noise_sigma(y)
    return y.mul_(inverse(sigma, sigma > _DEAD))


def decluttered(white: Panels, other: int = 2, own: int = 1) -> Panels:
    """Whitened panels without the `other` strongest spectra of the other class and their `own` strongest one."""
    y = white.clamp(*CLIP)
    coarse = row_sums(y, min(_COARSE, y.shape[-2]))  # clutter changes slowly: a seventh of the work
    theirs = torch.stack([_leading_spectra(coarse[..., group, :, :].flatten(-3, -2), other) for group in (OFF, ON)], -3)
    theirs = theirs[..., [0, 1] * len(ON), :, :]
    mine = _leading_spectra(_without(coarse, theirs), own)
    return _without(y, torch.cat([theirs, mine], -1)).clamp_(*CLIP)


def _leading_spectra(x: Tensor, n: int, rounds: int = 3) -> Tensor:
    """The n leading right singular vectors by subspace iteration: (*, row, freq) → (*, freq, n), orthonormal."""
    # Any start will do that is not orthogonal to the answer; a fixed seed makes the planes of a cadence the same each
    # time.
    start = torch.randn(x.shape[-1], n, generator=torch.Generator().manual_seed(0)).to(x)
    v = start.expand(*x.shape[:-2], -1, -1)
    for _ in range(rounds):
        v = x.mT @ (x @ v)
        # Orthonormal columns by Cholesky's factor of v's Gram matrix (a QR decomposition of a batch is slower). The
        # ridge keeps the matrix positive where columns are parallel or a panel is 0.
        gram = v.mT @ v
        ridge = 1e-6 * gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None] + 1e-20
        factor = torch.linalg.cholesky(gram + ridge * torch.eye(n).to(x))
        v = torch.linalg.solve_triangular(factor, v.mT, upper=False).mT
    return v


def _without(x: Tensor, v: Tensor) -> Tensor:
    """Rows of x less their part in the span of v's columns."""
    return x - (x @ v) @ v.mT

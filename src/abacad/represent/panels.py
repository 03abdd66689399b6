"""From raw panels to the views that the panel network reads.

A needle is faint beside what else a panel holds: bandpass, carriers, bursts, gain drift. All of these are nearly
separable (a spectrum times a time profile) while a needle that moves is not, and all but the bursts stand in ON and
OFF panels alike while a needle does not. Three steps follow from this, each in units of the panel's pixel noise σ:

1. *Common spectrum.* The median spectrum of each panel is measured, and the third smallest of the six values in each
   channel is subtracted from all six. It is the carrier where a carrier stands in at least four panels, and noise
   where something stands in ON alone or OFF alone, so that a needle with little drift survives. (Subtracting each
   panel's own median spectrum takes a third of the SNR of a line that drifts 5 channels a panel.)
2. *Other class's spectra.* ON panels lose the strongest spectral shapes of the OFF panels and the other way round:
   w ← w − w V Vᵀ, V the leading right singular vectors of the clipped panels of the other class. Then each panel loses
   its own strongest one.
3. *Tracks.* A hidden Markov model with one state a channel follows whatever moves at most a channel a row and may
   begin and end anywhere: the forward–backward product is the evidence that a narrow-band path runs through a pixel.

Rows are then binned: by 7, the 273 × 256 pixels of a panel become 39 × 256 and a line that drifts 24 channels a panel
smears by 0.6 channel.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from abacad.signal.cadence import OFF, ON
from abacad.types import Channels, Panels

VIEWS = ("shared", "clean", "track")
RESIDUAL = "residual"

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_CLIP = (-4.0, 6.0)  # σ; one pixel must not decide
_TRACK_MEAN, _TRACK_SIGMA = 2.5, 1.5  # of the largest evidence in seven rows of white noise
_COARSE = 7  # rows that are binned to measure spectra
_QUANTILES = torch.tensor([0.05, 0.5, 0.95])  # skewness by these: 0.24 for 10 degrees of freedom, 0.05 for 200
_REACH, _LEAST_SKEW = 0.7, 0.005
_FAINT = 0.05  # σ; the unit of residuals, some fifty times what rounding leaves and a third of the faintest needles
_GROUP = 4  # cadences that are viewed at once on a CPU: what lies between the steps stays near it
_DEAD = 1e-6  # a panel whose spread is below this share of its largest value holds rounding, not data


class Residual(NamedTuple):
    """What is left of cadences when other windows of the same observation are subtracted.

    Attributes:
        difference: in the units of the panels; 0 where there is no other.
        covered: where there is one.
    """

    difference: Panels
    covered: Bool[Tensor, "*batch panel freq"]


def binned(panels: Panels, rows: int = 7, views: tuple[str, ...] = VIEWS, residual: Residual | None = None) -> Channels:
    """Clean, view and bin cadences: (*batch, 6, time, freq) → (*batch, 6·views, time // rows, freq).

    Channels are view-major: the six panels of the first view come first. White noise has σ = 1 in all views, in
    `track` roughly so. The result does not depend on the gain (if positive) and the offset of any panel, is finite
    for finite input, and is zero where a panel is constant. A remainder of time // rows is dropped at the end.

    Args:
        panels: cadences in any units, of at least two rows.
        rows: time rows to bin.
        views: any of `shared` (step 1, compressed), `clean` (steps 1 and 2), `track` (steps 1 to 3), and `residual`:
            1 in covered channels, 0 elsewhere; with it, `clean` and `track` show residuals in covered channels.
        residual: of the cadences, for that view; none where nothing is covered.

    Raises:
        ValueError: for an unknown view.
    """
    if unknown := set(views) - {*VIEWS, RESIDUAL}:
        raise ValueError(f"unknown views {sorted(unknown)}; known are {', '.join(VIEWS)}, {RESIDUAL}")
    flat = panels.reshape(-1, *panels.shape[-3:])
    size = _GROUP if flat.device.type == "cpu" else max(1, len(flat))
    made = []
    for first in range(0, max(1, len(flat)), size):
        part, rest = slice(first, first + size), None
        if residual is not None:
            covered = residual.covered.reshape(-1, *residual.covered.shape[-2:])
            rest = Residual(residual.difference.reshape(flat.shape)[part], covered[part])
        made.append(_binned(flat[part], rows, views, rest))
    whole = torch.cat(made)
    return whole.reshape(*panels.shape[:-3], *whole.shape[1:])


def _binned(panels: Panels, rows: int, views: tuple[str, ...], residual: Residual | None) -> Channels:
    white, alive = whitened(panels)
    made: dict[str, Tensor] = {}
    if "shared" in views:
        made["shared"] = _compressed(_row_sums(white, rows))
    if "clean" in views or "track" in views:
        clean = decluttered(evened(white) * alive)
        if RESIDUAL in views and residual is not None:
            clean = uncovered(clean, panels, residual)
        made["clean"] = _row_sums(clean, rows)
        if "track" in views:
            evidence = track_evidence(clean)
            made["track"] = _compressed((_row_blocks(evidence, rows).amax(-2) - _TRACK_MEAN) / _TRACK_SIGMA)
    if RESIDUAL in views:
        n_time, n_freq = panels.shape[-2:]
        made[RESIDUAL] = white.new_zeros(*panels.shape[:-2], n_time // rows, n_freq)
        if residual is not None:
            made[RESIDUAL] += residual.covered[..., None, :]
    return torch.cat([made[view] * alive for view in views], dim=-3)


def uncovered(clean: Panels, panels: Panels, residual: Residual) -> Panels:
    """Clean panels with residuals in their covered channels, in units of 0.05 σ: no noise is there, but needles are."""
    sigma = _sigma(panels.float())
    faint = (residual.difference * _inverse(_FAINT * sigma, sigma > 0)).clamp(*_CLIP)
    return torch.where(residual.covered[..., None, :], faint, clean)


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
    p = (panels - (high / 2 + low / 2)).mul_(_inverse(half, alive))  # within ±1

    spectrum = _median(_row_blocks(p, min(_COARSE, p.shape[-2])).mean(-2).mT)[..., None, :]
    sigma = _sigma(p)
    alive = alive & (sigma > _DEAD)
    scale = _inverse(sigma, alive)
    spectrum = spectrum * scale
    p.mul_(scale).sub_(spectrum)
    spectrum = spectrum - _median(spectrum)[..., None]
    own = spectrum - spectrum.kthvalue(3, -3, keepdim=True).values
    level = p.clamp(-3, 3).mean(-1, keepdim=True)
    return p.add_(own).sub_(level).mul_(alive), alive.to(p.dtype)


def evened(white: Panels) -> Panels:
    """Whitened panels with the skewness of their noise taken out; σ stays 1 and the mean 0.

    The power of a pixel is χ²: many values a little below the mean, few far above. A weak signal in such noise is seen
    best not by its power but by the slope of the noise's log-probability, which weighs low values more and high ones
    less. z → r·log(1 + z/r) comes near it and forgives an error of the zero level; r follows the skewness of the
    cadence's own pixels, from 3 at 10 degrees of freedom to a straight line for normal noise.
    """
    every = max(1, white.shape[-2] * white.shape[-1] // 4096)
    low, middle, high = _quantiles(white.flatten(-2)[..., ::every])
    skew = ((high + low - 2 * middle) / (high - low).clamp_min(_DEAD)).mean(-1)
    reach = (_REACH / skew.clamp_min(_LEAST_SKEW))[..., None, None, None]
    y = (white / reach).clamp_min_(-0.95).log1p_().mul_(reach)
    y.sub_(y.mean((-2, -1), keepdim=True))
    sigma = _sigma(y)
    return y.mul_(_inverse(sigma, sigma > _DEAD))


def decluttered(white: Panels, other: int = 2, own: int = 1) -> Panels:
    """Whitened panels without the `other` strongest spectra of the other class and their `own` strongest one."""
    y = white.clamp(*_CLIP)
    coarse = _row_sums(y, min(_COARSE, y.shape[-2]))  # clutter changes slowly: a seventh of the work
    theirs = torch.stack([_leading_spectra(coarse[..., group, :, :].flatten(-3, -2), other) for group in (OFF, ON)], -3)
    theirs = theirs[..., [0, 1] * len(ON), :, :]
    mine = _leading_spectra(_without(coarse, theirs), own)
    return _without(y, torch.cat([theirs, mine], -1)).clamp_(*_CLIP)


def track_evidence(
    clean: Panels, amplitude: float = 0.9, stay: float = 0.8, begin: float = 1e-3, ceiling: float = 25.0
) -> Panels:
    """Log-evidence that a narrow-band path runs through each pixel, about 0 where there is none; same shape.

    In a row a path stays in its channel (`stay`) or moves to either neighbour; it begins or ends with probability
    `begin`. With Lₜ(f) = exp(a·x − a²/2), the likelihood ratio of amplitude a (in σ) against noise alone, and K the
    step of the walk,

        αₜ₊₁ = K max(Lₜ αₜ, begin),

    the same backwards for β, and the evidence is log(α L β / begin²). What is carried on is held below
    exp(`ceiling`), beyond which a path is certain and would only throw a longer shadow.
    """
    *batch, n_time, n_freq = clean.shape
    hop = (1 - stay) / 2  # folded into the ratio, so that a step is two additions, a product and a clamp
    shift = math.log(hop) - 0.5 * amplitude**2
    ratio = (amplitude * clean.reshape(-1, n_time, n_freq).transpose(0, 1) + shift).exp_().contiguous()
    top = math.exp(ceiling)

    def swept(order: range) -> Tensor:
        out = torch.empty_like(ratio)
        state = ratio.new_full((ratio.shape[1], n_freq + 2), begin)
        left, here, right = state[:, :-2], state[:, 1:-1], state[:, 2:]
        for row in order:
            now = torch.add(left, right, out=out[row]).add_(here, alpha=stay / hop)
            torch.mul(now, ratio[row], out=here).clamp_(begin, top)
        return out

    forward, backward = swept(range(n_time)), swept(range(n_time - 1, -1, -1))
    evidence = forward.mul_(backward).mul_(ratio).log_().add_(math.log(hop) - 2 * math.log(begin))
    return evidence.transpose(0, 1).reshape(*batch, n_time, n_freq)


def _row_blocks(x: Tensor, rows: int) -> Tensor:
    """(*, time, freq) → (*, time // rows, rows, freq)."""
    n = x.shape[-2] // rows
    return x[..., : n * rows, :].unflatten(-2, (n, rows))


def _row_sums(x: Tensor, rows: int) -> Tensor:
    """Rows summed so that white noise keeps its σ."""
    return _row_blocks(x, rows).sum(-2) / math.sqrt(rows)


def _compressed(x: Tensor, knee: float = 4.0) -> Tensor:
    """Linear below `knee`, logarithmic above: a carrier of 1000 σ becomes one of 25."""
    y = x.abs() / knee  # torch.asinh takes four times as long
    return knee * (y + (y * y + 1).sqrt()).log().copysign(x)


def _sigma(x: Tensor) -> Tensor:
    """Noise σ of each panel, deaf to all that changes slowly: (*, time, freq) → (*, 1, 1).

    The median of |difference| of two rows that follow one another, at every fifth pair: 55 × 256 differences of a
    panel give σ to 1 %.
    """
    first, second = x[..., :-1:5, :], x[..., 1::5, :]
    return _MAD_TO_SIGMA / math.sqrt(2) * _median((second - first).abs_().flatten(-2))[..., None, None]


def _median(x: Tensor) -> Tensor:
    """Lower median along the last dimension; on a CPU by NumPy, which takes a quarter of the time."""
    if x.device.type != "cpu":
        return x.median(-1).values
    middle = (x.shape[-1] - 1) // 2
    return torch.from_numpy(np.partition(x.numpy(), middle, axis=-1)[..., middle])


def _quantiles(x: Tensor) -> Tensor:
    """The `_QUANTILES` along the last dimension, which comes first, interpolated."""
    ordered = x.sort(-1).values if x.device.type != "cpu" else torch.from_numpy(np.sort(x.numpy(), axis=-1))
    place = _QUANTILES * (x.shape[-1] - 1)
    below, above = place.floor().long(), place.ceil().long()
    weight = (place - below).to(x.device)
    return torch.lerp(ordered[..., below], ordered[..., above], weight).movedim(-1, 0)


def _inverse(x: Tensor, where: Tensor) -> Tensor:
    """1 / x there, and 0 elsewhere."""
    return torch.where(where, 1 / torch.where(where, x, 1.0), 0.0)


def _leading_spectra(x: Tensor, n: int, rounds: int = 3) -> Tensor:
    """The n leading right singular vectors by subspace iteration: (*, row, freq) → (*, freq, n), orthonormal."""
    start = torch.randn(x.shape[-1], n, generator=torch.Generator().manual_seed(0)).to(x)
    v = start.expand(*x.shape[:-2], -1, -1)
    for _ in range(rounds):
        v = x.mT @ (x @ v)
        gram = v.mT @ v
        ridge = 1e-6 * gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None] + 1e-20
        factor = torch.linalg.cholesky(gram + ridge * torch.eye(n).to(x))
        v = torch.linalg.solve_triangular(factor, v.mT, upper=False).mT
    return v


def _without(x: Tensor, v: Tensor) -> Tensor:
    """Rows of x less their part in the span of v's columns."""
    return x - (x @ v) @ v.mT

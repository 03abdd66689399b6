"""Smooth curves (sines and S-curves): the forward algorithm over place and slope, in steps of a tracklet of 12 rows.

    states: place in quarters of a channel × slope in quarters of a channel a tracklet
    step:   probability · exp(tracklet), then the place moves by the slope, then the slope may change a little

Two chains run side by side, one whose slope rarely changes and one whose slope often does. Between two ON panels (an
OFF panel and two slews) the path goes on with its slope, or comes back somewhere near with any slope.

Such a path can do more than the simulator's curves, and the chain does not know that a sine returns. The ratio is still
a likelihood ratio (it averages to 1 over noise), but a lower one than the ideal observer's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.ideal.tracklet import ROWS, tracklets
from abacad.signal.cadence import Axes
from abacad.signal.compiled import compiled

STEEPEST = 20
"""Quarters of a channel that a path moves within a tracklet at most: 5 channels in 12 rows, 114 in a panel of 273."""
_MOST = 2  # quarters of a channel a tracklet by which a slope changes at most
_BENDS = ((0.97, 0.012, 0.003), (0.6, 0.15, 0.05))  # probability to keep the slope, to change it by ±1, by ±2
_SLOPES = 3.0  # scale of the slopes' two-sided exponential prior
_STRAY = 0.45  # probability that a path bends while no ON panel sees it; half of the sines have periods below a panel
_WANDER = 81  # quarters of a channel to either side in which it then comes back: 20 channels, a swing of 15 and a drift


@dataclass(frozen=True)
class CurveModel:
    """Constants of the chains.

    Attributes:
        slopes: quarters of a channel per tracklet.
        prior: (slope,) probability.
        bend: (chain, slope from, slope to) probability.
        gap: tracklets between the end of an ON panel and the start of the next.
        dark: probability that the emission is absent from an ON panel.
    """

    slopes: list[int]
    prior: Float[Tensor, " slope"]
    bend: Float[Tensor, "chain slope slope"]
    gap: float
    dark: float


def curve_model(axes: Axes, partial: float) -> CurveModel:
    """The chains for a simulation's axes."""
    slopes = list(range(-STEEPEST, STEEPEST + 1))
    prior = np.exp(-np.abs(slopes) / _SLOPES)
    change = np.abs(np.subtract.outer(slopes, slopes))
    bend = np.stack([np.select([change == step for step in range(3)], row, 0.0) for row in _BENDS])
    bend /= bend.sum(2, keepdims=True)
    gap = (2 * axes.panel_period_s - axes.panel_s) / axes.dt_s / ROWS  # 26 tracklets, 337 s, in the competition
    return CurveModel(
        slopes, torch.from_numpy(prior / prior.sum()).float(), torch.from_numpy(bend).float(), gap, partial / 2
    )


def curve_ratios(panels: Sequence[Float[Tensor, "tone time place"]], model: CurveModel) -> Float[Tensor, "chain tone"]:
    """Log likelihood ratio of a curve through panels that follow one another like the ON panels.

    Args:
        panels: log likelihood ratios of each, from `pixel.tone_ratios`.
        model: the chains.
    """
    n_slope, (n_tone, _, n_place) = len(model.slopes), panels[0].shape
    state = (model.prior[:, None, None] / n_place).expand(len(_BENDS), n_slope, n_tone, n_place).contiguous()
    scale = torch.zeros(len(_BENDS), n_tone)
    pieces = None
    for number, ratios in enumerate(panels):
        lasts = number == len(panels) - 1
        pieces = tracklets(ratios, STEEPEST, pieces)
        missed = state.clone() if lasts else _over_gap(state, model, pieces.shape[2])
        gained = _through(state, pieces, model)
        # The path was lit in this panel or dark. The two states carry different logarithmic factors, and both are
        # brought to the larger one before they are added, so that neither exponential overflows.
        larger = gained.clamp(min=0)
        lit = (1 - model.dark) * (gained - larger).exp()[:, None, :, None]
        state = (lit * state).add_(model.dark * (-larger).exp()[:, None, :, None] * missed)
        scale += larger
        if not lasts:
            state = _over_gap(state, model, model.gap)
    return state.sum((1, 3)).clamp(min=1e-37).log() + scale


def _through(
    state: Float[Tensor, "chain slope tone place"], pieces: Float[Tensor, "slope tone piece place"], model: CurveModel
) -> Float[Tensor, "chain tone"]:
    """Follow the paths through a panel; returns the logarithms of what the state was divided by.

    State and pieces are overwritten, the latter by their exponentials.
    """
    top = pieces.amax((0, 3)).clamp(min=0)  # taken out, so that exp cannot overflow; added back to the logarithms
    seen = pieces.sub_(top[:, :, None]).exp_()
    logs = _follow(state.numpy(), seen.numpy(), np.array(model.slopes), _band(model.bend.numpy()))
    return top.sum(1) + torch.from_numpy(logs)


def _band(bend: Float[np.ndarray, "chain slope slope"]) -> Float[np.ndarray, "chain slope 5"]:
    """The probability that a slope comes from the one two below, one below, …, two above."""
    padded = np.pad(bend, ((0, 0), (_MOST, _MOST), (0, 0)))
    to = np.arange(bend.shape[-1])
    return np.stack([padded[:, to + step, to] for step in range(2 * _MOST + 1)], axis=-1)


@compiled
def _follow(state: np.ndarray, seen: np.ndarray, slopes: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Piece by piece: weigh by what is seen, move on by the slope, let the slope change, divide by the sum."""
    n_chain, n_slope, n_tone, n_place = state.shape
    n_piece = seen.shape[2]
    logs = np.zeros((n_chain, n_tone), np.float32)
    # Slopes of zeros at either side: the steepest ones change to no steeper one.
    moved = np.zeros((n_slope + 2 * _MOST, n_place), np.float32)
    for chain in range(n_chain):
        for tone in range(n_tone):
            factor, total_log = np.float32(1), 0.0
            for piece in range(n_piece):
                for s in range(n_slope):
                    _weigh_and_move(state[chain, s, tone], seen[s, tone, piece], factor, slopes[s], moved[s + _MOST])
                total = 0.0
                for s in range(n_slope):
                    total += _mix(moved, s, band[chain, s], state[chain, s, tone])
                total = max(total, 1e-37)
                factor = np.float32(1 / total)
                total_log += np.log(total)
            for s in range(n_slope):
                for i in range(n_place):
                    state[chain, s, tone, i] *= factor
            logs[chain, tone] = total_log
    return logs


@compiled
def _weigh_and_move(state: np.ndarray, seen: np.ndarray, factor: float, shift: int, out: np.ndarray) -> None:
    """out(i + shift) = state(i) · seen(i) · factor; what leaves the window is lost."""
    n = len(out)
    low, high = max(0, -shift), min(n, n - shift)
    for i in range(min(n, max(0, shift))):
        out[i] = 0
    for i in range(max(0, high + shift), n):
        out[i] = 0
    for i in range(low, high):
        out[i + shift] = state[i] * seen[i] * factor


@compiled
def _mix(moved: np.ndarray, slope: int, share: np.ndarray, out: np.ndarray) -> float:
    """The sum over the slopes that a slope may come from, with their shares; returns the sum over all places."""
    a, b, c, d, e = moved[slope], moved[slope + 1], moved[slope + 2], moved[slope + 3], moved[slope + 4]
    total = np.float32(0)
    for i in range(len(out)):
        value = share[0] * a[i] + share[1] * b[i] + share[2] * c[i] + share[3] * d[i] + share[4] * e[i]
        out[i] = value
        total += value
    return float(total)


def _over_gap(
    state: Float[Tensor, "chain slope tone place"], model: CurveModel, gap: float
) -> Float[Tensor, "chain slope tone place"]:
    """The state after `gap` tracklets that no ON panel saw.

    Either the path went straight on, blurred by the half step to which its slope is known, or it bent and is anywhere
    within `_WANDER` with a slope from the prior.
    """
    shifts = np.array([round(slope * gap) for slope in model.slopes])
    half, width = max(1, round(gap / 2)), min(_WANDER, state.shape[-1] // 2)
    return torch.from_numpy(_gone(state.numpy(), shifts, half, width, model.prior.numpy()))


@compiled
def _gone(state: np.ndarray, shifts: np.ndarray, half: int, width: int, prior: np.ndarray) -> np.ndarray:
    n_chain, n_slope, n_tone, n_place = state.shape
    out = np.empty_like(state)
    line, blurred = np.empty(n_place, np.float32), np.empty(n_place, np.float32)
    anywhere, near = np.empty(n_place, np.float32), np.empty(n_place, np.float32)
    nothing = np.ones(n_place, np.float32)
    for chain in range(n_chain):
        for tone in range(n_tone):
            anywhere[:] = 0
            for s in range(n_slope):
                for i in range(n_place):
                    anywhere[i] += state[chain, s, tone, i]
            _mean_around(anywhere, width, near)
            for s in range(n_slope):
                _weigh_and_move(state[chain, s, tone], nothing, np.float32(1), shifts[s], line)
                _mean_around(line, half, blurred)
                straight, stray = np.float32(1 - _STRAY), np.float32(_STRAY) * prior[s]
                for i in range(n_place):
                    out[chain, s, tone, i] = straight * blurred[i] + stray * near[i]
    return out


@compiled
def _mean_around(values: np.ndarray, half: int, out: np.ndarray) -> None:
    """Means over `half` places to either side; there is nothing beyond the ends."""
    n = len(values)
    total = 0.0  # in 64 bits: a running sum in 32 would leave as much as the largest value's rounding behind it
    for i in range(min(half, n)):
        total += values[i]
    for i in range(n):
        if i + half < n:
            total += values[i + half]
        if i > half:
            total -= values[i - half - 1]
        out[i] = max(total, 0.0) / (2 * half + 1)

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
from torch.nn import functional as F

from abacad.ideal.tracklet import ROWS
from abacad.signal.cadence import Axes

STEEPEST = 20
"""Quarters of a channel that a path moves within a tracklet at most: 5 channels in 12 rows, 114 in a panel of 273."""
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


def curve_ratios(
    panels: Sequence[Float[Tensor, "slope tone piece place"]], model: CurveModel
) -> Float[Tensor, "chain tone"]:
    """Log likelihood ratio of a curve through panels that follow one another like the ON panels.

    Args:
        panels: tracklets with slopes up to STEEPEST.
        model: the chains.
    """
    n_slope, n_tone, n_piece, n_place = panels[0].shape
    state = (model.prior[:, None, None] / n_place).expand(n_slope, n_tone, n_place)
    state = state.expand(len(_BENDS), *state.shape).contiguous()
    scale = torch.zeros(len(_BENDS), n_tone)
    for number, pieces in enumerate(panels):
        dark, before = state, scale
        for piece in range(n_piece):
            gained = pieces[:, :, piece]
            top = gained.amax((0, 2)).clamp(min=0)  # taken out, so that exp cannot overflow; added back to the scale
            state = _bent(_moved(state * (gained - top[:, None]).exp(), model.slopes, 1), model)
            total = state.sum((1, 3)).clamp(min=1e-37)
            state /= total[:, None, :, None]
            scale = scale + top + total.log()
        lasts = number == len(panels) - 1
        lit_share = 1 - model.dark
        missed = dark if lasts else _over_gap(dark, model, n_piece)
        # The path was lit in this panel or dark. The two states carry different logarithmic factors, `scale` and
        # `before`; both are brought to the larger one before they are added, so that neither exponential overflows.
        larger = torch.maximum(scale, before)
        lit = lit_share * (scale - larger).exp()[:, None, :, None]
        state = lit * state + model.dark * (before - larger).exp()[:, None, :, None] * missed
        scale = larger
        if not lasts:
            state = _over_gap(state, model, model.gap)
    return state.sum((1, 3)).clamp(min=1e-37).log() + scale


def _moved(
    state: Float[Tensor, "chain slope tone place"], slopes: list[int], times: float
) -> Float[Tensor, "chain slope tone place"]:
    """Places moved on by each slope, `times` tracklets long; what leaves the window is lost."""
    out = torch.zeros_like(state)
    n_place = state.shape[-1]
    for number, slope in enumerate(slopes):
        shift = round(slope * times)
        if 0 <= shift < n_place:
            out[:, number, :, shift:] = state[:, number, :, : n_place - shift]
        elif -n_place < shift < 0:
            out[:, number, :, :shift] = state[:, number, :, -shift:]
    return out


def _bent(state: Float[Tensor, "chain slope tone place"], model: CurveModel) -> Float[Tensor, "chain slope tone place"]:
    """The state after each slope may have changed by up to 2 quarters of a channel a tracklet."""
    return torch.bmm(model.bend.transpose(1, 2), state.flatten(2)).view_as(state)


def _over_gap(
    state: Float[Tensor, "chain slope tone place"], model: CurveModel, gap: float
) -> Float[Tensor, "chain slope tone place"]:
    """The state after `gap` tracklets that no ON panel saw.

    Either the path went straight on, blurred by the half step to which its slope is known, or it bent and is anywhere
    within `_WANDER` with a slope from the prior.
    """
    n_place = state.shape[-1]
    half = max(1, round(gap / 2))
    moved = _moved(state, model.slopes, gap)
    straight = F.avg_pool1d(F.pad(moved.flatten(0, 2), (half, half)), 2 * half + 1, 1).view_as(state)
    width = min(_WANDER, n_place // 2)
    anywhere = F.avg_pool1d(F.pad(state.sum(1).flatten(0, 1), (width, width)), 2 * width + 1, 1)
    near = anywhere.view(state.shape[0], 1, *state.shape[2:]) * model.prior[None, :, None, None]
    return (1 - _STRAY) * straight + _STRAY * near

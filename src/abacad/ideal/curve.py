"""Smooth curves (sines and S-curves): the forward algorithm over place and slope, in steps of a tracklet of 12 rows.

    states: a quarter of a channel × slope, in quarters of a channel a tracklet
    step:   mass · exp(tracklet), then the place moves by the slope, then the slope may change a little

Two chains, a steady and a lively one. Between two ON panels the path goes on with its slope, or anywhere near. This is
a wider prior than the generator's, and it does not know that a sine returns: the ratio is valid, and less than ideal.
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
_BENDS = ((0.97, 0.012, 0.003), (0.6, 0.15, 0.05))  # probability to keep the slope, to change it by 1, by 2
_SLOPES = 3.0  # scale of the slopes' two-sided exponential prior
_STRAY = 0.45  # probability that a path bends between two panels
_WANDER = 81  # quarters of a channel to either side that it then comes back in


@dataclass(frozen=True)
class CurveModel:
    """Constants of the chains.

    Attributes:
        slopes: quarters of a channel per tracklet.
        prior: (slope,) probability.
        bend: (chain, slope from, slope to) probability.
        gap: tracklets between the end of an ON panel and the start of the next.
        dark: probability that the emission misses from an ON panel.
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
    gap = (2 * axes.panel_period_s - axes.panel_s) / axes.dt_s / ROWS
    return CurveModel(
        slopes, torch.from_numpy(prior / prior.sum()).float(), torch.from_numpy(bend).float(), gap, partial / 2
    )


def curve_ratios(
    panels: Sequence[Float[Tensor, "slope kind piece place"]], model: CurveModel
) -> Float[Tensor, "chain kind"]:
    """Log likelihood ratio of a curve through panels that follow one another like the ON panels.

    Args:
        panels: tracklets with slopes up to STEEPEST.
        model: the chains.
    """
    n_slope, n_kind, n_piece, n_place = panels[0].shape
    state = (model.prior[:, None, None] / n_place).expand(n_slope, n_kind, n_place)
    state = state.expand(len(_BENDS), *state.shape).contiguous()
    scale = torch.zeros(len(_BENDS), n_kind)
    for number, pieces in enumerate(panels):
        dark, before = state, scale
        for piece in range(n_piece):
            gained = pieces[:, :, piece]
            top = gained.amax((0, 2)).clamp(min=0)
            state = _bent(_moved(state * (gained - top[:, None]).exp(), model.slopes, 1), model)
            total = state.sum((1, 3)).clamp(min=1e-37)
            state /= total[:, None, :, None]
            scale = scale + top + total.log()
        lasts = number == len(panels) - 1
        lit_share = 1 - model.dark
        missed = dark if lasts else _over_gap(dark, model, n_piece)
        # both ways on, on one scale
        least = torch.maximum(scale, before)
        lit = lit_share * (scale - least).exp()[:, None, :, None]
        state = lit * state + model.dark * (before - least).exp()[:, None, :, None] * missed
        scale = least
        if not lasts:
            state = _over_gap(state, model, model.gap)
    return state.sum((1, 3)).clamp(min=1e-37).log() + scale


def _moved(
    state: Float[Tensor, "chain slope kind place"], slopes: list[int], times: float
) -> Float[Tensor, "chain slope kind place"]:
    """Places moved on by each slope, so many times; what leaves the window is lost."""
    out = torch.zeros_like(state)
    n_place = state.shape[-1]
    for number, slope in enumerate(slopes):
        shift = round(slope * times)
        if 0 <= shift < n_place:
            out[:, number, :, shift:] = state[:, number, :, : n_place - shift]
        elif -n_place < shift < 0:
            out[:, number, :, :shift] = state[:, number, :, -shift:]
    return out


def _bent(state: Float[Tensor, "chain slope kind place"], model: CurveModel) -> Float[Tensor, "chain slope kind place"]:
    """Slopes changed a little."""
    return torch.bmm(model.bend.transpose(1, 2), state.flatten(2)).view_as(state)


def _over_gap(
    state: Float[Tensor, "chain slope kind place"], model: CurveModel, gap: float
) -> Float[Tensor, "chain slope kind place"]:
    """On through rows that nobody saw: straight on, as well as the slope is known, or anywhere near with any slope."""
    n_place = state.shape[-1]
    half = max(1, round(gap / 2))
    moved = _moved(state, model.slopes, gap)
    straight = F.avg_pool1d(F.pad(moved.flatten(0, 2), (half, half)), 2 * half + 1, 1).view_as(state)
    width = min(_WANDER, n_place // 2)
    anywhere = F.avg_pool1d(F.pad(state.sum(1).flatten(0, 1), (width, width)), 2 * width + 1, 1)
    near = anywhere.view(state.shape[0], 1, *state.shape[2:]) * model.prior[None, :, None, None]
    return (1 - _STRAY) * straight + _STRAY * near

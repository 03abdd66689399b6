"""What may happen along a straight path, row by row: it is whole, cut, pulsed or twinkling, in ON or OFF panels.

Only the most likely paths of `line` are looked at this closely. A pulsed line's regular period is replaced by a chain
that is lit and dark for geometric times, a scintillating one's smooth intensity by one that is kept for a while and
then drawn anew from the exponential law: both are close, not exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from abacad.ideal.kinds import Kinds
from abacad.ideal.line import LineGrid
from abacad.ideal.pixel import QUARTERS
from abacad.ideal.tracklet import ROWS
from abacad.signal.cadence import ON, Axes

Rows = Float[Tensor, "kind path time"]
"""Log ratios of each row along each path, for each amplitude and width."""

_RUNS = (2.0, 6.0, 18.0)  # rows that a pulsed line stays lit or dark
_SCALES = (0.05, 0.17, 0.55)  # panels that an intensity is kept
_EDGES = 24


@dataclass(frozen=True)
class Chosen:
    """Some paths of a grid.

    Attributes:
        at: positions in the grid's flattened (drift, place).
        place: (path, panel, time) quarters of a channel; −1 outside the window.
    """

    at: Int[Tensor, " path"]
    place: Int[Tensor, "path panel time"]


def choose(ratios: Float[Tensor, "drift place"], grid: LineGrid, axes: Axes, n_path: int) -> Chosen:
    """The `n_path` most likely paths."""
    at = ratios.flatten().topk(min(n_path, ratios.numel())).indices
    n_place = ratios.shape[1]
    drift = torch.from_numpy(grid.drift).float()[at // n_place]
    rows = (torch.arange(axes.n_time) + 0.5) * (axes.dt_s / axes.panel_period_s)
    since = torch.arange(grid.start.shape[1])[:, None] - ON[1] + rows
    place = (at % n_place)[:, None, None] + (QUARTERS * drift[:, None, None] * since).round().long()
    return Chosen(at, torch.where((place >= 0) & (place < n_place), place, -1))


def rows_along(ratios: Float[Tensor, "kind time place"], place: Int[Tensor, "path time"]) -> Rows:
    """Log ratios of each row of a panel along paths; 0 outside the window."""
    row = torch.arange(ratios.shape[1]) * ratios.shape[2]
    found = ratios.flatten(1)[:, (row + place.clamp(min=0)).flatten()]
    return found.view(len(ratios), *place.shape) * (place >= 0)


def cut_ratio(panels: Mapping[int, Rows], share: Float[np.ndarray, " edge"]) -> Float[Tensor, "kind path"]:
    """Log ratio of lines in all ON panels that start late or end early, averaged over when.

    Args:
        panels: rows of the ON panels.
        share: (edge,) probability that this many edges' worth of rows is missing, from `missing_rows`.
    """
    rows = torch.cat([panels[panel] for panel in ON], -1)
    so_far = torch.nn.functional.pad(rows.cumsum(-1), (1, 0))
    edge = torch.linspace(0, rows.shape[-1], len(share)).round().long()
    weight = torch.from_numpy(np.log(share / 2)).float()
    late = so_far[..., -1:] - so_far[..., edge]
    early = so_far[..., rows.shape[-1] - edge]
    return torch.logsumexp(torch.cat([late + weight, early + weight], -1), -1)


def missing_rows() -> Float[np.ndarray, " edge"]:
    """How much of a cut needle is missing: a share u · v, both uniform (see `needle`), at the middles of 24 bins."""
    edges = np.concatenate([[0], np.arange(_EDGES) + 0.5, [_EDGES]]) / _EDGES
    inner = edges[1:-1]
    below = np.concatenate([[0], inner * (1 - np.log(inner)), [1]])  # P(u v < x) = x (1 − log x)
    return np.diff(below)


def pulsed_ratio(rows: Rows) -> Float[Tensor, "run_kind path"]:
    """Log ratio of one panel when the line is lit half of the time, for each of three run lengths."""
    change = 1 / torch.tensor(_RUNS)[:, None, None]
    lit = torch.full((len(_RUNS), *rows.shape[:2]), 0.5)
    dark = lit.clone()
    scale = torch.zeros_like(lit)
    factors = rows.clamp(-20, 20).exp().unbind(-1)
    for number, factor in enumerate(factors):
        lit, dark = ((1 - change) * lit + change * dark) * factor, (1 - change) * dark + change * lit
        if number % 3 == 2 or number == len(factors) - 1:
            total = lit + dark
            scale += total.log()
            lit, dark = lit / total, dark / total
    return scale.flatten(0, 1)


def twinkling_ratio(rows: Rows, kinds: Kinds, axes: Axes) -> Float[Tensor, "scale_kind path"]:
    """Log ratio of one panel when the intensity is drawn anew now and then, for each mean amplitude and time scale."""
    n_piece = -(-rows.shape[-1] // ROWS)
    pieces = torch.nn.functional.pad(rows, (0, n_piece * ROWS - rows.shape[-1])).unflatten(-1, (n_piece, ROWS)).sum(-1)
    by_level = pieces.unflatten(0, (len(kinds.amplitudes), len(kinds.widths)))
    levels = torch.cat([torch.zeros_like(by_level[:1]), by_level], 0)  # (level, width, path, piece)
    law = kinds.exponential()  # (amplitude, level)
    keep = torch.exp(-ROWS * axes.dt_s / axes.panel_period_s / torch.tensor(_SCALES))[:, None, None, None, None]
    prior = law[:, None, None].expand(-1, *levels.shape[1:3], -1)  # (amplitude, width, path, level)
    state = prior.expand(len(_SCALES), *prior.shape)
    scale = torch.zeros(state.shape[:-1])
    for piece in range(n_piece):
        gained = levels[..., piece].movedim(0, -1)  # (width, path, level)
        top = gained.amax(-1, keepdim=True)
        state = state * (gained - top).exp()
        total = state.sum(-1, keepdim=True)
        scale += total[..., 0].clamp(min=1e-37).log() + top[..., 0]
        state = keep * state / total.clamp(min=1e-37) + (1 - keep) * prior
    return scale.flatten(0, 2)

"""What may happen along a straight path, row by row: it is whole, cut, pulsed or twinkling, in ON or OFF panels.

`line` sums whole panels; a line that is cut, pulsed or twinkling needs its rows one by one. That is affordable for the
likeliest few hundred paths only, and all others count as whole lines.

Two families are close, not exact. A pulsed line has a regular period; here it is a chain that stays lit or dark for
geometric times. A scintillating line's intensity glides; here it keeps a value for a while and then draws a new one
from the exponential law.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from abacad.ideal.line import LineGrid
from abacad.ideal.pixel import QUARTERS
from abacad.ideal.tones import Tones
from abacad.ideal.tracklet import ROWS
from abacad.signal.cadence import ON, Axes
from abacad.signal.chance import log_uniform
from abacad.simulator.needle import missing_below
from abacad.simulator.shape import SCINTILLATION_SCALE

Rows = Float[Tensor, "tone path time"]
"""Log ratios of each row along each path, for each amplitude and width."""

# Mean rows that a pulsed line stays lit, or dark: half a period, and periods are log-uniform from 2 rows to a fifth of
# a panel, 55 rows in the competition.
_RUNS = (2.0, 6.0, 18.0)
# Panel periods that an intensity is kept: the middles of three equally likely parts of the simulator's range.
_SCALES = tuple(log_uniform((np.arange(3) + 0.5) / 3, SCINTILLATION_SCALE).tolist())
_EDGES = 24  # of a cut line, over three panels: one each 34 rows of 819


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
    """The `n_path` most likely paths.

    Args:
        ratios: of every path, from `line_ratios`.
        grid: the paths.
        axes: rows and times of a panel, with equal gaps between panels.
        n_path: how many; all of them where the grid has fewer.
    """
    at = ratios.flatten().topk(min(n_path, ratios.numel())).indices
    n_place = ratios.shape[1]
    drift = torch.from_numpy(grid.drift).float()[at // n_place]
    rows = (torch.arange(axes.n_time) + 0.5) * (axes.dt_s / axes.panel_period_s)
    since = torch.arange(grid.start.shape[1])[:, None] - ON[1] + rows
    place = (at % n_place)[:, None, None] + (QUARTERS * drift[:, None, None] * since).round().long()
    return Chosen(at, torch.where((place >= 0) & (place < n_place), place, -1))


def rows_along(ratios: Float[Tensor, "tone time place"], place: Int[Tensor, "path time"]) -> Rows:
    """Log ratios of each row of a panel along paths; 0 outside the window."""
    row = torch.arange(ratios.shape[1]) * ratios.shape[2]
    along = ratios.flatten(1)[:, (row + place.clamp(min=0)).flatten()]
    return along.view(len(ratios), *place.shape) * (place >= 0)  # a log ratio of 0 says nothing either way


def cut_ratio(panels: Mapping[int, Rows], share: Float[np.ndarray, " edge"]) -> Float[Tensor, "tone path"]:
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
    """(edge,) probability that 0, 1, …, 24 24ths of a cut needle are missing, to the nearest; they add up to 1."""
    edges = np.concatenate([[0], np.arange(_EDGES) + 0.5, [_EDGES]]) / _EDGES
    return np.diff([missing_below(float(edge)) for edge in edges])


def pulsed_ratio(rows: Rows) -> Float[Tensor, "run_tone path"]:
    """Log ratio of one panel when the line is lit half of the time, for each of three run lengths.

    The forward algorithm of a chain with two states: it changes state with probability 1 / run length after each row,
    and a lit row contributes its ratio.
    """
    change = 1 / torch.tensor(_RUNS)[:, None, None]
    lit = torch.full((len(_RUNS), *rows.shape[:2]), 0.5)
    dark = lit.clone()
    scale = torch.zeros_like(lit)
    factors = rows.clamp(-20, 20).exp().unbind(-1)
    for number, factor in enumerate(factors):
        lit, dark = ((1 - change) * lit + change * dark) * factor, (1 - change) * dark + change * lit
        # three rows of e^20 at most keep float32 in range; dividing after each row would take three times as long
        if number % 3 == 2 or number == len(factors) - 1:
            total = lit + dark
            scale += total.log()
            lit, dark = lit / total, dark / total
    return scale.flatten(0, 1)


def twinkling_ratio(rows: Rows, tones: Tones, axes: Axes) -> Float[Tensor, "scale_tone path"]:
    """Log ratio of one panel when the intensity is drawn anew now and then, for each mean amplitude and time scale.

    The forward algorithm over intensity levels, in steps of 12 rows: within a step an intensity keeps its level.
    """
    n_piece = -(-rows.shape[-1] // ROWS)
    pieces = torch.nn.functional.pad(rows, (0, n_piece * ROWS - rows.shape[-1])).unflatten(-1, (n_piece, ROWS)).sum(-1)
    by_level = pieces.unflatten(0, (len(tones.amplitudes), len(tones.widths)))
    levels = torch.cat([torch.zeros_like(by_level[:1]), by_level], 0)  # (level, width, path, piece)
    law = tones.exponential()  # (amplitude, level); level 0 is dark, whose ratio is 1
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

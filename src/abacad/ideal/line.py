"""Straight paths through all panels at once: a grid over drift and place, the panels' sums added up along each.

    LR = mean over (drift, place, amplitude, width) of  Σ over lit panels P(lit) · Π over lit panels exp(sum along path)

Drifts are a quarter of a channel a panel apart, places a quarter of a channel: a needle strays from the nearest path by
about a tenth of a channel (rms). A path has to stay in the window while it is lit, as the needles do.

This is a de-doppler like `abacad.signal.drift.dedoppler`, and has its own code for two reasons: it sums log likelihood
ratios of every amplitude and width at quarters of a channel (the power of a tone between two
channels is split, and the ratio knows how), and it shares the sums of 12 rows (`tracklet`) with the curves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from abacad.ideal.lit import needle_patterns, over_patterns
from abacad.ideal.pixel import QUARTERS
from abacad.ideal.tracklet import ROWS, add_moved
from abacad.signal.cadence import N_PANELS, ON
from abacad.signal.compiled import compiled
from abacad.signal.drift import bins_per_panel
from abacad.simulator.needle import MARGIN
from abacad.simulator.settings import Simulation

_STEP = 0.25  # channels a panel period: half a step is 0.36 channels at the end of the last ON panel, 2.9 periods on
_AT_ONCE = 48  # drifts times tones, each of 4 kB in the competition: as many as a core's cache holds
_MARGIN = MARGIN - 0.5  # channels that a path keeps from the edge: half a channel less than needles, as it is rounded


@dataclass(frozen=True, eq=False)
class LineGrid:
    """Drifts and the geometry of paths on them; places are quarters of a channel in the middle ON panel's first row.

    Attributes:
        drift: (drift,) channels a panel period.
        log_prior: (drift,) log probability, of the simulator's log-uniform drifts.
        slope: (drift,) number of the panel slope that stands for each drift.
        slopes: (slope,) channels a panel period, whole numbers.
        start: (drift, panel) quarters of a channel from a path's place to where its line in a panel starts.
        piece: (slope, piece + 1) quarters of a channel from there to the start of each tracklet of the panel.
        inside: (drift, panel, place) whether a path is in the window throughout a panel.
    """

    drift: Float[np.ndarray, " drift"]
    log_prior: Float[Tensor, " drift"]
    slope: Int[np.ndarray, " drift"]
    slopes: Float[np.ndarray, " slope"]
    start: Int[np.ndarray, "drift panel"]
    piece: Int[np.ndarray, "slope edge"]
    inside: Bool[Tensor, "drift panel place"]

    @property
    def steepest(self) -> int:
        """Most quarters of a channel that a path moves within a tracklet."""
        return int(np.abs(np.diff(self.piece, axis=1)).max())


def line_grid(simulation: Simulation) -> LineGrid:
    """The grid for a simulation's axes and drifts."""
    axes = simulation.axes
    low, high = (bins_per_panel(drift, axes) for drift in simulation.needles.drift_hz_s)
    drift, prior = _drifts(low, high)
    slopes = np.arange(round(drift.min()), round(drift.max()) + 1, dtype=float)
    slope = np.round(drift).astype(int) - int(slopes[0])
    share = axes.panel_s / axes.panel_period_s
    # Sums of a panel are made for whole slopes only, a quarter of the drifts: a path takes the nearest one, turned
    # about the panel's middle, so that it is off by 0.25 channels at the panel's ends at most.
    at_panel = np.arange(N_PANELS) - ON[1]
    start = QUARTERS * (drift[:, None] * at_panel + (drift - slopes[slope])[:, None] * share / 2)
    n_piece = -(-axes.n_time // ROWS)
    piece = QUARTERS * slopes[:, None] * np.arange(n_piece + 1) * ROWS * axes.dt_s / axes.panel_period_s
    return LineGrid(
        drift=drift,
        log_prior=torch.from_numpy(np.log(prior)).float(),
        slope=slope,
        slopes=slopes,
        start=np.round(start).astype(int),
        piece=np.round(piece).astype(int),
        inside=_inside(drift[:, None] * at_panel, drift[:, None] * share, axes.n_freq),
    )


def _inside(
    offset: Float[np.ndarray, "*shape"], length: Float[np.ndarray, "*#shape"], n_freq: int
) -> Bool[Tensor, "*shape place"]:
    """Whether paths that begin `offset` channels from a place, and end `length` from there, stay in the window."""
    begins = offset[..., None] + np.arange(QUARTERS * n_freq) / QUARTERS
    ends = begins + length[..., None]
    inside = (np.minimum(begins, ends) >= _MARGIN) & (np.maximum(begins, ends) <= n_freq - 1 - _MARGIN)
    return torch.from_numpy(inside)


def _drifts(low: float, high: float) -> tuple[Float[np.ndarray, " drift"], Float[np.ndarray, " drift"]]:
    """Drifts of both signs in channels a panel period, with their prior probabilities, which add up to 1.

    The simulator draws log-uniformly, so a cell has the probability log(its upper / its lower edge) / log(high / low).
    """
    number = np.arange(max(0, int(low / _STEP)), int(np.ceil(high / _STEP)) + 1)
    edges = np.clip(np.append(number - 0.5, number[-1] + 0.5) * _STEP, low, high)
    mass = np.diff(np.log(edges)) / max(np.log(high / low), 1e-9) if high > low else (number == number[-1]) * 1.0
    kept = mass > 0
    drift = number[kept] * _STEP
    return np.concatenate([-drift[::-1], drift]), np.concatenate([mass[kept][::-1], mass[kept]]) / 2


def along_slopes(pieces: Float[Tensor, "slope tone piece place"], grid: LineGrid) -> Float[Tensor, "drift tone place"]:
    """Sums through a whole panel for each of the grid's panel slopes, by the place where the path enters."""
    return torch.from_numpy(_along(pieces.numpy(), grid.piece))


@compiled
def _along(pieces: np.ndarray, edges: np.ndarray) -> np.ndarray:
    n_tone, n_place = pieces.shape[1], pieces.shape[3]
    centre = len(pieces) // 2
    out = np.zeros((len(edges), n_tone, n_place), np.float32)
    for number in range(len(edges)):
        for piece in range(edges.shape[1] - 1):
            begin, end = edges[number, piece], edges[number, piece + 1]
            for tone in range(n_tone):
                add_moved(out[number, tone], pieces[centre + end - begin, tone, piece], begin)
    return out


def line_ratios(
    sums: Sequence[Float[Tensor, "slope tone place"]],
    grid: LineGrid,
    log_tone: Float[Tensor, " tone"],
    partial: float,
) -> Float[Tensor, "drift place"]:
    """Log of prior probability times likelihood ratio of every path; their sum is the ratio of a line.

    A path that is lit in an outer ON panel alone counts only if it lies in the window in the middle one, too: places
    are numbered by the middle panel.

    Args:
        sums: of each ON panel, from `along_slopes`.
        grid: the paths.
        log_tone: (tone,) log prior of amplitude and width.
        partial: share of the needles that are absent from one or two ON panels.
    """
    patterns = needle_patterns(partial)
    some = max(1, _AT_ONCE // len(log_tone))
    by_drift = []
    for first in range(0, len(grid.drift), some):
        part = slice(first, first + some)
        panels = {}
        for panel, given in zip(ON, sums, strict=True):
            moved = _moved(given.numpy(), grid.slope[part], grid.start[part, panel])
            panels[panel] = torch.from_numpy(moved)
        weights = [(lit, share * _allowed(grid, lit)[part, None]) for lit, share in patterns]
        ratio = torch.logsumexp(over_patterns(panels, weights) + log_tone[:, None], 1)
        by_drift.append(ratio + grid.log_prior[part, None])
    return torch.cat(by_drift)


@compiled
def _moved(sums: np.ndarray, slope: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The sums of each drift's slope, by the place that its path has in the middle ON panel."""
    n_tone, n_place = sums.shape[1:]
    out = np.zeros((len(slope), n_tone, n_place), np.float32)
    for number in range(len(slope)):
        for tone in range(n_tone):
            add_moved(out[number, tone], sums[slope[number], tone], start[number])
    return out


@lru_cache(maxsize=32)
def _allowed(grid: LineGrid, lit: tuple[int, ...]) -> Float[Tensor, "drift place"]:
    """Probability of each place of a path that lies in the window while it is lit.

    A fast path fits nowhere into a narrow window as a whole; it is then asked to be inside in the middle ON panel.
    """
    allowed = grid.inside[:, list(lit)].all(1)
    allowed = torch.where(allowed.any(1, keepdim=True), allowed, grid.inside[:, ON[1]]).float()
    return allowed / allowed.sum(1, keepdim=True).clamp(min=1)


def path_mass(grid: LineGrid, at: Tensor, n_place: int) -> Float[Tensor, " path"]:
    """Log prior of drift and place."""
    inside = grid.inside[:, list(ON)].all(1)
    room = torch.where(inside.any(1), inside.sum(1), grid.inside[:, ON[1]].sum(1)).clamp(min=1)
    return grid.log_prior[at // n_place] - room.log()[at // n_place]

"""The straight line that best tells the ON panels of a cadence from its OFF panels: a guide for the eye.

    S_p(d, f) = sum of panel p along a path, in units of its spread over f
    chosen    = the path (d, f) with the largest  Σ_ON min(S, 15) − Σ_OFF max(0, S within two channels)
    strength  = Σ_ON S / √3 along it
    where that is faint:   the path with the largest Σ_all S / √6, which interference in all panels has

No panel counts for more than 15, so that a bright carrier which a path leaves after one panel does not win.

It is drawn beside what it follows and is no verdict: noise alone reaches a strength of some 5.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from abacad.model.classical import path_snr
from abacad.show.picture import Layout, averaged, in_sigma
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.drift import drift_grid
from abacad.types import CadenceArray

FAINTEST = 6.0
"""Strength below which noise explains a line."""

_MOST = 15.0  # what one panel can count

FAMILIES = ("drifting line", "standing line", "line in OFF panels too", "no straight line")


@dataclass(frozen=True)
class Line:
    """A straight path through a cadence.

    Attributes:
        channel: Where it is at the start of the cadence; may lie outside the window.
        drift_hz_s: Its drift.
        strength: How far its sum stands above the noise, in σ.
        family: Which of FAMILIES it is.
    """

    channel: float
    drift_hz_s: float
    strength: float
    family: str

    @property
    def or_none(self) -> "Line | None":
        """The line, or none where noise explains it: a guide along noise would claim a drift."""
        return self if self.strength >= FAINTEST else None


def best_line(cadence: CadenceArray, layout: Layout) -> Line:
    """The line of a cadence, searched in its averaged picture over drifts that cross the window or less."""
    pixels = torch.from_numpy(in_sigma(averaged(cadence, layout))).float()
    starts = [start / layout.row_s for start in layout.starts_s]
    n_total = math.ceil(starts[-1]) + layout.n_rows
    drifts = drift_grid(layout.n_channels / n_total, n_total)
    each = path_snr(pixels, drifts)
    near = F.max_pool1d(each[list(OFF)], 5, 1, 2)
    on = _aligned(each[list(ON)], drifts, torch.tensor(starts)[list(ON)])
    off = _aligned(near, drifts, torch.tensor(starts)[list(OFF)])
    strength = on.sum(0) / math.sqrt(len(ON))
    preferred = on.clamp_max(_MOST).sum(0) - off.clamp_min(0).sum(0)
    in_off = float(preferred.max()) < FAINTEST * math.sqrt(len(ON))
    if in_off:
        preferred = strength = _aligned(each, drifts, torch.tensor(starts)).sum(0) / math.sqrt(N_PANELS)
    best = int(preferred.argmax())
    drift, channel = float(drifts[best // layout.n_channels]), best % layout.n_channels
    found = float(strength.flatten()[best])
    wide = layout.axes.n_freq / layout.n_channels  # channels of the cadence in one of the picture
    return Line(
        (channel + 0.5 - drift / 2) * wide,  # the path runs through the middle of its first pixel
        drift * wide * layout.axes.df_hz / layout.row_s,
        found,
        _family(found, in_off, abs(drift) * n_total),
    )


def _family(strength: float, in_off: bool, crossed: float) -> str:
    if strength < FAINTEST:
        return FAMILIES[3]
    if in_off:
        return FAMILIES[2]
    return FAMILIES[1] if crossed < 1.5 else FAMILIES[0]


def _aligned(
    maps: Float[Tensor, "panel drift freq"], drifts: Float[Tensor, " drift"], starts: Float[Tensor, " panel"]
) -> Float[Tensor, "panel drift freq"]:
    """Maps by the channel at the start of the cadence; 0 where a path has left the window."""
    n_freq = maps.shape[-1]
    channel = torch.round(drifts[None, :, None] * starts[:, None, None]).long() + torch.arange(n_freq)
    inside = (channel >= 0) & (channel < n_freq)
    return maps.gather(-1, channel.clamp(0, n_freq - 1)) * inside

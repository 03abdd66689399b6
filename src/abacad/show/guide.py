"""Finds the straight line along which ON panels differ most from OFF panels, as a guide for the eye.

    S_p(d, f) = sum of panel p along a path, in units of its spread over f
    chosen    = the path (d, f) with the largest  Σ_ON min(S, 15) − Σ_OFF max(0, S within two channels)
    strength  = Σ_ON S / √3 along it
    where that is faint:   the path with the largest Σ_all S / √6, which interference in all panels has

The sum of a panel counts as 15 at most. Otherwise a bright carrier that a path meets in one panel alone would outweigh
a needle that stands in three.

The line is a guide and no detection: the highest of all paths through noise reaches a strength of about 5.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from abacad.model.classical import path_snr
from abacad.show.picture import Layout, averaged, in_sigma
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.drift import aligned, drift_grid
from abacad.types import CadenceArray

FAINTEST = 6.0
"""Strength, in σ, below which a line may be noise; the highest path through noise alone reaches about 5."""

# σ that one panel can add. Without a bound three of eight guides followed a carrier of 39 to 200 σ, not the needle;
# with 15 none did (docs/lab-notebook.md, "Looking").
_MOST = 15.0

FAMILIES = ("drifting line", "standing line", "line in OFF panels too", "no straight line")


@dataclass(frozen=True)
class Guide:
    """A straight path through a cadence, drawn on its picture to lead the eye.

    `abacad.searcher.path.Line` is the path on which a search measures a signal; a guide only shows where to look.

    Attributes:
        channel: Channel at the start of the cadence; may lie outside the window.
        drift_hz_s: Drift rate, Hz/s.
        strength: Sum along the line, in σ of such sums over noise.
        family: One of `FAMILIES`.
    """

    channel: float
    drift_hz_s: float
    strength: float
    family: str

    @property
    def or_none(self) -> "Guide | None":
        """The line; none where it may be noise, since a guide there would suggest a drift that is not measured."""
        return self if self.strength >= FAINTEST else None


def best_guide(cadence: CadenceArray, layout: Layout) -> Guide:
    """The straight path through a cadence that ON panels show and OFF panels do not.

    Args:
        cadence: (6, time, freq).
        layout: Size of the picture, and when its panels begin.

    It is sought in the averaged pixels of the picture: a person compares the guide with these, and there are fewer.
    Drifts reach from one edge of the window to the other.
    """
    pixels = torch.from_numpy(in_sigma(averaged(cadence, layout))).float()
    starts = torch.tensor(layout.starts_s) / layout.row_s
    n_total = math.ceil(layout.starts_s[-1] / layout.row_s) + layout.n_rows
    drifts = drift_grid(layout.n_channels / n_total, n_total)
    each = path_snr(pixels, drifts)
    # In OFF panels a path counts with the highest sum within two channels: interference seldom moves quite straight.
    near = F.max_pool1d(each[list(OFF)], 5, 1, 2)
    on = aligned(each[list(ON)], drifts, starts[list(ON)])
    off = aligned(near, drifts, starts[list(OFF)])
    strength = on.sum(0) / math.sqrt(len(ON))
    preferred = on.clamp_max(_MOST).sum(0) - off.clamp_min(0).sum(0)
    # Nothing in ON alone: then the brightest path of all panels is shown, to tell which interference stands there.
    in_off = float(preferred.max()) < FAINTEST * math.sqrt(len(ON))
    if in_off:
        preferred = strength = aligned(each, drifts, starts).sum(0) / math.sqrt(N_PANELS)
    best = int(preferred.argmax())
    drift, channel = float(drifts[best // layout.n_channels]), best % layout.n_channels
    height = float(strength.flatten()[best])
    wide = layout.axes.n_freq / layout.n_channels  # channels of the cadence in one of the picture
    return Guide(
        (channel + 0.5 - drift / 2) * wide,  # the path runs through the middle of its first pixel
        drift * wide * layout.axes.df_hz / layout.row_s,
        height,
        _family(height, in_off, abs(drift) * n_total),
    )


def _family(strength: float, in_off: bool, crossed: float) -> str:
    if strength < FAINTEST:
        return FAMILIES[3]
    if in_off:
        return FAMILIES[2]
    # A path that crosses less than 1.5 pixels over the whole cadence cannot be told from one that stands still.
    return FAMILIES[1] if crossed < 1.5 else FAMILIES[0]

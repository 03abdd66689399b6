"""Finds the straight line that stands in ON panels and not in OFF panels, as a guide for the eye.

    S_p(d, f) = sum of panel p along a path, in units of its spread over f
    evidence  = Σ_ON min(S, 6) − Σ_OFF max(0, S within two channels)
    guide     = of the paths (d, f) whose evidence reaches 6 √3, the one with the largest Σ_ON min(S, 15) − Σ_OFF …
    strength  = Σ_ON S / √3 along it
    else:       the path with the largest Σ_all S / √6, which interference in all panels has; it is told, not drawn

A path that tilts leaves a standing carrier between one panel and the next. It may take the carrier's power in an ON
panel and none of it in the OFF panels. So channels that are bright in an OFF panel, and their neighbours, are left out
of the sums of ON panels, and a panel counts as 6 at most as evidence: what a path meets in a single panel is not enough
to say that a line drifts through three. Among those that are enough, 15 at most lets the brighter line win.

The guide is drawn where it is sure: each ON panel shows it, or two do through most of their rows. Interference that
comes and goes fills some rows of a panel, and two such patches of a band always lie on some path.

The line is a guide and no detection: the highest of all paths through noise reaches a strength of about 5.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from abacad.model.classical import path_snr
from abacad.show.picture import LOWEST, N_GREYS, STEP, Layout, averaged, in_sigma
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.drift import aligned, drift_grid
from abacad.types import CadenceArray

FAINTEST = 6.0
"""Strength, in σ, below which a line may be noise; the highest path through noise alone reaches about 5."""

_ENOUGH = 6.0  # σ that one panel can add as evidence: three times 6 are needed, so that no panel is enough by itself

# σ that one panel can add where paths with enough evidence are compared. With 6 here, too, all paths near a bright line
# would tie, and the first of them be taken; without any bound one carrier that flares in an ON panel would win.
_MOST = 15.0

_SHOWN = 2.0  # σ from which on an ON panel shows a line; a panel without it passes 2 in one of 40 cases
_LIT, _STEADY = 0.5, 0.78  # σ above which a pixel is lit, and the share of a panel's pixels that a line lights

_HOT = 5.0  # σ of a channel's mean in an OFF panel; of 768 such means through noise the highest reaches about 3.2

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

    @property
    def is_drawn(self) -> bool:
        """Whether pictures show it: not where OFF panels have the line, too, nor where it is not sure."""
        return self.family not in FAMILIES[2:]


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
    on = aligned(path_snr(_without_standing(pixels), drifts), drifts, starts[list(ON)])
    # A needle may cross a carrier in an OFF panel. With no pixel above the whitest, a few rows of it weigh little.
    in_off = path_snr(pixels[list(OFF)].clamp_max(LOWEST + STEP * N_GREYS), drifts)
    # In OFF panels a path counts with the highest sum within two channels: interference seldom moves quite straight.
    off = aligned(F.max_pool1d(in_off, 5, 1, 2), drifts, starts[list(OFF)]).clamp_min(0).sum(0)
    strength = on.sum(0) / math.sqrt(len(ON))
    enough = on.clamp_max(_ENOUGH).sum(0) - off >= FAINTEST * math.sqrt(len(ON))
    preferred = (on.clamp_max(_MOST).sum(0) - off).where(enough, -torch.inf)
    in_off_too = not bool(enough.any())
    if in_off_too:
        preferred = strength = aligned(path_snr(pixels, drifts), drifts, starts).sum(0) / math.sqrt(N_PANELS)
    best = int(preferred.argmax())
    drift, channel = float(drifts[best // layout.n_channels]), best % layout.n_channels
    height = float(strength.flatten()[best])
    sure = in_off_too or _is_sure(on.flatten(1)[:, best], pixels[list(ON)], channel + drift * starts[list(ON)], drift)
    wide = layout.axes.n_freq / layout.n_channels  # channels of the cadence in one of the picture
    return Guide(
        (channel + 0.5 - drift / 2) * wide,  # the path runs through the middle of its first pixel
        drift * wide * layout.axes.df_hz / layout.row_s,
        height,
        _family(height if sure else 0.0, in_off_too, abs(drift) * n_total),
    )


def _is_sure(
    sums: Float[Tensor, " on"], pixels: Float[Tensor, "on row channel"], begins: Float[Tensor, " on"], drift: float
) -> bool:
    """Whether all ON panels show a path, or two of them through most of their rows.

    Args:
        sums: Sum of each panel along the path, σ of such sums.
        pixels: Pixels of the panels, σ.
        begins: Channel of the path at the start of each panel.
        drift: Channels a row.
    """
    shown = sums >= _SHOWN
    if bool(shown.all()):
        return True
    rows = torch.arange(pixels.shape[1])
    steady = []
    for panel, begin in zip(pixels[shown], begins[shown], strict=True):
        places = (begin + drift * rows).round().long()
        inside = (places >= 0) & (places < pixels.shape[2])
        steady.append(bool((panel[rows[inside], places[inside]] > _LIT).float().mean() >= _STEADY))
    return len(steady) > 1 and all(steady)


def _without_standing(pixels: Float[Tensor, "panel row channel"]) -> Float[Tensor, "on row channel"]:
    """The ON panels with 0 in each channel that is bright in an OFF panel, and in those next to it."""
    standing = path_snr(pixels[list(OFF)], torch.zeros(1))[:, 0].amax(0) >= _HOT
    near = F.max_pool1d(standing.float()[None], 3, 1, 1)[0] > 0
    return pixels[list(ON)] * ~near


def _family(strength: float, in_off: bool, crossed: float) -> str:
    if strength < FAINTEST:
        return FAMILIES[3]
    if in_off:
        return FAMILIES[2]
    # A path that crosses less than 1.5 pixels over the whole cadence cannot be told from one that stands still.
    return FAMILIES[1] if crossed < 1.5 else FAMILIES[0]

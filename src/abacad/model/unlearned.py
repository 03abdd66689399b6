"""Two statistics without learning: what lines, and what tracks, the ON panels have in excess of the OFF panels.

    excess_p(q) = max over f of  [ q_p(f) − max over OFF panels p', |f' − f| ≤ 4 of q_p'(f') ],    for each ON panel p
    line_p(f)   = max over drifts of the SNR of a straight path through panel p whose middle is at f
    track_p(f)  = mean over rows of the evidence, where positive, that a narrow-band path runs through the pixel at f
    score       = z(mean over p of excess_p(line)) + z(median over p of excess_p(track))

with z = (x − median) / spread over cadences without a needle.

Both look at the panels that `abacad.represent.binned` has cleaned of carriers, bursts and gains. Lines find needles
that drift evenly, tracks those that wander. Comparing at each frequency, not whole panels, is what rejects
interference. There is nothing to train: a learned detector has to beat this, not the bare search of `classical`.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from abacad.represent.binned import binned
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.drift import dedoppler, drift_grid
from abacad.types import Panels

Profiles = Float[Tensor, "batch panel freq"]
"""One value for each channel of each panel."""

_FASTEST = 36.0
"""Fastest drift that lines are sought along, in channels a panel."""
_NEAR = 4
"""Channels within which something in an OFF panel speaks against an ON panel."""
_WITHOUT_NEEDLE = {"line": (0.91, 0.37), "track": (0.50, 0.36)}
"""Median and spread of each excess over cadences of `kaggle` without a needle."""


def unlearned_score(panels: Panels, rows: int | None = None) -> Float[Tensor, " batch"]:
    """How much more the ON panels hold than the OFF panels, about 0 where there is no needle.

    Args:
        panels: (batch, 6, time, freq), any gain and offset of each panel.
        rows: Rows that are summed into one; none sums seven, or none of them where a panel has fewer than 64.
    """
    # as the panel network reads them: seven rows in one, or a panel of few rows as it is
    rows = rows or (7 if panels.shape[-2] >= 64 else 1)
    clean, evidence = binned(panels.float(), rows, ("clean", "track")).split(N_PANELS, dim=-3)
    lines, tracks = excess(line_profile(clean)), excess(evidence.clamp_min(0).mean(-2))
    # Lines by the mean: a straight one stands in all three ON panels. Tracks by the median: a wandering one is at
    # another place in each panel, and may be missing from one.
    by_name = {"line": lines.mean(1), "track": tracks.median(1).values}
    return torch.stack([(by_name[name] - middle) / spread for name, (middle, spread) in _WITHOUT_NEEDLE.items()]).sum(0)


def line_profile(clean: Panels) -> Profiles:
    """SNR of the best straight path through the middle of each channel of each panel."""
    n_time, n_freq = clean.shape[-2:]
    drifts = drift_grid(_FASTEST / n_time, n_time)
    sums = dedoppler(clean, drifts) / math.sqrt(n_time)  # by the channel in the first row
    first = torch.arange(n_freq) - torch.round(drifts * (n_time - 1) / 2).long()[:, None]
    inside = ((first >= 0) & (first < n_freq)).to(sums.device)
    first = first.clamp(0, n_freq - 1).to(sums.device)
    return (sums.gather(-1, first.expand_as(sums)) * inside).amax(-2)


def excess(profiles: Profiles) -> Float[Tensor, "batch on"]:
    """By how much the best channel of each ON panel exceeds all OFF panels near it."""
    against = F.max_pool1d(profiles[:, OFF].amax(1, keepdim=True), 2 * _NEAR + 1, 1, _NEAR)
    return (profiles[:, ON] - against).amax(-1)

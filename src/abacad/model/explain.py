"""Where a detector saw its evidence: the pixels that its log-odds rest on.

    evidence = channel · ∫₀¹ ∂ log-odds / ∂ channel at α · cadence  dα

These are integrated gradients (Sundararajan et al. 2017), mean over detectors. Over all pixels they add up to the
log-odds less those of an empty cadence. (The slope at the cadence itself also points at what would raise the odds
further: chance pixels of the one ON panel where the needle is missing.) Views of the same panel are added, binned rows
are spread again over the rows that they came from, and the sum of a small neighbourhood is taken: a needle's evidence
is a track, that of a chance pixel is a dot.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from abacad.config import Represent
from abacad.represent.kinds import unstack
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.types import Channels, Panels

_NEIGHBOURHOOD = (13, 3)  # rows and channels
_STEPS = 8  # of the integral; with 16 the evidence on a line is the same to some 10 %


def evidence_map(detectors: Sequence[nn.Module], channels: Channels, represent: Represent, n_time: int) -> Panels:
    """How much each pixel speaks for a needle (positive) or against one (negative), in log-odds.

    Args:
        detectors: Trained detectors in evaluation mode, on the device of `channels`.
        channels: (batch, channel, row, freq) as `represent` gives them.
        represent: How they were made.
        n_time: Rows of a panel of the cadence.

    Returns:
        (batch, 6, n_time, freq) on the CPU. Panels that the representation leaves out are 0.
    """
    slope = torch.stack([_slope(detectors, channels * (step + 0.5) / _STEPS) for step in range(_STEPS)]).mean(0)
    evidence = unstack(channels * slope, represent.kind)
    per_panel = _by_panel(evidence, unstack(channels, represent.kind), represent)
    rows = F.interpolate(per_panel, (n_time, per_panel.shape[-1]), mode="nearest") * (per_panel.shape[-2] / n_time)
    return _neighbourhood(rows).cpu()


def _slope(detectors: Sequence[nn.Module], channels: Channels) -> Channels:
    """Gradient of the log-odds, mean over the detectors."""
    seen = channels.detach().clone().requires_grad_(True)
    total = torch.stack([detector(seen) for detector in detectors]).mean(0).sum()
    return torch.autograd.grad(total, seen)[0]


def _by_panel(evidence: Tensor, channels: Tensor, represent: Represent) -> Float[Tensor, "batch 6 row freq"]:
    match represent.kind:
        case "panels" | "tall":
            return evidence
        case "binned":
            return evidence.unflatten(1, (-1, N_PANELS)).sum(1)
    out = evidence.new_zeros((len(evidence), N_PANELS, *evidence.shape[-2:]))
    if represent.kind == "difference":  # an excess lies in ON, a lack of power is an excess in OFF
        out[:, list(ON)] = torch.where(channels > 0, evidence, 0.0)
        out[:, list(OFF)] = torch.where(channels < 0, evidence, 0.0)
    else:
        out[:, list(ON)] = evidence
    return out


def _neighbourhood(maps: Panels) -> Panels:
    """Sum over a few rows and channels around each pixel."""
    rows, channels = _NEIGHBOURHOOD
    padding = (rows // 2, channels // 2)
    return F.avg_pool2d(maps, (rows, channels), 1, padding, divisor_override=1)

"""Where a detector saw its evidence: the pixels that its log-odds rest on.

    evidence = pixel · ∫₀¹ ∂ log-odds / ∂ pixel at α · planes  dα

These are integrated gradients (Sundararajan et al. 2017), mean over detectors. Over all pixels they add up to the
log-odds less those of an empty cadence. (The slope at the cadence itself also points at what would raise the odds
further: chance pixels of the one ON panel where the needle is missing.) Views of the same panel are added, binned rows
are spread again over the rows that they came from, and the sum of a small neighbourhood is taken: a needle's evidence
is a track, that of a chance pixel is a dot.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from abacad.represent.representation import Representation
from abacad.signal.cadence import Axes
from abacad.types import Panels, Planes

# Rows and channels. Long in time, as lines are: within 13 rows one moves by a channel or two, and chance pixels average
# out over them.
_NEIGHBOURHOOD = (13, 3)
_STEPS = 8  # of the integral; with 16 the evidence on a line is the same to some 10 %


def evidence_map(
    detectors: Sequence[nn.Module], planes: Planes, seen: Representation, n_time: int, axes: Axes | None = None
) -> Panels:
    """How much each pixel speaks for a needle (positive) or against one (negative), in log-odds.

    Args:
        detectors: Trained detectors in evaluation mode, on the device of `planes`.
        planes: (batch, plane, row, freq) as `represent` gives them.
        seen: Representation that made them.
        n_time: Rows of a panel of the cadence.
        axes: When the panels began; none means the axes that the detectors were trained with.

    Returns:
        (batch, 6, n_time, freq) on the CPU. Panels that the representation leaves out are 0.
    """
    # the midpoint rule: a step's slope is taken in its middle, at α = (step + ½) / steps
    slope = torch.stack([_slope(detectors, planes * (step + 0.5) / _STEPS, axes) for step in range(_STEPS)]).mean(0)
    per_panel = seen.by_panel(planes * slope, planes)
    # Each binned row's evidence is shared equally among the rows that were summed into it, which keeps the sum.
    rows = F.interpolate(per_panel, (n_time, per_panel.shape[-1]), mode="nearest") * (per_panel.shape[-2] / n_time)
    return _neighbourhood(rows).cpu()


def _slope(detectors: Sequence[nn.Module], planes: Planes, axes: Axes | None) -> Planes:
    """Gradient of the log-odds, mean over the detectors."""
    seen = planes.detach().clone().requires_grad_(True)
    logits = [detector(seen) if axes is None else detector(seen, axes) for detector in detectors]
    # In evaluation mode no cadence's logit depends on another's: so the gradient of the batch's sum is that of each.
    return torch.autograd.grad(torch.stack(logits).mean(0).sum(), seen)[0]


def _neighbourhood(maps: Panels) -> Panels:
    """Sum over a few rows and channels around each pixel."""
    size = rows, channels = _NEIGHBOURHOOD
    # an average by 1 is a sum: torch has no pooling that adds up
    return F.avg_pool2d(maps, size, 1, (rows // 2, channels // 2), divisor_override=1)

"""Residuals: what is left of a cadence when another window of the same observation is subtracted from it."""

from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from abacad.represent.clean import CLIP
from abacad.signal.robust import inverse, noise_sigma
from abacad.types import Panels

RESIDUAL = "residual"
# σ of the panel's noise; the unit of residuals. float16 rounding leaves some 0.001 σ, and the faintest needles have
# 0.16 σ: in this unit rounding is 0.02 and the faintest needle 3.
_FAINT = 0.05


class Residual(NamedTuple):
    """What is left of cadences when other windows of the same observation are subtracted.

    Attributes:
        difference: in the units of the panels; 0 where there is no other.
        covered: where there is one.
    """

    difference: Panels
    covered: Bool[Tensor, "*batch panel freq"]


def uncovered(clean: Panels, panels: Panels, residual: Residual) -> Panels:
    """Clean panels with residuals in their covered channels, in units of 0.05 σ: no noise is there, but needles are."""
    sigma = noise_sigma(panels.float())
    faint = (residual.difference * inverse(_FAINT * sigma, sigma > 0)).clamp(*CLIP)
    return torch.where(residual.covered[..., None, :], faint, clean)

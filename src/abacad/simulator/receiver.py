"""What the receiver does to the power: gains, and the normalisation of each panel.

out = (power · gain(freq) · gain(panel, time) − mean) / std        mean and std of each panel
"""

import torch
from jaxtyping import Float
from torch import Tensor

from abacad.types import Panels


def normalised(power: Panels) -> Panels:
    """Each panel at mean 0 and standard deviation 1, float16.

    A panel without any variation becomes 0.
    """
    out = torch.empty_like(power, dtype=torch.float16)
    one = torch.ones_like(power[:1, :1, :1, :1])
    receive(power, one, one.expand(*power.shape[:3], 1), torch.empty_like(power), out)
    return out


def receive(
    power: Panels,
    freq: Float[Tensor, "#batch 1 1 #freq"],
    time: Float[Tensor, "batch panel time 1"],
    scratch: Panels,
    out: Panels,
) -> None:
    """Apply the receiver's gains, and normalise each panel where `out` is float16.

    Args:
        power: (batch, panel, time, freq) noise, interference and needles.
        freq: (batch, 1, 1, freq) gain of each channel.
        time: (batch, panel, time, 1) gain of each row.
        scratch: Memory for the intermediate product, of the shape of `power`; may be `power` itself.
        out: Filled with the result, of the shape of `power`.

    A row is multiplied by its gain, and the panel is then divided by its standard deviation. The two factors of a row
    are combined into one (gain / std) before any pixel is touched, so that each pixel is multiplied once, not twice:
    mean and std of the panel follow from sums over each row and the rows' gains alone.
    """
    # in memory that is there: a page fresh from the system costs 2 µs (docs/benchmarks.md)
    torch.mul(power, freq, out=scratch)
    if out.dtype != torch.float16:
        torch.mul(scratch, time, out=out)
        return
    n = power.shape[-2] * power.shape[-1]
    mean = (scratch.sum(-1, keepdim=True) * time).sum(-2, keepdim=True) / n
    # The mean is subtracted before squares are taken: the std of k = 200 noise is a tenth of its mean, and the
    # difference of two large squares would lose the digits that matter. Divided by the row's gain, it is right after
    # that gain.
    scratch -= mean / time
    norm = torch.linalg.vector_norm(scratch, dim=-1, keepdim=True) * time
    std = torch.linalg.vector_norm(norm, dim=-2, keepdim=True) / n**0.5
    scratch *= torch.where(std > 0, time / std, 0.0)
    out.copy_(scratch)

"""The first look on a GPU: the sums that `join` makes in loops over stretches, made with whole tensors.

The lines, their locations and σ are those of a calibrated `Join`. A falling line is a rising one in a band that is
reversed. Each line takes four passes over memory here, which a GPU has the bandwidth for and a CPU has not.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from abacad.searcher.join import Join

TorchBand = Float[Tensor, "panel time bin"]


def bands(
    power: Float[np.ndarray, "panel time freq"], joins: Sequence[Join], clip: float, device: str
) -> Iterator[tuple[Join, TorchBand]]:
    """The ON panels on a device, bright pixels cut, binned for one octave after the other."""
    band = torch.from_numpy(power).to(device).clamp(max=clip)
    for join in joins:
        # The first octave above the unit drift has boxcars of two channels in steps of one; from there on steps double.
        if join.octave.sign > 0 and join.octave.shear:
            band = pairs(band, 1 if join.octave.step == 1 else 2)
        yield join, band


def pairs(band: TorchBand, every: int) -> Float[Tensor, "panel time fewer"]:
    """Sums of each bin and the one a bin's width above it, `every` bins apart: boxcars twice as wide."""
    size = band.shape[2] // every
    out = band.new_zeros((*band.shape[:2], size))
    torch.add(band[..., : every * (size - 1) : every], band[..., every : every * size : every], out=out[..., :-1])
    return out


def best(join: Join, band: TorchBand) -> tuple[Float[Tensor, " bin"], Int[Tensor, " bin"]]:
    """SNR of the best line from each bin of a band, and which line that is, as `Join.best` gives them."""
    falls = join.octave.sign < 0
    # torch has no negative strides, so the band is copied in reverse once for all falling lines of the octave.
    if falls:
        band = band.flip(-1)
    panels = [_climbs(join, panel, band[panel]) for panel in range(len(band))]
    n_bins = band.shape[2]
    top = torch.full((n_bins,), -torch.inf, device=band.device)
    which = torch.zeros(n_bins, dtype=torch.int32, device=band.device)
    for line, (offset, climb) in enumerate(zip(join.lines.offset.tolist(), join.lines.climb.tolist(), strict=True)):
        snr = panels[0][climb[0], offset[0] : offset[0] + n_bins].clone()
        for panel in range(1, len(panels)):
            snr += panels[panel][climb[panel], offset[panel] : offset[panel] + n_bins]
        snr.sub_(float(join.location[line])).mul_(float(join.scale[line]))
        which.masked_fill_(snr > top, line)
        torch.maximum(top, snr, out=top)
    return (top.flip(0), which.flip(0)) if falls else (top, which)


def _climbs(join: Join, panel: int, rows: Float[Tensor, "time bin"]) -> Float[Tensor, "climb more"]:
    """The tree of one panel: sums along each climb from every bin, and from the bins that its lines reach beyond."""
    n_time, tree = join.tree(panel)
    width = rows.shape[1] + int(join.lines.offset[:, panel].max()) + n_time
    shear = join.octave.shear
    padded = F.pad(rows[:n_time], (0, width + shear * n_time - rows.shape[1]))
    sums = torch.stack([padded[row, shear * row : shear * row + width] for row in range(n_time)])
    for stage in tree:
        sums = _stage(sums, stage)
    return sums


def _stage(sums: Float[Tensor, "climb more"], stage: Int[np.ndarray, "climb 3"]) -> Float[Tensor, "climb more"]:
    """Each row of the result is a row of the sums and a shifted one, added; see `plan.tree`."""
    lower, upper, shifts = (stage[:, place].tolist() for place in range(3))
    out = sums[lower]
    width = sums.shape[1]
    for row, (other, shift) in enumerate(zip(upper, shifts, strict=True)):
        if other >= 0:
            out[row, : width - shift] += sums[other, shift:]
    return out

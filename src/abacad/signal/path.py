"""A narrow-band emission's way through a cadence, and the pixels it lights.

A spectrometer's channel answers to a tone with all of the tone's power in the channel where the tone is (a polyphase
filter bank). An emission of intrinsic width w channels that drifts by d channels within a row therefore covers
`extent` = max(w, |d|) channels, and each channel gets

    a · max(1, w) · overlap of the channel with the emission / extent

where a is the pixel amplitude of an emission that neither drifts nor is wider than a channel. For a tone that drifts
N > 1 channels a row the peak is a/N: the smearing loss.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Paths:
    """Emissions in a batch of cadences.

    Attributes:
        owner: which cadence of the batch each path lies in, ascending.
        channel: the path's channel in the middle of each row; channel c reaches from c − ½ to c + ½.
        intensity: amplitude in each row in units of the mean noise, 0 where dark.
        width: intrinsic width in channels.
    """

    owner: Int[Tensor, " path"]
    channel: Float[Tensor, "path panel time"]
    intensity: Float[Tensor, "path panel time"]
    width: Float[Tensor, " path"]


def join(parts: list[Paths]) -> Paths:
    """All paths in one, sorted by owner."""
    owner = torch.cat([part.owner for part in parts])
    order = torch.argsort(owner, stable=True)
    return Paths(
        owner[order],
        torch.cat([part.channel for part in parts])[order],
        torch.cat([part.intensity for part in parts])[order],
        torch.cat([part.width for part in parts])[order],
    )


@dataclass(frozen=True)
class Deposits:
    """Amounts to add to single pixels of a batch of cadences, sorted by cadence.

    Attributes:
        pixel: index of each pixel in the batch, (batch, panel, time, freq) flattened.
        amount: what to add; 0 for pixels beyond the window's edge.
        bounds: where each cadence's pixels begin, and where the last one's end.
    """

    pixel: Int[Tensor, " pixel"]
    amount: Float[Tensor, " pixel"]
    bounds: list[int]


def smearing(channel: Float[Tensor, "*path time"]) -> Float[Tensor, "*path time"]:
    """Channels crossed within each row: the mean step to the two neighbouring rows."""
    step = (channel[..., 1:] - channel[..., :-1]).abs()
    before = torch.cat([step[..., :1], step], dim=-1)
    after = torch.cat([step, step[..., -1:]], dim=-1)
    return 0.5 * (before + after)


def deposits(paths: Paths, n_batch: int, n_freq: int, taper: bool = False) -> list[Deposits]:
    """The pixels that paths light in `n_batch` windows of `n_freq` channels; narrow paths apart from wide ones.

    With `taper` the emission fades towards its sides (as blobs do) instead of ending at them.
    """
    path, panel = paths.intensity.amax(-1).nonzero(as_tuple=True)
    channel = paths.channel[path, panel]
    extent = torch.maximum(smearing(channel), paths.width[path, None].clamp(min=1e-3))
    narrow = extent.amax(-1) <= 2
    groups = []
    for chosen in (narrow.nonzero().view(-1), (~narrow).nonzero().view(-1)):
        if not len(chosen):
            continue
        some = path[chosen]
        height = paths.intensity[some, panel[chosen]]
        if not taper:
            height = height * paths.width[some, None].clamp(min=1) / extent[chosen]
        bins, amount = _spread(channel[chosen], extent[chosen], height, n_freq, taper)
        owner = paths.owner[some]
        block = owner * paths.channel.shape[1] + panel[chosen]
        row = block[:, None] * bins.shape[1] + torch.arange(bins.shape[1], device=bins.device)
        pixel = (row * n_freq)[..., None] + bins
        owners = torch.arange(n_batch + 1, device=bins.device)
        bounds = torch.searchsorted(owner, owners) * bins[0].numel()
        groups.append(Deposits(pixel.view(-1), amount.view(-1), bounds.tolist()))
    return groups


def _spread(
    channel: Float[Tensor, "block time"],
    extent: Float[Tensor, "block time"],
    height: Float[Tensor, "block time"],
    n_freq: int,
    taper: bool,
) -> tuple[Int[Tensor, "block time near"], Float[Tensor, "block time near"]]:
    """Channels and amounts for each row, with as many channels as the widest row needs."""
    low = channel - extent / 2
    n_near = int(torch.ceil(extent.max()).item()) + 1
    bins = torch.floor(low + 0.5)[..., None] + torch.arange(n_near, device=low.device)
    if taper:
        # cos² from side to side: half the height at a quarter of the extent
        phase = ((bins - channel[..., None]) / extent[..., None]).clamp_(-0.5, 0.5)
        share = torch.cos(torch.pi * phase).square_()
    else:
        upper = torch.minimum(bins + 0.5, (low + extent)[..., None])
        share = upper.sub_(torch.maximum(bins - 0.5, low[..., None])).clamp_(min=0)
    near = bins.clamp(0, n_freq - 1)
    amount = share.mul_(height[..., None]).mul_(near == bins)
    return near.long(), amount


def deposit(
    panels: Float[Tensor, "batch panel time freq"], what: list[Deposits], first: int = 0, noisy: bool = False
) -> None:
    """Add deposits to panels in place; these are the cadences `first` and following of the batch.

    A noisy emission multiplies the noise of its pixels; a steady one only lifts them.
    """
    flat = panels.view(-1)
    start = first * panels[0].numel()
    for some in what:
        part = slice(some.bounds[first], some.bounds[first + len(panels)])
        pixel, amount = some.pixel[part], some.amount[part]
        if start:
            pixel = pixel - start
        if noisy:
            amount = amount * flat[pixel]
        if flat.device.type == "cpu":
            flat.scatter_add_(0, pixel, amount)
        else:
            # sums in a fixed order on CUDA too, where `scatter_add_` would not
            flat.index_put_((pixel,), amount, accumulate=True)

"""A narrow-band emission's way through a cadence, and the pixels it lights.

A spectrometer's channel answers to a tone with all of the tone's power in the channel where the tone is (a polyphase
filter bank). An emission of intrinsic width w channels that drifts by d channels within a row therefore covers
`extent` = max(w, |d|) channels, and each channel gets

    a · max(1, w) · overlap of the channel with the emission / extent

where a is the pixel amplitude of an emission that neither drifts nor is wider than a channel. For a tone that drifts
N > 1 channels a row the peak is a/N: the smearing loss.
"""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

# Rows are drawn in groups by their extent in channels. All rows of a group get as many channels as its widest one
# needs: in one group a single fast emission would make every slow row as wide.
_EXTENTS = (0.0, 2.0, 8.0, float("inf"))


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
    # sorted, since `Deposits.bounds` cuts the pixels of one cadence out of all as a slice
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
    # Forward and backward steps averaged, as a path is known in the middle of each row: where a curve turns back, the
    # step to one neighbour alone would be too large or too small.
    step = (channel[..., 1:] - channel[..., :-1]).abs()
    before = torch.cat([step[..., :1], step], dim=-1)
    after = torch.cat([step, step[..., -1:]], dim=-1)
    return 0.5 * (before + after)


def deposits(paths: Paths, n_batch: int, n_freq: int, taper: bool = False) -> list[Deposits]:
    """The pixels that paths light in `n_batch` windows of `n_freq` channels, in groups of like extent.

    With `taper` the emission fades towards its sides (as blobs do) instead of ending at them.
    """
    each = paths.channel.shape[1:].numel()  # rows of a cadence
    # Dark rows are dropped first: interference is lit in some rows of some panels only (docs/benchmarks.md, "Making
    # cadences"), and `index_select` gathers eight times as fast as indexing by a list.
    lit = paths.intensity.reshape(-1).nonzero().view(-1)
    path = torch.div(lit, each, rounding_mode="floor")
    line = lit + ((paths.owner - torch.arange(len(paths.owner), device=lit.device)) * each).index_select(0, path)
    owner, width = paths.owner.index_select(0, path), paths.width.index_select(0, path)
    channel = paths.channel.reshape(-1).index_select(0, lit)
    height = paths.intensity.reshape(-1).index_select(0, lit)
    extent = torch.maximum(smearing(paths.channel).view(-1).index_select(0, lit), width.clamp(min=1e-3))
    if not taper:
        height = height * width.clamp(min=1) / extent
    owners = torch.arange(n_batch + 1, device=owner.device)
    groups = []
    for above, up_to in itertools.pairwise(_EXTENTS):
        chosen = ((extent > above) & (extent <= up_to)).nonzero().view(-1)
        if not len(chosen):
            continue
        some, wide, high = (values.index_select(0, chosen) for values in (channel, extent, height))
        bins, amount = _spread(some, wide, high, n_freq, taper)
        pixel = bins + (line.index_select(0, chosen) * n_freq)[:, None]
        bounds = torch.searchsorted(owner.index_select(0, chosen), owners) * bins.shape[1]
        groups.append(Deposits(pixel.view(-1), amount.view(-1), bounds.tolist()))
    return groups


def _spread(
    channel: Float[Tensor, " row"],
    extent: Float[Tensor, " row"],
    height: Float[Tensor, " row"],
    n_freq: int,
    taper: bool,
) -> tuple[Int[Tensor, "row near"], Float[Tensor, "row near"]]:
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
    # A channel beyond the edge is moved to the edge with an amount of 0: pixels stay in the window, and nothing is
    # added.
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
    added = []
    for some in what:
        part = slice(some.bounds[first], some.bounds[first + len(panels)])
        pixel, amount = some.pixel[part], some.amount[part]
        if start:
            pixel = pixel - start
        # all factors are taken from the noise as it was: two modulated emissions in a pixel add up
        if noisy:
            amount = amount * flat.index_select(0, pixel)
        added.append((pixel, amount))
    for pixel, amount in added:
        if flat.device.type == "cpu":
            flat.scatter_add_(0, pixel, amount)
        else:
            # sums in a fixed order on CUDA too, where `scatter_add_` would not
            flat.index_put_((pixel,), amount, accumulate=True)

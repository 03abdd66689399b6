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

    @property
    def extent(self) -> Float[Tensor, "path panel time"]:
        """Channels covered within each row: the intrinsic width, or the drift within the row where that is more."""
        return torch.maximum(smearing(self.channel), self.width[:, None, None])


@dataclass(frozen=True)
class Deposits:
    """Amounts to add to single pixels of a batch of cadences.

    Attributes:
        owner: cadence of each row of pixels, ascending.
        pixel: index of each pixel within its cadence, (panel, time, freq) flattened.
        amount: what to add; 0 for pixels beyond the window's edge.
    """

    owner: Int[Tensor, " row"]
    pixel: Int[Tensor, "row near"]
    amount: Float[Tensor, "row near"]

    def of(self, first: int, last: int) -> "Deposits":
        """The deposits of the cadences `first` to `last` − 1 of the batch, with owners counted from `first`."""
        bounds = torch.tensor([first, last], device=self.owner.device)
        a, b = torch.searchsorted(self.owner, bounds).tolist()
        return Deposits(self.owner[a:b] - first, self.pixel[a:b], self.amount[a:b])


def smearing(channel: Float[Tensor, "*path time"]) -> Float[Tensor, "*path time"]:
    """Channels crossed within each row: the mean step to the two neighbouring rows."""
    step = (channel[..., 1:] - channel[..., :-1]).abs()
    before = torch.cat([step[..., :1], step], dim=-1)
    after = torch.cat([step, step[..., -1:]], dim=-1)
    return 0.5 * (before + after)


def deposits(paths: Paths, n_freq: int, taper: bool = False) -> list[Deposits]:
    """The pixels that paths light in windows of `n_freq` channels; narrow rows apart from wide ones.

    With `taper` the emission fades towards its sides (as blobs do) instead of ending at them.
    """
    where = paths.intensity.nonzero(as_tuple=True)
    extent = paths.extent[where].clamp(min=1e-3)
    channel = paths.channel[where]
    inside = (channel + extent / 2 > -0.5) & (channel - extent / 2 < n_freq - 0.5)
    narrow = extent <= 2
    groups = []
    for chosen in (inside & narrow, inside & ~narrow):
        rows = tuple(axis[chosen] for axis in where)
        if len(rows[0]):
            groups.append(_spread(paths, rows, channel[chosen], extent[chosen], n_freq, taper))
    return groups


def _spread(
    paths: Paths,
    rows: tuple[Tensor, ...],
    channel: Float[Tensor, " row"],
    extent: Float[Tensor, " row"],
    n_freq: int,
    taper: bool,
) -> Deposits:
    path, panel, time = rows
    low = channel - extent / 2
    first = torch.floor(low + 0.5)
    n_near = int(torch.ceil(extent.max()).item()) + 1
    bins = first[:, None] + torch.arange(n_near, device=low.device)
    if taper:
        # cos² from side to side: half the height at a quarter of the extent
        phase = ((bins - channel[:, None]) / extent[:, None]).clamp(-0.5, 0.5)
        share = torch.cos(torch.pi * phase).square()
    else:
        upper = torch.minimum(bins + 0.5, (low + extent)[:, None])
        lower = torch.maximum(bins - 0.5, low[:, None])
        share = (upper - lower).clamp(min=0) / extent[:, None]
        share = share * paths.width[path].clamp(min=1)[:, None]
    amount = share * paths.intensity[rows][:, None]
    amount = torch.where((bins >= 0) & (bins < n_freq), amount, 0.0)
    n_time = paths.channel.shape[-1]
    pixel = ((panel * n_time + time) * n_freq)[:, None] + bins.clamp(0, n_freq - 1).long()
    return Deposits(paths.owner[path], pixel, amount)


def deposit(panels: Float[Tensor, "batch panel time freq"], what: list[Deposits], noisy: bool = False) -> None:
    """Add deposits to panels in place.

    A noisy emission multiplies the noise of its pixels; a steady one only lifts them.
    """
    flat = panels.view(-1)
    size = panels[0].numel()
    for some in what:
        index = (some.owner[:, None] * size + some.pixel).view(-1)
        amount = some.amount.view(-1)
        if noisy:
            amount = amount * flat[index]
        # `index_put_` sums in a fixed order on CUDA too, where `scatter_add_` would not
        flat.index_put_((index,), amount, accumulate=True)

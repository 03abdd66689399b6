"""Sums of panels along straight lines, for the panel network: there is nothing to learn in them.

One line through the cadence is one pixel of a (drift, frequency) map, the same in every panel that it stands in, since
the panels' start times say where it has gone in between. Rows are moved by fractions of a channel as phases of their
Fourier transform, which makes all sums one matrix product for each Fourier mode.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "batch panel drift freq"]
Starts = tuple[float, ...]
"""Start of each panel since that of the first, in lengths of a panel (`Axes.panel_start`)."""

REFERENCE = 2
"""The panel in whose middle a line's frequency is read: the second of the three ON panels."""


def line_maps(panels: Float[Tensor, "batch panel time freq"], max_drift: int, panel_start: Starts) -> Maps:
    """Sum each panel along straight lines: (batch, 6, time, freq) → (batch, 6, 2·max_drift + 1, freq).

    The pixel (d, f) of panel p holds the sum over its rows along the line that drifts d − max_drift channels a panel
    and passes channel f in the middle of panel 2; the line continues through slews, and where it leaves the band
    nothing is added. Sums are divided by √time, so that white noise keeps its σ. Rows are shifted by fractions of a
    channel as phases of their Fourier transform, which makes all sums one matrix product per Fourier mode.
    """
    n_time, n_freq = panels.shape[-2:]
    length = padded(n_freq, max_drift, panel_start)
    modes = torch.fft.rfft(panels, n=length).permute(3, 1, 0, 2)
    phases = _phases(n_time, length, max_drift, panel_start).to(modes.device)
    return torch.fft.irfft((modes @ phases).permute(2, 1, 3, 0), n=length)[..., :n_freq]


def joint_lines(
    panels: Float[Tensor, "batch 3 time freq"], max_drift: int, panel_start: Starts
) -> Float[Tensor, "batch fine_drift fine_freq"]:
    """The three ON panels summed along straight lines, in quarter steps of drift and half steps of frequency.

    Returns (batch, 8·max_drift + 1, 2·freq), σ of white noise kept. A line through three panels strays from the nearest
    line of `line_maps` by up to a channel, which takes 40 % of its SNR on average; from the nearest one here, 21 %. The
    panels are added before the inverse transform, so that there is one instead of three.
    """
    n_time, n_freq = panels.shape[-2:]
    length = padded(n_freq, max_drift, panel_start)
    modes = torch.fft.rfft(panels, n=length).flatten(1, 2).permute(2, 0, 1)
    phases = _joint_phases(n_time, length, max_drift, panel_start).to(modes.device)
    # irfft of twice the length fills the modes in between with zeros, which interpolates; it divides by that length,
    # and so by 2 too often.
    return 2 * torch.fft.irfft((modes @ phases).permute(1, 2, 0), n=2 * length)[..., : 2 * n_freq]


def padded(n_freq: int, max_drift: int, panel_start: Starts) -> int:
    """Channels to which rows are filled up with zeros before they are shifted, an even number.

    A shift by Fourier phases is periodic: what leaves the band on one side comes in again on the other, and has to end
    within the zeros. Twice the width is enough but in narrow windows.
    """
    farthest = max_drift * (max(abs(begin - panel_start[REFERENCE]) for begin in panel_start) + 0.5)
    return max(2 * n_freq, 2 * math.ceil((n_freq + farthest) / 2))


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # cached: a tensor made in inference mode would break a later training step
def _phases(n_time: int, length: int, max_drift: int, panel_start: Starts) -> Tensor:
    """Phases that shift the rows of each panel: (mode, 6, time, drift), divided by √time."""
    return _turned(_shifts(n_time, max_drift, panel_start), length) / math.sqrt(n_time)


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def _joint_phases(n_time: int, length: int, max_drift: int, panel_start: Starts) -> Tensor:
    """Phases that shift the rows of the three ON panels: (mode, 3·time, drift), four steps a channel of drift.

    Divided by √(3·time), so that white noise keeps its σ when the three panels are added.
    """
    on = _shifts(n_time, max_drift, panel_start, 4)[0::2]
    return _turned(on.flatten(0, 1), length) / math.sqrt(3 * n_time)


def _shifts(n_time: int, max_drift: int, panel_start: Starts, steps: int = 1) -> Float[Tensor, "panel time drift"]:
    """Channels by which lines are away from their frequency in each row, in `steps` steps a channel of drift."""
    row = (torch.arange(n_time) + 0.5) / n_time - 0.5
    starts = torch.tensor(panel_start, dtype=torch.float32)
    since = row + (starts - starts[REFERENCE])[:, None]
    return torch.arange(-max_drift * steps, max_drift * steps + 1) / steps * since[..., None]


def _turned(shift: Float[Tensor, "*shape"], length: int) -> Tensor:
    """e^{2πi·mode·shift}: (mode, *shape)."""
    mode = torch.arange(length // 2 + 1) / length
    angle = 2 * math.pi * torch.tensordot(mode, shift, 0)
    return torch.polar(torch.ones(()).expand_as(angle), angle)  # six times as quick as an exponential


def joint(maps: Float[Tensor, "batch 3 drift freq"]) -> Float[Tensor, "batch drift freq"]:
    """Three panels of a class added, σ kept.

    A drift between two steps of the maps moves a line by up to half a channel times the two periods that separate
    panels of a class: the best of −1, 0 and +1 channel is taken.
    """
    first, middle, last = maps[:, 0], maps[:, 1], maps[:, 2]
    ends = first + last
    turned = torch.maximum(first[..., :-2] + last[..., 2:], first[..., 2:] + last[..., :-2])
    best = torch.cat([ends[..., :1], torch.maximum(ends[..., 1:-1], turned), ends[..., -1:]], -1)
    return (best + middle) / math.sqrt(3)


def paired(maps: Tensor, dim: int) -> Tensor:
    """Largest of each two neighbours along one dimension; the last one alone where their number is odd.

    Slices and `torch.maximum` take a tenth of the time of max_pool2d on a CPU.
    """
    n = maps.shape[dim] // 2
    pairs = maps.narrow(dim, 0, 2 * n).unflatten(dim, (n, 2))
    largest = torch.maximum(pairs.select(dim, 0), pairs.select(dim, 1))
    return torch.cat([largest, maps.narrow(dim, 2 * n, maps.shape[dim] - 2 * n)], dim)


def halved(maps: Tensor) -> Tensor:
    """Largest of 2 × 2 pixels, of fewer at the ends: (*, drift, freq) → (*, ⌈drift/2⌉, ⌈freq/2⌉)."""
    return paired(paired(maps, -1), -2)


def spread(maps: Tensor, dim: int) -> Tensor:
    """Largest of a pixel and its two neighbours along one dimension."""
    n = maps.shape[dim]
    pairs = torch.maximum(maps.narrow(dim, 0, n - 1), maps.narrow(dim, 1, n - 1))
    inner = torch.maximum(pairs.narrow(dim, 0, n - 2), pairs.narrow(dim, 1, n - 2))
    return torch.cat([pairs.narrow(dim, 0, 1), inner, pairs.narrow(dim, n - 2, 1)], dim)

"""Sums of panels along straight lines, for the panel network: there is nothing to learn in them.

A panel is summed along every line on its own, in half steps of frequency; the pixel (d, f) of its map is the line that
drifts d channels a panel and passes f in the middle of the panel. A line through several panels is then one pixel of
each map, at places that follow from the panels' start times: three maps, moved against each other and added, are the
joint line of the three ON panels, in quarter steps of drift. Without the weakest of the three they are the line's best
pair of panels, which is how a needle is found that misses one of them.

Panels are moved by fractions of a channel as phases of their Fourier transform, which makes all sums of a panel one
matrix product for each Fourier mode.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "batch panel drift place"]
Fine = Float[Tensor, "batch fine_drift fine_freq"]
Starts = tuple[float, ...]
"""Start of each panel since that of the first, in lengths of a panel (`Axes.panel_start`)."""

REFERENCE = 2
"""The panel in whose middle a line's frequency is read: the second of the three ON panels."""
STEPS = 4
"""Steps a channel of drift, of the lines through three panels."""


def line_maps(
    panels: Float[Tensor, "batch panel time freq"], max_drift: int, middle: tuple[float, ...], fine: int = 1
) -> Maps:
    """Sum panels along straight lines: (batch, panel, time, freq) → (batch, panel, 2·max_drift + 1, 2·fine·freq).

    The pixel (d, f) of a panel holds the sum over its rows along the line that drifts d − max_drift channels a panel
    and passes f at time 0. Sums are divided by √time, so that white noise keeps its σ. Frequency goes round: what lies
    beyond the band's upper end follows it, and the last pixels are those below its lower end, where lines hold the rows
    that they spend within the band.

    Args:
        panels: of any number of rows.
        max_drift: fastest line, in channels a panel, in steps of one.
        middle: time of the middle of each panel, in lengths of a panel.
        fine: pixels a channel.
    """
    n_time, n_freq = panels.shape[-2:]
    # Padded to twice the width: a shift by Fourier phases is periodic, and a line that leaves the band on one side
    # would otherwise come in again on the other.
    modes = torch.fft.rfft(panels, n=2 * n_freq).permute(3, 1, 0, 2)
    phases = _phases(n_time, n_freq, max_drift, middle).to(modes.device)
    # irfft of a greater length fills the modes in between with zeros, which interpolates; it divides by that length,
    # and so by `fine` too often.
    return fine * torch.fft.irfft((modes @ phases).permute(2, 1, 3, 0), n=2 * fine * n_freq)


def off_lines(panels: Float[Tensor, "batch off time freq"], max_drift: int, panel_start: Starts) -> Maps:
    """Lines in each OFF panel: (batch, 3, time, freq) → (batch, 3, 2·max_drift + 1, freq).

    f is read in the middle of panel 2. Where a line leaves the band nothing is added.
    """
    middle = tuple(start - panel_start[REFERENCE] for start in panel_start[1::2])
    return line_maps(panels, max_drift, middle)[..., : panels.shape[-1]]


def on_lines(panels: Float[Tensor, "batch on time freq"], max_drift: int, panel_start: Starts) -> list[Fine]:
    """Lines through the ON panels, in quarter steps of drift and half steps of frequency.

    Returns:
        One map for each ON panel, (batch, 8·max_drift + 1, 2·freq), f read in the middle of panel 2: at the same pixel
        of all three is the same line. σ of white noise is 1 in each, so that of their sum is √3.
    """
    n_freq = panels.shape[-1]
    own = line_maps(panels, max_drift, (0.0,) * panels.shape[1], 2)
    places, reach = on_places(n_freq, max_drift, panel_start)
    # One copy with what lies below the band in front of it: then a moved line is a slice.
    own = torch.cat([own[..., 4 * n_freq - reach :], own[..., : 2 * n_freq + reach]], -1)
    nothing = own.new_zeros(len(own), 2 * n_freq)
    return [
        torch.stack(
            [
                own[:, panel, drift, reach + moved :][:, : 2 * n_freq] if abs(moved) <= reach else nothing
                for drift, moved in each
            ],
            1,
        )
        for panel, each in enumerate(places)
    ]


@lru_cache(maxsize=8)
def on_places(n_freq: int, max_drift: int, panel_start: Starts) -> tuple[list[list[tuple[int, int]]], int]:
    """Where each line is while each ON panel is taken, by pixels of the panel's own map.

    For each quarter step of drift the nearest whole drift, and by how many half channels the line has moved since the
    middle of the reference. Within the panel the nearest drift strays by a quarter of a channel at most.

    Returns:
        Drift and distance of each line in each ON panel; and the farthest at which a line is still in the band, no
        farther than any line moves.
    """
    drifts = [step / STEPS for step in range(-STEPS * max_drift, STEPS * max_drift + 1)]
    since = [start - panel_start[REFERENCE] for start in panel_start[0::2]]
    places = [[(round(drift) + max_drift, round(2 * drift * moment)) for drift in drifts] for moment in since]
    # farther away no pixel of the line's map lies in the band: the panel adds nothing there
    farthest = max(0, 2 * n_freq - max_drift)
    return places, min(farthest, max(abs(moved) for each in places for _, moved in each))


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # cached: a tensor made in inference mode would break a later training step
def _phases(n_time: int, n_freq: int, max_drift: int, middle: tuple[float, ...]) -> Tensor:
    """e^{2πi·mode·shift} / √time: (mode, panel, time, drift)."""
    row = (torch.arange(n_time) + 0.5) / n_time - 0.5
    since = row + torch.tensor(middle)[:, None]
    shift = torch.arange(-max_drift, max_drift + 1) * since[..., None]
    mode = torch.arange(n_freq + 1) / (2 * n_freq)
    return torch.exp(2j * math.pi * mode[:, None, None, None] * shift) / math.sqrt(n_time)


def in_three_two_one(parts: list[Fine]) -> tuple[Fine, Fine, Fine]:
    """The line in all three ON panels, in the best pair of them, and in the best one: in units of σ of white noise.

    A line of three without its weakest panel keeps the two others, and no other pair of them is better. Of lines that
    stand in two panels or one the sum of all three holds noise that nothing belongs to.
    """
    first, second, third = parts
    total = first + second + third
    weakest = torch.minimum(torch.minimum(first, second), third)
    strongest = torch.maximum(torch.maximum(first, second), third)
    return total / math.sqrt(3), (total - weakest) / math.sqrt(2), strongest


def off_joint(maps: Float[Tensor, "batch 3 drift freq"]) -> Float[Tensor, "batch drift freq"]:
    """Three OFF panels added, σ kept.

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

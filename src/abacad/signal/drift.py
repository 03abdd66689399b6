"""Drift rates in Hz/s and in channels, and sums along drifting paths.

    drift in channels a row   = drift · dt / df         0.0621 Hz/s · 1.0737 s / 2.7940 Hz = 0.0239
    drift in channels a panel = drift · panel period / df      0.0621 Hz/s · 315 s / 2.7940 Hz = 7.0
    unit drift                = df / dt                  2.7940 Hz / 1.0737 s = 2.60 Hz/s
    smearing N                = max(1, |drift| · dt / df)

A needle that drifts N > 1 channels a row has a peak of 1/N; a boxcar of N channels wins back √N of it.

Sums along drifting paths are made in four places, because each needs something that the others cannot give:

- `dedoppler` here: any drifts, whole channels, exact sums of raw power, for the classical search of one cadence.
- `abacad.model.panel.line_maps`: fractions of a channel and panels that begin at any time, as one matrix product for a
  batch on a GPU; a network reads its maps, and a line must not jump from one pixel to the next.
- `abacad.ideal.line`: sums of log likelihood ratios for every amplitude and width, at quarters of a channel.
- `abacad.searcher`: a tree of sums over a whole band, whose work for n rows grows as n log n for all n drifts together.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from abacad.signal.cadence import Axes


def bins_per_row(drift_hz_s: float, axes: Axes) -> float:
    """Channels that a drift in Hz/s crosses from one row to the next."""
    return drift_hz_s * axes.dt_s / axes.df_hz


def bins_per_panel(drift_hz_s: float, axes: Axes) -> float:
    """Channels that a drift in Hz/s crosses from the start of a panel to the start of the next, slew included.

    Where the gaps between panels differ, their mean counts.
    """
    return drift_hz_s * axes.panel_period_s / axes.df_hz


def drift_grid(fastest_bins_per_row: float, n_time: int) -> Float[Tensor, " drift"]:
    """Drifts of both signs in channels a row, one channel apart at the end of a panel of `n_time` rows.

    Between two neighbours a needle strays from the nearer path by less than half a channel.
    """
    step = 1 / max(1, n_time - 1)
    # rounded up, so that the fastest drift is inside the grid; less 1e-6, so that rounding does not add a step
    most = max(0, int(torch.ceil(torch.tensor(fastest_bins_per_row / step - 1e-6)).item()))
    return torch.arange(-most, most + 1) * step


def dedoppler(
    panels: Float[Tensor, "*batch time freq"], drifts_bins_per_row: Float[Tensor, " drift"]
) -> Float[Tensor, "*batch drift freq"]:
    """Sum of each panel along straight paths: out[d, f] = Σ_t panel[t, f + round(d · t)].

    `f` is the channel in the first row; what lies beyond the window counts as 0. A path at a slow drift stays in one
    channel for many rows, whose sum is a difference of two cumulative sums: the work grows with the channels that
    are crossed, not with the rows.

    Args:
        panels: dynamic spectra, usually with mean 0.
        drifts_bins_per_row: channels a row, of either sign, in any order.
    """
    n_time, n_freq = panels.shape[-2:]
    rows = torch.arange(n_time, device=panels.device)
    drifts = drifts_bins_per_row.to(panels.device)
    shift = torch.round(drifts[:, None].double() * rows).long()  # (drift, time), monotonic along time
    out = panels.new_zeros((*panels.shape[:-2], len(drifts), n_freq), dtype=torch.float32)
    if not len(drifts):
        return out
    # shifts beyond the window's width reach no channel
    lowest = max(int(shift.min()), 1 - n_freq)
    highest = min(int(shift.max()), n_freq - 1)
    # so_far[r] is the sum of the rows before r, so that rows begin … end − 1 add up to so_far[end] − so_far[begin]
    so_far = torch.nn.functional.pad(panels.float().cumsum(-2), (0, 0, 1, 0))
    for step in range(lowest, highest + 1):
        begin, end, crossing = _rows_at(shift, step)
        if not len(crossing):
            continue
        low, high = max(0, step), min(n_freq, n_freq + step)  # channels of the panel that the path can be in
        part = so_far[..., low:high]
        gained = part.index_select(-2, end) - part.index_select(-2, begin)
        out[..., low - step : high - step].index_add_(-2, crossing, gained)
    return out


def _rows_at(
    shift: Int[Tensor, "drift time"], step: int
) -> tuple[Int[Tensor, " some"], Int[Tensor, " some"], Int[Tensor, " some"]]:
    """Where paths are shifted by `step` channels: first row, row after the last, and which drifts these are."""
    here = shift == step
    count = here.sum(1)
    crossing = count.nonzero().view(-1)
    begin = here.int().argmax(1)[crossing]
    return begin, begin + count[crossing], crossing


def aligned(
    maps: Float[Tensor, "*batch panel drift freq"],
    drifts_bins_per_row: Float[Tensor, " drift"],
    start_rows: Float[Tensor, " panel"],
) -> Float[Tensor, "*batch panel drift freq"]:
    """Sums along paths, moved so that those of one line through all panels stand at the same channel.

    A line that is at channel f when the cadence begins is at f + drift · start_rows when a panel begins.

    Args:
        maps: Sum along each path of each panel, by the channel of the path in the panel's first row.
        drifts_bins_per_row: Channels that the paths cross in a row.
        start_rows: Start of each panel, in rows since the start of the cadence; gaps may differ.

    Returns:
        The sums by the channel at the start of the cadence; 0 where a path is outside the window in that panel.
    """
    n_freq = maps.shape[-1]
    moved = torch.round(drifts_bins_per_row[None, :] * start_rows[:, None]).long()  # (panel, drift)
    channel = (moved[..., None] + torch.arange(n_freq)).to(maps.device)
    inside = (channel >= 0) & (channel < n_freq)
    return maps.gather(-1, channel.clamp(0, n_freq - 1).expand_as(maps)) * inside

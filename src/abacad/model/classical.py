"""The classical search: integrate along drifts in each panel, keep what stands in every ON panel and in no OFF panel.

    S_p(d, f) = Σ_t x_p(t, f + d·t), in units of its own spread over f: the SNR of a straight path in panel p
    E         = max over (d, f) of min over ON of S_p, where no OFF panel has S_p ≥ veto nearby

A path that starts at f in the first panel starts at f + d·(time since then) in a later one, whatever the gaps. This is
the logic of turboSETI's hit search and event filter (Enriquez et al. 2017; all ON panels, no OFF panel). turboSETI asks
for a threshold and answers yes or no; E is the largest SNR threshold at which the answer is yes, so that cadences can
be ranked by it. It serves as the yardstick that a detector has to beat.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from abacad.signal.cadence import OFF, ON, Axes
from abacad.signal.deviation import MAD_TO_SIGMA
from abacad.signal.drift import aligned, bins_per_panel, dedoppler, drift_grid
from abacad.simulator.settings import Simulation
from abacad.types import Panels


def event_snr(
    panels: Panels, axes: Axes, fastest_bins_per_panel: float = 24.0, veto: float = 5.0
) -> Float[Tensor, " batch"]:
    """The SNR of the strongest event of each cadence of a batch; 0 where there is none.

    Args:
        panels: (batch, 6, time, freq), any gain and offset.
        axes: their units.
        fastest_bins_per_panel: drifts that are searched, in channels a panel, of both signs.
        veto: SNR at which a path counts as a hit in an OFF panel.
    """
    drifts = drift_grid(fastest_bins_per_panel / axes.n_time, axes.n_time)
    starts = torch.tensor(axes.panel_start_s) / axes.dt_s
    maps = aligned(path_snr(panels, drifts), drifts, starts)
    weakest = F.max_pool2d(maps[:, ON], 3, 1, 1).amin(1)  # a drift between two of the grid ends a channel off
    # wider than in ON: a path that a veto misses by a channel or two would count as an event
    hit_off = F.max_pool2d(maps[:, OFF], 5, 1, 2).amax(1)
    # the weakest of the three ON panels decides: one that lacks the line is worth as much as no line
    return torch.where(hit_off < veto, weakest, 0.0).flatten(1).amax(1).clamp_min(0.0)


def simulated_event_snr(panels: Panels, simulation: Simulation) -> Float[Tensor, " batch"]:
    """`event_snr` over the drifts that the simulation's needles have; none of them crosses half a window in a panel."""
    fastest = bins_per_panel(simulation.needles.drift_hz_s[1], simulation.axes)
    return event_snr(panels, simulation.axes, min(fastest, simulation.axes.n_freq / 2))


def path_snr(panels: Panels, drifts_bins_per_row: Float[Tensor, " drift"]) -> Float[Tensor, "*batch panel drift freq"]:
    """SNR of every straight path of every panel: sums along drifts, over their robust spread across frequency."""
    # Without the mean: a path that leaves the band adds zeros for the rest, which have to mean "as much as noise".
    sums = dedoppler(panels.float() - panels.float().mean((-2, -1), keepdim=True), drifts_bins_per_row)
    # carriers and needles fill few of the channels: they move neither the median nor the median deviation
    sums = sums - sums.median(-1, keepdim=True).values
    spread = MAD_TO_SIGMA * sums.abs().median(-1, keepdim=True).values
    return sums * torch.where(spread > 0, 1 / spread, 0.0)

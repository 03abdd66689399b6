"""Simulated stamps: what the detector is shown by the search, for it to learn from.

The search cuts a stamp along each line that it finds, sheared until the line drifts slowly (`abacad.searcher.stamp`).
So interference that stands still runs askew there, and a bin adds up as many channels as the line smears over. Here a
band as wide as a stamp needs is simulated, and the stamp is cut along the needle in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import torch
from jaxtyping import Float

from abacad.learn.simulated import SimulatedCadences
from abacad.searcher.path import Line
from abacad.searcher.stamp import kept_slope, stamps
from abacad.searcher.unit import Unit
from abacad.signal.cadence import N_PANELS, OFF, ON, WIDTH, Axes
from abacad.signal.chance import Chance
from abacad.simulator.needle import NeedleBatch
from abacad.simulator.noise import draw_dof, draw_gains, fill_chi2
from abacad.simulator.path import Paths
from abacad.simulator.receiver import normalised
from abacad.simulator.rfi import draw_interference
from abacad.simulator.scene import Batch, draw_injected, draw_targets
from abacad.simulator.settings import Simulation

DECOYS = 0.33
"""Share of the stamps without a needle in which the line stands in OFF panels, too: the search meets many of them."""

_BESIDE = 32  # channels at either side of a stamp: where it begins is rounded


@dataclass(frozen=True)
class _Band:
    """The band that a stamp is cut from.

    Attributes:
        n_freq: its channels.
        line: along which the stamp is cut, in channels of the band.
        shift: channels by which that line was moved into the middle of the band.
        binned: channels that a bin of the stamp adds up.
    """

    n_freq: int
    line: Line
    shift: float
    binned: int


class SimulatedStamps(SimulatedCadences):
    """Stamps of `n` simulated needles, and of lines along which none stands, with their targets.

    A needle is as bright in a bin of its stamp as the simulation has it in a channel: a fast one, which smears over
    many channels, is no fainter here than a slow one.

    Example:
        >>> from abacad.simulator.presets import PRESETS
        >>> panels, target = SimulatedStamps(PRESETS["telescope"], 100)[3]
        >>> panels.shape
        (6, 16, 256)
    """

    def batch(self, indices: Sequence[int], device: str = "cpu") -> Batch:
        """The stamps at these indices, with their truth; `pixel_snr` and `panel_snr` are those of bins."""
        made = [_stamp(self.simulation, number, self.seed) for number in self.numbers(indices).tolist()]
        truth = {name: np.concatenate([one.truth[name] for one in made]) for name in made[0].truth}
        panels, targets = torch.cat([one.panels for one in made]), torch.cat([one.targets for one in made])
        return Batch(panels.to(device), targets.to(device), truth)


def _stamp(simulation: Simulation, number: int, seed: int) -> Batch:
    """One stamp; seed and number alone decide what it is."""
    rfi = replace(simulation.rfi, decoys=max(simulation.rfi.decoys, DECOYS))
    simulation, index = replace(simulation, rfi=rfi), np.array([number], dtype=np.int64)
    axes, families, chance = simulation.axes, simulation.needles.families, Chance(seed, index)
    targets = draw_targets(simulation, index, seed)
    injected = draw_injected(simulation, families, targets, chance)
    # Where nothing is injected, the stamp lies along a needle that could have been there.
    drawn = injected if len(injected.rows) else draw_injected(simulation, families, np.array([True]), chance)
    band = _band(_line(drawn.needles, axes), axes)
    sigma = np.sqrt(2 / draw_dof(simulation.noise, simulation.dof, chance))
    needles = None
    if len(injected.rows):
        moved = _moved(injected.needles, band)
        injected.truth.update(_truth(moved, band.binned, axes))
        needles = moved.paths(injected.rows, sigma, "cpu")
    power = _power(simulation, band.n_freq, sigma, chance, needles)
    seen = stamps(_unit(power, axes), [band.line])
    assert seen is not None  # there are three ON and three OFF panels
    panels = torch.from_numpy(seen)
    panels = normalised(panels) if simulation.normalise else panels
    return Batch(panels, torch.from_numpy(targets.astype(np.int64)), injected.truth)


def _line(needles: NeedleBatch, axes: Axes) -> Line:
    """The straight line nearest to a needle: through its lit rows in ON panels, or in all where it has none there."""
    channel, lit = needles.channel[0], needles.envelope[0] > 0
    shown = lit & np.isin(np.arange(N_PANELS), ON)[:, None]
    shown = shown if shown.any() else lit
    rows = (np.asarray(axes.panel_start_s) / axes.dt_s)[:, None] + np.arange(axes.n_time) + 0.5
    # A single row has a place and no slope.
    slope, x = np.polyfit(rows[shown], channel[shown], 1) if shown.sum() > 1 else (0.0, channel[shown][0])
    return Line(float(x), float(slope), float(needles.width[0]))


def _band(line: Line, axes: Axes) -> _Band:
    """A band in which the whole stamp along a line has its place, the line in its middle as it is in the stamp's."""
    binned, keep = kept_slope(_unit(np.zeros((N_PANELS, 0, 0), np.float32), axes), line)
    middle = axes.panel_start_s[-1] / axes.dt_s / 2
    wandered = abs(line.slope - keep * binned) * (middle + axes.n_time)
    half = ceil(wandered + 0.5 * WIDTH * binned) + _BESIDE
    shift = half - line.at(middle)
    return _Band(2 * half, replace(line, x=line.x + shift), shift, binned)


def _moved(needles: NeedleBatch, band: _Band) -> NeedleBatch:
    """A needle in the band of its stamp, as bright there in a bin as it was to be in a channel."""
    # N channels, each with an Nth of the power, add up to noise of √N.
    snr = needles.snr * np.sqrt(band.binned)
    return replace(needles, channel=needles.channel + band.shift, snr=snr, n_freq=band.n_freq)


def _truth(needles: NeedleBatch, binned: int, axes: Axes) -> dict[str, np.ndarray]:
    columns = needles.truth(axes)
    return columns | {name: columns[name] * np.sqrt(binned) for name in ("pixel_snr", "panel_snr")}


def _power(
    simulation: Simulation, n_freq: int, sigma: Float[np.ndarray, "1"], chance: Chance, needles: Paths | None
) -> Float[np.ndarray, "panel time freq"]:
    """A band with interference and needles, each panel's mean 0, in units of the noise.

    Its bandpass is flat: the search divides the bandpass of a coarse channel out.
    """
    axes = simulation.axes
    power = torch.empty(N_PANELS, axes.n_time, n_freq)
    fill_chi2(power, float(2 / sigma[0] ** 2), int(chance.keys("noise")[0]))
    emissions = draw_interference(simulation, n_freq, sigma, chance, "cpu", needles)
    emissions.add(power[None])
    gains = draw_gains(replace(simulation.noise, bandpass_ripple=0), axes, n_freq, chance)
    power *= torch.from_numpy(gains.freq[0])
    power *= torch.from_numpy(gains.time[0] * emissions.bursts[0])[..., None]
    return ((power - power.mean((-2, -1), keepdim=True)) / float(sigma[0])).numpy()


def _unit(power: Float[np.ndarray, "panel time freq"], axes: Axes) -> Unit:
    """A simulated band as the search has one of an observation."""
    n_time = (axes.n_time,) * N_PANELS
    return Unit(power, 0, 0, power.shape[-1], tuple(ON), tuple(OFF), n_time, axes.panel_start_s, axes.dt_s, axes.df_hz)

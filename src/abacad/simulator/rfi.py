"""Interference: signals of transmitters on the ground and in orbit, and of the receiver itself.

Carriers, combs and the DC spike are steady; blobs and bursts are noise of their own, so they multiply the noise.
Drifting lines and squiggles have the shapes of needles but stand in OFF panels too, and only the OFF panels tell them
from needles.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Num

from abacad.signal.cadence import N_PANELS, Axes
from abacad.signal.chance import Chance, between, log_uniform
from abacad.simulator.needle import draw_lit, draw_needles
from abacad.simulator.path import Deposits, Paths, deposit, deposits, join
from abacad.simulator.settings import Families, Simulation

# Families that drifting interference is drawn from. Most of it is straight; satellites and pulsed transmitters make up
# the rest.
_GROUND_LINES = Families.only(line=0.6, sine=0.1, s_curve=0.05, pulsed=0.15, scintillating=0.1)
_GROUND_SQUIGGLES = Families.only(squiggle=0.7, dash=0.3)


@dataclass(frozen=True)
class Interference:
    """What interference adds to a batch of observations.

    Attributes:
        steady: pixels that it lifts.
        noisy: pixels whose noise it multiplies.
        bursts: (batch, panel, time) factor of each row, 1 where no burst is.
    """

    steady: list[Deposits]
    noisy: list[Deposits]
    bursts: Float[np.ndarray, "batch panel time"]

    def add(self, panels: Float[torch.Tensor, "some panel time freq"], first: int = 0) -> None:
        """Add what is narrow-band to the observations `first` and following of the batch, in place."""
        deposit(panels, self.steady, first)
        deposit(panels, self.noisy, first, noisy=True)


@dataclass(frozen=True)
class _Emitters:
    """Emitters of one sort: `owner` is the observation of each, `number` its place among those of the observation."""

    owner: Int[np.ndarray, " emitter"]
    number: Int[np.ndarray, " emitter"]

    def __len__(self) -> int:
        return len(self.owner)

    def of(self, values: Num[np.ndarray, "batch slot *rest"]) -> Num[np.ndarray, "emitter *rest"]:
        return values[self.owner, self.number]


def draw_interference(
    simulation: Simulation,
    n_freq: int,
    sigma: Float[np.ndarray, " batch"],
    chance: Chance,
    device: str,
    needles: Paths | None = None,
) -> Interference:
    """Interference in a batch of observations of `n_freq` channels whose pixels have the standard deviation `sigma`.

    Args:
        simulation: how much interference of which sort.
        n_freq: channels of an observation.
        sigma: (batch,) σ of a noise pixel over the mean noise, the unit of SNR.
        chance: one index for each observation.
        device: where pixels are added.
        needles: of these observations, to be added with the interference; one pass over the pixels instead of two.
    """
    rfi = simulation.rfi
    windows = n_freq / simulation.axes.n_freq

    def some(name: str, mean: float, maker: Callable[[Simulation, _Emitters, int, Chance], _Drawn]) -> list[Paths]:
        emitters = _how_many(name, mean * windows, chance)
        # most single windows hold none, and making none takes as long as making some
        return [_scaled(maker(simulation, emitters, n_freq, chance), sigma, device)] if len(emitters) else []

    # One list, so that all steady emissions are added in one pass over the pixels.
    steady = [
        *some("carriers", rfi.carriers, _carriers),
        *some("combs", rfi.combs, _combs),
        *some("dc spike", rfi.dc_spike, _dc_spikes),
        *(_scaled(drawn, sigma, device) for drawn in _drifting(simulation, "lines", rfi.lines, n_freq, chance)),
        *(_scaled(drawn, sigma, device) for drawn in _drifting(simulation, "squiggles", rfi.squiggles, n_freq, chance)),
        *([] if needles is None else [needles]),
    ]
    noisy = some("blobs", rfi.blobs, _blobs)
    return Interference(
        deposits(join(steady), len(chance), n_freq) if steady else [],
        deposits(join(noisy), len(chance), n_freq, taper=True) if noisy else [],
        _bursts(simulation, chance),
    )


@dataclass(frozen=True)
class _Drawn:
    """Paths as numpy makes them, with intensities in σ."""

    owner: Int[np.ndarray, " path"]
    channel: Float[np.ndarray, "path panel time"]
    intensity: Float[np.ndarray, "path panel time"]
    width: Float[np.ndarray, " path"]


def _scaled(drawn: _Drawn, sigma: Float[np.ndarray, " batch"], device: str) -> Paths:
    intensity = drawn.intensity * sigma[drawn.owner][:, None, None]
    return Paths(
        torch.from_numpy(drawn.owner.astype(np.int64)).to(device),
        torch.from_numpy(drawn.channel.astype(np.float32)).to(device),
        torch.from_numpy(intensity.astype(np.float32)).to(device),
        torch.from_numpy(drawn.width.astype(np.float32)).to(device),
    )


def _how_many(name: str, mean: float, chance: Chance) -> _Emitters:
    """A Poisson number of emitters for each observation: as many as unit-rate arrivals before time `mean`."""
    most = int(np.ceil(mean + 6 * np.sqrt(mean) + 4))  # 6 σ above the mean: more come once in a billion observations
    arrivals = np.cumsum(-np.log1p(-chance.uniform(f"{name} number", most)), axis=1)
    owner, number = np.nonzero(arrivals < mean)
    return _Emitters(owner, number)


def _draws(name: str, emitters: _Emitters, n: int, chance: Chance) -> Float[np.ndarray, "emitter n"]:
    slots = int(emitters.number.max(initial=0)) + 1
    return emitters.of(chance.uniform(name, slots, n))


def _panels(
    u: Float[np.ndarray, "emitter 3"], some: Float[np.ndarray, "emitter 6"]
) -> Bool[np.ndarray, "emitter panel"]:
    """Where carriers stand: in all panels (70 %), in all but one (15 %), or in some."""
    # The last 15 % are what a detector falls for: of a carrier that is switched panel by panel, one in nine leaves no
    # OFF panel lit (docs/lab-notebook.md, section 16).
    lit = np.ones((len(u), N_PANELS), dtype=bool)
    but_one = np.arange(N_PANELS) != np.floor(N_PANELS * u[:, 1, None])
    lit &= ~((u[:, 0] >= 0.7) & (u[:, 0] < 0.85))[:, None] | but_one
    return lit & (~(u[:, 0] >= 0.85)[:, None] | (some < 0.5))


def _level(channel: Float[np.ndarray, " path"], n_time: int) -> Float[np.ndarray, "path panel time"]:
    return np.broadcast_to(channel[:, None, None], (len(channel), N_PANELS, n_time))


def _carriers(simulation: Simulation, emitters: _Emitters, n_freq: int, chance: Chance) -> _Drawn:
    """Lines of constant frequency whose intensity swings slowly by up to a third, and differs between pointings."""
    u = _draws("carriers", emitters, 16, chance)
    t = np.arange(simulation.axes.n_time) / simulation.axes.n_time
    swing = 1 + u[:, 0, None, None] / 3 * np.sin(2 * np.pi * (t * (0.5 + 3 * u[:, 1, None]) + u[:, 2, None]))[:, None]
    lit = _panels(u[:, 3:6], u[:, 6:12])
    snr = log_uniform(u[:, 12], simulation.rfi.carrier_snr)
    # a sidelobe's gain is another one at each pointing
    level = np.exp(simulation.rfi.carrier_level * np.sqrt(12) * (_draws("level", emitters, N_PANELS, chance) - 0.5))
    return _Drawn(
        emitters.owner,
        _level(u[:, 13] * n_freq - 0.5, simulation.axes.n_time),
        swing * (lit * level * snr[:, None])[:, :, None],
        log_uniform(u[:, 14], (0.4, 3.0)),
    )


def _combs(simulation: Simulation, emitters: _Emitters, n_freq: int, chance: Chance) -> _Drawn:
    """Four to twelve carriers, 5 to 40 channels apart, in all panels."""
    u = _draws("combs", emitters, 4, chance)
    teeth = 12  # the most; those beyond a comb's own number get SNR 0
    tooth = np.tile(np.arange(teeth), len(emitters))
    u = np.repeat(u, teeth, axis=0)
    spacing = log_uniform(u[:, 0], (5.0, 40.0))
    channel = u[:, 1] * n_freq + (tooth - teeth / 2) * spacing
    snr = log_uniform(u[:, 2], simulation.rfi.carrier_snr) * (tooth < 4 + np.floor(9 * u[:, 3]))
    lit = np.ones((1, N_PANELS, simulation.axes.n_time))
    owner = np.repeat(emitters.owner, teeth)
    return _Drawn(owner, _level(channel, simulation.axes.n_time), lit * snr[:, None, None], np.full(len(u), 0.5))


def _dc_spikes(simulation: Simulation, emitters: _Emitters, n_freq: int, chance: Chance) -> _Drawn:
    """The digitiser's own line in the middle of a wide scene; anywhere in a single window."""
    axes = simulation.axes
    u = _draws("dc spike", emitters, 2, chance)
    # A coarse channel's middle is at one place of a wide scene. A single window is cut from anywhere in it.
    alone = n_freq < 2 * axes.n_freq
    channel = np.floor(u[:, 0] * n_freq) if alone else np.full(len(u), float(n_freq // 2))
    snr = log_uniform(u[:, 1], simulation.rfi.carrier_snr)
    lit = np.ones((1, N_PANELS, axes.n_time))
    return _Drawn(emitters.owner, _level(channel, axes.n_time), lit * snr[:, None, None], np.full(len(u), 0.5))


def _blobs(simulation: Simulation, emitters: _Emitters, n_freq: int, chance: Chance) -> _Drawn:
    """Patches of modulated noise 3 to 12 channels wide that come and go within panels and between them."""
    u = _draws("blobs", emitters, 8 + N_PANELS, chance)
    n_time = simulation.axes.n_time
    row = np.arange(n_time) / n_time
    period = log_uniform(u[:, 0], (0.1, 4.0))[:, None, None]
    time = np.arange(N_PANELS)[:, None] + row  # the switching goes on from panel to panel
    on = (time / period + u[:, 1, None, None]) % 1 < between(u[:, 2], 0.2, 0.8)[:, None, None]
    panels = u[:, 8:] < between(u[:, 3], 0.3, 1.2)[:, None]
    snr = log_uniform(u[:, 4], simulation.rfi.blob_snr)[:, None, None]
    return _Drawn(
        emitters.owner,
        _level(u[:, 5] * n_freq, n_time) + between(u[:, 6], -2, 2)[:, None, None] * time,
        on * panels[:, :, None] * snr,
        between(u[:, 7], 4, 16),  # the taper lights half to three quarters of it
    )


def _drifting(simulation: Simulation, name: str, mean: float, n_freq: int, chance: Chance) -> list[_Drawn]:
    """Emissions of the needles' shapes and strengths that stand in OFF panels too."""
    families = _GROUND_LINES if name == "lines" else _GROUND_SQUIGGLES
    emitters = _how_many(name, mean * n_freq / simulation.axes.n_freq, chance)
    drawn = []
    for number in range(int(emitters.number.max(initial=-1)) + 1):
        owner = emitters.owner[emitters.number == number]
        # An emitter needs an index of its own: the key of its observation and number, a hash that meets no other index.
        own = Chance(chance.seed, chance.keys(f"{name} {number}")[owner].view(np.int64))
        lit = draw_lit(simulation.needles, np.ones(len(owner), dtype=bool), own)
        some = draw_needles(simulation.needles, families, simulation.axes, n_freq, lit, own)
        # up to three times as strong as needles: transmitters on the ground are near
        snr = some.snr * log_uniform(own.uniform("nearness", 1)[:, 0], (1.0, 3.0))
        drawn.append(_Drawn(owner, some.channel, some.envelope * snr[:, None, None], some.width))
    return drawn


def _bursts(simulation: Simulation, chance: Chance) -> Float[np.ndarray, "batch panel time"]:
    """Broadband bursts of one to twelve rows: factors on the noise of all channels."""
    axes: Axes = simulation.axes
    emitters = _how_many("bursts", simulation.rfi.bursts, chance)
    u = _draws("bursts", emitters, 4, chance)
    # two bursts in one row add up: 1 + level + level
    factor = np.ones((len(chance), N_PANELS, axes.n_time), dtype=np.float32)
    length = np.floor(log_uniform(u[:, 0], (1.0, min(12.0, axes.n_time / 4) + 1)))
    start = u[:, 1] * (axes.n_time - length)
    row = np.arange(axes.n_time)
    on = (row >= start[:, None]) & (row < (start + length)[:, None])
    level = log_uniform(u[:, 2], simulation.rfi.burst_level)
    panel = np.floor(N_PANELS * u[:, 3]).astype(int)
    np.add.at(factor, (emitters.owner, panel), (on * level[:, None]).astype(np.float32))
    return factor

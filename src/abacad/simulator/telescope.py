"""What the telescope files of one observation hold: noise, the shape of the band, needles and interference.

    power = level · gain(panel, time) · gain(freq) · band(freq) · (noise + emissions)

An emission that begins the observation in channel c and drifts by D Hz/s is in channel c + D·t/df at t seconds, slews
and OFF panels included: 1 Hz/s for 1,900 s and channels of 2.79 Hz are 680 channels. A row of 18.25 s smears it over
D·18.25/2.79 = 6.5 channels of it.
"""

import functools
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from abacad.errors import AbacadError
from abacad.signal.cadence import COARSE, N_PANELS, OFF, ON, Axes
from abacad.signal.chance import Chance, log_uniform
from abacad.simulator.noise import draw_dof, draw_gains, fill_chi2
from abacad.simulator.path import Deposits, Paths, deposit, deposits
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Noise, Simulation

_TAPS = 12  # of the polyphase filter at Green Bank
_DC_SPIKE = 300.0  # times the noise
_LEVEL = 4e9  # what the spectrometer calls the noise
_MARGIN = 150  # channels between two emissions
_TRIES = 10_000  # places drawn for one emission before the band is called full


@dataclass(frozen=True)
class Session:
    """A simulated observation; by default of Breakthrough Listen's fine product, six panels of five minutes.

    Attributes:
        channels: Channels of a file: at most a coarse channel of 2^20, or several whole ones.
        needles: Drifting signals in the ON panels alone; for ten of them one more that stands still.
        snr: Faintest and brightest needle: summed along its path in one panel, over the noise, before smearing.
        drift_hz_s: Slowest and fastest needle, of either sign.
        simulation: Where noise, gains, rows and the width of channels come from.
    """

    channels: int = 1 << 18
    needles: int = 20
    snr: tuple[float, float] = (10.0, 100.0)
    drift_hz_s: tuple[float, float] = (0.05, 4.0)
    simulation: Simulation = field(default_factory=lambda: PRESETS["telescope"])

    def __post_init__(self) -> None:
        """Refuse bands that hold nothing."""
        n = self.channels
        if n < 4096 or n % 2 or (n > COARSE and n % COARSE):
            raise AbacadError(
                f"{n:,} channels: give an even number from 4,096 to 2^20, or a multiple of 2^20 = 1048576."
            )
        if not 0 <= self.needles <= n:
            raise AbacadError(f"{self.needles:,} needles: give 0 or more, and no more than there are channels.")

    @property
    def axes(self) -> Axes:
        """Rows and channels of a panel."""
        axes = self.simulation.axes
        return Axes(axes.n_time, self.channels, axes.dt_s, axes.df_hz)


@dataclass(frozen=True)
class Emissions:
    """All that stands in an observation but noise.

    Attributes:
        emitter: (emission,) needle, standing (ON alone, without drift), carrier, drifting, intermittent or dc spike.
        channel: (emission,) where it is when the observation begins.
        drift_hz_s: (emission,) Hz/s.
        snr: (emission,) panel SNR before smearing.
        width: (emission,) channels.
        lit: (emission, panel) whether it stands in a panel.
        start_s: (panel,) when each panel begins.
    """

    emitter: np.ndarray
    channel: Float[np.ndarray, " emission"]
    drift_hz_s: Float[np.ndarray, " emission"]
    snr: Float[np.ndarray, " emission"]
    width: Float[np.ndarray, " emission"]
    lit: Bool[np.ndarray, "emission panel"]
    start_s: Float[np.ndarray, " panel"]

    def smear(self, axes: Axes) -> Float[np.ndarray, " emission"]:
        """Channels crossed within a row, at least one."""
        return np.maximum(np.abs(self.drift_hz_s) * axes.dt_s / axes.df_hz, 1.0)

    def joint_snr(self, axes: Axes) -> Float[np.ndarray, " emission"]:
        """SNR summed along the path of a line through all lit ON panels, smearing matched by as wide a sum."""
        n_on = self.lit[:, list(ON)].sum(axis=1)
        return self.snr * np.sqrt(n_on / self.smear(axes))

    def paths(self, panel: int, axes: Axes, sigma: float) -> Paths:
        """The paths of all emissions through one panel, with intensities over the noise's mean."""
        at = self.start_s[panel] + (np.arange(axes.n_time) + 0.5) * axes.dt_s
        channel = self.channel[:, None] + self.drift_hz_s[:, None] * at / axes.df_hz
        height = self.snr * sigma / np.sqrt(axes.n_time) * self.lit[:, panel]
        return Paths(
            torch.zeros(len(self.emitter), dtype=torch.int64),
            torch.from_numpy(channel[:, None]),
            torch.from_numpy(np.broadcast_to(height[:, None, None], (len(self.emitter), 1, axes.n_time)).copy()),
            torch.from_numpy(self.width),
        )


def draw_start_s(session: Session, seed: int) -> Float[np.ndarray, " panel"]:
    """When each panel begins: five minutes each, and 15 to 40 s from one target to the next."""
    axes = session.axes
    slews = 15 + 25 * _chance(seed).uniform("slew", N_PANELS)[0]
    return np.concatenate([[0.0], np.cumsum(axes.panel_s + slews[:-1])])


def draw_emissions(session: Session, seed: int) -> Emissions:
    """What stands in the observation, each away from the others.

    Raises:
        AbacadError: the band is too narrow for so many.
    """
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed & (2**63 - 1), session.channels])))
    start_s = draw_start_s(session, seed)
    n = session.channels
    counts = {
        "needle": session.needles, "standing": -(-session.needles // 10), "carrier": n // 8_000 + 1,
        "drifting": n // 24_000 + 1, "intermittent": n // 32_000 + 1,
    }  # fmt: skip
    emitter = np.repeat(np.array(list(counts), dtype=object), list(counts.values()))
    size = len(emitter)
    sign = np.where(rng.random(size) < 0.5, -1.0, 1.0)
    drift = np.select(
        [emitter == "needle", emitter == "drifting"],
        [log_uniform(rng.random(size), session.drift_hz_s), log_uniform(rng.random(size), (0.02, 0.4))],
        0.0,
    )
    ours = (emitter == "needle") | (emitter == "standing")
    snr = log_uniform(rng.random(size), (10.0, 3_000.0))
    snr = np.where(ours, log_uniform(rng.random(size), session.snr), snr)
    width = np.where(ours, log_uniform(rng.random(size), (0.1, 1.0)), log_uniform(rng.random(size), (0.4, 3.0)))
    drift = sign * drift + 0.0  # no -0
    span = drift * (start_s[-1] + session.axes.panel_s) / session.axes.df_hz
    channel = _placed(span, n, rng)
    dc = np.arange(min(n, COARSE) // 2 - 1, n, COARSE)  # the middle channel, counted from the file's highest one
    return Emissions(
        emitter=np.concatenate([emitter, np.full(len(dc), "dc spike", dtype=object)]),
        channel=np.concatenate([channel, dc.astype(float)]),
        drift_hz_s=np.concatenate([drift, np.zeros(len(dc))]),
        snr=np.concatenate([snr, np.full(len(dc), _DC_SPIKE / _sigma(session, seed) * np.sqrt(session.axes.n_time))]),
        width=np.concatenate([width, np.full(len(dc), 0.5)]),
        lit=np.concatenate([_lit(emitter, rng), np.ones((len(dc), N_PANELS), dtype=bool)]),
        start_s=start_s,
    )


def _lit(emitter: np.ndarray, rng: np.random.Generator) -> Bool[np.ndarray, "emission panel"]:
    """Needles and standing lines in ON panels alone, intermittent interference in some that hold an OFF panel."""
    lit = np.ones((len(emitter), N_PANELS), dtype=bool)
    lit[np.ix_((emitter == "needle") | (emitter == "standing"), OFF)] = False
    some = emitter == "intermittent"
    # One OFF panel at least, or by the ON–OFF rule it would be a needle.
    lit[some] = rng.random((int(some.sum()), N_PANELS)) < 0.5
    lit[some, OFF[0]] = True
    return lit


def _placed(span: Float[np.ndarray, " emission"], n: int, rng: np.random.Generator) -> Float[np.ndarray, " emission"]:
    """Channels to begin at, the longest first, so that no two come near each other, a DC spike or the edge."""
    coarse = min(n, COARSE)
    taken = [(middle - 50, middle + 50) for middle in range(coarse // 2, n, coarse)]
    channel = np.zeros(len(span))
    # the longest first: short ones fit into the gaps that are left
    for place in np.argsort(-np.abs(span), kind="stable"):
        low, high = min(0.0, span[place]) - _MARGIN, max(0.0, span[place]) + _MARGIN
        for _ in range(_TRIES):
            at = -low + rng.random() * (n - 1 - high + low)
            if at >= -low and all(at + high < first or at + low > last for first, last in taken):
                break
        else:
            raise AbacadError(
                f"{n:,} channels have no room for so many signals.\nGive more channels, or fewer needles."
            )
        taken.append((at + low, at + high))
        channel[place] = at
    return channel


def power(session: Session, emissions: Emissions, seed: int, panel: int, first: int, n: int) -> Float[Tensor, "time n"]:
    """What one panel's file holds in `n` channels from `first` on, counted upwards in frequency."""
    axes = session.axes
    out = torch.empty(axes.n_time, n)
    fill_chi2(out, _dof(session, seed), int(_chance(seed).keys(f"noise {panel} {first}")[0]))
    for some in _deposits(emissions.paths(panel, axes, _sigma(session, seed)), first, n):
        deposit(out[None, None], [some])
    time, freq = gains(session.simulation.noise, axes, seed)
    out *= torch.from_numpy(time[panel, :, None] * np.float32(_LEVEL))
    return out.mul_(torch.from_numpy(freq[first : first + n]))


@functools.lru_cache(maxsize=1)
def gains(noise: Noise, axes: Axes, seed: int) -> tuple[Float[np.ndarray, "panel time"], Float[np.ndarray, " channel"]]:
    """Gains of the rows of each panel; and of the channels: ripple, scatter, and the polyphase filter's shape."""
    drawn = draw_gains(noise, axes, axes.n_freq, _chance(seed))
    # every coarse channel has the same filter, and so the same shape: `resize` repeats it
    band = np.resize(polyphase_band(min(axes.n_freq, COARSE)), axes.n_freq)
    return drawn.time[0], (drawn.freq[0] * band).astype(np.float32)


def _deposits(paths: Paths, first: int, n: int) -> list[Deposits]:
    """Pixels of the paths in a piece of the band; those that pass it by cost nothing."""
    channel = paths.channel - first
    # 64 channels beyond the piece: a row of the fastest needle (4 Hz/s) is smeared over 26
    near = ((channel > -64) & (channel < n + 64)).flatten(1).any(dim=1)
    some = Paths(paths.owner[near], channel[near], paths.intensity[near], paths.width[near])
    return [Deposits(one.pixel, one.amount.float(), one.bounds) for one in deposits(some, 1, n)]


def polyphase_band(n: int) -> Float[np.ndarray, " channel"]:
    """Noise power across a coarse channel whose polyphase filter has 12 taps: 1 in the middle, ½ at the edges.

    The filter is a sinc under a Hamming window. What it lets through from beyond the edge folds back, so the edge has
    the power of both sides: twice the quarter that the filter leaves there.
    """
    step = 64
    k = np.arange(_TAPS * step)
    taps = np.sinc((k - (len(k) - 1) / 2) / step) * np.hamming(len(k))
    response = np.abs(np.fft.fft(taps / taps.sum(), 64 * len(k))) ** 2
    freq = np.fft.fftfreq(64 * len(k)) * step  # in coarse channels
    order = np.argsort(freq)
    x = (np.arange(n) + 0.5) / n - 0.5
    return np.sum([np.interp(x + fold, freq[order], response[order]) for fold in (-1, 0, 1)], axis=0)


def _chance(seed: int) -> Chance:
    return Chance(seed, np.array([0], dtype=np.int64))


def _dof(session: Session, seed: int) -> float:
    return float(draw_dof(session.simulation.noise, session.simulation.dof, _chance(seed))[0])


def _sigma(session: Session, seed: int) -> float:
    """Standard deviation of a pixel of mean 1."""
    return float(np.sqrt(2 / _dof(session, seed)))


def pieces(channels: int) -> list[tuple[int, int]]:
    """(first, n) of the parts that a file is made in, a coarse channel each: memory is bounded by one."""
    return [(first, min(COARSE, channels - first)) for first in range(0, channels, COARSE)]

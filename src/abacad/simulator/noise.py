"""Radiometer noise and the receiver's gains.

The power of a pixel is the sum of k squared normal numbers: x ~ χ²_k / k, with mean 1 and σ = √(2/k). Two
polarisations give k = 4·round(df·dt), df·dt being the number of samples averaged.

Numbers are drawn by the inverse of the distribution function: a 16-bit random word picks one of 65,536 equally likely
quantiles. In the tails, where quantiles lie far apart, another 53 bits say where between its neighbours a number
falls, so that neither a largest possible value nor preferred bright values exist.
"""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.stats
import torch
from jaxtyping import Float, Int
from torch import Tensor

from abacad.signal.cadence import N_PANELS, Axes
from abacad.signal.chance import Chance
from abacad.simulator.settings import Noise

_WORDS = 1 << 16
_TAIL = 64  # words at either end that are refined: the outer 0.2 % of the distribution
_BLOCK = 1 << 19  # numbers whose tails are refined together
_PIECE = 1 << 17  # numbers made at a time: what a core's cache holds
_DOF_STEPS = 16  # values of k for one preset, so that a few tables of quantiles serve all cadences


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of χ²_k / k.

    Attributes:
        middle: at (i + ½) / 65,536.
        tail_log_p: knots of the logarithm of the outer probability, ascending.
        low: quantiles at the knots, in the lower tail.
        high: quantiles at the knots, in the upper tail.
    """

    middle: Float[Tensor, "65536"]
    tail_log_p: Float[Tensor, " knot"]
    low: Float[Tensor, " knot"]
    high: Float[Tensor, " knot"]


@functools.lru_cache(maxsize=64)
def quantiles(dof: float, device: str = "cpu") -> Quantiles:
    """The quantiles for k = `dof`, made once."""
    chi2 = scipy.stats.chi2(dof)
    # from 2⁻⁶⁰, a probability that no data set reaches, to just inside the words that are refined
    log_p = np.linspace(-60 * np.log(2), np.log(1.01 * _TAIL / _WORDS), 2048)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)

    return Quantiles(
        middle=tensor(chi2.ppf((np.arange(_WORDS) + 0.5) / _WORDS) / dof),
        tail_log_p=tensor(log_p),
        low=tensor(chi2.ppf(np.exp(log_p)) / dof),
        high=tensor(chi2.isf(np.exp(log_p)) / dof),
    )


def chi2_noise(shape: tuple[int, ...], dof: float, key: int) -> Float[Tensor, "..."]:
    """Independent draws of χ²_dof / dof, float32, on the CPU; `key` decides them all."""
    out = torch.empty(shape)
    fill_chi2(out, dof, key)
    return out


def fill_chi2(out: Float[Tensor, "..."], dof: float, key: int) -> None:
    """The same into a tensor on the CPU that is there already."""
    flat = out.view(-1)
    table = quantiles(float(dof))
    # SFC64 is NumPy's quickest generator, and numbers of a simulation need not withstand more than statistics
    bits = np.random.Generator(np.random.SFC64(key))
    words = _Words(bits, min(_PIECE, len(flat)))
    for block in flat.split(_BLOCK):
        tails = []
        for first, piece in zip(range(0, len(block), _PIECE), block.split(_PIECE), strict=True):
            index, places = words.draw(len(piece))
            torch.index_select(table.middle, 0, torch.from_numpy(index), out=piece)
            tails.append((first + places, index[places]))
        tail, outer = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*tails, strict=True))
        within = torch.from_numpy(1 - bits.random(len(tail)))
        block[tail] = _tails(table, outer, within)


class _Words:
    """16-bit random words, drawn into memory that is kept: memory fresh from the system costs more than the words."""

    def __init__(self, bits: np.random.Generator, most: int) -> None:
        self.bits = bits
        self.index = np.empty(most, dtype=np.int32)
        self.turned = np.empty(most, dtype=np.uint16)
        self.outer = np.empty(most, dtype=bool)

    def draw(self, n: int) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " tail"]]:
        """`n` words, overwritten by the next call, and the places of those in the tails."""
        # whole 64-bit words at once: four times as fast as asking for 16-bit ones
        raw = self.bits.integers(0, 2**64 - 1, (n + 3) // 4, dtype=np.uint64, endpoint=True)
        words = raw.view(np.uint16)[:n]
        np.add(words, np.uint16(_TAIL), out=self.turned[:n])
        # the sum wraps around at 65,536: both tails become words below 128, and one comparison finds them
        np.less(self.turned[:n], np.uint16(2 * _TAIL), out=self.outer[:n])
        self.index[:n] = words
        return self.index[:n], np.flatnonzero(self.outer[:n])


def fill_rows(out: Float[Tensor, "row ..."], dof: Float[np.ndarray, " row"], keys: list[int]) -> None:
    """Draws into a batch on any device: row r is χ² with dof[r] degrees of freedom, and keys[r] decides it.

    For a GPU: one launch a row for the bits, and the rest for all rows together. The numbers differ from those of
    `fill_chi2`, the distribution does not.
    """
    bits = torch.empty(len(out), out[0].numel(), dtype=torch.int32, device=out.device)
    generator = torch.Generator(out.device)
    for row, key in enumerate(keys):
        bits[row].random_(generator=generator.manual_seed(key & (2**63 - 1)))
    # of 32 random bits, 16 choose the quantile and 15 of the others say where within a tail's word the number falls
    words = bits & (_WORDS - 1)
    flat = out.view(bits.shape)
    for value in np.unique(dof):
        rows = torch.from_numpy(np.flatnonzero(dof == value)).to(out.device)
        table = quantiles(float(value), str(out.device))
        some = words[rows].view(-1)
        drawn = table.middle[some]
        places = ((some < _TAIL) | (some >= _WORDS - _TAIL)).nonzero().view(-1)
        within = ((bits[rows].view(-1)[places] >> 16).double() + 0.5) / (1 << 15)
        drawn[places] = _tails(table, some[places], within)
        flat[rows] = drawn.view(len(rows), -1)


def _tails(table: Quantiles, words: Int[Tensor, " tail"], within: Float[Tensor, " tail"]) -> Float[Tensor, " tail"]:
    """Quantiles for words in the tails, `within` being the place between a word and the next outer one."""
    upper = words >= _WORDS // 2
    whole = torch.where(upper, _WORDS - 1 - words, words)  # words further out
    log_p = ((whole + within) / _WORDS).log().float()
    right = torch.searchsorted(table.tail_log_p, log_p).clamp(1, len(table.tail_log_p) - 1)
    x0, x1 = table.tail_log_p[right - 1], table.tail_log_p[right]
    part = (log_p - x0) / (x1 - x0)
    low = torch.lerp(table.low[right - 1], table.low[right], part)
    high = torch.lerp(table.high[right - 1], table.high[right], part)
    return torch.where(upper, high, low)


def draw_dof(noise: Noise, nominal: float, chance: Chance) -> Float[np.ndarray, " batch"]:
    """(batch,) degrees of freedom, one of 16 steps from the lowest to the highest, so that tables can be kept."""
    low, high = noise.dof_scale
    step = np.floor(chance.uniform("dof", 1)[:, 0] * _DOF_STEPS) / (_DOF_STEPS - 1)
    return nominal * (low + (high - low) * step)


@dataclass(frozen=True)
class Gains:
    """What the receiver multiplies the power by: a factor for each row times a factor for each channel.

    Attributes:
        time: level of each panel, its slow drift, its row-to-row changes and the broadband bursts.
        freq: bandpass ripple and channel-to-channel gain, the same in all panels.
    """

    time: Float[np.ndarray, "batch panel time"]
    freq: Float[np.ndarray, "batch freq"]


def draw_gains(noise: Noise, axes: Axes, n_freq: int, chance: Chance) -> Gains:
    """Gains of a batch of observations of `n_freq` channels."""
    return Gains(_time_gain(noise, axes.n_time, chance), _freq_gain(noise, axes.n_freq, n_freq, chance))


def _time_gain(noise: Noise, n_time: int, chance: Chance) -> Float[np.ndarray, "batch panel time"]:
    level = np.exp(noise.panel_level * chance.normal("panel level", N_PANELS, 1))
    t = np.linspace(-1, 1, n_time)
    tilt = chance.normal("gain tilt", N_PANELS, 1) * np.sqrt(3) * t
    phase = chance.uniform("gain wave", 2, N_PANELS, 1)
    wave = np.sqrt(2) * np.sin(np.pi * (0.5 + 2 * phase[:, 0]) * t + 2 * np.pi * phase[:, 1])
    # uniform with variance 1: its law does not matter at a thousandth of the power, and it costs less than a normal one
    fast = np.sqrt(12) * (chance.uniform("fast gain", N_PANELS, n_time) - 0.5)
    slow = noise.slow_gain * np.sqrt(0.5) * (tilt + wave)
    # gains are drawn as logarithms: a gain is positive, and several of them multiply
    return (level * np.exp(slow + noise.fast_gain * fast)).astype(np.float32)


def _freq_gain(noise: Noise, window: int, n_freq: int, chance: Chance) -> Float[np.ndarray, "batch freq"]:
    """Four sines of half a window to eight windows a period, and white changes from channel to channel."""
    u = chance.uniform("bandpass", 2, 4, 1)
    period = window * 0.5 * 16 ** u[:, 0]
    ripple = np.sin(2 * np.pi * (np.arange(n_freq) / period + u[:, 1])).sum(axis=1) / np.sqrt(2)
    white = chance.normal("channel gain", n_freq)
    return np.exp(noise.bandpass_ripple * ripple + noise.channel_gain * white).astype(np.float32)

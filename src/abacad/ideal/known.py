"""What the simulator knows of a cadence besides its noise and its needle, and the cadence in units of that noise.

    power = gain(panel, time) · gain(freq) · (multiplied · noise + added + needle)
    given = (power − mean) / std                                    panel by panel, in float16

Gains, interference and degrees of freedom are drawn again from seed and number, so all these factors are exact. Mean
and std of a panel depend on its noise and its needle as well, which an observer does not know. They are estimated: they
are chosen so that what is left has the averages of χ²_k / k noise. These are the two equations in which the derivatives
of the log-likelihood are 0, with bounds (0.1 and 2.5) that keep a bright needle from moving the averages:

    offset:  mean of (1 / noise − its expectation) / gain = 0
    scale:   mean of (1 − 2/k) · interference · (1 / noise − its expectation) − (min(noise, 2.5) − its expectation) = 0
"""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.integrate
import scipy.stats
import torch
from jaxtyping import Float, Int
from torch import Tensor

from abacad.signal.cadence import N_PANELS
from abacad.signal.chance import Chance
from abacad.simulator.noise import draw_dof, draw_gains
from abacad.simulator.rfi import draw_interference
from abacad.simulator.scene import scene_chance
from abacad.simulator.settings import Simulation

# Bounds in units of the mean noise, between which pixels count in full: for k = 10 that is 99.4 % of them.
_FAINTEST, _BRIGHTEST = 0.1, 2.5
# Steps of Newton's method, which starts at the expected mean and std: the third changes the noise by less than 1e-6.
STEPS = 3


@dataclass(frozen=True)
class Known:
    """Conditions of one observation: everything but its noise and its needle.

    Attributes:
        gain: (panel, time, freq) product of all gains and bursts.
        multiplied: (panel, time, freq) factor on the noise where interference modulates it, else 1.
        added: (panel, time, freq) power of the interference, over the mean noise.
        needle: (panel, time, freq) factor on a needle's power in units of the noise: 1 or 1 / multiplied.
        dof: degrees of freedom k of a pixel.
    """

    gain: Float[Tensor, "panel time freq"]
    multiplied: Float[Tensor, "panel time freq"]
    added: Float[Tensor, "panel time freq"]
    needle: Float[Tensor, "panel time freq"]
    dof: float

    def window(self, offset: int, n_freq: int) -> "Known":
        """The conditions in `n_freq` channels from channel `offset` on."""
        part = slice(offset, offset + n_freq)
        return Known(
            self.gain[..., part], self.multiplied[..., part], self.added[..., part], self.needle[..., part], self.dof
        )


def of_training(simulation: Simulation, indices: Int[np.ndarray, " batch"], seed: int) -> list[Known]:
    """Conditions of the cadences that `generate` makes with these arguments."""
    numbers = np.asarray(indices, dtype=np.int64)
    return [_drawn(simulation, Chance(seed, numbers[row : row + 1]), False) for row in range(len(numbers))]


def of_scene(simulation: Simulation, number: int, seed: int) -> Known:
    """Conditions of a whole scene, whose windows `cut` makes; needles are added after its interference."""
    return _drawn(simulation, scene_chance(seed, number), True)


def _drawn(simulation: Simulation, chance: Chance, scene: bool) -> Known:
    axes = simulation.axes
    n_freq = simulation.scenes.n_freq if scene else axes.n_freq
    dof = draw_dof(simulation.noise, simulation.dof, chance)
    interference = draw_interference(simulation, n_freq, np.sqrt(2 / dof), chance, "cpu")
    gains = draw_gains(simulation.noise, axes, n_freq, chance)
    # Interference maps a pixel's power x to a + m·x: `a` from emitters that lift it, `m` from those that modulate the
    # noise. The map of x = 0 gives a, and the map of x = 1 gives a + m.
    both = torch.zeros(2, N_PANELS, axes.n_time, n_freq)
    both[1] = 1
    for power in both:
        interference.add(power[None])
    added, multiplied = both[0], both[1] - both[0]
    time = torch.from_numpy(gains.time[0] * interference.bursts[0])
    gain = time[:, :, None] * torch.from_numpy(gains.freq[0])
    return Known(gain, multiplied, added, 1 / multiplied if scene else torch.ones_like(added), float(dof[0]))


def noise_of(panels: Float[Tensor, "panel time freq"], known: Known, normalised: bool = True) -> Float[Tensor, "..."]:
    """A cadence in units of its noise: what is left is χ²_k / k, plus a needle's power where one stands.

    Args:
        panels: (panel, time, freq) as the simulator gave them.
        known: the conditions of the observation.
        normalised: whether each panel was brought to mean 0 and standard deviation 1; raw power needs no estimate.

    Returns:
        (panel, time, freq) float32, mean 1 and variance 2/k without a needle.
    """
    whole = known.gain * known.multiplied
    if not normalised:
        return (panels / known.gain - known.added) / known.multiplied
    expected = known.gain * (known.multiplied + known.added)
    mean = expected.mean((-2, -1), keepdim=True)
    spread = (expected - mean).square().mean((-2, -1), keepdim=True)
    std = (spread + (whole.square() * (2 / known.dof)).mean((-2, -1), keepdim=True)).sqrt()
    of_std, of_mean, rest = panels.float() / whole, 1 / whole, known.added / known.multiplied
    for _ in range(STEPS):
        std, mean = closer(std, mean, of_std, of_mean, rest, known.dof)
    return std * of_std + mean * of_mean - rest


def closer(
    std: Tensor, mean: Tensor, of_std: Tensor, of_mean: Tensor, rest: Tensor, dof: float
) -> tuple[Tensor, Tensor]:
    """One step of Newton's method towards the two averages of χ².

    The noise is std · of_std + mean · of_mean − rest. a, b, c and d are the derivatives of the two averages with
    respect to std and mean, and the last line solves the 2 × 2 system by Cramer's rule.
    """

    def average(values: Tensor) -> Tensor:
        return values.mean((-2, -1), keepdim=True)

    noise = std * of_std + mean * of_mean - rest
    faint, bright = _averages(dof)
    over = torch.where(noise > _FAINTEST, 1 / noise, 0.0)
    dull = (noise < _BRIGHTEST).float()  # the derivative of min(noise, 2.5)
    low = 1 / noise.clamp(min=_FAINTEST) - faint
    high = noise.clamp(max=_BRIGHTEST) - bright
    weight = (1 - 2 / dof) * rest  # of the low end against the high one, as in the likelihood
    first, second = average(of_mean * low), average(weight * low - high)
    slope = -over.square()
    a, b = average(of_mean * slope * of_std), average(of_mean * slope * of_mean)
    c = average(weight * slope * of_std - dull * of_std)
    d = average(weight * slope * of_mean - dull * of_mean)
    det = a * d - b * c
    return std - (d * first - b * second) / det, mean - (a * second - c * first) / det


@functools.lru_cache(maxsize=64)
def _averages(dof: float) -> tuple[float, float]:
    """Means of 1 / max(noise, 0.1) and of min(noise, 2.5) for χ²_k / k."""
    law = scipy.stats.chi2(dof, scale=1 / dof)
    low = scipy.integrate.quad(lambda x: law.pdf(x) / max(x, _FAINTEST), 0, 8, points=[_FAINTEST, 1], limit=200)[0]
    high = scipy.integrate.quad(lambda x: law.pdf(x) * min(x, _BRIGHTEST), 0, 8, points=[1, _BRIGHTEST], limit=200)[0]
    return low, high

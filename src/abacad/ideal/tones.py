"""Tones: the amplitudes and widths that a needle can have in one row, on a small grid with the simulator's prior.

The likelihood ratio of a needle is an average over its unknown amplitude and width. Both are drawn log-uniformly by the
simulator, so the average becomes a sum over cells of equal logarithmic size: an amplitude in the middle of each cell,
weighted by the share of the needles that lie in it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.simulator.settings import Needles

# Amplitude in σ of a pixel where the grid ends. At 2.2 σ a path of 273 rows has a summed SNR of 36, and its likelihood
# ratio is beyond doubt; brighter needles are scored with the last amplitude, which ranks them above all noise as well.
_BRIGHTEST = 2.2
# Size of a cell in log amplitude: the middle of a cell is wrong by a factor of e^0.25 = 1.28 at most, which costs a
# needle of summed SNR 6 about 6² · 0.25² / 2 ≈ 1 of the 18 that its log likelihood ratio gains.
_CELL = 0.5
_COARSE_CELL = 0.8  # for an observer whose estimates of gains are off by more than the cells are
_WIDTHS = (0.3, 0.75, 1.35)  # channels; one for each cell between the edges 0.5 and 1.0
_WIDTH_EDGES = (0.5, 1.0)
_WIDEST = 1.5  # channels; `pixel.shares` spreads a tone over three channels, which a wider one would overflow


@dataclass(frozen=True)
class Tones:
    """Every amplitude with every width; the widths of one amplitude follow one another.

    Attributes:
        amplitudes: in σ of one pixel.
        edges: (amplitude + 1,) of the amplitudes' cells, in σ.
        mass: (amplitude,) prior probability of each cell; adds up to 1.
        widths: in channels.
        width_mass: (width,) prior probability; adds up to 1.
    """

    amplitudes: Float[np.ndarray, " amplitude"]
    edges: Float[np.ndarray, " edge"]
    mass: Float[np.ndarray, " amplitude"]
    widths: tuple[float, ...]
    width_mass: Float[np.ndarray, " width"]

    def log_prior(self) -> Float[Tensor, " tone"]:
        """(tone,) log probability of amplitude and width together."""
        return torch.from_numpy(np.log(self.mass[:, None] * self.width_mass).ravel()).float()

    def middle(self) -> slice:
        """The tones of the middle width, one for each amplitude."""
        return slice(len(self.widths) // 2, None, len(self.widths))

    def exponential(self) -> Float[Tensor, "amplitude level"]:
        """Probability of each level, dark and then each amplitude, when intensities are exponential with a given mean.

        Strong scintillation makes the intensity of a narrow-band signal exponential: P(I > x) = exp(−x / mean). Row a
        of the result has the mean `amplitudes[a]`, and its probabilities add up to 1.
        """
        edges = np.append(self.edges[:-1], np.inf)
        above = np.exp(-edges[None, :] / self.amplitudes[:, None])
        law = np.concatenate([1 - above[:, :1], above[:, :-1] - above[:, 1:]], axis=1)
        return torch.from_numpy(law).float()


def tones_of(needles: Needles, coarse: bool = False) -> Tones:
    """The grid for a preset's needles.

    Args:
        needles: their amplitudes and widths.
        coarse: fewer amplitudes, and the middle one of the widths.
    """
    low, high = needles.pixel_snr
    # a preset of bright needles alone (low above the end of the grid) still gets one cell, 1.5 times its faintest wide
    top = max(min(high, _BRIGHTEST), min(high, 1.5 * low))
    n_cell = max(1, round(np.log(top / low) / (_COARSE_CELL if coarse else _CELL)))
    edges = np.geomspace(low, top, n_cell + 1)
    upper = np.append(edges[1:-1], high)  # the last cell stands for everything brighter, too
    mass = np.log(upper / edges[:-1])
    mass = mass / mass.sum() if mass.sum() > 0 else np.ones(1)
    amplitudes = np.sqrt(edges[:-1] * edges[1:])
    if coarse:
        return Tones(amplitudes, edges, mass, _WIDTHS[1:2], np.ones(1))
    # widths outside the preset's range get an empty cell and are dropped
    bounds = np.clip([needles.width[0], *_WIDTH_EDGES, needles.width[1]], *needles.width)
    width_mass = np.diff(np.log(bounds))
    width_mass = width_mass / width_mass.sum() if width_mass.sum() > 0 else np.ones(1)
    kept = width_mass > 0
    widths = tuple(np.array(_WIDTHS)[kept].tolist()) if len(kept) == len(_WIDTHS) else (min(needles.width[0], _WIDEST),)
    return Tones(amplitudes, edges, mass, widths, width_mass[kept])

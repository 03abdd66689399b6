"""Amplitudes and widths of needles on a small grid, with the generator's prior."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.simulator.presets import Needles

_BRIGHT = 2.2  # σ a pixel: what is brighter is as sure
_CELL = 0.5  # of the logarithm of the amplitude
_WIDTHS = (0.3, 0.75, 1.35)
_WIDTH_EDGES = (0.5, 1.0)
_WIDEST = 1.5  # channels, that a tone is spread over three of them at most


@dataclass(frozen=True)
class Kinds:
    """Every amplitude with every width, widths within amplitudes.

    Attributes:
        amplitudes: in σ of one pixel.
        edges: (amplitude + 1,) of the amplitudes' cells.
        mass: (amplitude,) prior.
        widths: in channels.
        width_mass: (width,) prior.
    """

    amplitudes: Float[np.ndarray, " amplitude"]
    edges: Float[np.ndarray, " edge"]
    mass: Float[np.ndarray, " amplitude"]
    widths: tuple[float, ...]
    width_mass: Float[np.ndarray, " width"]

    def log_prior(self) -> Float[Tensor, " kind"]:
        """(kind,) of amplitude and width together."""
        return torch.from_numpy(np.log(self.mass[:, None] * self.width_mass).ravel()).float()

    def middle(self) -> slice:
        """The kinds of the middle width, one for each amplitude."""
        return slice(len(self.widths) // 2, None, len(self.widths))

    def exponential(self) -> Float[Tensor, "amplitude level"]:
        """Probability of each level, dark and then each amplitude, of an exponential law with each mean amplitude."""
        edges = np.append(self.edges[:-1], np.inf)
        above = np.exp(-edges[None, :] / self.amplitudes[:, None])
        law = np.concatenate([1 - above[:, :1], above[:, :-1] - above[:, 1:]], axis=1)
        return torch.from_numpy(law).float()


def kinds_of(needles: Needles) -> Kinds:
    """The grid for a preset's needles."""
    low, high = needles.pixel_snr
    top = max(min(high, _BRIGHT), min(high, 1.5 * low))
    n_cell = max(1, round(np.log(top / low) / _CELL))
    edges = np.geomspace(low, top, n_cell + 1)
    upper = np.append(edges[1:-1], high)
    mass = np.log(upper / edges[:-1])
    mass = mass / mass.sum() if mass.sum() > 0 else np.ones(1)
    bounds = np.clip([needles.width[0], *_WIDTH_EDGES, needles.width[1]], *needles.width)
    width_mass = np.diff(np.log(bounds))
    width_mass = width_mass / width_mass.sum() if width_mass.sum() > 0 else np.ones(1)
    kept = width_mass > 0
    widths = tuple(np.array(_WIDTHS)[kept].tolist()) if len(kept) == len(_WIDTHS) else (min(needles.width[0], _WIDEST),)
    return Kinds(np.sqrt(edges[:-1] * edges[1:]), edges, mass, widths, width_mass[kept])

"""A small simulation, noise, and the names that the tests of the observer share."""

import numpy as np
import torch

from abacad.signal.cadence import Axes
from abacad.simulator.settings import Families, Needles, Rfi, Scenes, Simulation

AXES = Axes.evenly(55.0, n_time=48, n_freq=64)
NEEDLES = Needles(pixel_snr=(0.3, 1.5), drift_hz_s=(0.01, 0.25), families=Families(s_curve=0.0))
BUSY = Rfi(carriers=1.0, blobs=1.0, bursts=1.0, lines=0.3, squiggles=0.3, carrier_snr=(0.3, 40.0), decoys=0.0)
SMALL = Simulation(axes=AXES, needles=NEEDLES, rfi=BUSY, scenes=Scenes(n_freq=256), positives=0.5)


def drawn(shape: tuple[int, ...], dof: float) -> torch.Tensor:
    """χ² noise of mean 1."""
    return torch.from_numpy(np.random.default_rng(0).chisquare(dof, shape) / dof).float()

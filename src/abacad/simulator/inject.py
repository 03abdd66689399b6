"""Simulated needles in noise from elsewhere: what a detector finds among the interference of a real observation."""

import numpy as np
import torch
from jaxtyping import Int

from abacad.signal.chance import Chance
from abacad.simulator.path import deposit, deposits
from abacad.simulator.receiver import normalised
from abacad.simulator.scene import Background, Batch, draw_injected, draw_targets, noise_sigma
from abacad.simulator.settings import Simulation


def generate_on(background: Background, simulation: Simulation, indices: Int[np.ndarray, " batch"], seed: int) -> Batch:
    """Cadences of a background, a share of them with a needle; which ones, `seed` and `indices` alone decide.

    A needle's SNR is over the robust σ of the cadence it is put into. No interference is simulated.

    Args:
        background: Where the noise comes from.
        simulation: The needles; its axes have to be the background's.
        indices: (batch,) numbers of the cadences, any integers.
        seed: Of the data set.
    """
    indices = np.asarray(indices, dtype=np.int64)
    chance, n_freq = Chance(seed, indices), simulation.axes.n_freq
    targets = draw_targets(simulation, indices, seed)
    injected = draw_injected(simulation, simulation.needles.families, targets, chance)
    # one cadence at a time: a background draws from the file by the chance of a single scene
    power = torch.stack([background.panels(chance.of(np.array([k])), n_freq) for k in range(len(indices))])
    # The noise is measured before the needle is in it: its own light would make it look fainter.
    sigma = np.array([noise_sigma(panels) for panels in power])
    if len(injected.rows):
        paths = injected.needles.paths(injected.rows, sigma[injected.rows], "cpu")
        deposit(power, deposits(paths, len(indices), n_freq))
    panels = normalised(power) if simulation.normalise else power
    return Batch(panels, torch.from_numpy(targets.astype(np.int64)), injected.truth)

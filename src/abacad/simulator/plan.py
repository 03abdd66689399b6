"""Which windows a simulated folder gets: their names, targets, scenes and places, before any is made.

A window is a cadence cut out of a wider scene (one observation of 4,096 channels, say). Windows of one scene overlap,
as the competition's do, so that a split into train and test can leak; `scenes.overlap` decides whether it may.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from abacad.simulator.settings import Simulation


@dataclass(frozen=True)
class Plan:
    """Which windows there are, before any is made.

    Attributes:
        ids: (window,) names of the cadences, which tell neither target nor scene.
        train: (window,) whether it belongs to train.
        target: (window,) whether it holds a needle in ON panels alone.
        scene: (window,) number of the scene that it is cut from, ascending.
        offset: (window,) first channel within the scene.
    """

    ids: list[str]
    train: Bool[np.ndarray, " window"]
    target: Bool[np.ndarray, " window"]
    scene: Int[np.ndarray, " window"]
    offset: Int[np.ndarray, " window"]

    def path(self, out: Path, window: int) -> Path:
        """Where a window's cadence lies."""
        name = self.ids[window]
        return out / ("train" if self.train[window] else "test") / name[0] / f"{name}.npy"


def make_plan(simulation: Simulation, n_train: int, n_test: int, seed: int) -> Plan:
    """Names, targets and places of all windows; the same ones for the same arguments.

    Args:
        simulation: windows of a scene, share of positives, and whether train and test share scenes.
        n_train: cadences with labels.
        n_test: cadences without.
        seed: of the data set.
    """
    n, each = n_train + n_test, simulation.windows_per_scene
    # Seeded by the sizes as well: a larger folder is another draw, not the smaller one with more behind it.
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed & (2**63 - 1), n_train, n_test])))
    number = np.arange(n)
    # "shared": windows of a scene go to train and test alike, as in the competition. Otherwise test begins a new scene.
    if simulation.scenes.overlap == "shared":
        scene = number // each
        train = rng.permutation(n) < n_train
    else:
        train = number < n_train
        first_test = -(-n_train // each)
        scene = np.where(train, number // each, first_test + (number - n_train) // each)
    # an exact number of positives in each part, not a number drawn by chance: small folders keep their balance
    target = np.zeros(n, dtype=bool)
    for part in (np.flatnonzero(train), np.flatnonzero(~train)):
        target[rng.permutation(part)[: round(simulation.positives * len(part))]] = True
    # places by chance, as the competition's: windows of one scene overlap by any number of channels
    offset = rng.integers(0, simulation.scenes.n_freq - simulation.axes.n_freq + 1, n)
    return Plan([_name(seed, window) for window in range(n)], train, target, scene, offset)


def _name(seed: int, window: int) -> str:
    """15 hexadecimal characters; 60 bits let 100,000 names collide once in 200 million data sets."""
    return hashlib.blake2b(f"{seed}/{window}".encode()).hexdigest()[:15]

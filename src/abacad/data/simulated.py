"""Simulated cadences as a data set: as many as asked for, each its own, none on disk."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch.utils.data import Dataset

from abacad.errors import AbacadError
from abacad.signal.presets import Simulation
from abacad.signal.scene import Batch, generate


class SimulatedCadences(Dataset[tuple[Float[np.ndarray, "panel time freq"], int]]):
    """`n` cadences with their targets, made when asked for.

    The cadence at an index is decided by seed, epoch and index alone: not by the size of a batch or the number of
    workers. Each epoch holds other cadences, so that training never sees one twice.
    """

    def __init__(self, simulation: Simulation, n: int, seed: int = 0) -> None:
        """`n` cadences of `simulation`; other seeds give other ones."""
        if n < 1:
            raise AbacadError(f"{n} simulated cadences were asked for: ask for at least one.")
        self.simulation = simulation
        self.n = n
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Go on to the cadences of another epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Cadences in an epoch."""
        return self.n

    def __getitem__(self, index: int) -> tuple[Float[np.ndarray, "panel time freq"], int]:
        """A cadence (panel, time, freq), float16 and normalised panel by panel, and its target, 0 or 1."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Float[np.ndarray, "panel time freq"], int]]:
        """Several at once, which is faster; torch's loader asks for a batch this way."""
        batch = self.batch(indices)
        panels, targets = batch.panels.numpy(), batch.targets.tolist()
        return [(panels[row], targets[row]) for row in range(len(targets))]

    def batch(self, indices: Sequence[int], device: str = "cpu") -> Batch:
        """The cadences at these indices on a device, with their truth."""
        places = np.asarray(indices, dtype=np.int64)
        if places.size and (places.min() < -self.n or places.max() >= self.n):
            raise IndexError(f"index {int(places.max())} in an epoch of {self.n} simulated cadences")
        return generate(self.simulation, self.epoch * self.n + places % self.n, self.seed, device)

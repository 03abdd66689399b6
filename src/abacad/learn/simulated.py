"""Simulated cadences as a data set: made when they are asked for, never stored."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from torch.utils.data import Dataset

from abacad.errors import AbacadError
from abacad.simulator.scene import Batch, Purpose, draw_targets, generate, numbers_for
from abacad.simulator.settings import Simulation

Example = tuple[Float[np.ndarray, "panel time freq"], int]
"""A cadence, float16 with each panel at mean 0 and standard deviation 1, and its target, 0 or 1."""


class _Examples(Dataset[Example], ABC):
    """`n` cadences with their targets; making several at once costs less than one after the other.

    Attributes:
        n: How many.
    """

    n: int

    def __len__(self) -> int:
        """Cadences in an epoch."""
        return self.n

    def __getitem__(self, index: int) -> Example:
        """One cadence and its target."""
        return self.__getitems__([index])[0]

    @abstractmethod
    def __getitems__(self, indices: Sequence[int]) -> list[Example]:
        """Several at once; torch's loader asks for a batch this way."""


class SimulatedCadences(_Examples):
    """`n` cadences of one simulation, with their targets.

    The cadence at an index is decided by seed, epoch and index alone: not by the size of a batch or the number of
    workers. Each epoch holds other cadences, so that training never sees one twice.
    """

    def __init__(self, simulation: Simulation, n: int, seed: int = 0, purpose: Purpose = "train") -> None:
        """`n` cadences of `simulation`; other seeds and other purposes give other ones."""
        if n < 1:
            raise AbacadError(f"{n} simulated cadences were asked for: ask for at least one.")
        self.simulation = simulation
        self.n = n
        self.seed = seed
        self.purpose: Purpose = purpose
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Use the cadences of that epoch, counted from 0."""
        self.epoch = epoch

    def __getitems__(self, indices: Sequence[int]) -> list[Example]:
        """Several at once, which is faster; torch's loader asks for a batch this way."""
        batch = self.batch(indices)
        panels, targets = batch.panels.numpy(), batch.targets.tolist()
        return [(panels[row], targets[row]) for row in range(len(targets))]

    def targets(self) -> Int[np.ndarray, " n"]:
        """(n,) the target of each cadence of the epoch, without making the cadences."""
        return draw_targets(self.simulation, self.numbers(range(self.n)), self.seed).astype(np.int64)

    def batch(self, indices: Sequence[int], device: str = "cpu") -> Batch:
        """The cadences at these indices on a device, with their truth."""
        return generate(self.simulation, self.numbers(indices), self.seed, device)

    def numbers(self, indices: Sequence[int]) -> Int[np.ndarray, " some"]:
        """The numbers that decide, with the seed, what the cadences at these indices are.

        Raises:
            IndexError: there is no such index.
        """
        places = np.asarray(indices, dtype=np.int64)
        if places.size and (places.min() < -self.n or places.max() >= self.n):
            raise IndexError(f"index {int(places.max())} in an epoch of {self.n} simulated cadences")
        # epochs follow one another in the numbers of the purpose, so that no two of them share a cadence
        return numbers_for(self.purpose, self.epoch * self.n + places % self.n)


class Mixture(_Examples):
    """`n` cadences of several simulations in turn: with three, the cadences 0, 3, 6, … are those of the first."""

    def __init__(
        self,
        simulations: Sequence[Simulation],
        n: int,
        seed: int = 0,
        purpose: Purpose = "pretrain",
        sorts: Sequence[type[SimulatedCadences]] = (SimulatedCadences,),
    ) -> None:
        """Prepare the simulations.

        Args:
            simulations: Each gives the same number of cadences, or one fewer.
            n: Number of cadences of all together.
            seed: Seed of the cadences.
            purpose: Other purposes give other cadences with the same seed.
            sorts: What becomes of a simulation: each sort of cadences of all simulations, one sort after the other.

        Raises:
            AbacadError: there is no simulation.
        """
        if not simulations:
            raise AbacadError("There is no simulation to draw cadences from.\nName at least one preset.")
        pairs = list(itertools.product(sorts, simulations))
        each = -(-n // len(pairs))
        self.n = n
        # Seeds differ by part: two presets that differ in one setting would otherwise draw the same needles.
        self.parts = [sort(simulation, each, seed + part, purpose) for part, (sort, simulation) in enumerate(pairs)]

    def __getitems__(self, indices: Sequence[int]) -> list[Example]:
        """Several at once, which is faster."""
        examples: dict[int, Example] = {}
        for part, cadences in enumerate(self.parts):
            own = [index for index in indices if index % len(self.parts) == part]
            if own:
                examples |= zip(own, cadences.__getitems__([index // len(self.parts) for index in own]), strict=True)
        return [examples[index] for index in indices]

    def targets(self) -> Int[np.ndarray, " n"]:
        """(n,) the target of each, without making the cadences."""
        targets = np.zeros(self.n, dtype=np.int64)
        for part, cadences in enumerate(self.parts):
            own = targets[part :: len(self.parts)]
            own[:] = cadences.targets()[: len(own)]
        return targets


class BrightFirst(_Examples):
    """A mixture that begins with bright needles alone and ends with all of them.

    A network with random weights learns nothing from needles that are lost in the noise: to it their labels are random.
    In the first stage needles have at least `BRIGHTEST` σ a pixel. The limit falls from stage to stage, and from the
    middle of the data set on it is that of the preset.
    """

    def __init__(
        self,
        simulations: Sequence[Simulation],
        n: int,
        seed: int = 0,
        purpose: Purpose = "pretrain",
        sorts: Sequence[type[SimulatedCadences]] = (SimulatedCadences,),
        stages: int = 10,
    ) -> None:
        """Split `n` cadences into `stages` stages of nearly the same size; the others are as in `Mixture`."""
        # Seeds of the stages lie 1,000 apart, beyond those of the parts within a stage.
        turn = len(simulations) * len(sorts)
        turns = -(-n // (stages * turn)) * turn  # whole turns of the parts in each stage
        self.n, self.turns = n, turns
        self.parts = []
        for stage in range(-(-n // turns)):
            brighter = [_brighter(one, 1 - 2 * stage / stages) for one in simulations]
            self.parts.append(Mixture(brighter, turns, seed + 1000 * stage, purpose, sorts))

    def __getitems__(self, indices: Sequence[int]) -> list[Example]:
        """Several at once; those of one stage are made together, which costs less."""
        examples: dict[int, Example] = {}
        for stage in sorted({index // self.turns for index in indices}):
            own = [index for index in indices if index // self.turns == stage]
            examples |= zip(own, self.parts[stage].__getitems__([index % self.turns for index in own]), strict=True)
        return [examples[index] for index in indices]

    def targets(self) -> Int[np.ndarray, " n"]:
        """(n,) the target of each, without making the cadences."""
        return np.concatenate([part.targets() for part in self.parts])[: self.n]


BRIGHTEST = 1.5
"""Pixel SNR, in σ, of the faintest needles in the first stage of `BrightFirst`."""


def _brighter(simulation: Simulation, share: float) -> Simulation:
    """The simulation with its faintest needle moved by a share of the way, on a log scale, to `BRIGHTEST`."""
    faintest, brightest = simulation.needles.pixel_snr
    if share <= 0 or faintest >= BRIGHTEST:
        return simulation
    low = faintest * (BRIGHTEST / faintest) ** share
    # Where the limit passes the preset's brightest needle, that one rises, too: a range has to have a width.
    return replace(simulation, needles=replace(simulation.needles, pixel_snr=(low, max(brightest, 2 * low))))

"""Lightning's data module of one fold: the cadences that are trained on, and those that are held back."""

from dataclasses import replace
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader

from abacad.config import Recipe
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Samples, WithSimulated, loader, worker_count
from abacad.learn.labelled import Labelled
from abacad.learn.packed import Packed
from abacad.learn.simulated import SimulatedCadences
from abacad.represent.representation import representation
from abacad.signal.cadence import Axes
from abacad.simulator.presets import preset_named
from abacad.simulator.settings import Simulation


class FoldData(pl.LightningDataModule):
    """Loaders of one fold; where several processes train together, each gets its share of the cadences.

    Attributes:
        labelled: All labelled cadences.
        kept: Positions in `labelled` of the cadences that are trained on; empty where the recipe trains on simulated
            cadences alone.
        held: Positions of the cadences that are held back.
        recipe: The whole run.
        first_epoch: Epoch of the fold that this process begins with, which Lightning counts as 0.
    """

    def __init__(
        self, labelled: Labelled, kept: np.ndarray, held: np.ndarray, recipe: Recipe, first_epoch: int = 0
    ) -> None:
        """Note the cadences; see the attributes of the class."""
        super().__init__()
        # An empty part of `kept`, not a new array: it keeps the type of an index.
        self.labelled, self.kept, self.held = labelled, kept if recipe.data.labelled else kept[:0], held
        self.recipe, self.first_epoch = recipe, first_epoch

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the optimiser in an epoch: batches of one process, over those whose gradients are added up."""
        # Rounded up: at the end of an epoch Lightning takes a step with the batches that are left, however few. The
        # schedule of the learning rate counts these steps, and a fold that is continued begins at epochs · this number.
        wanted = self.recipe.trainer
        return -(-len(self.training(0, wanted.devices * wanted.num_nodes)) // wanted.accumulate)

    def train_dataloader(self) -> DataLoader:
        """Batches of augmented cadences, in the order of the epoch, for this process."""
        assert self.trainer is not None
        return self.training(self.trainer.global_rank, self.trainer.world_size)

    def val_dataloader(self) -> DataLoader:
        """Batches of held-back cadences for this process."""
        assert self.trainer is not None
        return self.held_back(self.trainer.global_rank, self.trainer.world_size)

    def held_back(self, process: int, processes: int) -> DataLoader:
        """Batches of the share that one process has of the held-back cadences.

        Shares have the same size; where the number does not divide, some cadences are in two shares.
        """
        samples = Samples(self.labelled.source, self.held, self.labelled.targets, lines=self.labelled.lines)
        size = self.recipe.inference.batch_size
        return loader(samples, size, self._readers(), process=process, processes=processes)

    def training(self, process: int, processes: int) -> DataLoader:
        """Batches of the share that one process has of an epoch's training."""
        recipe, labelled = self.recipe, self.labelled
        augmentation = Augmentation(recipe.augment, representation(recipe.represent))
        samples: Any = Samples(labelled.source, self.kept, labelled.targets, augmentation, recipe.seed, labelled.lines)
        if recipe.data.simulated:
            simulation = _shaped_as(preset_named(recipe.data.simulated_preset), labelled.axes)
            simulated = SimulatedCadences(simulation, recipe.data.simulated, recipe.seed)
            # places of simulated cadences begin behind the labelled ones, so that `Labelled.name_of` tells them apart
            samples = WithSimulated(samples, simulated, recipe.represent, first=len(labelled.ids))
        # In turn only for a pretraining that begins with bright needles: a shuffled order would mix the stages.
        return loader(
            samples, recipe.optim.batch_size, self._readers(), seed=None if labelled.in_turn else recipe.seed,
            first_epoch=self.first_epoch, process=process, processes=processes,
        )  # fmt: skip

    def _readers(self) -> int:
        """Number of reader processes.

        A packed cadence costs one copy. On a CPU reader processes would then take more from the training than they
        save: an epoch of 960 took 6 to 7 s with one or two of them and 5 s without (docs/benchmarks.md).
        """
        source, workers = self.labelled.source, self.recipe.data.workers
        # labelled and test cadences, joined by pseudo labels or verdicts, are one ConcatDataset of several parts
        packed = all(isinstance(part, Packed) for part in getattr(source, "datasets", [source]))
        idle = packed and not self.recipe.data.simulated and not torch.cuda.is_available()
        if workers is None and idle:
            return 0
        largest = max(self.recipe.optim.batch_size, self.recipe.inference.batch_size)
        return worker_count(workers, 0 if workers is not None else largest * source[0].nbytes)


def _shaped_as(simulation: Simulation, axes: Axes) -> Simulation:
    """The simulation with the axes of the data, so that its needles drift by as many channels as those of the data."""
    # A scene may not be narrower than a window (`Simulation` refuses it), though training cuts none from scenes.
    scenes = replace(simulation.scenes, n_freq=max(simulation.scenes.n_freq, axes.n_freq))
    return replace(simulation, axes=axes, scenes=scenes)

"""Cadences as PyTorch data sets: read from their files when asked for, represented, and augmented for training.

A cadence takes some milliseconds to read and represent, so several are represented together (`__getitems__`) and
several processes read at once. Nothing here decides which cadences a fold trains on: see `abacad.learn.fold_data`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from abacad.config import Represent
from abacad.data.competition import Split, cadence_path, read_cadence
from abacad.errors import AbacadError
from abacad.learn.augment import NO_LINES, Augmentation
from abacad.learn.order import EpochOrder
from abacad.learn.readers import Loader
from abacad.learn.shared_memory import readers_that_fit
from abacad.learn.simulated import SimulatedCadences
from abacad.overlap.partners import Partners
from abacad.represent.representation import represent
from abacad.represent.residual import Residual

MOST_WORKERS = 256
# Cadences represented together. More do not fit the cache of a core: 2,000 a second in batches of 1, 148 in batches of
# 32 (docs/lab-notebook.md, section 17 on three differences).
_FEW = 4


class Sample(NamedTuple):
    """One cadence, or a batch of them after collation.

    Attributes:
        place: Position of the cadence among the labelled ones, which come first, and the simulated ones.
        planes: (plane, row, freq), float32.
        target: 1 with a needle, 0 without, between 0 and 1 for a pseudo label, NaN in a test set; float32.
        lines: The cadence's kept lines, int8; empty where there are none.
    """

    place: int | Tensor
    planes: Tensor
    target: Tensor
    lines: Tensor = NO_LINES


def _target(value: float | np.number) -> Tensor:
    return torch.tensor(float(value), dtype=torch.float32)  # a Python float would become float64, which MPS has not


class Cadences(Dataset):
    """Represented cadences of the train or test folder; a file is read when its cadence is asked for."""

    def __init__(
        self,
        root: Path,
        split: Split,
        ids: Sequence[str],
        recipe: Represent,
        shape: tuple[int, ...] | None = None,
        partners: Partners | None = None,
    ) -> None:
        """Note the files' paths; no file is read before a cadence is asked for.

        Args:
            root: The competition folder.
            split: `train` or `test`.
            ids: Ids in the order of the indices.
            recipe: How a cadence becomes planes.
            shape: Shape that every cadence must have.
            partners: Other windows of the same observations, which the view `residual` subtracts; none: not used.
        """
        self.paths = [cadence_path(root, split, cadence_id) for cadence_id in ids]
        self.ids, self.recipe, self.shape, self.partners = list(ids), recipe, shape, partners

    def __len__(self) -> int:
        """Number of cadences."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        """Planes of one cadence, (plane, row, freq).

        Raises:
            CadenceError: the file cannot be used.
        """
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Tensor]:
        """(plane, row, freq) planes of several cadences, which cost less when they are represented together."""
        panels = torch.stack([self._read(index) for index in indices])
        # Each cadence has partners of its own, as many as overlap with it, so residuals cannot be taken in a batch.
        if self.partners is None:
            return list(represent(panels, self.recipe))
        left = [self.partners.residual(self.ids[index], each) for index, each in zip(indices, panels, strict=True)]
        values, covered = map(torch.stack, zip(*left, strict=True))
        return list(represent(panels, self.recipe, Residual(values, covered)))

    def _read(self, index: int) -> Tensor:
        return torch.from_numpy(read_cadence(self.paths[index], self.shape))


class Represented(Dataset):
    """The planes of a source that gives pairs (cadence, target), such as `SimulatedCadences`."""

    def __init__(self, source: Dataset, recipe: Represent) -> None:
        """Represent the cadences of `source` by `recipe`."""
        self.source, self.recipe = source, recipe

    def __len__(self) -> int:
        """Number of cadences."""
        return len(self.source)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Tensor:
        """Planes of one cadence, (plane, row, freq)."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Tensor]:
        """Planes of several cadences: made at once by the source, and represented a few at a time."""
        # PyTorch's loader calls `__getitems__` where a data set has one; its type `Dataset` does not know of it
        made = self.source.__getitems__(indices)  # type: ignore[attr-defined]
        panels = torch.stack([torch.from_numpy(cadence) for cadence, _ in made])
        return [one for few in panels.split(_FEW) for one in represent(few.float(), self.recipe)]


class Samples(Dataset):
    """Some cadences of a source with their targets, randomly changed when there is an augmentation."""

    def __init__(
        self,
        source: Dataset,
        indices: Sequence[int] | np.ndarray,
        targets: np.ndarray | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        lines: Dataset | None = None,
    ) -> None:
        """Choose the cadences.

        Args:
            source: Gives represented cadences by index (`Cadences`, `Packed`).
            indices: Which of them, in order.
            targets: Target of every cadence of the source; none in a test set.
            augmentation: Random changes; none for validation and test.
            seed: Seed of those changes.
            lines: Kept lines of every cadence of the source; none: samples have no lines.
        """
        self.lines = lines
        self.source, self.indices = source, np.asarray(indices, dtype=int)
        # NaN, and not 0: a target of a test set that got into a loss would show at once
        self.targets = np.full(self.indices.max(initial=-1) + 1, np.nan) if targets is None else targets
        self.augmentation, self.seed, self.epoch = augmentation, seed, 0

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Use the random changes of that epoch, counted from 0 over the whole fold."""
        self.epoch = epoch

    def __getitem__(self, item: int) -> Sample:
        """One sample; seed, epoch and index alone decide its random changes, whichever process reads it."""
        index = int(self.indices[item])
        planes, lines = self.source[index], NO_LINES if self.lines is None else self.lines[index]
        if self.augmentation is not None:
            # A stopped fold goes on with other reader processes, perhaps in another number. A seed for each cadence
            # makes its changes the same all the same, and they need not be stored.
            self.augmentation.reseed(self.seed, self.epoch, index)
            planes, lines = self.augmentation.with_lines(planes, lines)
        return Sample(index, planes, _target(self.targets[index]), lines)


def loader(
    samples: Dataset,
    batch_size: int,
    workers: int,
    *,
    seed: int | None = None,
    first_epoch: int = 0,
    process: int = 0,
    processes: int = 1,
) -> Loader:
    """A loader of `Sample` batches.

    Args:
        samples: What is loaded.
        batch_size: Samples of a batch.
        workers: Processes that read.
        seed: Seed of the order, which changes from epoch to epoch; the last batch is dropped where it is not full. With
            none all samples come in their own order.
        first_epoch: The epoch that Lightning calls 0.
        process: Number of this process.
        processes: Number of processes that share the samples.
    """
    order = EpochOrder(samples, seed, first_epoch, process, processes)
    return Loader(
        samples,
        batch_size=batch_size,
        sampler=order,
        num_workers=workers,
        # Seeds of the reader processes. Without a generator torch would draw them from its global one, which dropout
        # also draws from, so that dropout would depend on the number of loaders made before.
        generator=torch.Generator().manual_seed(0),
        # A short last batch weighs its few cadences more than the others; with one batch only there would be none left.
        drop_last=seed is not None and len(order) > batch_size,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=False,  # the epoch is set in this process; readers that live on would not hear of it
    )


def worker_count(asked: int | None, batch_bytes: int = 0) -> int:
    """Number of processes that read cadences; 0 reads in the training process.

    Args:
        asked: The number in the recipe; none: one a core up to eight, and 0 on a single core, where a second process
            would only take turns with the training; and no more than the shared memory serves.
        batch_bytes: Bytes of the largest batch that a reader hands over; 0 where it is small.

    Raises:
        AbacadError: the number is outside 0 to 256.
    """
    if asked is not None:  # a number by hand is taken as it stands, even where the shared memory is small
        if not 0 <= asked <= MOST_WORKERS:
            raise AbacadError(f"{asked:.6g} workers: give 0 to {MOST_WORKERS}, or null to have the number chosen.")
        return asked
    # The cores that this process may use: `cpu_count` counts those of the whole machine, in a container of two as well.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return readers_that_fit(min(cores, 8) if cores > 1 else 0, batch_bytes)


class WithSimulated(Dataset):
    """Labelled samples followed by simulated ones, which are other cadences in every epoch.

    Simulated samples have places from `first` on, so that a message can tell the two apart.
    """

    def __init__(self, samples: Samples, simulated: SimulatedCadences, recipe: Represent, first: int) -> None:
        """Join both; `recipe` represents the simulated cadences, and `first` is the place of the first of them."""
        self.samples, self.simulated, self.recipe, self.first = samples, simulated, recipe, first

    def __len__(self) -> int:
        """Number of labelled and simulated samples."""
        return len(self.samples) + len(self.simulated)

    def set_epoch(self, epoch: int) -> None:
        """Choose the random changes and the simulated cadences of that epoch."""
        self.samples.set_epoch(epoch)
        self.simulated.set_epoch(epoch)

    def __getitem__(self, item: int) -> Sample:
        """One sample, labelled or simulated."""
        return self.__getitems__([item])[0]

    def __getitems__(self, items: Sequence[int]) -> list[Sample]:
        """A batch of samples in the order of `items`; the simulated ones are made together, which costs less."""
        n_labelled = len(self.samples)
        # Together, so that the fixed cost of drawing needles and interference is paid once a batch. The cadences are
        # the same as one by one, since seed, epoch and place alone decide each.
        drawn = [item for item in items if item >= n_labelled]
        made = iter(self.simulated.__getitems__([item - n_labelled for item in drawn])) if drawn else iter(())
        return [self.samples[item] if item < n_labelled else self._simulated(item, *next(made)) for item in items]

    def _simulated(self, item: int, cadence: np.ndarray, target: int) -> Sample:
        planes = represent(torch.from_numpy(cadence).float(), self.recipe)
        return Sample(self.first + item, planes, _target(target))

"""Cadences as torch datasets: read on the fly, represented in `__getitem__`, augmented when training."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from abacad.config import Represent
from abacad.data.competition import Split, cadence_path, read_cadence
from abacad.errors import AbacadError
from abacad.learn.augment import Augmentation
from abacad.learn.order import EpochOrder
from abacad.learn.simulated import SimulatedCadences
from abacad.overlap.partners import Partners
from abacad.represent.representation import represent
from abacad.represent.residual import Residual

MOST_WORKERS = 256
_FEW = 4  # cadences that a core's cache holds


class Sample(NamedTuple):
    """One cadence, or a batch of them after collation.

    Attributes:
        place: Its place in the labels.
        planes: (plane, row, freq), float32.
        target: 1 with a needle, 0 without, NaN where nobody knows; float32.
    """

    place: int | Tensor
    planes: Tensor
    target: Tensor


def _target(value: float | np.number) -> Tensor:
    return torch.tensor(float(value), dtype=torch.float32)  # a Python float would become float64, which MPS has not


class Cadences(Dataset):
    """Represented cadences of a split, read from their files one at a time."""

    def __init__(
        self,
        root: Path,
        split: Split,
        ids: Sequence[str],
        recipe: Represent,
        shape: tuple[int, ...] | None = None,
        partners: Partners | None = None,
    ) -> None:
        """Name the files; nothing is read yet.

        Args:
            root: The competition folder.
            split: `train` or `test`.
            ids: Ids in the order of the indices.
            recipe: How a cadence becomes planes.
            shape: Shape that every cadence must have.
            partners: Other windows of the same observations, for residuals; none makes none.
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
        """Several cadences represented together, which is quicker."""
        panels = torch.stack([self._read(index) for index in indices])
        if self.partners is None:
            return list(represent(panels, self.recipe))
        left = [self.partners.residual(self.ids[index], each) for index, each in zip(indices, panels, strict=True)]
        values, covered = map(torch.stack, zip(*left, strict=True))
        return list(represent(panels, self.recipe, Residual(values, covered)))

    def _read(self, index: int) -> Tensor:
        return torch.from_numpy(read_cadence(self.paths[index], self.shape))


class Represented(Dataset):
    """The cadences of a source that gives (cadence, target), as a detector sees them."""

    def __init__(self, source: Dataset, recipe: Represent) -> None:
        """Represent what `source` gives."""
        self.source, self.recipe = source, recipe

    def __len__(self) -> int:
        """Number of cadences."""
        return len(self.source)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Tensor:
        """Planes of one cadence, (plane, row, freq)."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Tensor]:
        """Several at once, a few of them together in the cache."""
        made = self.source.__getitems__(indices)  # type: ignore[attr-defined]
        panels = torch.stack([torch.from_numpy(cadence) for cadence, _ in made])
        return [one for few in panels.split(_FEW) for one in represent(few.float(), self.recipe)]


class Samples(Dataset):
    """Some of a source's cadences with their targets, augmented when asked for."""

    def __init__(
        self,
        source: Dataset,
        indices: Sequence[int] | np.ndarray,
        targets: np.ndarray | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        """Choose the cadences.

        Args:
            source: Gives represented cadences by index (`Cadences`, `Packed`).
            indices: Which of them, in order.
            targets: Target of every cadence of the source; none in a test set.
            augmentation: Random changes; none for validation and test.
            seed: Seed of those changes.
        """
        self.source, self.indices = source, np.asarray(indices, dtype=int)
        self.targets = np.full(self.indices.max(initial=-1) + 1, np.nan) if targets is None else targets
        self.augmentation, self.seed, self.epoch = augmentation, seed, 0

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Choose the random changes of that epoch."""
        self.epoch = epoch

    def __getitem__(self, item: int) -> Sample:
        """One sample; its changes depend on (seed, epoch, index) alone, not on which process reads it."""
        index = int(self.indices[item])
        planes = self.source[index]
        if self.augmentation is not None:
            self.augmentation.reseed(self.seed, self.epoch, index)
            planes = self.augmentation(planes)
        return Sample(index, planes, _target(self.targets[index]))


def loader(
    samples: Dataset,
    batch_size: int,
    workers: int,
    *,
    seed: int | None = None,
    first_epoch: int = 0,
    process: int = 0,
    processes: int = 1,
) -> DataLoader:
    """A loader of `Sample` batches.

    Args:
        samples: What is loaded.
        batch_size: Samples of a batch.
        workers: Processes that read.
        seed: Of the order, another one each epoch, without the rest that fills no batch; none: all in their own order.
        first_epoch: The epoch that Lightning calls 0.
        process: Number of this process.
        processes: Number of processes that share the samples.
    """
    order = EpochOrder(samples, seed, first_epoch, process, processes)
    return DataLoader(
        samples,
        batch_size=batch_size,
        sampler=order,
        num_workers=workers,
        generator=torch.Generator().manual_seed(0),  # of the readers; torch's own would be the dropout's, too
        drop_last=seed is not None and len(order) > batch_size,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=False,
    )


def worker_count(asked: int | None) -> int:
    """Reader processes: as asked, else one a core up to eight, and none where a second core is missing."""
    if asked is not None:
        if not 0 <= asked <= MOST_WORKERS:
            raise AbacadError(f"{asked:.6g} workers: give 0 to {MOST_WORKERS}, or null to have the number chosen.")
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return min(cores, 8) if cores > 1 else 0


class WithSimulated(Dataset):
    """Labelled samples followed by simulated ones, which are new in every epoch and have indices from `first` on."""

    def __init__(self, samples: Samples, simulated: SimulatedCadences, recipe: Represent, first: int) -> None:
        """Join both; simulated cadences are represented as the labelled ones are."""
        self.samples, self.simulated, self.recipe, self.first = samples, simulated, recipe, first

    def __len__(self) -> int:
        """Number of samples of both sorts."""
        return len(self.samples) + len(self.simulated)

    def set_epoch(self, epoch: int) -> None:
        """Choose the random changes and the simulated cadences of that epoch."""
        self.samples.set_epoch(epoch)
        self.simulated.set_epoch(epoch)

    def __getitem__(self, item: int) -> Sample:
        """One sample of either sort."""
        return self.__getitems__([item])[0]

    def __getitems__(self, items: Sequence[int]) -> list[Sample]:
        """A batch of samples; the simulated ones among them are made together, which is quicker."""
        n_labelled = len(self.samples)
        drawn = [item for item in items if item >= n_labelled]
        made = iter(self.simulated.__getitems__([item - n_labelled for item in drawn])) if drawn else iter(())
        return [self.samples[item] if item < n_labelled else self._simulated(item, *next(made)) for item in items]

    def _simulated(self, item: int, cadence: np.ndarray, target: int) -> Sample:
        planes = represent(torch.from_numpy(cadence).float(), self.recipe)
        return Sample(self.first + item, planes, _target(target))

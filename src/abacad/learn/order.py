"""The order of the samples in an epoch.

Seed and epoch alone decide it, so that a continued fold gets the samples in the order it would have had.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler


def mixed(*key: int) -> int:
    """A seed for torch from whole numbers ≥ 0, such as (seed, epoch).

    Sums such as seed + epoch would give one stream to (0, 1) and (1, 0); these give unrelated ones.
    """
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


class EpochOrder(Sampler[int]):
    """Positions of samples in the order of an epoch, for one of several processes.

    All processes get the same number, since they take their steps together; where the number of samples does not
    divide, the first ones of the order are taken twice.
    """

    def __init__(
        self, samples: Any, seed: int | None = None, first_epoch: int = 0, process: int = 0, processes: int = 1
    ) -> None:
        """Order the samples.

        Args:
            samples: Their data set; it is told the epoch, too, if it has `set_epoch`.
            seed: Of the order; none keeps the samples' own.
            first_epoch: The epoch that Lightning calls 0, when a fold is continued.
            process: Number of this process.
            processes: Number of processes that share the samples.
        """
        self.samples, self.seed, self.first_epoch = samples, seed, first_epoch
        self.process, self.processes = process, processes
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Go on to another epoch; Lightning calls this before it asks for the first sample of one."""
        self.epoch = self.first_epoch + epoch
        if hasattr(self.samples, "set_epoch"):
            self.samples.set_epoch(self.epoch)

    def __len__(self) -> int:
        """Samples of this process."""
        return -(-len(self.samples) // self.processes)

    def __iter__(self) -> Iterator[int]:
        """Places of this process's samples."""
        order = torch.arange(len(self.samples))
        if self.seed is not None:
            generator = torch.Generator().manual_seed(mixed(self.seed, self.epoch))
            order = order[torch.randperm(len(order), generator=generator)]
        shared = order[torch.arange(len(self) * self.processes) % len(order)]
        return iter(shared[self.process :: self.processes].tolist())

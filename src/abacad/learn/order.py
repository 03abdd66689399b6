"""In which order an epoch goes through its samples, and how several processes share them out.

Seed and number of the epoch alone decide the order. So a fold that was stopped after epoch 3 goes through epoch 4 in
the order that it would have had without the stop, and nothing of the order needs to be stored.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler


def mixed(*key: int) -> int:
    """One seed for torch, made of several whole numbers ≥ 0 such as (seed, epoch).

    A sum would not do: seed + epoch gives the pairs (0, 1) and (1, 0) the same random numbers. These are unrelated.
    """
    # 63 bits, so that the number is positive in a signed integer, too
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


class EpochOrder(Sampler[int]):
    """The positions of an epoch's samples in their order, for one of several processes that train together.

    Every process gets equally many, since each step waits for the gradients of all processes. Where the number of
    samples does not divide, the first ones of the order are taken twice.
    """

    def __init__(
        self, samples: Any, seed: int | None = None, first_epoch: int = 0, process: int = 0, processes: int = 1
    ) -> None:
        """Begin with the order of the first epoch.

        Args:
            samples: The data set; if it has `set_epoch`, it is told the epoch as well, for its random changes.
            seed: Seed of the shuffling; none takes the samples as they stand.
            first_epoch: The epoch of the fold that Lightning counts as 0: when a fold is continued, Lightning begins
                anew.
            process: Number of this process.
            processes: Number of processes that share the samples.
        """
        self.samples, self.seed, self.first_epoch = samples, seed, first_epoch
        self.process, self.processes = process, processes
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Take the order of another epoch; Lightning calls this before it asks for the first sample of each."""
        self.epoch = self.first_epoch + epoch
        if hasattr(self.samples, "set_epoch"):
            self.samples.set_epoch(self.epoch)

    def __len__(self) -> int:
        """Number of samples of this process, rounded up."""
        return -(-len(self.samples) // self.processes)

    def __iter__(self) -> Iterator[int]:
        """Positions of this process's samples, in order."""
        order = torch.arange(len(self.samples))
        if self.seed is not None:
            generator = torch.Generator().manual_seed(mixed(self.seed, self.epoch))
            order = order[torch.randperm(len(order), generator=generator)]
        # Each step takes neighbours of the shuffled order, one a process: so the batches of all processes together are
        # those that a single process with a larger batch would have.
        shared = order[torch.arange(len(self) * self.processes) % len(order)]
        return iter(shared[self.process :: self.processes].tolist())

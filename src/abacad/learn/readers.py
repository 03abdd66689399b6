"""A loader of batches whose reader processes begin and end as a whole.

Reader processes are forked, and PyTorch makes, feeds and ends them in several steps, with locks between two processes.
A stop in their midst would leave locks that nobody gives back, and readers that lack parts when they are ended.

What Ray has left behind has to be gone before they are forked: `ray.shutdown` leaves clients of its cluster to
Python's collector. Their end wakes threads that wait for them, and a forked process has no such threads and no stacks
of theirs: a reader that ends a client dies by a segmentation fault.
"""

import gc
import sys
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from abacad.stops import stops_wait


class Loader(DataLoader):
    """PyTorch's loader, in which a stop waits until readers have begun, a batch is there, or readers have ended.

    Example:
        >>> list(Loader(range(4), batch_size=2))
        [tensor([0, 1]), tensor([2, 3])]
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # PyTorch names a private class of its own
        """Batches, from readers of their own."""
        if "ray" in sys.modules:
            gc.collect()
        with stops_wait():
            return _Batches(super().__iter__())


class _Batches:
    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with stops_wait():
            return next(self._batches)

    def __del__(self) -> None:
        with stops_wait():
            del self._batches

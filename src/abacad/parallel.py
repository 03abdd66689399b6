"""Many small pieces of work side by side, a thread a core: numpy, torch and the disk let others run meanwhile."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Part], Result], parts: Iterable[Part], workers: int | None = None
) -> Generator[Result, None, None]:
    """Results of `work` on each part, in order, each as soon as it is there.

    The first error stops the rest, and so does closing the generator (`contextlib.closing`).

    Args:
        work: What is done with a part, in one of several threads, each of which computes by itself.
        parts: Taken at once.
        workers: Threads; as many as torch would use when none.
    """
    # the number that is set is that of the thread that sets it: within, it is one each
    with ThreadPoolExecutor(workers or torch.get_num_threads(), initializer=lambda: torch.set_num_threads(1)) as pool:
        jobs = deque(pool.submit(work, part) for part in parts)
        try:
            while jobs:
                yield jobs.popleft().result()  # and is forgotten here
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise

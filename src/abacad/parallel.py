"""Many small pieces of work side by side in threads.

Threads are enough, processes are not needed: NumPy, torch and file reads release Python's global lock while they work.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Part], Result], parts: Iterable[Part], workers: int | None = None, ahead: int | None = None
) -> Generator[Result, None, None]:
    """Results of `work` on each part, in the order of the parts, each as soon as it is ready.

    The first error stops the parts that have not begun, and is raised when its turn comes. Closing the generator early
    (`contextlib.closing`) stops them as well.

    Args:
        work: What is done with a part. It runs in one of several threads and should not start threads of its own.
        parts: Taken in the thread that asks for the results.
        workers: Number of threads; none means the number that torch would use, usually one for each core.
        ahead: How many parts are taken before the result of the first is asked for, which bounds the memory that they
            take; none takes all of them.

    Example:
        >>> list(side_by_side(abs, [-1, 2, -3]))
        [1, 2, 3]
    """
    # torch splits one operation over several threads by default. With a part in each thread that would be cores × cores
    # threads that wait for each other. `set_num_threads` holds for the thread that calls it, so each worker sets its
    # own to 1, and the caller's setting stays as it is.
    with ThreadPoolExecutor(workers or torch.get_num_threads(), initializer=lambda: torch.set_num_threads(1)) as pool:
        jobs: deque[Future[Result]] = deque()
        try:
            for part in parts:
                jobs.append(pool.submit(work, part))
                if ahead is not None and len(jobs) > ahead:
                    yield jobs.popleft().result()
            while jobs:
                yield jobs.popleft().result()  # popped, so that a result that was used can be freed
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise

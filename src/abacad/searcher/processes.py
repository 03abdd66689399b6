"""The search in several processes of this machine: one coarse channel a process, each on one thread.

Processes and not threads: reading (HDF5 has one lock for all threads) and the second look (Python) would wait for each
other. Each process is started afresh, since one that was forked from a process with threads may wait for ever.
"""

import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection, wait
from typing import Any

from abacad.errors import AbacadError
from abacad.searcher.task import Outcome, Plan, Task, done_elsewhere
from abacad.searcher.unit import unit_bytes

log = logging.getLogger(__name__)

TRIES = 3
"""How often a coarse channel is begun before it is given up, when the process that searches it is lost each time."""

_LIBRARIES = 3e8  # bytes of a process beside its coarse channel: Python, Numba, pandas
_DETECTOR = 6e8  # torch and the detector, where windows are scored


def processes(tasks: Iterable[Task], workers: int | None = None) -> Iterator[tuple[Task, Outcome]]:
    """Outcomes as they come. A task whose process is lost is begun again in another one.

    Args:
        tasks: taken one by one, as processes come free.
        workers: number of processes; none: one a core, as far as the free memory suffices.

    Raises:
        AbacadError: the process of one task was lost three times.
    """
    tasks = iter(tasks)
    # Without a task no process is started: each takes seconds to load its libraries.
    first = next(tasks, None)
    if first is None:
        return
    number = workers or default_workers(first.plan)
    log.info("%d processes, each with up to %.1f GB", number, worker_bytes(first.plan) / 1e9)
    crew = _Crew(number)
    try:
        yield from crew.outcomes(chain([first], tasks))
    finally:
        crew.end()


def default_workers(plan: Plan) -> int:
    """One worker a core, as far as the free memory suffices."""
    free = _free_bytes()
    return max(1, min(cores(), int(free / worker_bytes(plan)))) if free else cores()


def worker_bytes(plan: Plan) -> float:
    """Memory that one worker takes at most."""
    beside = _LIBRARIES + (_DETECTOR if plan.judge is not None else 0)
    return beside + unit_bytes(plan.observation, plan.settings.max_drift_hz_s)


def cores() -> int:
    """Cores that this process may use."""
    # A container or a batch system may allow fewer cores than the machine has; not every system tells (macOS, Windows).
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_bytes() -> float:
    """Memory that can be had without swapping; 0 where the system does not tell."""
    try:
        with open("/proc/meminfo") as file:
            # The system's own estimate: it counts the page cache, which makes room, and the plain "free" does not.
            return next(float(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 0.0


class _Crew:
    """Processes that do tasks, and the tasks that they have."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._at_work: dict[Connection, tuple[_Worker, Task, int]] = {}
        self._idle: list[_Worker] = []

    def outcomes(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Outcome]]:
        # Lost tasks go first, so that one that kills its process again stops the search early.
        again: deque[tuple[Task, int]] = deque()
        while True:
            while len(self._at_work) < self._number:
                task, tries = again.popleft() if again else (next(tasks, None), 0)
                if task is None:
                    break
                self._begin(task, tries)
            if not self._at_work:
                return
            # A pipe is ready when its process has answered, and also when it is gone: then the pipe has ended.
            for pipe in [pipe for pipe in wait(list(self._at_work)) if isinstance(pipe, Connection)]:
                worker, task, tries = self._at_work.pop(pipe)
                outcome = worker.take()
                if outcome is None:
                    again.append((task, _counted(task, tries)))
                    continue
                self._idle.append(worker)
                yield task, outcome

    def _begin(self, task: Task, tries: int) -> None:
        worker = self._idle.pop() if self._idle else _Worker()
        worker.give(task)
        self._at_work[worker.pipe] = (worker, task, tries)

    def end(self) -> None:
        for worker in [*self._idle, *(worker for worker, _, _ in self._at_work.values())]:
            worker.end()


def _counted(task: Task, tries: int) -> int:
    """Tries of a task after one more was lost."""
    if tries + 1 >= TRIES:
        raise AbacadError(
            f"The process that searched coarse channel {task.coarse} was lost {TRIES} times; it may be the memory.\n"
            "Give fewer --workers; the same command goes on where it stopped. A script of yours that starts\n"
            'processes must do so below `if __name__ == "__main__":`.'
        )
    log.warning("A process was lost with coarse channel %d, which is begun again", task.coarse)
    return tries + 1


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True, name="abacad search")
        self._process.start()
        theirs.close()  # so that the end of the process ends the pipe
        self._plan: int | None = None

    def give(self, task: Task) -> None:
        # The plan crosses once a process: it holds the detector's weights, and each task only a number.
        packed = None if task.plan.number == self._plan else task.plan.packed()
        self._plan = task.plan.number
        with suppress(OSError):  # where the process is gone, `take` will say so
            self.pipe.send((task.plan.number, packed, task.coarse))

    def take(self) -> Outcome | None:
        """What became of the task; None: the process is gone."""
        try:
            outcome: Outcome = self.pipe.recv()
            return outcome
        except (EOFError, OSError):
            self.end()
            return None

    def end(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(pipe: Any) -> None:
    """What a process does: tasks, until the pipe ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches all; the process that talks to the user ends the others
    while True:
        try:
            number, packed, coarse = pipe.recv()
        except (EOFError, OSError):
            return
        outcome = done_elsewhere(number, partial(bytes, packed or b""), coarse)
        try:
            pipe.send(outcome)
        except OSError:  # the process that talked to the user was killed
            return

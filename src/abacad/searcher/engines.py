"""Engines, which decide who searches the coarse channels: this process, several on this machine, or a Ray cluster.

The tables are the same whichever searches. A new engine is one function and one entry here. The function takes tasks
and a number of workers, yields pairs (task, outcome) as outcomes come, and cleans up when it is closed.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Literal

from abacad.errors import AbacadError
from abacad.searcher.on_ray import check_ray, on_ray
from abacad.searcher.processes import cores, processes
from abacad.searcher.task import Outcome, Task, done

log = logging.getLogger(__name__)

EngineName = Literal["serial", "processes", "ray"]
Engine = Callable[[Iterable[Task], int | None], Iterator[tuple[Task, Outcome]]]


def serial(tasks: Iterable[Task], workers: int | None = None) -> Iterator[tuple[Task, Outcome]]:
    """One coarse channel after the other, in this process; the number of workers is not used."""
    return ((task, done(task)) for task in tasks)


ENGINES: dict[str, Engine] = {"serial": serial, "processes": processes, "ray": on_ray}
"""Engines by name."""


def check_engine(name: str, workers: int | None, accelerator: str = "auto") -> str:
    """Refuse what cannot work before anything is written.

    Raises:
        AbacadError: there is no such engine, what it needs is not installed, or the number of workers makes no sense.

    Returns:
        The accelerator, which is the CPU on Ray: its tasks ask for cores.
    """
    if name not in ENGINES:
        raise AbacadError(f"There is no engine '{name}'.\nGive one of: {', '.join(ENGINES)}.")
    if workers is not None and (workers < 1 or name == "serial"):
        raise AbacadError(
            f"{workers} workers make no sense for the engine {name}.\nGive 1 or more, with --engine processes or ray."
        )
    if name != "ray":
        return accelerator
    check_ray()
    # These tasks ask Ray for a core each and for no GPU: several would share one without knowing of each other.
    if accelerator not in ("auto", "cpu"):
        raise AbacadError(
            f"The engine ray works on CPUs, not on {accelerator}.\nGive --accelerator cpu, or leave it out."
        )
    return "cpu"


def scoring_threads(name: str, workers: int | None) -> int:
    """Threads that score on the CPU when all is searched: one of the serial engine, else as many as searched here."""
    return 1 if name == "serial" else min(cores(), workers or cores())


@contextmanager
def outcomes(tasks: Iterable[Task], name: str, workers: int | None) -> Iterator[Iterator[tuple[Task, Outcome]]]:
    """Outcomes of tasks by an engine, as they come. The engine is cleaned up when the block ends, also by an error."""
    # Without `closing` worker processes would live until the garbage collector finds their generator.
    with closing(ENGINES[name](tasks, workers)) as pairs:  # type: ignore[type-var]  # generators, all of them
        yield _told(pairs)


def _told(pairs: Iterator[tuple[Task, Outcome]]) -> Iterator[tuple[Task, Outcome]]:
    """The outcomes; warnings of worker processes, whose own log nobody reads, are logged in this process."""
    for task, outcome in pairs:
        for level, text in outcome.said:
            log.log(level, "%s", text)
        yield task, outcome

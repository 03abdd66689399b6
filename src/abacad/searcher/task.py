"""One coarse channel of one observation as a piece of work that any process on any machine can do.

What all coarse channels of an observation share goes to a process once, packed, and stays there while it is needed:
open files cross as their paths, the detector as its weights (0.1 MB).
"""

import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from abacad.errors import AbacadError
from abacad.searcher import engine
from abacad.searcher.engine import Result
from abacad.searcher.settings import Settings
from abacad.searcher.unit import Judge, Observation

_numbers = count()
_here: dict[int, "Plan"] = {}  # of a worker process: the plan that it works on


@dataclass(frozen=True, eq=False)
class Plan:
    """All that the coarse channels of one observation share, so that it crosses to a worker once.

    Attributes:
        observation: open files.
        settings: how deep and wide to search.
        judge: detector that scores windows; none where none are asked for.
        number: tells a worker whether it has this plan already.
        device: where the first look runs, `cpu` or `cuda`.
        folder: where stamps are written to; none where a worker cannot see the search's folder.
    """

    observation: Observation
    settings: Settings
    judge: Judge | None
    number: int
    device: str = "cpu"
    folder: Path | None = None

    @classmethod
    def of(
        cls,
        observation: Observation,
        settings: Settings,
        judge: Judge | None = None,
        device: str = "cpu",
        folder: Path | None = None,
    ) -> "Plan":
        """A plan with a number of its own."""
        return cls(observation, settings, judge, next(_numbers), device, folder)

    def packed(self) -> bytes:
        """The plan as bytes, for another process."""
        return pickle.dumps(self)


@dataclass(frozen=True)
class Task:
    """One coarse channel of a plan."""

    plan: Plan
    coarse: int


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its result, or the error of a file that kept it from one.

    Attributes:
        result: result of the coarse channel; None after an error.
        error: fault of a file, or an error of another kind, which is a fault of the program.
        said: level and text of the warnings that were logged in the worker's process.
    """

    result: Result | None
    error: Exception | None = None
    said: tuple[tuple[int, str], ...] = ()


def done(task: Task) -> Outcome:
    """Search a coarse channel in this process."""
    plan = task.plan
    asked = (plan.observation, task.coarse, plan.settings, plan.judge, plan.device, plan.folder)
    try:
        return Outcome(engine.search_unit(*asked))
    # Returned and not raised: in a catalogue the other observations go on when the files of one are bad, or meet a
    # fault of this program.
    except Exception as error:
        return Outcome(None, error)


def done_elsewhere(number: int, packed: Callable[[], bytes], coarse: int) -> Outcome:
    """Search a coarse channel in a process that serves another.

    Args:
        number: number of the plan.
        packed: function that gives the plan as bytes, called only where this process does not have it yet.
        coarse: number of the coarse channel.
    """
    if number not in _here:
        _here.clear()  # tasks come plan by plan, and a plan holds open files
        # Unpickling can run any code: these bytes come from the parent process alone, by a pipe or by Ray's store.
        _here[number] = pickle.loads(packed())
    with listening() as said:
        outcome = done(Task(_here[number], coarse))
    return Outcome(outcome.result, _sent(outcome.error), tuple(said))


def _sent(error: Exception | None) -> Exception | None:
    """An error as it can cross to another process, with where it came from, which would be lost on the way."""
    if error is None or isinstance(error, AbacadError | OSError):
        return error
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an error of some library that cannot be made from its text
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


@contextmanager
def listening() -> Iterator[list[tuple[int, str]]]:
    """Level and text of the warnings that are logged meanwhile, which nobody else hears."""
    warnings = _Warnings()
    logger = logging.getLogger("abacad")
    # Otherwise a worker's warnings would be printed into the progress bar of the process that talks to the user.
    before = logger.propagate
    logger.addHandler(warnings)
    logger.propagate = False
    try:
        yield warnings.said
    finally:
        logger.removeHandler(warnings)
        logger.propagate = before


class _Warnings(logging.Handler):
    """Keeps warnings as plain text, so that the process that talks to the user can log them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelno, record.getMessage()))

"""The search on a Ray cluster: one coarse channel a task, results gathered as they come, lost tasks done again by Ray.

Ray is started on this machine, unless it runs already in this process or RAY_ADDRESS names a cluster (`auto`: the one
that `ray start` began here). Every machine needs the same abacad and the files at the same paths. Tables are the same
bit for bit where the processors are of one model: the loops are compiled for the processor that runs them.
"""

import contextlib
import gc
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from abacad.errors import AbacadError, brief
from abacad.searcher.processes import TRIES, cores
from abacad.searcher.task import Outcome, Task, done_elsewhere

log = logging.getLogger(__name__)

_AHEAD = 2  # tasks that wait for each core, so that none idles while results are gathered
_STORE = 4 * 10**8  # bytes of shared memory for a Ray of our own: stamps of 273 rows have 54 MB a coarse channel
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anyone
    "RAY_enable_metrics_collection": "0",
    "RAY_NUM_REDIS_GET_RETRIES": "120",  # seconds that Ray's own server may take to start; 20 are few on a busy machine
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a task without a GPU leaves CUDA_VISIBLE_DEVICES alone
}


def check_ray() -> None:
    """Refuse what cannot work before anything is written.

    Raises:
        AbacadError: Ray is not installed.
    """
    if find_spec("ray") is None:
        raise AbacadError("--engine ray takes the package ray, which is not here.\nInstall it: pip install abacad[ray]")


def on_ray(tasks: Iterable[Task], workers: int | None = None) -> Iterator[tuple[Task, Outcome]]:
    """Outcomes as they come. A task whose process or machine is lost is done again.

    Args:
        tasks: taken one by one, as cores come free.
        workers: tasks at a time; none: one a core.

    Raises:
        AbacadError: Ray is not there, cannot be reached, or lost one task too often.
    """
    check_ray()
    # Before the import, when Ray reads some of them; what the user has set himself stays.
    os.environ.update({key: value for key, value in _SETTINGS.items() if key not in os.environ})
    import ray  # 80 MB, which a search by another engine does without

    with _cluster(ray, workers):
        yield from _gathered(ray, iter(tasks), workers)


@contextlib.contextmanager
def _cluster(ray: Any, workers: int | None) -> Iterator[None]:
    """A Ray to work on; one that was started here is stopped again."""
    # Somebody who calls `abacad.search` within a program on Ray keeps the cluster that he has.
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS", "local")
    own = {"num_cpus": workers or cores(), "object_store_memory": _STORE, "include_dashboard": False}
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **(own if address == "local" else {}))
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise AbacadError(f"Ray cannot be used: {brief(str(error))}.\nIs RAY_ADDRESS that of a cluster?") from error
    try:
        yield
    finally:
        ray.shutdown()
        # Its clients are left to the collector, and one that ended in a process forked later would crash that process.
        gc.collect()


def _gathered(ray: Any, tasks: Iterator[Task], workers: int | None) -> Iterator[tuple[Task, Outcome]]:
    # One core a task, as the loops and the detector run on one thread each.
    search = ray.remote(num_cpus=1, max_retries=TRIES - 1)(_search)
    pending: dict[Any, Task] = {}
    plan, shared = -1, None
    try:
        while True:
            for task in _some(tasks, (workers or _AHEAD * _cores(ray)) - len(pending)):
                if task.plan.number != plan:
                    plan, shared = task.plan.number, ray.put(replace(task.plan, folder=None).packed())
                # in a list it reaches a task as a name, which a process that has the plan never looks up
                pending[search.remote(plan, [shared], task.coarse)] = task
            if not pending:
                return
            for reference in ray.wait(list(pending), num_returns=1)[0]:
                task = pending.pop(reference)
                yield task, _outcome(ray, reference, task)
    finally:
        # By force: a coarse channel takes seconds, and an interrupted search should not wait for results nobody reads.
        for reference in pending:
            ray.cancel(reference, force=True)


def _some(tasks: Iterator[Task], number: int) -> Iterator[Task]:
    """At most so many of the tasks."""
    for _ in range(number):
        task = next(tasks, None)
        if task is None:
            return
        yield task


def _cores(ray: Any) -> int:
    """Cores of the cluster as it is now: machines may join and leave while it works."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _outcome(ray: Any, reference: Any, task: Task) -> Outcome:
    try:
        outcome: Outcome = ray.get(reference)
        return outcome
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error  # a fault of the program, as it would be raised here
    except ray.exceptions.RayError as error:
        raise AbacadError(
            f"Ray gave up coarse channel {task.coarse} after {TRIES} tries: {brief(str(error), 160)}.\n"
            "Is the memory of its machines enough? The same command goes on where it stopped."
        ) from error


def _search(plan: int, shared: list[Any], coarse: int) -> Outcome:
    """A task, in a process of Ray's."""
    import ray

    def packed() -> bytes:
        plan_bytes: bytes = ray.get(shared[0])
        return plan_bytes

    return done_elsewhere(plan, packed, coarse)

"""Run abacad's commands in forked processes that a hook ends before a file operation, or after some processor time."""

import gc
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads do not live on in a forked process

from killed_verbs import TINY

from abacad.cli import main
from abacad.simulator.presets import PRESETS

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
LIMIT_S = 900


def hook(under: Path, at: int, count: Path | None) -> None:
    """Count the file operations below a folder; end before the one numbered `at`, from 1 on."""
    seen = [0]
    root = str(under)
    teller = os.open(count, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if count else -1

    def one() -> None:
        seen[0] += 1
        if teller >= 0:
            os.write(teller, b".")
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def listen(event: str, args: tuple) -> None:
        if event not in CHANGES and not (event == "open" and isinstance(args[2], int) and args[2] & WRITES):
            return
        if isinstance(args[0], str | os.PathLike) and str(args[0]).startswith(root):
            one()

    sys.addaudithook(listen)
    for name in ("writev", "pwrite", "posix_fallocate"):  # no audit event tells of these
        setattr(os, name, _told(getattr(os, name), one))


def _told(act: Callable[..., Any], tell: Callable[[], None]) -> Callable[..., Any]:
    def told(*args: Any) -> Any:
        tell()
        return act(*args)

    return told


def forked(
    words: list[str],
    under: Path,
    *,
    at: int = 0,
    after_s: float | None = None,
    count: Path | None = None,
    modules: Path | None = None,
) -> int:
    """Run a command in a process of its own; its exit code, negative for a signal.

    Args:
        words: The command line.
        under: Folder of its results.
        at: Number of the file operation before which it is killed; 0: none.
        after_s: Seconds of processor time after which it is killed: those of the clock depend on who else computes.
        count: File that gets a byte a file operation.
        modules: File that gets the names of the modules that the command imported.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads; none of ours holds a lock here
        child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        told = os.open(under.parent / "told.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(quiet, 1)
        os.dup2(told, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        os.chdir(under)
        PRESETS["tiny"] = TINY  # in this process alone: tests that import this module have no more presets than others
        known = set(sys.modules)
        signal.alarm(LIMIT_S)
        hook(under, at, count)
        if after_s is not None:
            signal.setitimer(signal.ITIMER_PROF, max(after_s, 1e-3))  # SIGPROF ends a process as SIGKILL does
        code = main(words)
        if modules is not None:
            modules.write_text("\n".join(set(sys.modules) - known))
        sys.stderr.flush()  # what it said is in the table of kills; `_exit` would lose it
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def import_all(names: Sequence[str]) -> None:
    """Import what verbs import late, so that forked processes have it."""
    for name in sorted(names):
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # a collection in a forked process would copy all memory that it shares with this one

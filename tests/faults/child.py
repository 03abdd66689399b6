"""A command in a forked process, which may be harmed: other rights, less memory, a disk of its own, a killed reader.

Starting Python and importing torch would take seconds each time; a fork of the test process takes milliseconds.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from abacad.cli import main

NOBODY = 65534
_LIMIT_S = 600
_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000
_MS_REC, _MS_PRIVATE, _MS_REMOUNT = 0x4000, 1 << 18, 32
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: Its exit status; negative for a signal.
        told: What it wrote to standard error.
    """

    code: int
    told: str

    @property
    def message(self) -> str:
        """The last message of abacad's, without what was logged before it."""
        return self.told[max(self.told.rfind("\nabacad "), 0) :].strip()


def in_child(work: Callable[[], int]) -> Ended:
    """Do something in a process of its own; what it returns is the exit status."""
    with tempfile.TemporaryFile() as told:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads; none of ours holds a lock here
            child = os.fork()
        if child == 0:
            _do(work, told.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told.seek(0)
        return Ended(code, told.read().decode(errors="replace"))


def _do(work: Callable[[], int], told: int) -> None:
    """What the child does; it never returns."""
    code = 99
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(told, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        signal.alarm(_LIMIT_S)
        code = work()
        sys.stderr.flush()
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)


def is_one_message(ended: Ended, *names: str) -> None:
    """Check that a command ended in one short message that names what is meant, and in nothing else."""
    assert ended.code == 2, ended.told[-800:]
    assert "Traceback" not in ended.told, ended.told[-2000:]
    assert 1 <= len(ended.message.splitlines()) <= 3, ended.told[-800:]
    assert "fault of abacad" not in ended.message
    assert all(name in ended.message for name in names), ended.message


def as_nobody() -> None:
    """Give up the rights of root, which no mode of a file holds back."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


@contextlib.contextmanager
def open_place() -> Iterator[Path]:
    """A folder that everybody may enter and write into; pytest's own are the user's alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)
        for place, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                os.chmod(place, 0o777)


def small_disk(path: Path, size: str) -> None:
    """Put an empty file system in memory over a folder, seen by this process and those that it starts alone.

    Raises:
        OSError: the system does not allow it.
    """
    if os.getuid() != 0:
        _unshared(_CLONE_NEWUSER | _CLONE_NEWNS)
    else:
        _unshared(_CLONE_NEWNS)
        _mounted(b"none", Path("/"), None, _MS_REC | _MS_PRIVATE, b"")
    _mounted(b"none", path, b"tmpfs", 0, f"size={size}".encode())


def enlarge(path: Path, size: str) -> None:
    """Give that file system more room."""
    _mounted(b"none", path, b"tmpfs", _MS_REMOUNT, f"size={size}".encode())


def _unshared(flags: int) -> None:
    if _libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def _mounted(what: bytes, path: Path, file_system: bytes | None, flags: int, options: bytes) -> None:
    if _libc.mount(what, os.fsencode(path), file_system, flags, options) != 0:
        raise OSError(ctypes.get_errno(), "mount")


def can_mount() -> bool:
    """Whether a process of this user may have disks of its own."""

    def work() -> int:
        small_disk(Path(tempfile.gettempdir()), "64k")
        return 0

    return sys.platform == "linux" and in_child(work).code == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="a disk of its own needs the right to mount")


def less_memory(more_mb: int) -> None:
    """Let this process take that many MB more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + (more_mb << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def command(*words: object) -> int:
    """The command line."""
    return main([str(word) for word in words])

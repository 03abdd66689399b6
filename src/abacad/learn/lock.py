"""A lock that lets one process at a time train into a run folder; the file run.lock names that process.

The kernel holds the lock (`fcntl.lockf`) and frees it when the process ends, however it ends, so the file of a killed
process blocks nobody. A lock by the existence of a file alone would have to be removed by hand.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from abacad.errors import AbacadError, brief, unwritable

_LENGTH = 400  # bytes of run.lock


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs, and remove it at the end.

    Raises:
        AbacadError: another process holds it; the message names it.
    """
    if sys.platform == "win32":  # has no `fcntl`; two trainings into one folder are not noticed there
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = _taken(path)
    except OSError as error:
        raise unwritable(path, error) from error
    # POSIX drops a process's lock on a file as soon as that process closes any descriptor of it. So the file is opened
    # once, and nothing else in this process may open it while the block runs.
    try:
        about = {"process": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        # The content has a fixed length, so that it covers that of an earlier holder completely.
        os.pwrite(number, json.dumps(about).ljust(_LENGTH).encode() + b"\n", 0)
        yield
    finally:
        # Removed while the lock is still held: after `close` the file might already be another process's.
        path.unlink(missing_ok=True)
        os.close(number)


def _taken(path: Path) -> int:
    """Open the lock file, lock it, and return its descriptor.

    Between opening and locking, the holder may end and remove the file. The lock would then be on a file that no longer
    has a name, and another process could lock a new one: so the file is compared, and opened again.
    """
    import fcntl

    while True:
        # O_CLOEXEC: programs that this process starts get no descriptor of the lock
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.stat(path).st_ino == os.fstat(number).st_ino:
                return number
        except BlockingIOError:
            holder = _holder(os.pread(number, _LENGTH, 0))
            raise AbacadError(
                f"{path.parent} is being trained by {holder}.\nWait for it to end, or name another folder: --run."
            ) from None
        except OSError:
            os.close(number)
            raise
        os.close(number)


def _holder(content: bytes) -> str:
    try:
        about = json.loads(content)
        return brief(f"process {about['process']} on {about['host']}, since {about['since']}", 120)
    except (ValueError, KeyError, TypeError):
        return "another process"

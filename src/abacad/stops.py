"""A stop by Ctrl-C or SIGTERM, and the stretches of code in which it has to wait.

Python raises what a signal's handler raises between any two steps of the program. In the midst of code that holds
locks, or makes an object from several parts, that leaves a lock nobody gives back, or an object whose end fails.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Stopped(BaseException):
    """The command shall end.

    Attributes:
        number: The signal.
        status: Exit status, 128 + number: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, number: int) -> None:
        """Note the number of the signal."""
        super().__init__(signal.Signals(number).name)
        self.number, self.status = number, 128 + number


_waiting = 0  # blocks of `stops_wait` that the main thread is in
_late: list[Stopped] = []  # stops that came meanwhile


def stop(stopped: Stopped) -> None:
    """Raise it, or keep it until the block of `stops_wait` ends; for the handler of a signal."""
    if not _waiting:
        raise stopped
    _late.append(stopped)


@contextmanager
def stops_wait() -> Iterator[None]:
    """A stop is raised at the end of the block, not within. Other threads than the main one get no signals.

    Example:
        >>> try:
        ...     with stops_wait():
        ...         stop(Stopped(signal.SIGINT))
        ...         print("goes on")
        ... except Stopped as stopped:
        ...     print(stopped.status)
        goes on
        130
    """
    global _waiting
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _waiting += 1
    try:
        yield
    finally:
        _waiting -= 1
        if _late and not _waiting:
            raise _late.pop()

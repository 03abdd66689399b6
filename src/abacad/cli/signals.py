"""Ctrl-C and SIGTERM: the command ends with the status that a shell expects, and says whether it can go on.

Both raise `Stopped`. It is no `KeyboardInterrupt`, since Lightning catches that one and ends a training with status 1.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from abacad.stops import Stopped, stop

_CAUGHT = (signal.SIGINT, signal.SIGTERM)
_AGAIN_S = 0.02  # seconds after which an exception that Python ignored is raised again


@contextmanager
def stoppable() -> Iterator[None]:
    """While the block runs, both signals raise `Stopped` in it; a second one ends the process at once."""
    owner, received = os.getpid(), []

    def handle(number: int, frame: FrameType | None) -> None:
        # Reader processes inherit the handler. Ctrl-C reaches their parent, too, which ends them.
        if os.getpid() != owner:
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        received.append(number)
        for caught in _CAUGHT:  # a second signal ends the process at once, should the first hang somewhere
            signal.signal(caught, signal.SIG_DFL)
        stop(Stopped(number))

    # The handlers of before are put back: `main` may be called from a program that has its own.
    try:
        before = {number: signal.signal(number, handle) for number in _CAUGHT}
    except ValueError:  # in another thread than the main one, which is the only one that gets signals
        yield
        return
    try:
        with _raised_again():
            yield
    except SystemExit:  # Lightning handles the signal as well, and ends the process in its own way
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _raised_again() -> Iterator[None]:
    """Raise `Stopped` once more where Python could not: it ignores exceptions in destructors and in hooks of a fork."""
    ignored: list[Stopped] = []
    # Python hands such an exception to this hook and goes on as if nothing had been.
    hook = sys.unraisablehook

    def noticed(event: Any) -> None:
        if not isinstance(event.exc_value, Stopped):
            hook(event)
            return
        ignored.append(event.exc_value)
        # Not raised at once: the destructor that swallowed it is still running.
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)

    def again(number: int, frame: FrameType | None) -> None:
        stop(ignored[-1])

    alarm = signal.signal(signal.SIGALRM, again)
    sys.unraisablehook = noticed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook
        signal.signal(signal.SIGALRM, alarm)

"""Ctrl-C and SIGTERM: the command ends with the status that a shell expects, and says whether it can go on.

Both raise `Stopped`, which is no `KeyboardInterrupt`: Lightning would end a training with status 1 on that.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_CAUGHT = (signal.SIGINT, signal.SIGTERM)
_AGAIN_S = 0.02


class Stopped(BaseException):
    """Somebody wants the command to end; `status` is 130 after Ctrl-C, 143 after SIGTERM."""

    def __init__(self, number: int) -> None:
        """Remember which signal it was."""
        super().__init__(signal.Signals(number).name)
        self.number, self.status = number, 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """While the block runs, both signals raise `Stopped` in it; a second one ends the process at once."""
    owner, received = os.getpid(), []

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a reader process: its parent hears Ctrl-C, too, and ends it
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        received.append(number)
        for caught in _CAUGHT:
            signal.signal(caught, signal.SIG_DFL)
        raise Stopped(number)

    try:
        before = {number: signal.signal(number, stop) for number in _CAUGHT}
    except ValueError:  # not the main thread, where no signal arrives
        yield
        return
    try:
        with _raised_again():
            yield
    except SystemExit:  # by Lightning, which sees the signal too
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _raised_again() -> Iterator[None]:
    """Raise `Stopped` once more where Python had to ignore it: within a destructor, or a hook of a fork."""
    ignored: list[Stopped] = []
    hook = sys.unraisablehook

    def noticed(event: Any) -> None:
        if not isinstance(event.exc_value, Stopped):
            hook(event)
            return
        ignored.append(event.exc_value)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)

    def again(number: int, frame: FrameType | None) -> None:
        raise ignored[-1]

    alarm = signal.signal(signal.SIGALRM, again)
    sys.unraisablehook = noticed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook
        signal.signal(signal.SIGALRM, alarm)

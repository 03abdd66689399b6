"""The one error that users meet: what is wrong, and the way out; and other libraries' messages made short."""

import errno
import os

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a disk, a user's share of it, or a file is full."""


class AbacadError(Exception):
    """A mistake in the input or the recipe, told so that the user can mend it.

    The message has at most three lines: what is wrong (with the file, id or key by name), then the way out. The
    command line prints it without a traceback and exits with status 2.
    """


class CadenceError(AbacadError):
    """One cadence cannot be used; the message names it by its id."""


class NoCadenceError(CadenceError):
    """There is no file for a cadence's id."""


def brief(message: str, limit: int = 240) -> str:
    """Another library's message folded into one short line, to stand in ours."""
    # Messages of PyTorch and HDF5 fill a screen with lines of their own, and ours has three in all.
    text = " ".join(message.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain_name(path: object) -> str:
    r"""A file's name as text that can always be printed and written as UTF-8.

    File names are bytes. Those that are no UTF-8 reach Python as lone surrogates, which no encoder takes; here they
    become `\udcff` and the like.
    """
    # `str` of a path that is no UTF-8 works; printing it would end in an error about the error
    name = os.fspath(path) if isinstance(path, os.PathLike) else path
    return str(name).encode("utf-8", "backslashreplace").decode()


def unreadable(path: object, error: OSError) -> str:
    """Why a file could not be read, in a sentence without an error number."""
    return f"{plain_name(path)} cannot be read: {_reason(error)}."


def unwritable(path: object, error: OSError) -> AbacadError:
    """The error to raise where a file could not be written: a full disk and missing rights have other ways out."""
    name = plain_name(path)
    if error.errno in FULL[:2]:  # the third, a file that is too large, needs another way out
        return AbacadError(
            f"The disk is full at {name}; what was finished before is whole.\n"
            "Make room and repeat the command: it goes on where it can."
        )
    if error.errno == errno.EFBIG:
        return AbacadError(
            f"{name} would be larger than a file may be here.\nRaise the limit (ulimit -f), or choose another disk."
        )
    return AbacadError(f"{name} cannot be written: {_reason(error)}.\nChoose another place, or change its rights.")


def _reason(error: OSError) -> str:
    return brief(error.strerror or str(error) or type(error).__name__, 120)

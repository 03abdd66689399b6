"""Reads plain files and plain data that somebody else may have written, and checks them before they are used.

A pipe or a device would be waited for without end, and a size that is only declared would fill the memory. So a file
is opened without waiting, has to be a plain one, and has to be of a size that a file of its format can have.

JSON gives dictionaries and lists of anything. Each value is compared with the type that its field was declared with,
so that a wrong one ends in a message and not in a number where a name belongs.
"""

import dataclasses
import difflib
import errno
import os
import stat
import types
import typing
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from abacad.errors import AbacadError, brief, plain_name, unreadable

Built = TypeVar("Built")
_TEXT_LIMIT = 1 << 24
"""16 MB: of run.json with every cadence of the competition left out, 8 MB are the reasons."""
_LARGEST_NUMBER = 1e300
# Of a list: no recipe needs a hundred, and 64 kB of text could hold 30,000.
_MOST_VALUES = 1000


def open_plain(path: Path, limit: int | None = None) -> BinaryIO:
    """Open a file to read, without waiting for a pipe, and refuse what is no plain file.

    Args:
        path: The file.
        limit: Largest size in bytes; none: any.

    Raises:
        OSError: it is absent, forbidden, no plain file, or larger; `strerror` says which.
    """
    # O_NONBLOCK: opening a pipe waits until somebody writes into it, which may be never. On a plain file it changes
    # nothing. The open file is asked what it is, as a name may stand for something else a moment later.
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    about = os.fstat(number)
    reason = ""
    if not stat.S_ISREG(about.st_mode):
        reason = "it is no plain file but a folder, a pipe or a device"
    elif limit is not None and about.st_size > limit:
        reason = f"it has {about.st_size:,} bytes, and such a file at most {limit:,}"
    if reason:
        os.close(number)
        raise OSError(errno.EINVAL, reason, os.fspath(path))
    return os.fdopen(number, "rb")


def read_bytes(path: Path, limit: int = _TEXT_LIMIT, way_out: str = "") -> bytes:
    """The content of a file.

    Raises:
        AbacadError: it cannot be read, or is larger than the limit.
    """
    try:
        with open_plain(path, limit) as file:
            return file.read(limit + 1)  # bounded, as a file may have grown since its size was asked
    except OSError as error:
        raise AbacadError(f"{unreadable(path, error)}\n{way_out}".rstrip()) from error


def read_text(path: Path, limit: int = _TEXT_LIMIT, way_out: str = "") -> str:
    """The text of a UTF-8 file.

    Raises:
        AbacadError: it cannot be read, is larger than the limit, or is no UTF-8.
    """
    try:
        # -sig drops the mark that some editors put before a text
        return read_bytes(path, limit, way_out).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AbacadError(f"{plain_name(path)} is no text in UTF-8.\n{way_out}".rstrip()) from error


def build(made: type[Built], values: Any, name: str = "") -> Built:
    """A dataclass from nested dictionaries; what they leave out keeps its default.

    Args:
        made: The dataclass.
        values: Its fields by name, as JSON or YAML gives them: lists for tuples, dictionaries for dataclasses.
        name: Where they stand, for the message: `model`.

    Raises:
        AbacadError: a key is unknown, or a value is of another type or outside what the dataclass allows.
    """
    where = f"{name}." if name else ""
    if not isinstance(values, dict):
        raise AbacadError(f"{name or 'it'} holds {brief(repr(values), 40)}, not keys with values.")
    # resolves the hints of modules that postpone them, where `field.type` would be a text
    hints = typing.get_type_hints(made)
    known = [field.name for field in dataclasses.fields(made)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise AbacadError(unknown_key(f"{where}{key}", [f"{where}{each}" for each in known]))
    return made(**{key: _fitted(hints[key], value, f"{where}{key}") for key, value in values.items()})


def refuse_unlisted(part: object, section: str) -> None:
    """Raise an AbacadError when a field of a dataclass that takes listed values (`Literal`) holds another.

    Python itself takes any value, so that `Represent(kind="diffrence")` would pass, a representation that
    does not exist.
    """
    for name, hint in typing.get_type_hints(type(part)).items():
        if _is_listed(hint):
            _fitted(hint, getattr(part, name), f"{section}.{name}")


def _is_listed(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Literal or any(map(_is_listed, typing.get_args(hint)))


def unknown_key(key: str, known: list[str]) -> str:
    """The message for an unknown key, with the known one that it resembles."""
    near = difflib.get_close_matches(key, known, n=1)
    return f"there is no key {brief(key, 60)}." + (f" Did you mean {near[0]}?" if near else "")


def _fitted(hint: Any, value: Any, name: str) -> Any:
    for one in typing.get_args(hint) if _is_union(hint) else (hint,):
        if dataclasses.is_dataclass(one) and isinstance(value, dict):
            return build(one, value, name)  # type: ignore[arg-type]
        if typing.get_origin(one) is tuple and isinstance(value, list | tuple):
            return _tuple(typing.get_args(one), value, name)
        # JSON writes 1.0 as 1, so a whole number fits a float; True is a number to Python, but not here
        if _fits(one, value):
            return float(value) if one is float else value
    raise AbacadError(f"{name} is {brief(repr(value), 40)}; it must be {_told(hint)}.")


def _tuple(inner: tuple[Any, ...], values: Any, name: str) -> tuple[Any, ...]:
    if len(values) > _MOST_VALUES:
        raise AbacadError(f"{name} has {len(values):,} values; at most {_MOST_VALUES:,} can be.")
    # `tuple[float, ...]` has as many as there are, `tuple[float, float]` two
    hints = [inner[0]] * len(values) if inner[-1] is Ellipsis else list(inner)
    if len(hints) != len(values):
        raise AbacadError(f"{name} has {len(values)} values; it must have {len(hints)}.")
    return tuple(_fitted(hint, value, name) for hint, value in zip(hints, values, strict=True))


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _fits(hint: Any, value: Any) -> bool:
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint) and not isinstance(value, bool)  # to Python, True is in (1, 2)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if typing.get_origin(hint) is dict:
        keys, values = typing.get_args(hint)
        return isinstance(value, dict) and all(_fits(keys, key) and _fits(values, value[key]) for key in value)
    return isinstance(hint, type) and isinstance(value, hint)


def _told(hint: Any) -> str:
    if _is_union(hint):
        return " or ".join(map(_told, typing.get_args(hint)))
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(map(str, typing.get_args(hint)))
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(hint, "a list" if typing.get_origin(hint) is tuple else "keys with values")

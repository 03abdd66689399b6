"""Writes files whole or not at all, and checks tables and JSON before they are used.

A file is written beside its place as `.NAME.HOST-PID.part`, then renamed into it. A part that a killed process left is
removed when the next process writes into the same folder.
"""

import csv
import errno
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from abacad.errors import AbacadError, brief, plain_name, unwritable
from abacad.outputs import STDOUT
from abacad.plain import read_bytes, read_text

_TABLE_LIMIT = 1 << 29
"""512 MB: overlaps.csv, the largest table, has 60 bytes a pair."""
_HOST = "".join(letter for letter in socket.gethostname() if letter.isalnum())[:20] or "host"
# Each folder is looked through once a process: listing 60,000 cadences before each is written would take longer than
# to write it.
_swept: set[Path] = set()
_sweeping = threading.Lock()


def beside(path: Path, process: int) -> Path:
    """Where a process writes a file before it is renamed into its place."""
    return path.with_name(f".{path.name}.{_HOST}-{process}.part")


def holds_something(folder: Path, but: str = "") -> bool:
    """Whether there is anything in a folder but what a killed process left half written, and a file `but`."""
    return folder.is_dir() and not all(name == but or _is_left_over(name) for name in os.listdir(folder))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place if the block ends well, remove it if not.

    A link stays a link: what it points to is replaced. `-` is copied to standard output.

    Raises:
        AbacadError: the disk is full, or the place cannot be written; the message names the file.
    """
    if path == STDOUT:
        with _for_standard_output() as temporary:
            yield temporary
        return
    # to where a link leads, since a rename would put a file in the place of the link
    path = path.resolve()
    temporary = beside(path, os.getpid())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        yield temporary
        # One step on every POSIX file system: a reader sees the old file or the new one, and a kill leaves one of them.
        os.replace(temporary, path)
    except OSError as error:
        if _is_of_another_file(error, temporary, path):
            raise
        raise unwritable(path, error) from error
    finally:
        _remove(temporary)


def _is_of_another_file(error: OSError, temporary: Path, path: Path) -> bool:
    """Whether the error tells of a file that was read meanwhile, or, without a number, of no file at all."""
    named = error.filename
    return error.errno is None or (isinstance(named, str) and Path(named) not in (temporary, path, path.parent))


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return  # the folder is gone, or not ours: the error under way says so


def _sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left in a folder, once a process and folder.

    Before the first file is written here, a name with our own number, too, is a leftover: numbers come again, and in
    a container every first process has the same.
    """
    with _sweeping:
        if folder in _swept:
            return
        _swept.add(folder)
        for name in os.listdir(folder):
            if _is_left_over(name):
                _remove(folder / name)


def _is_left_over(name: str) -> bool:
    if not (name.startswith(".") and name.endswith(".part")):
        return False
    # Only of this host: on a shared disk another machine's process may be at work under the same number.
    host, _, number = name.removesuffix(".part").rpartition(".")[2].rpartition("-")
    return host == _HOST and number.isdecimal() and (int(number) == os.getpid() or not _is_running(int(number)))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 is not sent: it only asks whether there is such a process
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # somebody else's process; a number that no process has
        return True
    return True


@contextmanager
def _for_standard_output() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        # Whole first, as a file would be: a reader behind a pipe never gets half a table of a verb that failed.
        temporary = Path(folder) / "output"
        yield temporary
        sys.stdout.flush()
        with temporary.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step; what UTF-8 cannot hold is written as `\\udcff` and the like."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_table(path: Path, table: pd.DataFrame, *, digits: int | None = None) -> None:
    """Write a CSV file in one step, without the index; numbers with that many digits, or all that they have."""
    with replacing(path) as temporary:
        # g: significant digits, so that a small number keeps as many as a large one
        form = None if digits is None else f"%.{digits}g"
        table.to_csv(temporary, index=False, float_format=form, errors="backslashreplace")


def write_bytes(path: Path, *parts: Any) -> None:
    """Write what lies in memory as one file in one step, without copying it together first."""
    left = [memoryview(part).cast("B") for part in parts]
    with replacing(path) as temporary, open(temporary, "wb", buffering=0) as file:
        while left:
            # one call for head and values; it may write less than asked, as on a nearly full disk
            written = os.writev(file.fileno(), left)
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left:
                left[0] = left[0][written:]  # the disk took a part: the next call says why


def reserve(path: Path, size: int | None = None) -> None:
    """Make sure that a file has its place on the disk before it is mapped into memory.

    A store into a map beyond a full disk ends the process without a message (SIGBUS).

    Args:
        path: The file.
        size: In bytes; the size that it says it has when none.

    Raises:
        OSError: there is no room.
    """
    if not hasattr(os, "posix_fallocate"):
        return  # such as macOS; the free space was looked at
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size if size is None else size
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # a file system that cannot
                raise OSError(error.errno, error.strerror, str(path)) from error


def read_json(path: Path, way_out: str = "Remove it, or put the whole file back.") -> dict[str, Any]:
    """Read a JSON file that holds an object; an absent one is an empty dictionary.

    Raises:
        AbacadError: it cannot be read, or holds something else.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(read_text(path, way_out=way_out))
    except (ValueError, RecursionError) as error:
        raise AbacadError(f"{plain_name(path)} is no JSON: {brief(str(error), 80)}.\n{way_out}") from error
    if not isinstance(content, dict):
        raise AbacadError(f"{plain_name(path)} holds no JSON object.\n{way_out}")
    return content


def read_table(path: Path, columns: Mapping[str, type], way_out: str) -> pd.DataFrame:
    """A CSV file, its text columns as text and its numbers finite.

    Args:
        path: The file.
        columns: The columns that it must have: `str`, `int` or `float` each. Others are kept as they are.
        way_out: What the user can do about a file that does not fit; the last line of every message.

    Raises:
        AbacadError: the file is absent or no table, a column is missing or stands there twice, or a value does not fit.
    """
    names = ", ".join(columns)
    if not path.exists():
        raise AbacadError(f"There is no file {plain_name(path)}.\n{way_out}")
    content = read_bytes(path, _TABLE_LIMIT, way_out)
    table = _parsed(path, content, columns, way_out)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        shown = brief(", ".join(map(str, table.columns[:6])), 120)
        raise AbacadError(f"{plain_name(path)} has the columns {shown}; it must have {names}.\n{way_out}")
    for name, value_type in columns.items():
        if value_type is not str:
            table[name] = _numbers(path, name, table[name], value_type, way_out)
        elif (empty := table[name].isna() | (table[name] == "")).any():  # NaN: the row ends before this column
            row = int(np.flatnonzero(empty)[0]) + 2
            raise AbacadError(f"{plain_name(path)}, row {row}, is without {name}.\n{way_out}")
    return table


def _parsed(path: Path, content: bytes, columns: Mapping[str, type], way_out: str) -> pd.DataFrame:
    try:
        first = content[: 1 << 16].decode("utf-8-sig", "replace").splitlines()[:1]
        head = next(csv.reader(first), [])
        twice = [name for name in head if head.count(name) > 1]
        if twice:
            raise AbacadError(f"{plain_name(path)} has two columns {brief(twice[0], 40)}.\n{way_out}")
        texts = {name: str for name, value_type in columns.items() if value_type is str}
        # keep_default_na: an id may be "NA", "null" or "None", which pandas would take for a missing value
        table = pd.read_csv(BytesIO(content), dtype=texts, keep_default_na=False, encoding="utf-8-sig")
        # pandas takes the first values of rows longer than the header for names of rows: ids would be targets
        if not isinstance(table.index, pd.RangeIndex):
            raise ValueError("its rows have more values than its first line has names")
        return table
    except (ValueError, csv.Error, OverflowError) as error:
        raise AbacadError(
            f"{plain_name(path)} cannot be read as a table: {brief(str(error), 100)}\n{way_out}"
        ) from error


def _numbers(path: Path, name: str, values: pd.Series, value_type: type, way_out: str) -> pd.Series:
    """The values as numbers; `True` is none, though pandas takes it for 1."""
    if values.empty:
        return values.astype(value_type)
    # pandas reads a column of true and false as such, and one of mixed texts as texts
    numbers = pd.to_numeric(values, errors="coerce") if values.dtype != bool else pd.Series(np.nan, values.index)
    wrong = ~np.isfinite(numbers.astype(float))
    if value_type is int:
        wrong |= numbers % 1 != 0
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise AbacadError(
            f"{plain_name(path)}, row {place + 2}: {name} is {brief(repr(str(values.iloc[place])), 40)}, no "
            f"{'whole ' if value_type is int else ''}number.\n{way_out}"
        )
    return numbers.astype(value_type)

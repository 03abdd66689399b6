"""The competition folder: where its files are, its labels, its ids, and how one cadence is read and checked.

    train/<id[0]>/<id>.npy   test/<id[0]>/<id>.npy   train_labels.csv   sample_submission.csv   old_leaky_data/

Copies without the folders of first letters, train/<id>.npy, are read as well.
`old_leaky_data/` is never opened. Source of the layout: the competition's data page.
"""

import logging
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Literal

import numpy as np
import pandas as pd
import torch

from abacad.data.arrays import TOO_SMALL
from abacad.errors import AbacadError, CadenceError, NoCadenceError, brief, plain_name, unreadable
from abacad.files import read_table
from abacad.places import LABELS, SAMPLE
from abacad.plain import open_plain
from abacad.signal.cadence import LEAST, N_PANELS
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

Split = Literal["train", "test"]

_TABLES: dict[Split, str] = {"train": LABELS, "test": SAMPLE}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LONGEST_ID = 200  # with .npy, and as a temporary name, it stays below the 255 bytes of a file name
_LONGEST_HEADER = 10_000  # bytes; numpy's own limit for what it parses
_ONE_PARSES = Lock()
"""numpy reads a header by `ast.literal_eval`, whose Python 3.11 counts the depth of all threads in one place: where one
is interrupted in the middle, as by the garbage collector's finalisers, another fails with a SystemError."""
_MOST_VALUES = 1 << 27
"""Of a cadence: 0.5 GB as float32. The competition's have 419,328."""


def read_labels(root: Path, *, allow_twice: bool = False) -> pd.DataFrame:
    """Training ids and targets: columns id (str) and target (0 or 1), in the file's order.

    Args:
        root: The competition folder.
        allow_twice: Keep an id that stands there twice, for the audit to tell of.

    Raises:
        AbacadError: the file is absent, has other columns, a value that is not 0 or 1, an id twice, or no rows.
    """
    way_out = "Each training cadence needs a row: its id, and the target 0 (no needle) or 1 (needle)."
    table = _read_table(root / LABELS, "target", way_out, allow_twice)
    # before the table becomes whole numbers, in which 0.7 would be 0
    strange = table["id"][~table["target"].isin([0, 1])]
    if len(strange):
        raise AbacadError(
            f"{plain_name(root / LABELS)}: the target of {brief(strange.iloc[0], 60)} is neither 0 nor 1 "
            f"({len(strange)} such rows).\n{way_out}"
        )
    return pd.DataFrame({"id": table["id"], "target": table["target"].astype(int)})


def read_sample(root: Path) -> list[str]:
    """Ids of sample_submission.csv, in its order.

    Raises:
        AbacadError: the file is absent, has other columns, an id twice, or no rows.
    """
    return list(_read_table(root / SAMPLE, "target", "It must have a row for each cadence to score: id, target.")["id"])


def _read_table(path: Path, value: str, way_out: str, allow_twice: bool = False) -> pd.DataFrame:
    if not path.exists():
        raise AbacadError(f"There is no {path.name} in {plain_name(path.parent)}.\n{way_out}")
    table = read_table(path, {"id": str, value: float}, way_out)
    if list(table.columns[:2]) != ["id", value]:
        shown = brief(", ".join(map(str, table.columns[:6])), 120)
        raise AbacadError(f"{plain_name(path)} has the columns {shown}; it must begin with id, {value}.\n{way_out}")
    if table.empty:
        raise AbacadError(f"{plain_name(path)} has no rows.\n{way_out}")
    twice = table["id"][table["id"].duplicated()]
    if len(twice) and not allow_twice:
        raise AbacadError(
            f"{plain_name(path)} names the id {brief(twice.iloc[0], 60)} twice ({len(twice)} such rows).\n"
            "Keep one row an id."
        )
    return table


def cadence_path(root: Path, split: Split, cadence_id: str) -> Path:
    """Where the file of a cadence is.

    Raises:
        CadenceError: the id is no plain file name, so that it might leave the folder.
    """
    if not _is_id(cadence_id):
        raise CadenceError(
            f"{_TABLES[split]}: the id {brief(repr(cadence_id), 60)} is no plain file name.\n"
            "Ids hold letters, digits, '_', '-' and '.'."
        )
    nested = root / split / cadence_id[0] / f"{cadence_id}.npy"
    flat = root / split / nested.name
    return flat if not nested.exists() and flat.exists() else nested


def _is_id(name: str) -> bool:
    return len(name) <= _LONGEST_ID and _ID.fullmatch(name) is not None and ".." not in name


def listed_files(root: Path, split: Split) -> dict[str, Path]:
    """Every `.npy` file of a split by its id, in the order of the ids; a file whose name is no id is told and left."""
    by_id, strange = {}, []
    for path in (*(root / split).glob("?/*.npy"), *(root / split).glob("*.npy")):
        if _is_id(path.stem):
            by_id[path.stem] = path
        else:
            strange.append(path)
    if strange:
        log.warning("%d files in %s/ have names that are no ids: %s …", len(strange), split, plain_name(min(strange)))
    return dict(sorted(by_id.items()))  # a file system lists its files in any order


def read_header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of a `.npy` file, checked against its size, without reading the values.

    Raises:
        CadenceError: the file is missing or forbidden, empty, truncated, pickled, or no cadence of six panels.
    """
    with open_cadence(path) as file:
        shape, dtype, _ = _header(file, path)
    return shape, dtype


@contextmanager
def open_cadence(path: Path) -> Iterator[BinaryIO]:
    """A cadence's file, open; whatever the system says of it is a reason to leave this one cadence out.

    Raises:
        CadenceError: it cannot be opened, is no plain file, or cannot be read in the block.
    """
    try:
        with open_plain(path) as file:
            yield file
    except FileNotFoundError as error:
        raise NoCadenceError(f"Cadence {_name(path)}: there is no file {plain_name(path)}.") from error
    except OSError as error:
        raise CadenceError(f"Cadence {_name(path)}: {unreadable(path, error)}") from error


def _name(path: Path) -> str:
    return brief(plain_name(path.stem), 60)


def _header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape, dtype, and whether the values lie in Fortran's order; the file then stands at its first value."""
    name, size = _name(path), os.fstat(file.fileno()).st_size
    if size == 0:
        raise CadenceError(f"Cadence {name}: the file {plain_name(path)} is empty.")
    try:
        shape, fortran, dtype = _parsed(file)
    except Exception as error:  # bytes that are no header end in a dozen types of error in numpy's parsers
        raise CadenceError(f"Cadence {name}: {plain_name(path)} is no .npy file (a pickle is never opened).") from error
    if dtype.hasobject or dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise CadenceError(f"Cadence {name}: its values are of dtype {brief(str(dtype), 40)}, not numbers.")
    if len(shape) != 3 or shape[0] != N_PANELS or min(shape) < 1:
        raise CadenceError(f"Cadence {name}: its shape is {brief(str(shape), 60)}, not (6, time, frequency).")
    if shape[1] < LEAST[0] or shape[2] < LEAST[1]:
        raise CadenceError(f"Cadence {name}: its shape is {shape}.\n{TOO_SMALL}")
    # a header can declare any shape, and the array is allocated before its values are read
    if math.prod(shape) > _MOST_VALUES:
        raise CadenceError(f"Cadence {name}: {math.prod(shape):,} values are declared; at most {_MOST_VALUES:,} fit.")
    # more than is declared is no fault: numpy itself ignores what follows the values
    if size < file.tell() + math.prod(shape) * dtype.itemsize:
        raise CadenceError(f"Cadence {name}: the file {plain_name(path)} is truncated.")
    return shape, dtype, fortran


def _parsed(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """What numpy reads in the header, once its length is known to be a header's: numpy would read 4 GB of it."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError("there is no such version")
    length = file.read(2 if version == (1, 0) else 4)
    if int.from_bytes(length, "little") > _LONGEST_HEADER:
        raise ValueError("the header is too long")
    file.seek(-len(length), os.SEEK_CUR)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with _ONE_PARSES:
        return read(file)


def read_cadence(path: Path, shape: tuple[int, ...] | None = None) -> CadenceArray:
    """One cadence as float32, shape (6, time, freq).

    Args:
        path: The `.npy` file.
        shape: The shape that the other cadences have.

    Raises:
        CadenceError: as `read_header`, or the shape is another, or a value is not finite.
    """
    with open_cadence(path) as file:
        own_shape, dtype, fortran = _header(file, path)
        if shape is not None and own_shape != shape:
            raise CadenceError(f"Cadence {_name(path)}: its shape is {own_shape}, the others' is {shape}.")
        flat = np.fromfile(file, dtype, math.prod(own_shape))
    if len(flat) < math.prod(own_shape):
        raise CadenceError(f"Cadence {_name(path)}: the file {plain_name(path)} became shorter while it was read.")
    # Numbers in the other byte order are turned by `astype`; torch has no such type.
    stored = flat.reshape(own_shape, order="F" if fortran else "C")
    half = stored.dtype == np.float16 and stored.dtype.isnative
    with np.errstate(over="ignore"):
        # torch, as numpy takes eight times as long to widen half precision
        cadence = torch.from_numpy(stored).float().numpy() if half else stored.astype(np.float32)
    # The sum is not finite where a value is not, and is cheaper than a look at each. It may also overflow, so the
    # values have the last word.
    if not torch.from_numpy(cadence).sum().isfinite() and not np.isfinite(cadence).all():
        raise CadenceError(
            f"Cadence {_name(path)}: {int((~np.isfinite(cadence)).sum())} of its values are NaN or infinite."
        )
    return cadence

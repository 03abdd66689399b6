"""The competition folder: where its files are, its labels, its ids, and one cadence read without trust.

    train/<id[0]>/<id>.npy   test/<id[0]>/<id>.npy   train_labels.csv   sample_submission.csv   old_leaky_data/

`old_leaky_data/` is never opened. Source of the layout: the competition's data page.
"""

import math
import os
import re
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pandas as pd
import torch

from abacad.errors import AbacadError, CadenceError
from abacad.signal.cadence import N_PANELS
from abacad.types import CadenceArray

Split = Literal["train", "test"]

LABELS = "train_labels.csv"
SAMPLE = "sample_submission.csv"
NEVER_OPENED = "old_leaky_data"
USUAL_PLACES = (
    Path("/kaggle/input/seti-breakthrough-listen"),
    Path("/kaggle/input/competitions/seti-breakthrough-listen"),
    Path("/kaggle/input/seti-breakthrough-listen/public"),
    Path("seti-breakthrough-listen"),
    Path("public"),
    Path("data/seti-breakthrough-listen"),
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def find_competition(folder: str | Path | None = None) -> Path:
    """The competition folder: the one given (or its `public/` or `prepared/public/`), or the first usual place.

    Raises:
        AbacadError: there is none.
    """
    if folder is None:
        found = [place for place in USUAL_PLACES if (place / LABELS).is_file()]
        if not found:
            raise AbacadError(
                "No competition folder was named, and none is at its usual places.\n"
                f"Name the folder that holds {LABELS}, or make one: abacad simulate OUT."
            )
        return found[0]
    folder = Path(folder)
    if not folder.is_dir():
        raise AbacadError(f"There is no folder {folder}.\nName the folder that holds {LABELS}.")
    for place in (folder, folder / "public", folder / "prepared" / "public"):
        if (place / LABELS).is_file() or (place / SAMPLE).is_file():
            return place
    raise AbacadError(f"{folder} holds no {LABELS} and no {SAMPLE}.\nName the folder that holds them.")


def read_labels(root: Path, *, allow_twice: bool = False) -> pd.DataFrame:
    """Training ids and targets: columns id (str) and target (0 or 1), in the file's order.

    Args:
        root: The competition folder.
        allow_twice: Keep an id that stands there twice, for the audit to tell of.

    Raises:
        AbacadError: the file is absent, has other columns, a value that is not 0 or 1, an id twice, or no rows.
    """
    table = _read_table(root / LABELS, ["id", "target"], allow_twice)
    target = pd.to_numeric(table["target"], errors="coerce")
    strange = table["id"][~target.isin([0, 1])]
    if len(strange):
        raise AbacadError(
            f"{root / LABELS}: the target of {strange.iloc[0]} is neither 0 nor 1 ({len(strange)} such rows).\n"
            "Each training cadence needs the label 0 (no needle) or 1 (needle)."
        )
    return pd.DataFrame({"id": table["id"], "target": target.astype(int)})


def read_sample(root: Path) -> list[str]:
    """Ids of sample_submission.csv, in its order.

    Raises:
        AbacadError: the file is absent, has other columns, an id twice, or no rows.
    """
    return list(_read_table(root / SAMPLE, ["id", "target"])["id"])


def _read_table(path: Path, columns: list[str], allow_twice: bool = False) -> pd.DataFrame:
    if not path.is_file():
        raise AbacadError(f"There is no {path.name} in {path.parent}.\nIt must hold the columns {', '.join(columns)}.")
    try:
        table = pd.read_csv(path, dtype={"id": str})
    except (ValueError, OSError) as error:
        raise AbacadError(f"{path} cannot be read as a table: {error}") from error
    if list(table.columns[:2]) != columns:
        raise AbacadError(
            f"{path} has the columns {', '.join(map(str, table.columns[:6]))}.\n"
            f"It must have the columns {', '.join(columns)}."
        )
    if table.empty or table["id"].isna().any():
        raise AbacadError(f"{path} has {'no rows' if table.empty else 'a row without an id'}.")
    twice = table["id"][table["id"].duplicated()]
    if len(twice) and not allow_twice:
        raise AbacadError(f"{path} names the id {twice.iloc[0]} twice ({len(twice)} such rows).\nKeep one row an id.")
    return table


def cadence_path(root: Path, split: Split, cadence_id: str) -> Path:
    """Where the file of a cadence is.

    Raises:
        CadenceError: the id is no plain file name, so that it might leave the folder.
    """
    if not _ID.fullmatch(cadence_id) or ".." in cadence_id:
        raise CadenceError(f"The id {cadence_id!r} is no plain file name.\nIds hold letters, digits, '_', '-' and '.'.")
    return root / split / cadence_id[0] / f"{cadence_id}.npy"


def listed_files(root: Path, split: Split) -> dict[str, Path]:
    """Every `.npy` file of a split by its id, in the order of the ids."""
    found = {path.stem: path for path in (root / split).glob("?/*.npy")}
    return dict(sorted(found.items()))


def read_header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of a `.npy` file, checked against its size, without reading the values.

    Raises:
        CadenceError: the file is missing, empty, truncated, pickled, or no cadence of six panels.
    """
    if not path.is_file():
        raise CadenceError(f"Cadence {path.stem}: there is no file {path}.")
    with path.open("rb") as file:
        return _header(file, path)


def _header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    name, size = path.stem, os.fstat(file.fileno()).st_size
    if size == 0:
        raise CadenceError(f"Cadence {name}: the file {path} is empty.")
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except (ValueError, EOFError) as error:
        raise CadenceError(f"Cadence {name}: {path} is no .npy file (a pickle is never opened).") from error
    if dtype.hasobject or dtype.kind not in "fiu":
        raise CadenceError(f"Cadence {name}: its values are of dtype {dtype}, not numbers. It is not opened.")
    if len(shape) != 3 or shape[0] != N_PANELS or 0 in shape:
        raise CadenceError(f"Cadence {name}: its shape is {shape}, not (6, time, frequency).")
    if size < file.tell() + math.prod(shape) * dtype.itemsize:
        raise CadenceError(f"Cadence {name}: the file {path} is truncated.")
    return shape, dtype


def read_cadence(path: Path, shape: tuple[int, ...] | None = None) -> CadenceArray:
    """One cadence as float32, shape (6, time, freq).

    Args:
        path: The `.npy` file.
        shape: The shape that the other cadences have.

    Raises:
        CadenceError: as `read_header`, or the shape is another, or a value is not finite.
    """
    found, _ = read_header(path)
    if shape is not None and found != shape:
        raise CadenceError(f"Cadence {path.stem}: its shape is {found}, the others' is {shape}.")
    stored = np.load(path, allow_pickle=False)
    half = stored.dtype == np.float16 and stored.dtype.isnative
    # numpy takes eight times as long to widen halves
    cadence = torch.from_numpy(stored).float().numpy() if half else stored.astype(np.float32)
    if not torch.from_numpy(cadence).sum().isfinite() and not np.isfinite(cadence).all():
        raise CadenceError(
            f"Cadence {path.stem}: {int((~np.isfinite(cadence)).sum())} of its values are NaN or infinite."
        )
    return cadence

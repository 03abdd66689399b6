"""Checks every cadence before a training begins, so that a bad file is named at once and not hours later."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.progress import track

from abacad.data.competition import Split, cadence_path, read_cadence, read_header
from abacad.errors import AbacadError, CadenceError, NoCadenceError


@dataclass
class Checked:
    """The result of a check of one split's cadences.

    Attributes:
        shape: Shape of a cadence, (6, time, freq): the commonest in the split.
        dtypes: Number of files by dtype.
        good: Ids that can be used, in the order they were asked for.
        bad: The other ids, each with the reason.
        missing: The bad ones that have no file at all.
        low, high: Smallest and largest value in all good files; NaN where only headers were read.
    """

    shape: tuple[int, ...]
    dtypes: dict[str, int]
    good: list[str] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    low: float = float("nan")
    high: float = float("nan")

    def refuse(self, cadence_id: str, error: CadenceError) -> None:
        """Count a cadence among the bad."""
        self.bad[cadence_id] = str(error)
        if isinstance(error, NoCadenceError):
            self.missing.add(cadence_id)


def check_cadences(
    root: Path,
    split: Split,
    ids: Sequence[str],
    *,
    shape: tuple[int, ...] | None = None,
    full: bool = True,
    progress: bool = False,
) -> Checked:
    """Look at the header of every cadence, and with `full` at every value.

    Args:
        root: The competition folder.
        split: Where the cadences are.
        ids: Of the cadences.
        shape: That they must have, as they join others; none: the commonest among them.
        full: Look at every value.
        progress: Show progress bars.

    Raises:
        AbacadError: an id might leave the folder, or no cadence at all can be used and none said of which shape it is.
    """
    paths = {cadence_id: cadence_path(root, split, cadence_id) for cadence_id in ids}
    headers = dict(zip(ids, _in_threads(header_or_error, paths.values(), f"{split} headers", progress), strict=True))
    shapes = Counter(header[0] for header in headers.values() if not isinstance(header, CadenceError))
    if shape is None and not shapes:
        first = next(iter(headers.values()), "there are none")
        # the usual reason on the competition's own folder: its download is a zip file that is still to be unpacked
        packed = root / f"{split}.zip"
        hint = f"It is packed. Unpack it: unzip {packed} -d {root}" if packed.is_file() else f"The first: {first}"
        raise AbacadError(f"None of the {len(ids)} {split} cadences in {root} can be used.\n{hint}")
    # The commonest shape is taken for the right one: a folder with a few odd files names these, and not all the others.
    shape = shapes.most_common(1)[0][0] if shape is None else shape
    dtypes = Counter(str(header[1]) for header in headers.values() if not isinstance(header, CadenceError))
    checked = Checked(shape, dict(dtypes))
    for cadence_id, header in headers.items():
        if isinstance(header, CadenceError):
            checked.refuse(cadence_id, header)
        elif header[0] != shape:  # a batch is one array, and the columns of a window mean frequencies
            checked.bad[cadence_id] = f"Cadence {cadence_id}: its shape is {header[0]}, the others' is {shape}."
        else:
            checked.good.append(cadence_id)
    return _with_values(checked, paths, split, progress) if full else checked


def usable(checked: Checked, bad: Literal["fail", "skip"]) -> list[str]:
    """The ids that can be used.

    Raises:
        CadenceError: with `bad="fail"`, when one cannot.
    """
    if checked.bad and bad == "fail":
        others = f" ({len(checked.bad)} cadences are bad.)" if len(checked.bad) > 1 else ""
        raise CadenceError(f"{next(iter(checked.bad.values()))}{others}\nMend it, or leave such out: --data.bad skip.")
    return checked.good


def _with_values(checked: Checked, paths: dict[str, Path], split: Split, progress: bool) -> Checked:
    good, checked.good = checked.good, []
    outcomes = _in_threads(_range_or_error, [paths[name] for name in good], f"{split} values", progress)
    ranges = []
    for cadence_id, outcome in zip(good, outcomes, strict=True):
        if isinstance(outcome, CadenceError):
            checked.refuse(cadence_id, outcome)
        else:
            checked.good.append(cadence_id)
            ranges.append(outcome)
    if ranges:
        low, high = np.array(ranges).T
        checked.low, checked.high = float(low.min()), float(high.max())
    return checked


def header_or_error(path: Path) -> tuple[tuple[int, ...], np.dtype] | CadenceError:
    """Shape and type of a cadence, or why it cannot be used."""
    try:
        return read_header(path)
    except CadenceError as error:
        return error


def _range_or_error(path: Path) -> tuple[float, float] | CadenceError:
    try:
        cadence = read_cadence(path)
    except CadenceError as error:
        return error
    return float(cadence.min()), float(cadence.max())


def _in_threads(look: Callable[[Path], Any], paths: Iterable[Path], what: str, progress: bool) -> list[Any]:
    paths = list(paths)
    # threads, not processes: reading waits for the disk, and NumPy and torch let go of Python's lock while they compute
    with ThreadPoolExecutor() as threads:
        return list(
            track(threads.map(look, paths), f"Checking {what}", len(paths), disable=not progress, transient=True)
        )

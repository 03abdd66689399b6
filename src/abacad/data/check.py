"""Every cadence looked at before it is used, so that a bad file is named at once and not in the fifth fold."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.progress import track

from abacad.data.competition import Split, cadence_path, read_cadence, read_header
from abacad.errors import AbacadError, CadenceError


@dataclass
class Checked:
    """What a look at the cadences of one split found.

    Attributes:
        shape: Shape of a cadence, (6, time, freq): the commonest in the split.
        dtypes: Number of files by dtype.
        good: Ids that can be used, in the order they were asked for.
        bad: The others, each with the reason.
        low, high: Smallest and largest value, where the values were read.
    """

    shape: tuple[int, ...]
    dtypes: dict[str, int]
    good: list[str] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    low: float = float("nan")
    high: float = float("nan")


def check_cadences(
    root: Path, split: Split, ids: Sequence[str], *, full: bool = True, progress: bool = False
) -> Checked:
    """Look at the header of every cadence, and with `full` at every value.

    Raises:
        AbacadError: an id might leave the folder, or no cadence at all can be used.
    """
    paths = {cadence_id: cadence_path(root, split, cadence_id) for cadence_id in ids}
    headers = dict(zip(ids, _in_threads(_header_or_reason, paths.values(), f"{split} headers", progress), strict=True))
    shapes = Counter(found[0] for found in headers.values() if not isinstance(found, str))
    if not shapes:
        first = next(iter(headers.values()), "there are none")
        raise AbacadError(f"None of the {len(ids)} {split} cadences in {root} can be used.\nThe first: {first}")
    shape = shapes.most_common(1)[0][0]
    dtypes = Counter(str(found[1]) for found in headers.values() if not isinstance(found, str))
    checked = Checked(shape, dict(dtypes))
    for cadence_id, found in headers.items():
        if isinstance(found, str):
            checked.bad[cadence_id] = found
        elif found[0] != shape:
            checked.bad[cadence_id] = f"Cadence {cadence_id}: its shape is {found[0]}, the others' is {shape}."
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
    found = _in_threads(_range_or_reason, [paths[name] for name in good], f"{split} values", progress)
    ranges = []
    for cadence_id, outcome in zip(good, found, strict=True):
        if isinstance(outcome, str):
            checked.bad[cadence_id] = outcome
        else:
            checked.good.append(cadence_id)
            ranges.append(outcome)
    if ranges:
        low, high = np.array(ranges).T
        checked.low, checked.high = float(low.min()), float(high.max())
    return checked


def _header_or_reason(path: Path) -> tuple[tuple[int, ...], np.dtype] | str:
    try:
        return read_header(path)
    except CadenceError as error:
        return str(error)


def _range_or_reason(path: Path) -> tuple[float, float] | str:
    try:
        cadence = read_cadence(path)
    except CadenceError as error:
        return str(error)
    return float(cadence.min()), float(cadence.max())


def _in_threads(look: Callable[[Path], Any], paths: Iterable[Path], what: str, progress: bool) -> list[Any]:
    paths = list(paths)
    with ThreadPoolExecutor() as threads:
        return list(
            track(threads.map(look, paths), f"Checking {what}", len(paths), disable=not progress, transient=True)
        )

"""run.json and checked.json, the records of a run: a fact that is not of the type that a run writes is refused."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abacad.data.competition import cadence_path, read_header
from abacad.errors import AbacadError, brief
from abacad.files import read_json

_FACTS: dict[str, tuple[type, type | tuple[type, ...] | None]] = {
    "verb": (str, None), "train_seconds": (float, None), "auc_mean": (float, None), "changes": (list, str),
    "auc_fold": (list, (int, float)), "auc_oof": (list, (int, float)), "folds_trained": (list, int),
    "simulated": (dict, None), "data": (dict, None), "test": (dict, None),
}  # fmt: skip
"""What run.json may say, and what verbs read of it: its type, and that of each value in a list."""
_CHECK_ANEW = "Remove it; the cadences are then checked anew."


def read_record(path: Path) -> dict[str, Any]:
    """What run.json says; empty where there is none.

    Raises:
        AbacadError: it is no JSON, or a fact that verbs use is of another type.
    """
    way_out = "Put the whole file back, or train into another folder: --run."
    record = read_json(path, way_out)
    for key, (value_type, inner) in _FACTS.items():
        value: Any = record.get(key)
        # JSON has one sort of number: 12 is as good a duration as 12.0
        fits = isinstance(value, int | float) if value_type is float else isinstance(value, value_type)
        if fits and isinstance(value, list) and inner is not None:
            fits = all(isinstance(one, inner) for one in value)
        if key in record and (not fits or (key == "auc_oof" and len(value) != 3)):
            raise AbacadError(f"{path}: {key} is {brief(repr(value), 40)}, which no run writes.\n{way_out}")
    return record


def part_of(record: dict[str, Any], key: str) -> dict[str, Any]:
    """A part of run.json, empty where it is absent or something else."""
    part = record.get(key)
    return part if isinstance(part, dict) else {}


def read_checked(path: Path, root: Path, ids: Iterable[str]) -> tuple[tuple[int, int, int], list[str], list[str]]:
    """The shape of the cadences, and the training and test ids left out, as an earlier start wrote them down.

    Args:
        path: The file.
        root: The competition folder.
        ids: Its training ids, of which the first that is not left out must have that shape.

    Raises:
        AbacadError: the file holds something else.
    """
    checked = read_json(path)
    shape: Any = checked.get("shape")
    skipped: Any = checked.get("skipped")
    # of test cadences that join the training; earlier versions did not check them
    skipped_test: Any = checked.get("skipped_test", [])
    # `type(n) is int`, since Python takes True for an int
    sound = isinstance(shape, list) and len(shape) == 3 and all(type(n) is int and n > 0 for n in shape)
    if not sound or not _are_ids(skipped) or not _are_ids(skipped_test):
        raise AbacadError(f"{path} holds no shape, or no ids left out.\n{_CHECK_ANEW}")
    for first in (one for one in ids if one not in skipped):
        own, _ = read_header(cadence_path(root, "train", first))
        if own != tuple(shape):
            raise AbacadError(f"{path} holds the shape {tuple(shape)}; cadence {first} has {own}.\n{_CHECK_ANEW}")
        break
    return (shape[0], shape[1], shape[2]), skipped, skipped_test


def _are_ids(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)

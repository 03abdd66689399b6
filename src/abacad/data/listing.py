"""The `.npy` files that are meant by some names: files, and folders of them, each file once."""

import os
from collections.abc import Sequence
from pathlib import Path

from abacad.places import NEVER_OPENED


def cadence_files(named: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named, in this order; a file that is named twice stands there once.

    A folder of the name `old_leaky_data` within one that is named is never opened.
    """
    first: dict[Path, Path] = {}
    for path in (each for name in named for each in (_below(name) if name.is_dir() else [name])):
        first.setdefault(path.resolve(), path)
    return list(first.values())


def _below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != NEVER_OPENED]
        found += [Path(place) / name for name in names if name.endswith(".npy")]
    return sorted(found)

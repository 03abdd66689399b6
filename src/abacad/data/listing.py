"""Turns names on a command line into `.npy` files: a file stands for itself, a folder for all that lie in it."""

import os
from collections.abc import Sequence
from pathlib import Path

from abacad.places import NEVER_OPENED


def cadence_files(named: Sequence[Path]) -> list[Path]:
    """The files to be scored, each once, in the order of the names; those of one folder are sorted by path.

    Args:
        named: Files and folders. A folder called `old_leaky_data` below one of these is never opened: the competition
            leaves leaked labels there.
    """
    # By the resolved path: a file that is named twice, or by a link as well, would be scored and ranked twice.
    first: dict[Path, Path] = {}
    for path in (each for name in named for each in (_below(name) if name.is_dir() else [name])):
        first.setdefault(path.resolve(), path)
    return list(first.values())


def _below(folder: Path) -> list[Path]:
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        # changed in place, which is how `os.walk` is told not to enter a folder
        folders[:] = [name for name in folders if name != NEVER_OPENED]
        files += [Path(place) / name for name in names if name.endswith(".npy")]
    return sorted(files)

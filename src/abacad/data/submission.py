"""The file that the competition asks for: an id and a score for each test cadence, in the order of its sample."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from abacad.data.competition import cadence_path, read_sample
from abacad.errors import AbacadError
from abacad.files import read_table, replacing
from abacad.places import find_competition

UNKNOWN = 0.5
"""Score of a cadence that could not be read: the middle of [0, 1], which says nothing either way."""


def write_submission(out: Path, ids: Sequence[str], scores: Float[np.ndarray, " cadence"]) -> None:
    """Write a submission.

    The file is read back and checked under another name, then renamed: a submission that exists is a valid one.

    Args:
        out: The file to write.
        ids: Ids of sample_submission.csv in its order.
        scores: (cadence,) in [0, 1], in the same order.

    Raises:
        AbacadError: a score is no number in [0, 1], or the file cannot be written.
    """
    # The competition refuses a file with another order or a missing id only once it was uploaded.
    with replacing(out) as temporary:
        pd.DataFrame({"id": list(ids), "target": scores}).to_csv(temporary, index=False)
        check_submission(temporary, list(ids))


def asked_for(files: Sequence[Path]) -> dict[str, Path]:
    """The files of the cadences that the competition of the one folder named asks for, by id.

    Raises:
        AbacadError: other files are named, or one is missing.
    """
    if len(files) != 1 or not files[0].is_dir():
        raise AbacadError("A submission scores one competition.\nName its folder or its test folder alone.")
    folder = Path(os.path.abspath(files[0]))  # `.` has a name then; test/ may be a link to another disk
    root = find_competition(folder.parent if folder.name == "test" else folder)
    # By their places and not by their names, which files elsewhere in the folder may have, too.
    asked = {cadence_id: cadence_path(root, "test", cadence_id) for cadence_id in read_sample(root)}
    missing = [cadence_id for cadence_id, path in asked.items() if not path.is_file()]
    if missing:
        raise AbacadError(
            f"Cadence {missing[0]} of sample_submission.csv is not in {files[0]} ({len(missing)} such).\n"
            "Is the folder another competition's, or not unpacked?"
        )
    return asked


def check_submission(path: Path, ids: list[str]) -> None:
    """Read a submission back and compare it with what the competition asks for.

    Raises:
        AbacadError: it has other columns, ids or order, or a score that is no number in [0, 1].
    """
    table = read_table(path, {"id": str, "target": float}, "Run the same command again.")
    # the file itself is compared, and not the table that it was written from: what a writer changes shows only there
    if list(table.columns) != ["id", "target"] or list(table["id"]) != ids:
        raise AbacadError(f"{path} does not hold sample_submission.csv's ids in its order.")
    if not table["target"].between(0, 1).all():
        raise AbacadError(f"{path} holds a score that is no number between 0 and 1.")

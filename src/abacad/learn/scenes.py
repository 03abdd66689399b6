"""The observation from which each cadence was cut: windows of one share noise and are no independent trials.

An interval of an AUC therefore counts observations. Those of a simulated folder stand in its truth.csv (scene); for
other folders the groups in the run's folds.csv are taken: those of `abacad overlaps`, or one for each cadence.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from abacad.errors import AbacadError
from abacad.files import read_table
from abacad.learn.record import part_of, read_record
from abacad.learn.run_folder import RunFolder

TRUTH = "truth.csv"


def scenes_of(run: RunFolder, ids: pd.Series) -> np.ndarray | None:
    """The scene, or the group, of each cadence.

    Args:
        run: The run that held the cadences back.
        ids: Of the cadences.

    Returns:
        (cadence,) names of scenes; none where nothing is known of them.
    """
    folder = part_of(read_record(run.record), "data").get("folder")
    known = (Path(str(folder)) / TRUTH, "scene", int) if folder else None
    for path, column, value_type in filter(None, (known, (run.folds, "group", str))):
        by_id = _column(path, column, value_type)
        scenes = None if by_id is None else ids.map(by_id)
        # a table that knows some of the cadences only would count the others as one scene
        if scenes is not None and not scenes.isna().any():
            return scenes.to_numpy()
    return None


def _column(path: Path, column: str, value_type: type) -> pd.Series | None:
    """A column of a table by id; none where the table is not there, or says nothing of it."""
    if not path.is_file():
        return None
    try:
        table = read_table(path, {"id": str, column: value_type}, "")
    except AbacadError:  # an interval that counts cadences is better than none
        return None
    return table.drop_duplicates("id").set_index("id")[column]

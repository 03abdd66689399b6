"""`abacad submit`: write the submission of one run, or of several blended, and check the file by reading it back."""

import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.data.competition import read_sample
from abacad.data.submission import write_submission
from abacad.errors import AbacadError
from abacad.files import read_table
from abacad.learn.blend import blend_of
from abacad.learn.provenance import is_of
from abacad.learn.record import part_of, read_record
from abacad.learn.run_folder import RunFolder
from abacad.outputs import SUBMISSION, output
from abacad.places import find_competition, paths_of
from abacad.run.predict import predict

log = logging.getLogger(__name__)


def submit(
    runs: str | Path | Sequence[str | Path],
    folder: str | Path | None = None,
    out: str | Path | None = None,
    *,
    weights: str | Sequence[float] = "equal",
    progress: bool = True,
) -> Path:
    """Write the submission of one run, or of the blend of several; runs without test scores get them first.

    Args:
        runs: One finished run folder, or several.
        folder: The competition folder; none looks at its usual places.
        out: The file to write; none writes submission.csv into the first run folder.
        weights: How the runs are blended. `equal` takes the mean of their scores; a number for each run (`[0.3, 0.7]`,
            or as text `0.3,0.7`) the weighted mean; `ranks` the mean of their ranks. `fitted` and `stacking` weigh
            their logits by a fit on OOF scores, with weights of at least 0 and of either sign. The log tells the AUC of
            held-back cadences, by weights that were fitted without them.
        progress: Show progress bars.

    Returns:
        The file written: the ids of sample_submission.csv in its order, scores between 0 and 1.

    Example:
        >>> abacad.submit("runs/compact", "data", "submission.csv", progress=False)
        PosixPath('submission.csv')

    Raises:
        AbacadError: a run is not finished, the weights do not fit the runs, or a score is missing.
    """
    root = find_competition(folder)
    ids = read_sample(root)
    folders = [RunFolder(run) for run in paths_of(runs)]
    _refuse_twins(folders)
    out = output(out if out is not None else folders[0].path / "submission.csv", SUBMISSION)
    # Before any test set is scored: weights that do not fit the runs are an error of the call.
    blend = blend_of(weights, folders)
    columns = [_test_scores(run, root, ids, progress) for run in folders]
    write_submission(out, ids, blend.scores(np.column_stack(columns)))
    of = "run" if len(folders) == 1 else "runs"
    log.info("Wrote %s: %d scores of %d %s, checked against sample_submission.csv", out, len(ids), len(folders), of)
    return out


def _refuse_twins(runs: Sequence[RunFolder]) -> None:
    """A run that is named twice would count twice without a word."""
    places = [run.path.resolve() for run in runs]
    for run, place in zip(runs, places, strict=True):
        if places.count(place) > 1:
            raise AbacadError(
                f"{run.path} is named twice.\nName it once; a number for each run weighs it: --weights 2,1."
            )


def _test_scores(run: RunFolder, root: Path, ids: list[str], progress: bool) -> np.ndarray:
    if run.test.is_file():
        table = _read_scores(run)
        # Scores of another competition folder may stand there, which need not have other ids.
        if list(table["id"]) == ids and not _lacks_folds(table, run) and _is_of(run, root):
            return table["score"].to_numpy()
        log.info("%s scores another folder, other ids, or with fewer folds; scoring anew", run.test)
    # Test scores are kept in the run folder where that can be: the next blend with this run needs them again.
    if os.access(run.path, os.W_OK):
        return _read_scores(run, predict(run.path, root, progress=progress))["score"].to_numpy()
    # A run folder that cannot be written: its test scores are needed for this submission alone.
    with tempfile.TemporaryDirectory() as elsewhere:
        table_path = predict(run.path, root, Path(elsewhere) / "test.csv", progress=progress)
        return _read_scores(run, table_path)["score"].to_numpy()


def _is_of(run: RunFolder, root: Path) -> bool:
    """Whether test.csv scores this folder, as far as the run says of which it is."""
    noted = part_of(read_record(run.record), "test")
    if not noted:
        log.warning("%s does not say which folder %s scores; its ids are those of %s", run.record, run.test.name, root)
    return not noted or is_of(noted, root)


def _lacks_folds(table: pd.DataFrame, run: RunFolder) -> bool:
    """Whether a fold was trained after test.csv was written, so that the table has no column for it."""
    # A table without such columns was written by hand or by an earlier version, and is taken as it is.
    scored = [name for name in table.columns if name.startswith("fold")]
    return bool(scored) and any(f"fold{number}" not in scored for number in run.trained())


def _read_scores(run: RunFolder, path: Path | None = None) -> pd.DataFrame:
    path = path or run.test
    way_out = f"Delete it; it is then written anew by: abacad predict {run.path} DATA."
    table = read_table(path, {"id": str, "score": float}, way_out)
    if not table["score"].between(0, 1).all():
        raise AbacadError(f"{path} holds a score that is no number between 0 and 1.\n{way_out}")
    return table

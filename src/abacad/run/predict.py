"""`abacad predict`: score the test cadences of a competition with every fold of a run, and write test.csv."""

import logging
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from rich.progress import track

from abacad.config import Precision, Recipe
from abacad.data.axes import axes_of
from abacad.data.check import Checked, check_cadences, usable
from abacad.data.competition import listed_files, read_sample
from abacad.data.submission import UNKNOWN
from abacad.errors import AbacadError
from abacad.files import write_table
from abacad.learn.dataset import Cadences, Samples, loader, worker_count
from abacad.learn.provenance import is_of, scored_data
from abacad.learn.record import part_of, read_record
from abacad.learn.run_folder import RunFolder, judge_of
from abacad.learn.run_log import logging_to
from abacad.model.device import pick_device
from abacad.model.judge import Judge
from abacad.outputs import TEST_SCORES, output
from abacad.overlap.partners import partners_for
from abacad.places import find_competition

log = logging.getLogger(__name__)


def predict(
    run: str | Path,
    folder: str | Path | None = None,
    out: str | Path | None = None,
    *,
    accelerator: str = "auto",
    precision: Precision | None = None,
    bad: Literal["fail", "skip"] | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Score the test cadences of a competition folder with every fold of a run.

    Args:
        run: A run folder with one trained fold or more.
        folder: The competition folder; none looks at its usual places.
        out: The file to write; the run folder is then only read. None writes test.csv into it.
        accelerator: Device; `auto` takes CUDA, else MPS, else the CPU.
        precision: Precision that the detectors compute in; none: as the recipe says (`inference.precision`).
        bad: Stop at a cadence that cannot be used (`fail`), or score it 0.5 (`skip`); none: as the recipe says.
        workers: Processes that read cadences; none: as the recipe says, or by the number of cores.
        progress: Show progress bars.

    Returns:
        The file written, with the columns id, fold0, fold1, … for each trained fold, and score, their mean.

    Example:
        >>> abacad.predict("runs/compact", "data", progress=False)
        PosixPath('runs/compact/test.csv')

    Raises:
        AbacadError: the run is not finished, or a cadence of sample_submission.csv is missing or bad, or a score is no
            number, as of an overflow in 16 bits.
    """
    run_folder = RunFolder(Path(run))
    recipe, folds = run_folder.recipe(), run_folder.trained(tell=False)
    root = find_competition(folder)
    table_path = _place_of(run_folder, out)
    # With a file elsewhere the run folder is only read: it may be another person's, or on a disk without write access.
    with logging_to(run_folder.path / "log.txt") if out is None else nullcontext():
        ids = read_sample(root)
        checked = _check_test(root, ids, recipe, progress)
        # Checked before anything is scored: a truncated file ends the call at once, and not after an hour of work.
        good = usable(checked, bad or recipe.data.bad)
        judge = judge_of(run_folder.path, pick_device(accelerator), precision)
        scores = _scores(judge, root, good, checked, recipe, workers, progress)
        table = pd.DataFrame(scores, columns=[f"fold{number}" for number in folds], index=pd.Index(good, name="id"))
        # The order of sample_submission.csv. Only what has no row is filled: a score is never replaced.
        table = table.reindex(ids, fill_value=UNKNOWN)
        for cadence_id, reason in checked.bad.items():
            log.warning("%s gets the score %s: %s", cadence_id, UNKNOWN, reason)
        # Folds are averaged as scores, views as logits (docs/adr/0002-folds-and-scores.md): a saturated fold must not
        # outvote the others.
        if out is None:
            _note(run_folder, root, {"cadences": len(ids), "skipped": checked.bad})
        write_table(table_path, table.assign(score=table.mean(axis=1)).reset_index())
        of = "fold" if len(folds) == 1 else "folds"
        log.info("Scored %d cadences with %d %s: %s", len(good), len(folds), of, table_path)
    return table_path


def _note(run: RunFolder, root: Path, facts: dict[str, Any]) -> None:
    """Say in run.json which folder test.csv scores, before the file is written."""
    # Scores of another folder go first: a kill between note and file would leave them under the name of this one.
    if not is_of(part_of(read_record(run.record), "test"), root):
        run.test.unlink(missing_ok=True)
    run.note(test=scored_data(root) | facts)


def _place_of(run: RunFolder, out: str | Path | None) -> Path:
    """The file to write; refused here, before the scores are computed, when it cannot be written."""
    if out is not None:
        return output(out, TEST_SCORES)
    if not os.access(run.path, os.W_OK):
        raise AbacadError(f"{run.path} is read-only.\nName the file to write: --out FILE.")
    return run.test


def _check_test(root: Path, ids: list[str], recipe: Recipe, progress: bool) -> Checked:
    present = listed_files(root, "test")
    missing = [cadence_id for cadence_id in ids if cadence_id not in present]
    # All of them missing is a wrong folder; a few missing ones are bad cadences, and the recipe says what to do then.
    if len(missing) == len(ids):
        raise AbacadError(
            f"{root / 'test'} holds none of the {len(ids)} ids of sample_submission.csv.\n"
            "Is the folder another competition's, or not unpacked?"
        )
    # Files that are not asked for may come from a second download, or another competition; they do no harm here.
    strangers = len(present) - (len(ids) - len(missing))
    if strangers:
        log.warning("%d files in %s are not in sample_submission.csv; they are not scored", strangers, root / "test")
    return check_cadences(root, "test", ids, full=recipe.data.check == "full", progress=progress)


def _scores(
    judge: Judge,
    root: Path,
    ids: list[str],
    checked: Checked,
    recipe: Recipe,
    workers: int | None,
    progress: bool,
) -> np.ndarray:
    """(cadence, fold) scores. A cadence is read and represented once, then all folds score it and its flips."""
    partners, axes = partners_for(root, recipe), axes_of(root, checked.shape)
    if partners is not None:
        log.info(
            "%d of %d test cadences share columns with one of %s", partners.count(ids), len(ids), recipe.data.partners
        )
    source = Cadences(root, "test", ids, judge.represent, checked.shape, partners)
    # The size of a batch bounds the number of reader processes: each holds batches in shared memory.
    batches = loader(
        Samples(source, range(len(ids))),
        recipe.inference.batch_size,
        worker_count(
            recipe.data.workers if workers is None else workers, recipe.inference.batch_size * source[0].nbytes
        ),
    )
    parts = [
        judge.by_detector(batch.planes, axes).numpy()
        for batch in track(batches, "Scoring test cadences", disable=not progress, transient=True)
    ]
    return np.concatenate(parts)

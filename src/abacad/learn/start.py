"""Which weights a fold starts from: never a detector's that was trained on the cadences that the fold holds back.

If `model.weights` names a run folder, fold k of this run starts from the detector of fold k of that run, which held
back the same cadences. If all folds started from one detector, they would begin with one that has seen the labels by
which they are judged: on pure noise the AUC then rises from 0.5 to 0.8, and nothing is learned.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from abacad.config import Model
from abacad.errors import AbacadError
from abacad.files import read_table
from abacad.learn.run_folder import RunFolder
from abacad.places import is_run


def start_of(model: Model, run: RunFolder, number: int) -> Model:
    """The model of a recipe with `weights` set to the file that one fold starts from.

    Args:
        model: Its `weights` name a file, a run folder, or nothing; a file of somebody else's stays as it is.
        run: The folder of this training; its folds.csv says what each fold holds back.
        number: Number of the fold.

    Raises:
        AbacadError: the weights have seen labels that this fold is judged by, or are not there.
    """
    path = Path(model.weights or "")
    # A fold's file lies at RUN/fold0/best.safetensors, two folders below the run.
    if model.weights is None or not (path.is_dir() or is_run(path.parent.parent)):
        return model
    if path.is_file():
        _refuse_file_of_fold(path, run)
        return model
    other = RunFolder(path)
    other.recipe()  # raises where the folder is no run
    if other.verb == "pretrain":
        # Simulated cadences have no labels in common with this run: one detector may start all folds.
        return replace(model, weights=str(other.pretrained))
    require_same_folds(other, run, f"--model.weights {path}")
    weights = other.weights(number)
    if not other.fold_oof(number).is_file():
        raise AbacadError(f"Fold {number} of {path} is not trained.\nThis continues that run: {other.again()}.")
    return replace(model, weights=str(weights))


def require_same_folds(other: RunFolder, run: RunFolder, what: str) -> None:
    """Refuse another run unless each cadence that both know was held back by the same fold in both.

    Args:
        other: The run whose detectors or scores are used.
        run: The run that uses them.
        what: How the recipe names the other run, for the message.

    Raises:
        AbacadError: a cadence is in another fold, or the other run has no folds.csv.
    """
    if not other.folds.is_file():
        raise AbacadError(f"{what} has no folds.csv, so that nobody knows which cadences its folds held back.")
    # Cadences that one run alone knows do no harm: the other has neither learned from them nor is judged by them.
    theirs, ours = _fold_by_id(other), _fold_by_id(run)
    common = ours.index.intersection(theirs.index)
    moved = common[ours[common] != theirs[common]]
    if len(moved):
        raise AbacadError(
            f"{what} held back other folds: {len(moved)} of {len(ours)} cadences are in another one ({moved[0]} …).\n"
            "Its detectors know the labels that this run would be judged by.\n"
            f"Train with the same seed, data.folds and groups as {other.path}."
        )


def _refuse_file_of_fold(path: Path, run: RunFolder) -> None:
    other = RunFolder(path.parent.parent)
    # Weights of a pretraining saw simulated cadences alone; without a folds.csv nobody can say what a file has seen.
    if other.verb == "train" and other.folds.is_file():
        known = _fold_by_id(other).index.isin(_fold_by_id(run).index).sum()
        if known:
            raise AbacadError(
                f"{path} was trained on {known} of this run's cadences, labels that other folds are judged by.\n"
                f"Name the run folder, so that each fold starts from its own: --model.weights {other.path}."
            )


def _fold_by_id(run: RunFolder) -> pd.Series:
    table = read_table(run.folds, {"id": str, "fold": int}, "Train into another run folder.")
    return table.drop_duplicates("id").set_index("id")["fold"]

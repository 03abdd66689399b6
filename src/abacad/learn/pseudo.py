"""Pseudo labels: test cadences are trained on, with the scores of another run as targets.

Published solutions of the competition need this. On the sets of this project it gains nothing (docs/lab-notebook.md).

The loss weighs both classes alike, as if half of the cadences held a needle, so a score is higher than the probability
of a needle where needles are rarer. With a share q of positives among the labels, a score s becomes the probability p:

    p / (1 − p) = s / (1 − s) · q / (1 − q) / b

where b = 1, unless the other run's recipe sets `optim.pos_weight`: then b is this weight over the one that would weigh
both classes alike. With `optim.pos_weight 1` and labelled cadences alone, scores are probabilities already: p = s.
"""

import logging
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from torch.utils.data import ConcatDataset

from abacad.config import Recipe
from abacad.data.competition import listed_files
from abacad.errors import AbacadError
from abacad.files import read_table
from abacad.learn.dataset import Cadences
from abacad.learn.fold import even_pos_weight
from abacad.learn.kept_lines import lines_if_wanted
from abacad.learn.labelled import Labelled
from abacad.learn.packed import packed_if_wanted
from abacad.learn.provenance import is_another_simulation
from abacad.learn.record import part_of, read_record
from abacad.learn.run_folder import RunFolder
from abacad.learn.start import require_same_folds
from abacad.overlap.partners import partners_for
from abacad.places import is_run

log = logging.getLogger(__name__)

NEVER_HELD_BACK = -1
"""Fold of a cadence that is trained on in every fold and never held back."""


def with_pseudo(
    labelled: Labelled, root: Path, recipe: Recipe, run: RunFolder, skipped: Collection[str] = ()
) -> Labelled:
    """The labelled cadences, followed by the test cadences of the file `data.pseudo`.

    Fold k is trained on the scores of fold k of the other run, whose detector had not seen the cadences that fold k
    holds back. The mean over all folds was made with their labels: a test cadence that overlaps a held-back one would
    carry its label into the training.

    Args:
        labelled: Labelled cadences.
        root: The competition folder.
        recipe: Names the file.
        run: Folder of this training, with its folds.
        skipped: Ids of test cadences that cannot be used, and are left out.

    Raises:
        AbacadError: the file is no test.csv of a run with the same folds on this very data, lacks the scores of a fold,
            has some outside 0 to 1, or names a cadence that is not there.
    """
    path = Path(recipe.data.pseudo or "")
    folds = recipe.data.wanted()
    scores = read_pseudo(recipe)
    scores = scores[~scores["id"].isin(skipped)]
    if scores.empty:
        raise AbacadError(f"None of the cadences that {path} scores can be used.\nTrain without: --data.pseudo null.")
    other = RunFolder(path.parent)
    require_same_folds(other, run, f"--data.pseudo {path}")
    absent = set(scores["id"]) - set(listed_files(root, "test"))
    if absent:
        raise AbacadError(
            f"{path} scores {len(absent)} cadences that {root / 'test'} has not ({min(absent)} …).\n"
            "Give the test.csv of a run on this very folder."
        )
    # folders that were simulated from one seed have the same ids
    if path.name == other.test.name and is_another_simulation(part_of(read_record(other.record), "test"), root):
        raise AbacadError(
            f"{path} scores the cadences of another simulation than {root} holds.\n"
            f"Write it anew: abacad predict {other.path} {root}."
        )
    log.info("%d test cadences join the training, with the scores of %s for targets", len(scores), path)
    cadences = Cadences(root, "test", list(scores["id"]), recipe.represent, labelled.shape, partners_for(root, recipe))
    source = packed_if_wanted(cadences, len(scores), run.packed_pseudo, recipe)
    lines = lines_if_wanted(source, run.lines_pseudo, recipe, labelled.axes)
    share, balance = float(labelled.targets.mean()), _balance(other, labelled.targets)
    by_fold = {fold: probability(scores[f"fold{fold}"].to_numpy(float), share, balance) for fold in folds}
    return replace(
        labelled,
        source=ConcatDataset([labelled.source, source]),
        lines=None if labelled.lines is None or lines is None else ConcatDataset([labelled.lines, lines]),
        ids=np.concatenate([labelled.ids, scores["id"].to_numpy()]),
        targets=np.concatenate([labelled.targets.astype(float), np.mean(list(by_fold.values()), axis=0)]),
        folds=np.concatenate([labelled.folds, np.full(len(scores), NEVER_HELD_BACK)]),
        # the mean of all folds above only holds the place: `Labelled.for_fold` puts the fold's own scores there
        pseudo=(len(labelled.ids), by_fold),
    )


def _balance(other: RunFolder, targets: np.ndarray) -> float:
    """How much more a positive counted in the loss of the other run than in one that weighs both classes alike."""
    # Scores in a folder without a recipe: of whom they are is not known, and the recipes of this package leave it at 1.
    recipe = other.recipe() if is_run(other.path) else Recipe()
    by_hand = recipe.optim.pos_weight
    return 1.0 if by_hand is None else by_hand / even_pos_weight(targets, recipe)


def probability(scores: np.ndarray, share: float, balance: float = 1.0) -> np.ndarray:
    """Probabilities of a needle from scores of a detector.

    Args:
        scores: (cadence,) in [0, 1].
        share: Share of positives among the labels.
        balance: How much more a positive counted in its loss than in one that weighs both classes alike.

    Example:
        >>> from abacad.learn.pseudo import probability
        >>> probability(np.array([0.5]), 0.1)
        array([0.1])
    """
    return scores * share / (scores * share + (1 - scores) * (1 - share) * balance)


def read_pseudo(recipe: Recipe) -> pd.DataFrame:
    """The scores of the file `data.pseudo`: id, and a column for each fold that the recipe trains.

    Raises:
        AbacadError: the file lacks a column, has no rows, names an id twice, or has a score outside 0 to 1.
    """
    path, folds = Path(recipe.data.pseudo or ""), recipe.data.wanted()
    way_out = "Name the test.csv of a run on this very folder, with the same folds: --data.pseudo RUN/test.csv."
    names = [f"fold{fold}" for fold in folds]
    table = read_table(path, {"id": str, "score": float, **dict.fromkeys(names, float)}, way_out)
    if (
        table.empty
        or table["id"].duplicated().any()
        or not table[names].apply(lambda s: s.between(0, 1)).all(axis=None)
    ):
        raise AbacadError(f"{path} has no rows, names an id twice, or has a score outside 0 to 1.\n{way_out}")
    return table

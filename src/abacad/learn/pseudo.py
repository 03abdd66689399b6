"""Pseudo labels: test cadences join the training, another run's scores for targets.

Runs are trained with a loss that weighs both classes alike, so their scores are high where positives are rare. With a
share q of positives among the labels, a score s stands for the probability p:

    p / (1 − p) = s / (1 − s) · q / (1 − q)
"""

import logging
from collections.abc import Sequence
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
from abacad.learn.labelled import Labelled
from abacad.learn.packed import packed_if_wanted
from abacad.learn.run_folder import RunFolder
from abacad.learn.start import require_same_folds
from abacad.overlap.partners import partners_for

log = logging.getLogger(__name__)

NEVER_HELD_BACK = -1
"""The fold of a cadence that every detector is trained on and none is judged by."""


def with_pseudo(labelled: Labelled, root: Path, recipe: Recipe, run: RunFolder) -> Labelled:
    """The labelled cadences, then the test cadences of the file `data.pseudo`.

    Fold k takes the scores of that run's fold k: the mean over folds knows the labels that fold k holds back, and
    where a test cadence resembles a held-back one, it would give them away.

    Raises:
        AbacadError: the file is no test.csv of a run with the same folds, lacks the scores of a fold, has some outside
            0 to 1, or names a cadence that is not there.
    """
    path = Path(recipe.data.pseudo or "")
    folds = recipe.data.wanted()
    scores = _read(path, folds)
    require_same_folds(RunFolder(path.parent), run, f"--data.pseudo {path}")
    absent = set(scores["id"]) - set(listed_files(root, "test"))
    if absent:
        raise AbacadError(
            f"{path} scores {len(absent)} cadences that {root / 'test'} has not ({min(absent)} …).\n"
            "Give the test.csv of a run on this very folder."
        )
    log.info("%d test cadences join the training, with the scores of %s for targets", len(scores), path)
    cadences = Cadences(root, "test", list(scores["id"]), recipe.represent, labelled.shape, partners_for(root, recipe))
    source = packed_if_wanted(cadences, len(scores), run.packed_pseudo, recipe)
    share = float(labelled.targets.mean())
    by_fold = {fold: probability(scores[f"fold{fold}"].to_numpy(float), share) for fold in folds}
    return replace(
        labelled,
        source=ConcatDataset([labelled.source, source]),
        ids=np.concatenate([labelled.ids, scores["id"].to_numpy()]),
        targets=np.concatenate([labelled.targets.astype(float), np.mean(list(by_fold.values()), axis=0)]),
        folds=np.concatenate([labelled.folds, np.full(len(scores), NEVER_HELD_BACK)]),
        pseudo=(len(labelled.ids), by_fold),
    )


def probability(scores: np.ndarray, share: float) -> np.ndarray:
    """Probabilities of a needle for scores from a loss that weighs both classes alike; `share` of the labels is 1."""
    return scores * share / (scores * share + (1 - scores) * (1 - share))


def _read(path: Path, folds: Sequence[int]) -> pd.DataFrame:
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

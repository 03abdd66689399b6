"""Verdicts of a person as labels: a training uses the table that a page of `abacad review` exports.

    candidate → 1     rfi, noise → 0     unsure, or no verdict → left out

A verdict on a labelled cadence replaces its label, and one on a test cadence its pseudo labels. A test cadence with a
verdict is trained on in every fold and is never held back, since it has no label of the competition to be judged by.
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
from abacad.learn.labelled import Labelled, Pseudo
from abacad.learn.pseudo import NEVER_HELD_BACK
from abacad.overlap.partners import partners_for

log = logging.getLogger(__name__)

TARGETS = {"candidate": 1.0, "rfi": 0.0, "noise": 0.0}
LEFT_OUT = ("unsure", "")


def with_verdicts(labelled: Labelled, root: Path, recipe: Recipe, skipped: Collection[str] = ()) -> Labelled:
    """The labelled cadences with the verdicts of the file `data.verdicts`, followed by the test cadences with one.

    Args:
        labelled: Labelled cadences, and perhaps test cadences with pseudo labels, which verdicts replace too.
        root: The competition folder.
        recipe: Names the file.
        skipped: Ids of test cadences that cannot be used, and are left out.

    Raises:
        AbacadError: the file is absent, has other columns or verdicts, names an id twice, or no cadence of the folder.
    """
    path = Path(recipe.data.verdicts or "")
    target = read_verdicts(path)
    targets = labelled.targets.astype(float)
    known = np.isin(labelled.ids, target.index)
    # Pseudo labels count as changed, too: a person's verdict goes before a detector's.
    changed = int((targets[known] != target.reindex(labelled.ids[known]).to_numpy()).sum())
    targets[known] = target.reindex(labelled.ids[known]).to_numpy()
    # What is left are test cadences, which join the training, and ids of other folders, of which a warning tells.
    left = target[~target.index.isin(labelled.ids)]
    there = left[left.index.isin(list(listed_files(root, "test")))]
    joining = there[~there.index.isin(list(skipped))]
    if not known.any() and there.empty:
        raise AbacadError(f"{path} has no verdict on a cadence of {root}.\nGive verdicts on a run of this very folder.")
    log.info("%d verdicts of %s: %d labels replaced, %d test cadences join", len(target), path, changed, len(joining))
    if len(left) > len(there):
        log.warning("%d of the verdicts are of cadences that %s has not", len(left) - len(there), root)
    said = _over_pseudo(labelled, targets, known)
    if joining.empty:
        return replace(labelled, targets=targets, pseudo=said)
    ids = joining.index.to_numpy()
    cadences = Cadences(root, "test", list(ids), recipe.represent, labelled.shape, partners_for(root, recipe))
    return replace(
        labelled,
        source=ConcatDataset([labelled.source, cadences]),
        lines=None,  # these few are not packed, and a batch has the lines of all of its cadences or of none
        ids=np.concatenate([labelled.ids, ids]),
        targets=np.concatenate([targets, joining.to_numpy()]),
        folds=np.concatenate([labelled.folds, np.full(len(ids), NEVER_HELD_BACK)]),
        pseudo=said,
    )


def _over_pseudo(labelled: Labelled, targets: np.ndarray, known: np.ndarray) -> Pseudo | None:
    """The pseudo labels of each fold, with a person's verdict in the place of a detector's score.

    Args:
        labelled: With the pseudo labels.
        targets: (cadence,) labels with the verdicts in them.
        known: (cadence,) which of them are verdicts.
    """
    if labelled.pseudo is None:
        return None
    # `Labelled.for_fold` writes these over `targets`, so that a verdict in `targets` alone would be lost.
    first, by_fold = labelled.pseudo
    return first, {
        fold: np.where(known[first : first + len(scores)], targets[first : first + len(scores)], scores)
        for fold, scores in by_fold.items()
    }


def read_verdicts(path: Path) -> pd.Series:
    """Targets by id; the verdict `unsure` and rows without a verdict are left out.

    Raises:
        AbacadError: the file is absent, has other columns or verdicts, names an id twice, or holds no verdict.
    """
    way_out = "Give a table that a page of `abacad review` exported: --data.verdicts FILE."
    table = read_table(path, {"id": str}, way_out)
    if "verdict" not in table.columns:
        raise AbacadError(f"{path} has no column verdict.\n{way_out}")
    verdicts = table["verdict"].astype(str)  # the text is empty where a reader wrote a note and gave no verdict
    strange = verdicts[~verdicts.isin([*TARGETS, *LEFT_OUT])]
    if len(strange):
        raise AbacadError(f"{path}: '{strange.iloc[0][:40]}' is no verdict, as {', '.join(TARGETS)} and unsure are.")
    said = table.assign(verdict=verdicts)[verdicts.isin(list(TARGETS))]
    if said["id"].duplicated().any():
        twice = said["id"][said["id"].duplicated()].iloc[0]
        raise AbacadError(f"{path} has two verdicts on {twice}.\nGive the table of one reader.")
    if said.empty:
        raise AbacadError(f"{path} has no verdict but unsure ones.\n{way_out}")
    return said.set_index("id")["verdict"].map(TARGETS).astype(float)

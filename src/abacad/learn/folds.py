"""Folds of a cross-validation: every labelled cadence is held back by one of them.

Windows of one observation share their background. A detector that was trained on one of them knows the background of
the others, so whole groups of overlapping cadences are held back together.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from abacad.config import Recipe
from abacad.data.competition import read_sample
from abacad.errors import AbacadError
from abacad.files import read_table, write_table
from abacad.learn.run_folder import RunFolder
from abacad.overlap.links import OVERLAPS, across, cut_large, read_overlaps
from abacad.places import SAMPLE

log = logging.getLogger(__name__)

_AGAIN = "Remove that folder, and the fold is trained again."


def group_of(cadence_id: str) -> str:
    """The part of an id before its first underscore; the whole id where there is none, as in the competition.

    Example:
        >>> from abacad.learn.folds import group_of
        >>> group_of("scene12_07"), group_of("0a1b")
        ('scene12', '0a1b')
    """
    return cadence_id.split("_", 1)[0]


def groups_file(choice: str, root: Path) -> Path | None:
    """The groups file that `data.groups` of the recipe means, there or not; none where groups are switched off."""
    if choice == "none":
        return None
    return root / "groups.csv" if choice == "auto" else Path(choice)


def read_groups(choice: str, root: Path, ids: pd.Series) -> pd.Series:
    """The group of each id.

    Args:
        choice: `data.groups` of the recipe: `auto`, `none`, or a CSV file with the columns id and group.
        root: The competition folder.
        ids: Ids of the labelled cadences.

    Raises:
        AbacadError: a groups file is absent, has other columns, or names an id twice or not at all.
    """
    path = groups_file(choice, root)
    # The competition's ids hold no underscore, so that each of its cadences is then a group of its own.
    if path is None or (choice == "auto" and not path.is_file()):
        return ids.map(group_of)
    table = read_table(path, {"id": str, "group": str}, "Give every id a group, or: --data.groups none.")
    if table["id"].duplicated().any():
        raise AbacadError(f"{path} names the id {table['id'][table['id'].duplicated()].iloc[0]} twice.")
    groups = ids.map(table.set_index("id")["group"])
    if groups.isna().any():
        raise AbacadError(
            f"{path} has no group for {int(groups.isna().sum())} training ids ({ids[groups.isna()].iloc[0]} …).\n"
            "Give every training id a group, or switch groups off: --data.groups none."
        )
    # A groups file of `abacad overlaps` names the test cadences, too; other ids hint at the wrong file.
    strangers = table["id"][~table["id"].isin(ids) & ~table["id"].isin(_test_ids(root))]
    if len(strangers):
        log.warning(
            "%s names %d ids that are neither labelled nor to be scored (%s …)", path, len(strangers), strangers.iloc[0]
        )
    log.info(
        "Groups come from %s: %d groups for %d cadences, the largest of %d (--data.groups none turns them off)",
        path, groups.nunique(), len(ids), groups.value_counts().max(),
    )  # fmt: skip
    return groups


def read_links(choice: str, root: Path) -> pd.DataFrame | None:
    """The overlapping pairs beside the groups file, or none where there are no groups or no pairs."""
    beside = links_file(choice, root)
    return None if beside is None or not beside.is_file() else read_overlaps(beside)


def links_file(choice: str, root: Path) -> Path | None:
    """The overlaps.csv beside the groups file, there or not; none where there is no groups file."""
    path = groups_file(choice, root)
    return path.with_name(OVERLAPS) if path is not None and path.is_file() else None


def _test_ids(root: Path) -> list[str]:
    return read_sample(root) if (root / SAMPLE).is_file() else []


def make_folds(labels: pd.DataFrame, groups: pd.Series, n_folds: int, seed: int) -> pd.DataFrame:
    """Folds that keep groups whole, with nearly the same share of positives in each.

    Args:
        labels: Columns id, target.
        groups: Group of each row of `labels`.
        n_folds: Number of folds.
        seed: Seed of the shuffling.

    Returns:
        Columns id, fold, group, in the order of `labels`.

    Raises:
        AbacadError: there is one class only, or too few positives or groups for that many folds.
    """
    # Each check has its own message: the splitter would warn, or make folds in which no AUC can be computed.
    counts = labels["target"].value_counts()
    if len(counts) < 2:
        raise AbacadError(
            f"All {len(labels)} labels are {labels['target'].iloc[0]}.\nTraining needs cadences of both classes."
        )
    if counts.min() < n_folds:
        raise AbacadError(
            f"{n_folds} folds need {n_folds} cadences of each class; the rarer has {counts.min()}.\n"
            f"Ask for fewer folds (--data.folds {max(2, int(counts.min()))}), or label more cadences."
        )
    if groups.nunique() < n_folds:
        raise AbacadError(
            f"{n_folds} folds need as many groups; there are {groups.nunique()}.\n"
            "Ask for fewer folds (--data.folds), or switch the groups file off: --data.groups none."
        )
    fold = np.full(len(labels), -1)  # a cadence that no fold takes keeps −1, which `check_folds` refuses
    # Stratified, as positives are one in ten: folds by chance would differ in how well their AUC is known.
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for number, (_, held) in enumerate(splitter.split(labels["id"], labels["target"], groups)):
        fold[held] = number
    folds = pd.DataFrame({"id": labels["id"].to_numpy(), "fold": fold, "group": groups.to_numpy()})
    check_folds(folds, labels, n_folds)
    return folds


def check_folds(folds: pd.DataFrame, labels: pd.DataFrame, n_folds: int, *, read: bool = False) -> None:
    """Check folds before they are used; `read`: from folds.csv, so that a fold of one class is that file's fault.

    Raises:
        AbacadError: an id is missing or there twice, a group is in two folds, or a fold holds one class only.
    """
    outside = not folds["fold"].between(0, n_folds - 1).all()
    if outside or set(folds["id"]) != set(labels["id"]) or folds["id"].duplicated().any():
        raise AbacadError(
            "folds.csv does not hold each training id once.\nDelete it, or train into another run folder."
        )
    # A torn group leaks: a detector that has seen one window of an observation knows the background of the others.
    torn = folds.groupby("group")["fold"].nunique()
    if (torn > 1).any():
        raise AbacadError(
            f"The group {torn.idxmax()} stands on both sides of a fold.\nDelete folds.csv to make new ones."
        )
    # with one class only, there is no AUC by which the fold could choose its best epoch
    classes = folds.merge(labels, on="id").groupby("fold")["target"].nunique()
    poor = [fold for fold in range(n_folds) if classes.get(fold, 0) < 2]
    if poor and read:
        raise AbacadError(
            f"folds.csv: fold {poor[0]} of {n_folds} holds one class only.\n"
            "Delete it, or train into another run folder."
        )
    if poor:
        raise AbacadError(
            f"Fold {poor[0]} of {n_folds} holds one class only: its groups are too large.\n"
            "Ask for fewer folds (--data.folds), or switch the groups file off: --data.groups none."
        )


def folds_for_run(path: Path, labels: pd.DataFrame, groups: pd.Series, n_folds: int, seed: int) -> pd.DataFrame:
    """The folds of a run: those in the file `path` where it exists, after a check, else new ones, written there."""
    if path.is_file():
        columns = {"id": str, "fold": int, "group": str}
        folds = read_table(path, columns, "Delete it, or train into another run folder.")
        check_folds(folds, labels, n_folds, read=True)
        # The order of the labels decides which row of `targets` a fold belongs to.
        return folds.set_index("id").loc[labels["id"]].reset_index()
    folds = make_folds(labels, groups, n_folds, seed)
    write_table(path, folds)
    return folds


def make_folds_of_run(root: Path, labels: pd.DataFrame, recipe: Recipe, run: RunFolder) -> None:
    """Write folds.csv, and log how many overlapping pairs lie in different folds.

    Args:
        root: The competition folder.
        labels: Columns id and target of the usable cadences.
        recipe: Number of folds, groups and seed.
        run: The run folder.
    """
    groups = read_groups(recipe.data.groups, root, labels["id"])
    pairs = read_links(recipe.data.groups, root)
    groups = cut_large(labels["id"], groups, pairs, recipe.data.folds)
    folds = folds_for_run(run.folds, labels, groups, recipe.data.folds, recipe.seed)
    facts = {"groups": int(groups.nunique()), "largest": int(groups.value_counts().max())}
    if pairs is not None:
        facts["overlapping_pairs"], facts["pairs_across_folds"] = across(folds, pairs)
        log.info("%d of %d overlapping pairs lie across folds", facts["pairs_across_folds"], facts["overlapping_pairs"])
    run.note(groups=facts)


def require_held_back(folds: pd.DataFrame, path: Path, number: int) -> None:
    """Refuse folds that are not those by which a trained fold held cadences back.

    Args:
        folds: Columns id, fold.
        path: The held-back scores of that fold.
        number: Of the fold.

    Raises:
        AbacadError: they hold back other ids: folds.csv was changed, or folders of folds were exchanged.
    """
    # A fold that is scored by cadences it was trained on has an AUC near 1 and looks like a success.
    held = read_table(path, {"id": str, "fold": int}, _AGAIN)
    same = set(held["id"]) == set(folds["id"][folds["fold"] == number])
    if not same or held["id"].duplicated().any() or (held["fold"] != number).any():
        raise AbacadError(
            f"{path} holds other cadences than folds.csv gives to fold {number}.\n"
            "Put both back as they were, or train into another run folder: --run."
        )


def require_both_classes(folds: np.ndarray, targets: np.ndarray, number: int, way_out: str) -> None:
    """Refuse to train a fold that holds back one class only: no AUC could tell its best epoch, and none would be kept.

    Args:
        folds: (cadence,) fold that holds it back.
        targets: (cadence,) labels, after verdicts.
        number: Of the fold.
        way_out: What the user can do about it.

    Raises:
        AbacadError: all cadences of the fold have the same label.
    """
    if len(np.unique(targets[folds == number])) < 2:
        raise AbacadError(f"Fold {number} holds back one class only, so that it can have no AUC.\n{way_out}")


def require_targets(ids: np.ndarray, targets: np.ndarray, path: Path) -> None:
    """Refuse held-back scores beside labels that are not those of the run: their AUC would be one of other labels.

    Args:
        ids: (cadence,) of all that the run trains on.
        targets: (cadence,) their labels, after verdicts.
        path: The held-back scores of a trained fold, whose ids were checked.

    Raises:
        AbacadError: a label differs: the file was changed, or labels or verdicts were since the fold was trained.
    """
    held = read_table(path, {"id": str, "target": int}, _AGAIN).set_index("id")["target"]
    wanted = pd.Series(targets, ids).reindex(held.index)
    other = held.index[held != wanted]
    if len(other):
        raise AbacadError(f"{path} has other labels than the run, first of {other[0]}.\n{_AGAIN}")

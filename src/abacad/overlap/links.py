"""Overlapping pairs as links between cadences: read from overlaps.csv, cut where a group is too large, counted.

A link weighs as much as its pair has columns in common. A group that is larger than a fold is taken apart into single
cadences and put together again, heaviest links first, as long as a piece stays below half a fold (Kruskal's algorithm
with a limit): so the links that are cut are the weakest.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import DisjointSet

from abacad.files import read_table

log = logging.getLogger(__name__)

OVERLAPS = "overlaps.csv"


def read_overlaps(path: Path) -> pd.DataFrame:
    """The pairs that `abacad overlaps` wrote: at least the columns id_a, id_b, offset, columns.

    Raises:
        AbacadError: the file is absent, cannot be read, or has other columns.
    """
    columns = {"id_a": str, "id_b": str, "offset": int, "columns": int}
    return read_table(path, columns, "Make it anew: abacad overlaps DATA.")


def among(pairs: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """The pairs of which both are among the ids."""
    return pairs[pairs["id_a"].isin(ids) & pairs["id_b"].isin(ids)]


def cut_large(ids: pd.Series, groups: pd.Series, pairs: pd.DataFrame | None, n_folds: int) -> pd.Series:
    """Groups of which none is larger than a fold, so far as there are links to cut.

    Args:
        ids: Ids in their order.
        groups: Group of each.
        pairs: Overlapping pairs; none where there is no overlaps.csv.
        n_folds: Number of folds.
    """
    fold = len(ids) // n_folds  # a group larger than this would make one fold larger than the others
    sizes = groups.value_counts()
    groups = groups.copy()
    for name, size in sizes[sizes > fold].sort_index().items():
        told = f"Group {name} holds {size:,} of {len(ids):,} cadences, more than a fold ({fold:,})"
        if pairs is None:
            log.warning("%s; it stays whole, as there is no %s beside its file", told, OVERLAPS)
            continue
        members = ids[groups == name]
        groups[members.index] = _pieces(members, among(pairs, members), max(1, fold // 2)).to_numpy()
        log.warning(
            "%s: cut along its weakest links into %d pieces of at most %d",
            told, groups[members.index].nunique(), groups[members.index].value_counts().max(),
        )  # fmt: skip
    return groups


def _pieces(members: pd.Series, pairs: pd.DataFrame, limit: int) -> pd.Series:
    """The piece of each member, named by the first id in it."""
    joined = DisjointSet(members)
    heaviest = pairs.sort_values(["columns", "id_a", "id_b"], ascending=[False, True, True])
    for a, b in zip(heaviest["id_a"], heaviest["id_b"], strict=True):
        if joined.subset_size(a) + joined.subset_size(b) <= limit:
            joined.merge(a, b)
    names = {member: min(piece) for piece in joined.subsets() for member in piece}
    return members.map(names)


def across(folds: pd.DataFrame, pairs: pd.DataFrame) -> tuple[int, int]:
    """How many overlapping pairs the ids of `folds` (columns id, fold) make, and how many of them lie across folds."""
    fold = folds.set_index("id")["fold"]
    inner = among(pairs, folds["id"])
    return len(inner), int((fold[inner["id_a"]].to_numpy() != fold[inner["id_b"]].to_numpy()).sum())


def random_leak(ids: pd.Series, pairs: pd.DataFrame, n_folds: int) -> float:
    """Share of the ids that would share columns with an id outside their fold, if folds were drawn at random.

    An id with d partners has one outside with the probability 1 − n_folds^−d.
    """
    # ids without a partner share nothing with anyone and do not stand in the counts
    inner = among(pairs, ids)
    partners = pd.concat([inner["id_a"], inner["id_b"]]).value_counts()
    return float((1 - np.power(float(n_folds), -partners)).sum() / len(ids))

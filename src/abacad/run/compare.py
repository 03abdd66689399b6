"""`abacad compare`: tells how much better one run is than another, or how differently two submissions rank.

Two runs are compared on the cadences that both held back. Each bootstrap draw takes the same scenes for both, so that
scenes which are hard for both cancel: where the interval of the difference does not hold 0, the runs differ.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from abacad.errors import AbacadError, plain_name
from abacad.files import read_table
from abacad.learn.claim import flat
from abacad.learn.record import read_record
from abacad.learn.run_folder import RunFolder, read_oof
from abacad.learn.scenes import scenes_of
from abacad.metric import auc, auc_difference, auc_interval, digits_told
from abacad.places import paths_of
from abacad.summary import Summary

log = logging.getLogger(__name__)

_SHOWN = 10  # cadences that moved furthest between two submissions


@dataclass(frozen=True, repr=False)
class Comparison(Summary):
    """Several runs side by side.

    Attributes:
        runs: A row a run: run, folds, cadences, mean (of the folds' AUC), oof, low, high (AUC of all held-back cadences
            with its 95 % interval), minutes (of training).
        recipes: A row for each key that differs: key, and a column a run.
        differences: A row for each run after the first: run, less (the first), cadences (that both held back),
            difference (of the AUC), low, high.
    """

    runs: pd.DataFrame
    recipes: pd.DataFrame
    differences: pd.DataFrame

    def title(self) -> str:
        """What it is."""
        return f"Comparison of {len(self.runs)} run{'s' * (len(self.runs) > 1)}"

    def told(self) -> list[tuple[str, str]]:
        """The AUC of each run with its interval, and the differences to the first run with theirs."""
        rows = self.runs.to_dict("records")
        each = [(str(row["run"]), f"{row['oof']:.3f} [{row['low']:.3f}, {row['high']:.3f}]") for row in rows]
        return each + [
            (f"{row['run']} − {row['less']}", f"{row['difference']:+.{n}f} [{row['low']:+.{n}f}, {row['high']:+.{n}f}]")
            for row in self.differences.to_dict("records")
            for n in [digits_told(row["low"], row["high"])]
        ]


@dataclass(frozen=True, repr=False)
class Moves(Summary):
    """Submissions against the first of them.

    Attributes:
        files: A row for each after the first: file, against (the first), cadences (in both), rank_correlation
            (Spearman's).
        moves: The cadences that moved furthest, largest first: file, id, place_before, place (1 is the highest score).
    """

    files: pd.DataFrame
    moves: pd.DataFrame

    def title(self) -> str:
        """What it is."""
        return f"Comparison of {len(self.files) + 1} submissions"

    def told(self) -> list[tuple[str, str]]:
        """How alike they rank."""
        return [
            (f"{row['file']} and {row['against']}", f"rank correlation {row['rank_correlation']:.4f}")
            for row in self.files.to_dict("records")
        ]


def compare(paths: str | Path | Sequence[str | Path]) -> Comparison | Moves:
    """Compare several runs, or several submissions, with the first of them.

    Args:
        paths: Run folders, or CSV files with the columns id and target; one run alone is a table of itself.

    Returns:
        A `Comparison` of runs, or the `Moves` between submissions.

    Example:
        >>> abacad.compare("runs/compact")
        <Comparison of 1 run: runs/compact ...>

    Raises:
        AbacadError: runs and files are mixed, one is named twice, a run has no trained fold, or no cadence is in both.
    """
    given = paths_of(paths)
    _refuse_twins(given)
    files = [path for path in given if path.is_file()]
    # What was not written yet counts as a run: its own error says what is missing in the folder.
    if files and len(files) < len(given):
        raise AbacadError(f"{files[0]} is a file, another is a folder.\nCompare runs with runs, or files with files.")
    if files:
        return _compare_submissions(given)
    return _compare_runs([RunFolder(path) for path in given])


def _refuse_twins(paths: Sequence[Path]) -> None:
    # Of one thing under two names, too: a difference of exactly 0 would look like a result.
    known: dict[Path, Path] = {}
    for path in paths:
        twin = known.setdefault(path.resolve(), path)
        if twin is not path:
            raise AbacadError(
                f"{path} is named twice{'' if path == twin else f', once as {twin}'}.\nCompare it with another."
            )


def _compare_runs(runs: Sequence[RunFolder]) -> Comparison:
    tables = [read_oof(run) for run in runs]
    rows = [_row(run, table) for run, table in zip(runs, tables, strict=True)]
    against = [_difference(run, table, runs[0], tables[0]) for run, table in zip(runs[1:], tables[1:], strict=True)]
    names = ["run", "less", "cadences", "difference", "low", "high"]
    return Comparison(pd.DataFrame(rows), _differing(runs), pd.DataFrame(against, columns=names))


def _row(run: RunFolder, oof: pd.DataFrame) -> dict[str, Any]:
    # Both figures are told: the mean of folds compares cadences that one detector scored, the OOF AUC also those of
    # several detectors, whose scores may have different scales.
    folds = [auc(part["target"].to_numpy(), part["score"].to_numpy()) for _, part in oof.groupby("fold")]
    overall = auc_interval(oof["target"].to_numpy(), oof["score"].to_numpy(), groups=scenes_of(run, oof["id"]))
    # A run folder that was copied without run.json still compares; its time is then not known.
    seconds = read_record(run.record).get("train_seconds")
    return {
        "run": str(run.path),
        "folds": f"{len(folds)} of {run.n_folds}",
        "cadences": len(oof),
        "mean": float(np.mean(folds)),
        "oof": overall.value,
        "low": overall.low,
        "high": overall.high,
        "minutes": float("nan") if seconds is None else round(seconds / 60, 1),
    }


def _differing(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """The keys in which recipes differ, with the value of each run as text."""
    # Whole recipes, defaults included: a default that changed between two versions is a difference, too.
    recipes = [flat(run.recipe().as_dict()) for run in runs]
    keys = [key for key in recipes[0] if any(recipe[key] != recipes[0][key] for recipe in recipes)]
    rows = [[key, *(str(recipe[key]) for recipe in recipes)] for key in keys]
    return pd.DataFrame(rows, columns=["key", *(str(run.path) for run in runs)])


def _difference(run: RunFolder, table: pd.DataFrame, first: RunFolder, before: pd.DataFrame) -> tuple[Any, ...]:
    """Run, first run, cadences that both held back, and the difference of their AUC with its interval."""
    both = before.merge(table, on="id", suffixes=("_before", ""))
    if both.empty:
        raise AbacadError(
            f"{run.path} and {first.path} held back no cadence in common.\nCompare runs on the same data."
        )
    # Runs on two versions of the labels would differ by the labels, and the interval would say it were the recipe.
    other = both["id"][both["target"] != both["target_before"]]
    if len(other):
        raise AbacadError(
            f"{run.path} and {first.path} know other labels of {len(other)} cadences ({other.iloc[0]} …).\n"
            "Compare runs on the same labels."
        )
    # As when one of them has trained fewer folds: the AUCs in the first table are then not of the same cadences.
    if len(both) < max(len(before), len(table)):
        log.warning("%s and %s are compared on the %d cadences that both held back", run.path, first.path, len(both))
    target, scores, others = (both[name].to_numpy() for name in ("target", "score", "score_before"))
    difference = auc_difference(target, scores, others, groups=scenes_of(first, both["id"]))
    return str(run.path), str(first.path), len(both), difference.value, difference.low, difference.high


def _compare_submissions(paths: Sequence[Path]) -> Moves:
    if len(paths) < 2:
        raise AbacadError(f"{paths[0]} is one file.\nName another to compare it with.")
    way_out = "Compare files with the columns id and target, as abacad submit writes them."
    before, *others = [_ranked(path, way_out) for path in paths]
    files, moves = [], []
    for path, table in zip(paths[1:], others, strict=True):
        both = before.merge(table, on="id", suffixes=("_before", ""))
        if len(both) < 2:
            raise AbacadError(f"{path} and {paths[0]} have no two ids in common.\nCompare files of one competition.")
        if len(both) < max(len(before), len(table)):
            log.warning("%s and %s are compared on their %d common ids", path, paths[0], len(both))
        # Of ranks, since the metric (AUC) knows the order of scores alone: a rescaled submission has not moved.
        correlation = float(spearmanr(both["target_before"], both["target"]).statistic)
        files.append((str(path), str(paths[0]), len(both), correlation))
        moves.append(_moved(both).assign(file=str(path)))
    told = pd.DataFrame(files, columns=["file", "against", "cadences", "rank_correlation"])
    return Moves(told, pd.concat(moves, ignore_index=True)[["file", "id", "place_before", "place"]])


def _ranked(path: Path, way_out: str) -> pd.DataFrame:
    """A submission that ranks: each id once, and not the same score for all."""
    table = read_table(path, {"id": str, "target": float}, way_out)
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise AbacadError(f"{plain_name(path)} names {twice.iloc[0]} twice.\n{way_out}")
    if table["target"].nunique() < 2:
        raise AbacadError(f"{plain_name(path)} gives all ids the same score, so that it ranks nothing.\n{way_out}")
    return table


def _moved(both: pd.DataFrame) -> pd.DataFrame:
    """The cadences whose place changed most; scores that tie share the mean of their places."""
    places = both[["id"]].assign(
        place_before=rankdata(-both["target_before"].to_numpy()), place=rankdata(-both["target"].to_numpy())
    )
    # A stable order, so that of cadences that moved equally far the same ten are shown each time.
    order = (places["place"] - places["place_before"]).abs().sort_values(ascending=False, kind="stable").index
    furthest = places.loc[order].head(_SHOWN)
    return furthest[furthest["place"] != furthest["place_before"]]

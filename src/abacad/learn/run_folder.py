"""The run folder: the names of its files, through which verbs hand results to each other.

config.yaml  folds.csv  fold0/ …  oof.csv  test.csv  submission.csv  report.html  run.json  log.txt
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from abacad.config import Inference, Recipe
from abacad.config.detector import Flip
from abacad.errors import AbacadError
from abacad.files import read_table, write_json
from abacad.learn.record import read_record
from abacad.model.detector import SHIPPED
from abacad.model.judge import Judge
from abacad.places import find_run
from abacad.recipes import read_recipe
from abacad.summary import Summary

log = logging.getLogger(__name__)

_HEAD = 1 << 16  # bytes of test.csv that hold its first line: a name of eight letters for each fold


@dataclass(frozen=True, repr=False)
class RunFolder(Summary):
    """The files of one run.

    Attributes:
        path: The folder.
    """

    path: Path

    def title(self) -> str:
        """The folder by name, as the heading of its facts."""
        return f"Run folder {self.path}"

    def told(self) -> list[tuple[str, str]]:
        """How many folds are trained, and how well."""
        record = read_record(self.record)
        folds = [("folds", str(len(record["auc_fold"])))] if "auc_fold" in record else [("folds", "none yet")]
        if "auc_oof" not in record:
            return folds
        value, low, high = record["auc_oof"]
        return [*folds, ("AUC of all held-back cadences", f"{value:.4f} [{low:.4f}, {high:.4f}]")]

    @property
    def config(self) -> Path:
        """The whole recipe with every value, so that it can be trained again from this file."""
        return self.path / "config.yaml"

    @property
    def checked(self) -> Path:
        """JSON: shape of the cadences, and ids of those that cannot be used; written once the folds are made."""
        return self.path / "checked.json"

    @property
    def folds(self) -> Path:
        """CSV: id, fold, group."""
        return self.path / "folds.csv"

    @property
    def oof(self) -> Path:
        """CSV: id, target, fold, score; the held-back score of every training id."""
        return self.path / "oof.csv"

    @property
    def test(self) -> Path:
        """CSV: id, fold0, fold1, …, score; scores of the test cadences by each fold, and their mean."""
        return self.path / "test.csv"

    @property
    def record(self) -> Path:
        """JSON: versions, seed, device, data, timings, AUC."""
        return self.path / "run.json"

    @property
    def lock(self) -> Path:
        """Names the process that is training into the folder; absent when none is."""
        return self.path / "run.lock"

    @property
    def packed(self) -> Path:
        """The packed training cadences; removed when the run is finished."""
        return self.path / "packed-train.npy"

    @property
    def packed_pseudo(self) -> Path:
        """The packed test cadences with pseudo labels; removed when the run is finished."""
        return self.path / "packed-pseudo.npy"

    @property
    def lines(self) -> Path:
        """The lines of the packed training cadences; removed with them."""
        return self.path / "lines-train.npy"

    @property
    def lines_pseudo(self) -> Path:
        """The lines of the packed test cadences; removed with them."""
        return self.path / "lines-pseudo.npy"

    @property
    def all_packed(self) -> tuple[Path, ...]:
        """Every file that only spares work while the run trains."""
        return self.packed, self.packed_pseudo, self.lines, self.lines_pseudo

    @property
    def pretrained(self) -> Path:
        """The detector of `abacad pretrain`; written last, so that it exists only for a finished run."""
        return self.path / "weights.safetensors"

    def fold(self, number: int) -> Path:
        """Folder of one fold."""
        return self.path / f"fold{number}"

    def weights(self, number: int) -> Path:
        """The detector of one fold with the highest validation AUC."""
        return self.fold(number) / "best.safetensors"

    def last(self, number: int) -> Path:
        """State of a fold after its last finished epoch; removed when the fold is finished."""
        return self.fold(number) / "last.ckpt"

    def fold_oof(self, number: int) -> Path:
        """CSV: scores of the cadences that one fold held back; written last, so it exists only for a finished fold."""
        return self.fold(number) / "oof.csv"

    def recipe(self) -> Recipe:
        """The recipe that made this run.

        Raises:
            AbacadError: this is no run folder.
        """
        find_run(self.path)
        return read_recipe(self.config)

    @property
    def verb(self) -> str:
        """The verb that made this run: `train` or `pretrain`."""
        return str(read_record(self.record).get("verb", "train"))

    @property
    def n_folds(self) -> int:
        """Folds that the run trains: those of the recipe, or the single one of `abacad pretrain`."""
        return 1 if self.verb == "pretrain" else self.recipe().data.folds

    def again(self) -> str:
        """The command that continues this run."""
        data = " DATA" if self.verb == "train" else ""
        return f"abacad {self.verb}{data} --config {self.config} --run {self.path}"

    def trained(self, tell: bool = True) -> list[int]:
        """Numbers of the folds that are trained.

        Args:
            tell: Where some are missing, say so in the log.

        Raises:
            AbacadError: this is no run folder, or no fold is trained.
        """
        self.recipe()  # a folder without a recipe is told before its folds are counted
        done = [number for number in range(self.n_folds) if self.fold_oof(number).is_file()]
        if not done:
            raise AbacadError(
                f"{self.path} is not finished: 0 of {self.n_folds} folds are trained.\n"
                f"The same command continues it: {self.again()}."
            )
        # The run's oof.csv is made of all folds. With some of them gone, scores of the others would no longer be those
        # that its AUC and report tell of.
        if len(done) < self.n_folds and self.oof.is_file():
            raise AbacadError(
                f"{self.path} was finished with {self.n_folds} folds, of which {len(done)} are there.\n"
                "Put the folders of the others back, or remove its oof.csv to use these alone."
            )
        if tell and len(done) < self.n_folds:
            told = ", ".join(map(str, done))
            log.info("%s has %d of %d folds trained (%s): these are used", self.path, len(done), self.n_folds, told)
        return done

    def forget_test_scores(self, number: int) -> None:
        """Remove test.csv where this fold has scored in it: the fold is trained anew, and they would be of another one.

        Without this, `submit` would take the scores of a detector that is gone.
        """
        if self.test.is_file():
            head = self.test.read_bytes()[:_HEAD].decode("utf-8", "replace").splitlines()[:1]
            if head and f"fold{number}" in head[0].split(","):
                self.test.unlink(missing_ok=True)
                log.info("Removed %s: fold %d, which scored in it, is trained anew", self.test, number)

    def note(self, **facts: Any) -> None:
        """Add entries to run.json; a later value of a key replaces the earlier one."""
        write_json(self.record, read_record(self.record) | facts)


def read_oof(run: RunFolder) -> pd.DataFrame:
    """The held-back scores of a run, of its trained folds where some are missing: id, target, fold, score.

    Raises:
        AbacadError: oof.csv is absent, or holds something else than a target 0 or 1 and a score for each id once.
    """
    way_out = f"Train again: abacad train DATA --config {run.config} --run ANOTHER."
    files = [run.oof] if run.oof.is_file() else [run.fold_oof(number) for number in run.trained()]
    columns = {"id": str, "target": int, "fold": int, "score": float}
    table = pd.concat([read_table(path, columns, way_out) for path in files], ignore_index=True)
    # Tables are edited by hand, and a ranking by strange numbers looks like any other.
    last = run.recipe().data.folds - 1
    sound = table["target"].isin([0, 1]).all() and table["score"].between(0, 1).all()
    sound &= table["fold"].between(0, last).all()
    if table.empty or not sound or table["id"].duplicated().any():
        what = "a target 0 or 1, a fold, and a score between 0 and 1 for each id once"
        raise AbacadError(f"{run.oof} does not hold {what}.\n{way_out}")
    return table


def judge_of(path: Path, device: torch.device, precision: str | None = None) -> Judge:
    """All folds of a finished run folder, or the detector in a file of weights, with the flips that they score with.

    Args:
        path: The folder or the file.
        device: Where to score.
        precision: In which to score; none: as the run's recipe says, and in 32 bits with a file.

    Raises:
        AbacadError: the run is not finished, or the file holds no detector.
    """
    if not path.is_dir():
        # Four flips instead of one gain these weights 0.003 of AUC for twice the time, those for few rows 0.007
        # (docs/lab-notebook.md, section 21).
        one_view: tuple[Flip, ...] = ("identity",)
        flips = one_view if path == SHIPPED else Inference().tta
        return replace(Judge.of_files([path], device, flips), precision=precision or "32-true")
    run = RunFolder(path)
    folds, wanted = run.trained(), run.recipe().inference
    judge = Judge.of_files([run.weights(fold) for fold in folds], device, wanted.tta, folds)
    return replace(judge, precision=precision or wanted.precision)

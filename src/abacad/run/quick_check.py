"""`abacad train --limit N`: tries every step of a long run on a few cadences, and tells how long the whole will take.

One fold is trained for two epochs, scored, and submitted, in a temporary folder, so that the run folder stays as it is.
The second epoch is timed, since caches fill and kernels are chosen in the first.
"""

import logging
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from abacad.config import Recipe
from abacad.data.competition import read_labels
from abacad.data.part import linked_part
from abacad.errors import AbacadError
from abacad.learn.callbacks import told_time
from abacad.learn.whole_paths import with_whole_paths
from abacad.places import find_competition
from abacad.recipes import recipe_with
from abacad.run.submit import submit
from abacad.run.train import train
from abacad.summary import Summary

log = logging.getLogger(__name__)

_EPOCHS = 2
_TEST = 16  # cadences that are scored and submitted


@dataclass(frozen=True, repr=False)
class QuickCheck(Summary):
    """Time and memory of a long run, as a few cadences tell them.

    Attributes:
        cadences: Labelled cadences that it was tried on.
        epoch_s: Seconds of the second epoch, validation included.
        run_hours: Computed for all cadences, epochs, folds and devices of the recipe, if no epoch stops early.
        memory_mb: The most memory that was in use: of the GPU where there is one, else of the process.
        notes: What could not be tried.
    """

    cadences: int
    epoch_s: float
    run_hours: float
    memory_mb: float
    notes: tuple[str, ...]

    def title(self) -> str:
        """What it is."""
        return f"Quick check on {self.cadences} cadences: trained, scored and submitted"

    def told(self) -> list[tuple[str, str]]:
        """Time and memory that the long run will take."""
        return [
            ("an epoch of these", told_time(self.epoch_s)),
            ("the whole run, computed", told_time(3600 * self.run_hours)),
            ("memory", f"{self.memory_mb:,.0f} MB"),
        ]


def quick_check(
    folder: str | Path | None = None, recipe: str | Path | Recipe = "baseline", limit: int = 200, **overrides: Any
) -> QuickCheck:
    """Try every step of a training, from reading to the submission, on a few cadences.

    Args:
        folder: The competition folder; none looks at its usual places.
        recipe: The whole run, as `train` takes it.
        limit: Labelled cadences to try it on.
        overrides: Keys of the recipe with other values.

    Example:
        >>> abacad.quick_check("data", "quick.yaml", 20, **{"trainer.progress": False})
        <Quick check on 20 cadences: trained, scored and submitted: an epoch of these ..., the whole run, ...>

    Raises:
        AbacadError: what would have stopped the long run, or `limit` is too small for the folds.
    """
    wanted = with_whole_paths(recipe_with(recipe, overrides))
    root = find_competition(folder)
    n_labelled = len(read_labels(root))
    # Four a fold: each fold has to hold back both classes, or it has no AUC.
    if not 4 * wanted.data.folds <= limit <= n_labelled:
        raise AbacadError(
            f"--limit {limit}: a quick check of {wanted.data.folds} folds takes {4 * wanted.data.folds} to the "
            f"folder's {n_labelled} cadences."
        )
    shortened, notes = _shortened(wanted, limit)
    with tempfile.TemporaryDirectory(prefix="abacad-quick-") as place:
        part = linked_part(root, Path(place) / "data", limit, _TEST, wanted.data.folds, wanted.seed)
        n_taken = len(read_labels(part))
        run = train(part, Path(place) / "run", shortened)
        submit(run.path, part, Path(place) / "submission.csv", progress=False)
        epoch_s = float(pd.read_csv(run.fold(_fold(wanted)) / "metrics.csv")["seconds"].iloc[-1])
    # an epoch takes as long as it has cadences; the folds share them alike in the part and in the whole
    more = (n_labelled + wanted.data.simulated) / (n_taken + shortened.data.simulated)
    epochs = len(wanted.data.wanted()) * wanted.trainer.max_epochs
    hours = epoch_s * more * epochs / (wanted.trainer.devices * wanted.trainer.num_nodes) / 3600
    return QuickCheck(n_taken, epoch_s, hours, _memory_mb(), tuple(notes))


def _fold(recipe: Recipe) -> int:
    return recipe.data.wanted()[0]


def _shortened(recipe: Recipe, limit: int) -> tuple[Recipe, list[str]]:
    """The recipe on one device, two epochs long, without what only the whole folder has; and what that leaves out."""
    notes = []
    # Tables of groups, pseudo labels and verdicts name ids of the whole folder, most of which the part has not.
    data = replace(
        recipe.data, only=_fold(recipe), groups="none", pseudo=None, verdicts=None,
        simulated=min(recipe.data.simulated, limit),
    )  # fmt: skip
    model = recipe.model
    if model.weights is not None and Path(model.weights).is_dir():
        model = replace(model, weights=None, pretrained=False)
        notes.append("The start from another run was not tried: it needs that run's folds.")
    if recipe.data.pseudo or recipe.data.verdicts:
        notes.append("Pseudo labels and verdicts were not tried.")
    wanted = recipe.trainer
    if wanted.devices * wanted.num_nodes > 1:
        notes.append(f"It ran on one of {wanted.devices * wanted.num_nodes} devices; the time is divided by these.")
    # The memory of a training is that of its batches: a half-filled one says nothing of the long run's.
    if limit * (recipe.data.folds - 1) // recipe.data.folds < recipe.optim.batch_size:
        notes.append(f"No batch of {recipe.optim.batch_size} was full: a larger --limit tries its memory, too.")
    # No early end: a fold of a few cadences learns nothing, and would stop for it before the second epoch is timed.
    trainer = replace(
        wanted, max_epochs=_EPOCHS, patience=_EPOCHS, averaged=min(wanted.averaged, _EPOCHS), stop_below=None,
        max_time=None, devices=1, num_nodes=1, strategy="auto", loggers=(),
    )  # fmt: skip
    return replace(recipe, data=data, model=model, trainer=trainer), notes


def _memory_mb() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

"""`abacad train`: train a cross-validated ensemble, one detector a fold, on the labelled cadences of a competition.

The same command continues a run that was stopped: finished folds are kept, and an unfinished one goes on after its last
finished epoch.
"""

import logging
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import Dataset

from abacad.config import Model, Recipe
from abacad.data.axes import axes_of
from abacad.data.check import check_cadences, usable
from abacad.data.competition import read_labels
from abacad.data.simulated_folder import is_simulated
from abacad.errors import AbacadError
from abacad.files import write_json, write_table
from abacad.learn.budget import Budget, time_is_up
from abacad.learn.claim import claimed
from abacad.learn.dataset import Cadences
from abacad.learn.fold import pos_weight, train_fold
from abacad.learn.folds import (
    folds_for_run,
    make_folds_of_run,
    require_both_classes,
    require_held_back,
    require_targets,
)
from abacad.learn.gates import first_fold_gate, mean_gate
from abacad.learn.joining import check_joining
from abacad.learn.kept_lines import lines_if_wanted
from abacad.learn.labelled import Labelled
from abacad.learn.notebook import needs_own_process, shown_in_notebook, train_in_own_process
from abacad.learn.packed import packed_if_wanted
from abacad.learn.provenance import environment, fingerprint, tables
from abacad.learn.pseudo import with_pseudo
from abacad.learn.record import part_of, read_checked, read_record
from abacad.learn.run_folder import RunFolder
from abacad.learn.scenes import scenes_of
from abacad.learn.speed import require_speed
from abacad.learn.start import start_of
from abacad.learn.state import read_state
from abacad.learn.verdicts import with_verdicts
from abacad.learn.whole_paths import require_files, with_whole_paths
from abacad.metric import Interval, auc_interval
from abacad.model.detector import build_detector
from abacad.model.precision import precision_of
from abacad.overlap.partners import partners_for
from abacad.places import find_competition
from abacad.recipes import recipe_with
from abacad.simulator.presets import preset_named

log = logging.getLogger(__name__)

# Folds are made of the labels, with both classes in each; verdicts come later, and replace labels.
_ONE_CLASS = "Look at the verdicts once more (--data.verdicts), or ask for fewer folds (--data.folds)."


def train(
    folder: str | Path | None = None,
    run: str | Path | None = None,
    recipe: str | Path | Recipe = "baseline",
    **overrides: Any,
) -> RunFolder:
    """Train one detector a fold on the labelled cadences of a competition folder.

    Args:
        folder: The competition folder; none looks at its usual places.
        run: The run folder: a new one, or an interrupted one of the same recipe and data; none is runs/ and the
            recipe's name.
        recipe: The whole run: a packaged name, a YAML file, or a recipe.
        overrides: Keys of it with other values: `**{"trainer.max_epochs": 2}`.

    Returns:
        The run folder, with oof.csv in it when all folds are trained.

    Example:
        >>> quick = {"trainer.max_epochs": 1, "data.folds": 2, "trainer.progress": False}
        >>> abacad.train("data", "runs/quick", recipe="compact", **quick)
        <Run folder runs/quick: folds 2, AUC of all held-back cadences ...>

    Raises:
        AbacadError: the data, the recipe or the run folder cannot be used; the message says why.
    """
    run = _default_run(recipe) if run is None else run
    recipe = with_whole_paths(recipe_with(recipe, overrides))
    preset_named(recipe.data.simulated_preset)  # a name that the simulator does not know is told at once
    root = find_competition(folder)
    run_folder = RunFolder(Path(run))
    if needs_own_process(recipe):
        with shown_in_notebook():
            train_in_own_process(root, run_folder.path, recipe)
        return run_folder
    labels = read_labels(root)
    # Where several processes train together, the first one holds the lock of the folder for all of them.
    data = fingerprint(root, labels) | tables(root, recipe)
    with claimed(run_folder, recipe, data) if _is_first() else nullcontext():
        started = time.monotonic()
        to_train = [number for number in recipe.data.wanted() if not run_folder.fold_oof(number).is_file()]
        if not to_train:
            log.info("%s: the folds that are asked for are trained already", run)
        labelled = _prepare(root, labels, recipe, run_folder) if to_train else None
        try:
            _train_folds(to_train, run_folder, recipe, labelled)
        except AbacadError:  # such as an AUC below the threshold: the folds that are finished still count
            _conclude(run_folder, time.monotonic() - started, anew=bool(to_train))
            raise
        _conclude(run_folder, time.monotonic() - started, anew=bool(to_train))
    return run_folder


def _default_run(recipe: str | Path | Recipe) -> Path:
    return Path("runs") / ("own" if isinstance(recipe, Recipe) else Path(recipe).stem)


def _train_folds(to_train: list[int], run: RunFolder, recipe: Recipe, labelled: Labelled | None) -> None:
    # Also a fold that an earlier call has trained passes the gate: `stop_below` may have been asked for since.
    first, *_ = recipe.data.wanted()
    budget = Budget(recipe.trainer.max_time)
    for number in recipe.data.wanted():
        if labelled is not None and number in to_train:
            after = len(to_train) - to_train.index(number) - 1
            if not (budget.has_room() and train_fold(number, labelled, recipe, run, after, budget)):
                _tell_time_is_up(to_train, number, run, recipe)
                return
        if number == first:
            _pass_gate(number, run, recipe, labelled)


def _tell_time_is_up(to_train: list[int], number: int, run: RunFolder, recipe: Recipe) -> None:
    """Say which folds are left over; the others are used as they are.

    Raises:
        AbacadError: no fold is trained yet, so that there is nothing to use.
    """
    left = ", ".join(map(str, to_train[to_train.index(number) :]))
    stands = f"fold {number} stands after {read_state(run.last(number)).epochs} epochs"
    if not any(run.fold_oof(fold).is_file() for fold in range(recipe.data.folds)):
        raise time_is_up(recipe, f"no fold is trained yet, {stands}")
    if _is_first():
        log.warning(
            "%g hours are up (trainer.max_time): %s, folds %s are left; the same command goes on",
            recipe.trainer.max_time, stands, left,
        )  # fmt: skip


def _prepare(root: Path, labels: pd.DataFrame, recipe: Recipe, run: RunFolder) -> Labelled:
    """Check the cadences, make the folds and pack the cadences; what an earlier start of the run has done is kept."""
    ready = run.checked
    partners = partners_for(root, recipe)
    if _is_first() and not ready.is_file():
        # Built once for its errors: reading all cadences takes up to an hour, and a wrong model name should not.
        require_speed(recipe)
        require_files(recipe)
        build_detector(_any_start(recipe.model), recipe.represent)
        full, progress = recipe.data.check == "full", recipe.trainer.progress
        checked = check_cadences(root, "train", list(labels["id"]), full=full, progress=progress)
        good = usable(checked, recipe.data.bad)
        joining = check_joining(root, recipe, labels["id"], checked.shape)
        usable(joining, recipe.data.bad)
        bad = checked.bad | joining.bad
        for reason in bad.values():
            log.warning("Left out: %s", reason)
        accelerator = recipe.trainer.accelerator
        device = f"{_device_name(accelerator)}, {precision_of(recipe.trainer.precision, accelerator)}"
        run.note(**environment(recipe.seed, device), skipped=bad)
        good_labels = labels[labels["id"].isin(good)].reset_index(drop=True)
        make_folds_of_run(root, good_labels, recipe, run)
        skips = {"skipped": list(checked.bad), "skipped_test": list(joining.bad)}
        write_json(ready, {"shape": list(checked.shape)} | skips)
    while not ready.is_file():  # another process of a distributed run is doing it
        time.sleep(0.5)
    shape, skipped, skipped_test = read_checked(ready, root, labels["id"])
    labels = labels[~labels["id"].isin(skipped)].reset_index(drop=True)
    folds = folds_for_run(run.folds, labels, labels["id"], recipe.data.folds, recipe.seed)
    for number in range(recipe.data.folds):
        if run.fold_oof(number).is_file():
            require_held_back(folds, run.fold_oof(number), number)
    for number in recipe.data.wanted():
        start_of(recipe.model, run, number)  # weights that would leak labels are refused before cadences are packed
    source: Dataset = Cadences(root, "train", list(labels["id"]), recipe.represent, shape, partners)
    source = packed_if_wanted(source, len(labels), run.packed, recipe)
    ids, targets, fold = (column.to_numpy() for column in (labels["id"], labels["target"], folds["fold"]))
    axes = axes_of(root, shape)
    lines = lines_if_wanted(source, run.lines, recipe, axes)
    labelled = Labelled(source, ids, targets, fold, shape, axes, lines)
    labelled = labelled if recipe.data.pseudo is None else with_pseudo(labelled, root, recipe, run, skipped_test)
    labelled = labelled if recipe.data.verdicts is None else with_verdicts(labelled, root, recipe, skipped_test)
    for number in range(recipe.data.folds):
        if run.fold_oof(number).is_file():
            require_targets(labelled.ids, labelled.targets, run.fold_oof(number))
        elif number in recipe.data.wanted():
            require_both_classes(labelled.folds, labelled.targets, number, _ONE_CLASS)
    return labelled


def _any_start(model: Model) -> Model:
    """The model without a run folder that its folds start from: only the folds tell with which file."""
    is_folder = model.weights is not None and Path(model.weights).is_dir()
    return replace(model, pretrained=False, weights=None) if is_folder else model


def _pass_gate(number: int, run: RunFolder, recipe: Recipe, labelled: Labelled | None) -> None:
    """Compare the AUC of the first fold with its threshold, log what to check, and stop where the recipe says so.

    Raises:
        AbacadError: its AUC is below `trainer.stop_below`.
    """
    reached = _auc_of(run, number)
    if labelled is not None and _is_first():
        for line in first_fold_gate(reached, _figures(number, run, recipe, labelled)):
            log.info(line)
    below = recipe.trainer.stop_below
    if below is not None and reached.value < below:
        raise AbacadError(
            f"Stopped after fold {number}, as asked: its AUC {reached} is below {below:g}.\n"
            "The same command with --trainer.stop_below null trains the other folds."
        )


def _auc_of(run: RunFolder, number: int) -> Interval:
    oof = pd.read_csv(run.fold_oof(number), dtype={"id": str})
    return auc_interval(oof["target"].to_numpy(), oof["score"].to_numpy(), groups=scenes_of(run, oof["id"]))


def _figures(number: int, run: RunFolder, recipe: Recipe, labelled: Labelled) -> dict[str, str]:
    """Figures that show why a fold may have learnt nothing, by what they are about."""
    metrics = pd.read_csv(run.fold(number) / "metrics.csv")
    planes = torch.stack([labelled.source[index] for index in range(min(32, len(labelled.ids)))])
    return {
        "preprocessing": f"{recipe.represent.kind}, contrast {recipe.represent.contrast}, "
        f"planes of shape {tuple(planes.shape[1:])}",
        "normalisation": f"32 cadences have mean {planes.mean():.3f}, std {planes.std():.3f}, "
        f"values {planes.min():.1f} to {planes.max():.1f}, all finite: {bool(planes.isfinite().all())}",
        "loading": f"{len(labelled.ids)} cadences, {int(labelled.targets.sum())} positive, "
        f"pos_weight {pos_weight(int((labelled.targets == 0).sum()), int(labelled.targets.sum())):.2f}",
        "learning rate and warm-up": f"peak {recipe.optim.lr:g}, warm-up over {recipe.optim.warmup:.0%} of the steps; "
        f"training loss {metrics['train_loss'].iloc[0]:.3f} → {metrics['train_loss'].iloc[-1]:.3f}, "
        f"validation AUC by epoch {', '.join(f'{a:.3f}' for a in metrics['val_auc'])}",
    }


@rank_zero_only
def _conclude(run: RunFolder, seconds: float, *, anew: bool) -> None:
    """Write the AUC of the trained folds into run.json; when all are trained, also write oof.csv and log the mean.

    Args:
        run: The run folder.
        seconds: Time of this start of the training, s.
        anew: Whether this start trained a fold; otherwise the files are left as they are.
    """
    n_folds = run.n_folds
    done = [number for number in range(n_folds) if run.fold_oof(number).is_file()]
    if not done or (not anew and len(done) == n_folds and run.oof.is_file()):
        return
    oof = pd.concat([pd.read_csv(run.fold_oof(number), dtype={"id": str}) for number in done])
    order = pd.read_csv(run.folds, dtype={"id": str})
    # In the order of folds.csv, which does not depend on the order in which folds were trained.
    oof = oof.set_index("id").loc[order["id"][order["fold"].isin(done)]].reset_index()
    overall = auc_interval(oof["target"].to_numpy(), oof["score"].to_numpy(), groups=scenes_of(run, oof["id"]))
    folds = [_auc_of(run, number) for number in done]
    record = read_record(run.record)
    run.note(
        folds_trained=done,
        auc_fold=[round(fold.value, 5) for fold in folds],
        auc_mean=round(float(np.mean([fold.value for fold in folds])), 5),
        auc_oof=[round(figure, 5) for figure in (overall.value, overall.low, overall.high)],
        train_seconds=round(record.get("train_seconds", 0.0) + seconds, 1),
    )
    if len(done) < n_folds:
        log.info("%d of %d folds are trained (%s): AUC %s", len(done), n_folds, ", ".join(map(str, done)), overall)
        return
    write_table(run.oof, oof)
    log.info("AUC of all held-back cadences: %s", overall)
    for line in mean_gate(folds, len(oof), is_simulated(Path(part_of(record, "data").get("folder", ".")))):
        log.info(line)


def _is_first() -> bool:
    """Whether this is the first, or the only, process of the run."""
    # Lightning keeps the number of the process there; nothing may have set it where one device trains.
    return getattr(rank_zero_only, "rank", 0) == 0


def _device_name(accelerator: str) -> str:
    if accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    mps = accelerator in ("auto", "mps") and torch.backends.mps.is_available()
    return "Apple MPS" if mps else f"CPU, {torch.get_num_threads()} threads"

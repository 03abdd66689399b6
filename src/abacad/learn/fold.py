"""One fold of a cross-validation: train on the other folds, keep the best epoch, score the cadences held back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
import torch.distributed as dist

from abacad.config import Model, Recipe
from abacad.errors import AbacadError
from abacad.files import write_table
from abacad.learn.average import average_best
from abacad.learn.budget import Budget
from abacad.learn.fold_data import FoldData
from abacad.learn.labelled import Labelled
from abacad.learn.learner import Learner, parameter_groups
from abacad.learn.run_folder import RunFolder
from abacad.learn.speed import make_quick
from abacad.learn.start import start_of
from abacad.learn.state import FoldState, read_state, require_fit
from abacad.learn.trainer import keep_freed_memory, make_trainer, quiet_lightning
from abacad.model.checkpoint import load_detector
from abacad.model.detector import build_detector
from abacad.model.precision import computing_in
from abacad.model.score import score
from abacad.represent.representation import representation
from abacad.simulator.presets import preset_named


def train_fold(
    number: int,
    labelled: Labelled,
    recipe: Recipe,
    run: RunFolder,
    folds_after: int = 0,
    budget: Budget | None = None,
) -> bool:
    """Train one fold, or continue it after its last finished epoch; write its detector and its held-back scores.

    Args:
        number: Number of the fold; the cadences of the others are trained on.
        labelled: All labelled cadences, with the fold of each.
        recipe: The whole run.
        run: The run folder.
        folds_after: Folds still to be trained after this one, from which the log tells the time left.
        budget: The time that this start may take; none: any.

    Returns:
        Whether the fold is finished; it is not where the time is up.

    Raises:
        AbacadError: the training diverges, the memory of the device does not suffice, or a cadence cannot be read.
    """
    state, labelled = read_state(run.last(number)), labelled.for_fold(number)
    held, kept = np.flatnonzero(labelled.folds == number), np.flatnonzero(labelled.folds != number)
    data = FoldData(labelled, kept, held, recipe, first_epoch=state.epochs)
    with quiet_lightning():
        trainer = make_trainer(recipe, run, number, state, data.steps_per_epoch, folds_after, budget)
        if not state.is_done(recipe.trainer):
            if trainer.is_global_zero:
                run.forget_test_scores(number)
            _fit(trainer, data, state, start_of(recipe.model, run, number), recipe.seed + number, run.last(number))
        # The file is asked, not `state`: the keeper of the first process wrote it, and a later start will find it.
        if not read_state(run.last(number)).is_done(recipe.trainer):
            return False
    if recipe.trainer.averaged > 1:
        if trainer.is_global_zero:
            average_best(run, number, recipe)
        trainer.strategy.barrier()  # the others score with the file that is being written
    scores = _held_back_scores(run.weights(number), data, trainer, alone=state.is_done(recipe.trainer))
    if trainer.is_global_zero:
        # The scores are written before the state is removed: a kill in between costs the scoring, not the training.
        table = pd.DataFrame({"id": labelled.ids[held], "target": labelled.targets[held].astype(int), "fold": number})
        write_table(run.fold_oof(number), table.assign(score=scores))
        run.last(number).unlink(missing_ok=True)
    trainer.strategy.barrier()  # other processes must not begin the next fold, or end, before the file is there
    return True


def _fit(trainer: pl.Trainer, data: FoldData, state: FoldState, model: Model, seed: int, last: Path) -> None:
    recipe, labelled = data.recipe, data.labelled
    pl.seed_everything(seed, verbose=False)
    # A continued fold takes its weights from its state. Starting weights would be replaced at once, and the hub or the
    # file that they come from may no longer be there.
    model = replace(model, pretrained=False, weights=None) if state.weights else model
    detector = build_detector(model, recipe.represent, labelled.axes)
    changed = [one for group in parameter_groups(detector, recipe.optim) for one in group["params"]]
    require_fit(state, last, detector.state_dict(), changed, averaged=recipe.optim.ema > 0)
    make_quick(detector, recipe)
    by_hand = recipe.optim.pos_weight
    weight = even_pos_weight(labelled.targets[data.kept], recipe) if by_hand is None else by_hand
    learner = Learner(
        detector, recipe, weight, data.steps_per_epoch, seed=seed, state=state,
        # A function and no method: weight averaging copies the learner with all that it holds, and a method holds its
        # object, here the packed cadences, 19 GB of them in a whole competition.
        name=lambda place: labelled.name_of(place),
    )  # fmt: skip
    # For the panel network alone: kept for an image network, freed memory took 24 GB (docs/lab-notebook.md, section 5).
    if trainer.strategy.root_device.type == "cpu" and recipe.model.name == "panel":
        keep_freed_memory()
    try:
        trainer.fit(learner, datamodule=data)
    except torch.OutOfMemoryError as error:
        half, twice = max(1, recipe.optim.batch_size // 2), 2 * recipe.trainer.accumulate
        raise AbacadError(
            f"The memory of the device does not suffice for batches of {recipe.optim.batch_size} (optim.batch_size).\n"
            f"The same run goes on with half of it and the same steps: --optim.batch_size {half} "
            f"--trainer.accumulate {twice}."
        ) from error
    trainer.strategy.barrier()  # the first process has to have written the state before the others read how far it is


def pos_weight(negatives: float, positives: float) -> float:
    """Weight of a positive in the loss, negatives / positives, with which both classes count the same.

    Args:
        negatives: Number of cadences without a needle.
        positives: Number of cadences with one; pseudo labels and simulated shares make it a fraction.

    Example:
        >>> from abacad.learn.fold import pos_weight
        >>> pos_weight(54_000, 6_000)
        9.0
    """
    return negatives / max(1.0, positives)  # finite where a fold trains on negatives alone, as one of verdicts may


def even_pos_weight(targets: np.ndarray, recipe: Recipe) -> float:
    """Weight of a positive with which both classes count the same in all that a fold trains on.

    Args:
        targets: (cadence,) of the labelled cadences.
        recipe: Says how many simulated ones join them.
    """
    # Simulated cadences differ from epoch to epoch, so their share of positives is the preset's, not a count.
    n_simulated = recipe.data.simulated
    positives = n_simulated * preset_named(recipe.data.simulated_preset).positives if n_simulated else 0.0
    negatives = n_simulated - positives
    if recipe.data.labelled:
        negatives, positives = negatives + float((1 - targets).sum()), positives + float(targets.sum())
    return pos_weight(negatives, positives)


def _held_back_scores(weights: Path, data: FoldData, trainer: pl.Trainer, *, alone: bool) -> np.ndarray:
    """(cadence,) scores of the held-back cadences, by the best detector of the fold.

    Each process scores its share. With `alone` this process scores all: a fold that had no epoch left to train never
    called Lightning's `fit`, which is what starts the other processes.
    """
    device, wanted = trainer.strategy.root_device, data.recipe.inference
    detector, represent = load_detector(weights, device)
    process, processes = (0, 1) if alone else (trainer.global_rank, trainer.world_size)
    by_place: dict[int, float] = {}
    for batch in data.held_back(process, processes):
        with computing_in(wanted.precision, device):
            scores = score([detector], batch.planes.to(device), wanted.tta, representation(represent))[:, 0]
        by_place |= dict(zip(batch.place.tolist(), scores.tolist(), strict=True))
    if processes > 1:
        # Gathered by place, since shares overlap: a cadence that two processes scored has the same score in both.
        shares: list[Any] = [None] * processes
        dist.all_gather_object(shares, by_place)
        by_place = {place: value for share in shares for place, value in share.items()}
    return np.array([by_place[place] for place in data.held])

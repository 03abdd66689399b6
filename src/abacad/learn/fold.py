"""One fold: fit on the others, keep the best epoch, score what was held back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from torch.utils.data import ConcatDataset

from abacad.config import Recipe
from abacad.files import write_table
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Samples, WithSimulated, loader, worker_count
from abacad.learn.labelled import Labelled
from abacad.learn.learner import Learner
from abacad.learn.packed import Packed
from abacad.learn.run_folder import RunFolder
from abacad.learn.simulated import SimulatedCadences
from abacad.learn.trainer import keep_freed_memory, make_trainer, quiet_lightning
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import build_detector
from abacad.model.score import score
from abacad.represent.representation import representation
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS, Simulation


def train_fold(number: int, labelled: Labelled, recipe: Recipe, run: RunFolder, folds_after: int = 0) -> None:
    """Fit one fold, or continue it from its last checkpoint, and write its detector and its OOF scores.

    Args:
        number: Of the fold.
        labelled: The cadences.
        recipe: The whole run.
        run: Where it is written.
        folds_after: How many folds will be trained after it, for the time left.
    """
    folder = run.fold(number)
    held, kept = np.flatnonzero(labelled.folds == number), np.flatnonzero(labelled.folds != number)
    pl.seed_everything(recipe.seed + number, verbose=False)
    weight = _pos_weight(labelled.targets[kept], recipe)
    learner = Learner(build_detector(recipe.model, recipe.represent, labelled.axes), recipe, weight)
    training, validation = _loaders(labelled, kept, held, recipe)
    last = folder / "last.ckpt"
    with quiet_lightning():
        trainer, best = make_trainer(recipe, folder, number, len(training), folds_after)
        if trainer.strategy.root_device.type == "cpu" and recipe.model.name == "panel":
            keep_freed_memory()
        trainer.fit(learner, training, validation, ckpt_path=last if last.is_file() else None, weights_only=False)
    if trainer.is_global_zero:
        _keep_best(Path(best.best_model_path), learner, recipe, run.weights(number), number)
    trainer.strategy.barrier()
    scores = _held_back_scores(run.weights(number), labelled, held, recipe, trainer)
    if trainer.is_global_zero:
        table = pd.DataFrame({"id": labelled.ids[held], "target": labelled.targets[held].astype(int), "fold": number})
        write_table(run.fold_oof(number), table.assign(score=scores))
    trainer.strategy.barrier()


def pos_weight(negatives: float, positives: float) -> float:
    """Negatives / positives: how much more a positive counts in the loss."""
    return negatives / max(1.0, positives)


def _pos_weight(targets: np.ndarray, recipe: Recipe) -> float:
    n_simulated = recipe.data.simulated
    positives = n_simulated * PRESETS[recipe.data.simulated_preset].positives if n_simulated else 0.0
    negatives = n_simulated - positives
    if recipe.data.labelled:
        negatives, positives = negatives + float((1 - targets).sum()), positives + float(targets.sum())
    return pos_weight(negatives, positives)


def _loaders(labelled: Labelled, kept: np.ndarray, held: np.ndarray, recipe: Recipe) -> tuple[Any, Any]:
    workers = _readers(labelled, recipe)
    augmentation = Augmentation(recipe.augment, representation(recipe.represent))
    if not recipe.data.labelled:
        kept = kept[:0]
    training: Any = Samples(labelled.source, kept, labelled.targets, augmentation, recipe.seed)
    if recipe.data.simulated:
        simulation = _shaped_as(PRESETS[recipe.data.simulated_preset], labelled.axes)
        simulated = SimulatedCadences(simulation, recipe.data.simulated, recipe.seed)
        training = WithSimulated(training, simulated, recipe.represent, first=len(labelled.ids))
    return (
        loader(training, recipe.optim.batch_size, workers, shuffle=True, seed=recipe.seed),
        loader(Samples(labelled.source, held, labelled.targets), recipe.inference.batch_size, workers),
    )


def _readers(labelled: Labelled, recipe: Recipe) -> int:
    """Reader processes: none by default for packed cadences on a CPU, where they only take cores from the training."""
    parts = labelled.source.datasets if isinstance(labelled.source, ConcatDataset) else [labelled.source]
    packed = all(isinstance(part, Packed) for part in parts)
    idle = packed and not recipe.data.simulated and not torch.cuda.is_available()
    return 0 if recipe.data.workers is None and idle else worker_count(recipe.data.workers)


def _shaped_as(simulation: Simulation, axes: Axes) -> Simulation:
    """The simulation with the axes of the data."""
    scenes = replace(simulation.scenes, n_freq=max(simulation.scenes.n_freq, axes.n_freq))
    return replace(simulation, axes=axes, scenes=scenes)


def _keep_best(path: Path, learner: Learner, recipe: Recipe, kept: Path, number: int) -> None:
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    learner.load_state_dict(state, strict=False)
    save_detector(kept, learner.detector, recipe.model, recipe.represent, fold=number)
    path.unlink()


def _held_back_scores(
    weights: Path, labelled: Labelled, held: np.ndarray, recipe: Recipe, trainer: pl.Trainer
) -> np.ndarray:
    """Scores of the held-back cadences in their order; each process scores its share of them."""
    detector, represent = load_detector(weights, trainer.strategy.root_device)
    mine = held[trainer.global_rank :: trainer.world_size]
    batches = loader(Samples(labelled.source, mine), recipe.inference.batch_size, _readers(labelled, recipe))
    found: dict[int, float] = {}
    for batch in batches:
        planes = batch.planes.to(trainer.strategy.root_device)
        scores = score([detector], planes, recipe.inference.tta, representation(represent))[:, 0]
        found |= dict(zip(batch.place.tolist(), scores.tolist(), strict=True))
    if trainer.world_size > 1:
        shares: list[Any] = [None] * trainer.world_size
        dist.all_gather_object(shares, found)
        found = {index: value for share in shares for index, value in share.items()}
    return np.array([found[index] for index in held])

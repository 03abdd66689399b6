"""One fold: fit on the others, keep the best epoch, score what was held back."""

import ctypes
import logging
import platform
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from torch.utils.data import ConcatDataset, Dataset

from abacad.config import Recipe
from abacad.errors import AbacadError, brief
from abacad.files import write_table
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Samples, WithSimulated, loader, worker_count
from abacad.learn.learner import Learner
from abacad.learn.packed import Packed
from abacad.learn.run_folder import RunFolder
from abacad.learn.simulated import SimulatedCadences
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import build_detector
from abacad.model.score import score
from abacad.simulate.presets import PRESETS, Simulation

log = logging.getLogger(__name__)

_MALLOPT = {-4: 0, -1: 2**31 - 1, -2: 2**28}
"""malloc.h: no mmap for single blocks (M_MMAP_MAX), never shrink (M_TRIM_THRESHOLD), grow by 256 MB (M_TOP_PAD)."""


@dataclass(frozen=True)
class Labelled:
    """The labelled cadences of a run.

    Attributes:
        source: Gives represented cadences by index.
        ids: Their ids.
        targets: Their targets; between 0 and 1 for pseudo labels.
        folds: The fold that holds each back; −1 where none does.
        shape: Shape of a cadence before it is represented, (6, time, freq).
    """

    source: Dataset
    ids: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    shape: tuple[int, ...]


class EpochLog(pl.Callback):
    """A row of metrics.csv and a line of the log for each epoch; a continued fold keeps its earlier rows."""

    def __init__(self, path: Path, fold: int) -> None:
        """Write into `path`."""
        self.path, self.fold, self.started = path, fold, time.monotonic()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the row."""
        if not trainer.is_global_zero:
            return
        epoch, seconds = trainer.current_epoch, time.monotonic() - self.started
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {"epoch": epoch, **{name: found.get(name) for name in ("train_loss", "val_loss", "val_auc")}}
        row |= {"lr": trainer.optimizers[0].param_groups[0]["lr"], "seconds": round(seconds, 2)}
        table = pd.DataFrame([row])
        if self.path.is_file():
            before = pd.read_csv(self.path)
            table = pd.concat([before[before["epoch"] < epoch], table])
        write_table(self.path, table)
        left = seconds * ((trainer.max_epochs or 0) - epoch - 1)
        log.info(
            "Fold %d, epoch %d of %s: validation AUC %.4f, loss %.4f, %.0f s (at most %.0f s left)",
            self.fold, epoch + 1, trainer.max_epochs, row["val_auc"], row["train_loss"] or float("nan"), seconds, left,
        )  # fmt: skip


class FoldBar(RichProgressBar):
    """Lightning's bar with the fold, the AUC and the time left."""

    def __init__(self, fold: int) -> None:
        """Name the fold."""
        super().__init__()
        self.fold = fold

    def _get_train_description(self, current_epoch: int) -> str:
        return f"Fold {self.fold}, {super()._get_train_description(current_epoch).lower()}"

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """What stands behind the bar: no version number."""
        shown = dict(super().get_metrics(trainer, pl_module))
        shown.pop("v_num", None)
        return shown


def train_fold(number: int, labelled: Labelled, recipe: Recipe, run: RunFolder) -> None:
    """Fit one fold, or continue it from its last checkpoint, and write its detector and its OOF scores."""
    folder = run.fold(number)
    held, kept = np.flatnonzero(labelled.folds == number), np.flatnonzero(labelled.folds != number)
    pl.seed_everything(recipe.seed + number, verbose=False)
    weight = _pos_weight(labelled.targets[kept], recipe)
    learner = Learner(build_detector(recipe.model, recipe.represent), recipe, weight)
    training, validation = _loaders(labelled, kept, held, recipe)
    last = folder / "last.ckpt"
    with _quiet_lightning():
        trainer, best = _trainer(recipe, folder, number, steps_per_epoch=len(training))
        if trainer.strategy.root_device.type == "cpu" and recipe.model.name == "panel":
            _keep_freed_memory()
        trainer.fit(learner, training, validation, ckpt_path=last if last.is_file() else None, weights_only=False)
    if trainer.is_global_zero:
        _keep_best(Path(best.best_model_path), learner, recipe, run.weights(number))
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


def precision_of(asked: str, accelerator: str) -> str:
    """Lightning's precision: `auto` is bf16 where the device computes in it, fp16 on other CUDA cards, else 32 bits."""
    if asked != "auto":
        return asked
    if accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available() and _cpu_has_bf16():
        return "bf16-mixed"
    return "32-true"


def _cpu_has_bf16() -> bool:
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


def _trainer(recipe: Recipe, folder: Path, number: int, steps_per_epoch: int) -> tuple[pl.Trainer, ModelCheckpoint]:
    wanted = recipe.trainer
    best = ModelCheckpoint(
        dirpath=folder, filename="best", monitor="val_auc", mode="max", save_last=True, enable_version_counter=False
    )
    callbacks: list[Any] = [
        EpochLog(folder / "metrics.csv", number),
        EarlyStopping(monitor="val_auc", mode="max", patience=wanted.patience),
        best,
    ]
    if recipe.optim.ema:
        # Random weights stay in an average for long: it begins a little later, and still within the first epoch.
        begin = min(20, steps_per_epoch // 2)
        callbacks.append(EMAWeightAveraging(decay=recipe.optim.ema, update_starting_at_step=begin))
    if wanted.progress:
        callbacks.append(FoldBar(number))
    trainer = pl.Trainer(
        max_epochs=wanted.max_epochs,
        accelerator=wanted.accelerator,
        devices=wanted.devices,
        num_nodes=wanted.num_nodes,
        strategy="ddp" if wanted.strategy == "auto" and wanted.devices * wanted.num_nodes > 1 else wanted.strategy,
        precision=precision_of(wanted.precision, wanted.accelerator),  # type: ignore[arg-type]
        gradient_clip_val=recipe.optim.clip or None,
        callbacks=callbacks,
        logger=_loggers(recipe, folder),
        enable_progress_bar=wanted.progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
    )
    return trainer, best


def _loggers(recipe: Recipe, folder: Path) -> list[Logger]:
    makers = {
        "tensorboard": lambda: TensorBoardLogger(folder, name="", version="tensorboard"),
        "mlflow": lambda: MLFlowLogger(run_name=str(folder), save_dir=str(folder.parent / "mlruns")),
        "wandb": lambda: WandbLogger(name=str(folder), save_dir=folder.parent),
    }
    try:
        return [makers[name]() for name in recipe.trainer.loggers]
    except ModuleNotFoundError as error:
        raise AbacadError(
            f"A logger of the recipe is not installed: {brief(str(error), 120)}\n"
            "Install it (pip install 'abacad[mlflow,wandb]'), or leave it out: --trainer.loggers [tensorboard]."
        ) from error


def _loaders(labelled: Labelled, kept: np.ndarray, held: np.ndarray, recipe: Recipe) -> tuple[Any, Any]:
    workers = _readers(labelled, recipe)
    augmentation = Augmentation(recipe.augment, recipe.represent.kind)
    if not recipe.data.labelled:
        kept = kept[:0]
    training: Any = Samples(labelled.source, kept, labelled.targets, augmentation, recipe.seed)
    if recipe.data.simulated:
        simulation = _shaped_as(PRESETS[recipe.data.simulated_preset], labelled.shape)
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


def _shaped_as(simulation: Simulation, shape: tuple[int, ...]) -> Simulation:
    """The simulation with as many rows and channels as the data."""
    _, n_time, n_freq = shape
    period = max(simulation.axes.panel_period_s, 1.07 * n_time * simulation.axes.dt_s)
    axes = replace(simulation.axes, n_time=n_time, n_freq=n_freq, panel_period_s=period)
    scenes = replace(simulation.scenes, n_freq=max(simulation.scenes.n_freq, n_freq))
    return replace(simulation, axes=axes, scenes=scenes)


def _keep_best(path: Path, learner: Learner, recipe: Recipe, kept: Path) -> None:
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    learner.load_state_dict(state, strict=False)
    save_detector(kept, learner.detector, recipe.model, recipe.represent)
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
        channels = batch.channels.to(trainer.strategy.root_device)
        scores = score([detector], channels, recipe.inference.tta, represent.kind)[:, 0]
        found |= dict(zip(batch.place.tolist(), scores.tolist(), strict=True))
    if trainer.world_size > 1:
        shares: list[Any] = [None] * trainer.world_size
        dist.all_gather_object(shares, found)
        found = {index: value for share in shares for index, value in share.items()}
    return np.array([found[index] for index in held])


def _keep_freed_memory() -> None:
    """Tell glibc to keep what tensors free: asking the system anew for each costs a fifth of a CPU training step.

    For the panel network alone: the large tensors of an image network would leave holes of gigabytes.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for option, value in _MALLOPT.items():
        libc.mallopt(option, value)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advice off the screen: what it would say of workers and devices, the recipe has decided."""
    logger = logging.getLogger("lightning")
    level = logger.level
    logging.getLogger("lightning.pytorch").setLevel(logging.NOTSET)
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*|torch\..*|pytorch_lightning\..*")
        try:
            yield
        finally:
            logger.setLevel(level)

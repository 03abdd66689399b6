"""Lightning's Trainer with the devices, precision, loggers and callbacks that a recipe asks for."""

import ctypes
import logging
import platform
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from abacad.config import Recipe
from abacad.errors import AbacadError, brief
from abacad.learn.budget import Budget, BudgetStop
from abacad.learn.callbacks import EpochLog, FoldBar
from abacad.learn.keeper import Average, Keeper
from abacad.learn.run_folder import RunFolder
from abacad.learn.state import FoldState
from abacad.model.precision import precision_of

_MALLOPT = {-4: 0, -1: 2**31 - 1, -2: 2**28}
"""malloc.h: no mmap for single blocks (M_MMAP_MAX), never shrink (M_TRIM_THRESHOLD), grow by 256 MB (M_TOP_PAD)."""

_DEVICES = ("accelerator", "devices", "num_nodes", "strategy", "precision")
"""Settings of Lightning's trainer that depend on the machine."""


def make_trainer(
    recipe: Recipe,
    run: RunFolder,
    number: int,
    state: FoldState,
    steps_per_epoch: int,
    folds_after: int = 0,
    budget: Budget | None = None,
) -> pl.Trainer:
    """A trainer for the epochs that a fold still has to go.

    Args:
        recipe: The whole run.
        run: Its folder.
        number: Number of the fold.
        state: Where the fold stands.
        steps_per_epoch: Steps of the optimiser in an epoch, for the start of the averaged weights.
        folds_after: Folds that will be trained after it, for the time left.
        budget: The time that this start may take; none: any.
    """
    wanted, folder = recipe.trainer, run.fold(number)
    # Lightning calls callbacks in this order. The budget, which may stop the training, is asked last, when Keeper has
    # the epoch safe on the disk.
    callbacks: list[Any] = [EpochLog(folder / "metrics.csv", number, state.epochs, folds_after)]
    average = None
    if recipe.optim.ema:
        # The random weights of the first steps would stay in the average for long, so it begins after 20 steps, or
        # in the middle of a short first epoch, since the first validation needs an average.
        begin = min(20, steps_per_epoch // 2) - state.epochs * steps_per_epoch
        average = Average(recipe.optim.ema, begin, state.average)
        callbacks.append(average)
    callbacks.append(Keeper(recipe, number, run.weights(number), run.last(number), state, average))
    callbacks.append(BudgetStop(budget or Budget()))
    if wanted.progress:
        callbacks.append(FoldBar(number, state.epochs))
    return _lightning(
        recipe,
        # Lightning counts from 0 at every start. A fold that is past a number lowered since ends with what it has.
        max_epochs=max(0, wanted.max_epochs - state.epochs),
        enable_checkpointing=False,  # the Keeper writes the state: plain tensors, which can be read without pickle
        use_distributed_sampler=False,  # `EpochOrder` shares the samples out
        accumulate_grad_batches=wanted.accumulate,
        accelerator=wanted.accelerator,
        devices=wanted.devices,
        num_nodes=wanted.num_nodes,
        strategy="ddp" if wanted.strategy == "auto" and wanted.devices * wanted.num_nodes > 1 else wanted.strategy,
        precision=precision_of(wanted.precision, wanted.accelerator),
        gradient_clip_val=recipe.optim.clip or None,
        callbacks=callbacks,
        logger=[_going_on(logger, state) for logger in _loggers(recipe, folder)],
        enable_progress_bar=wanted.progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,  # the AUC needs the whole validation fold, not its first batches
        log_every_n_steps=10,
    )


def _lightning(recipe: Recipe, **settings: Any) -> pl.Trainer:
    """Lightning's Trainer.

    Raises:
        AbacadError: Lightning refuses what it is to compute on, such as a device that this machine has not.
    """
    try:
        return pl.Trainer(**settings)
    except (ValueError, RuntimeError, TypeError, MisconfigurationException) as error:
        # The devices are to blame where Lightning takes all else; what it refuses without them it refuses here again.
        pl.Trainer(**{key: value for key, value in settings.items() if key not in _DEVICES}, accelerator="cpu")
        wanted = recipe.trainer
        raise AbacadError(
            f"trainer.accelerator {wanted.accelerator}, devices {wanted.devices}, strategy {wanted.strategy} and "
            f"precision {wanted.precision} do not go together here: {brief(str(error), 120)}\n"
            "Leave them out to take what is there: auto, 1, auto, auto."
        ) from error


def _loggers(recipe: Recipe, folder: Path) -> list[Logger]:
    makers = {
        "tensorboard": lambda: TensorBoardLogger(folder, name="", version="tensorboard"),
        "mlflow": lambda: MLFlowLogger(run_name=str(folder), save_dir=str(folder.parent / "mlruns")),
        "wandb": lambda: WandbLogger(name=str(folder), save_dir=folder.parent),
    }
    # Each logger looks for its package when it is made, so that only those of the recipe have to be installed.
    try:
        return [makers[name]() for name in recipe.trainer.loggers]
    except ModuleNotFoundError as error:
        raise AbacadError(
            f"A logger of the recipe is not installed: {brief(str(error), 120)}\n"
            "Install it (pip install 'abacad[mlflow,wandb]'), or leave it out: --trainer.loggers [tensorboard]."
        ) from error


def _going_on(logger: Logger, state: FoldState) -> Logger:
    """A logger whose steps and epochs go on where a continued fold stood: Lightning counts from its last start."""
    log_metrics = logger.log_metrics

    def log_on(metrics: Mapping[str, Any], step: int | None = None) -> None:
        counted = {"epoch": metrics["epoch"] + state.epochs} if "epoch" in metrics else {}
        log_metrics({**metrics, **counted}, None if step is None else step + state.steps)

    logger.log_metrics = log_on  # type: ignore[method-assign]
    return logger


def keep_freed_memory() -> None:
    """Let glibc keep the memory of freed tensors instead of returning it to the system.

    Getting it back costs a fifth of a training step on a CPU. Only for the panel network: the large tensors of an image
    network leave gigabytes of gaps between them.
    """
    # Only glibc has these options; other C libraries keep their own ways.
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for option, value in _MALLOPT.items():
        libc.mallopt(option, value)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning's advice on workers and devices, which the recipe decides; restore its loggers at the end."""
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*|torch\..*|pytorch_lightning\..*")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)

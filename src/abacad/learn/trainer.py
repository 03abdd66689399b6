"""Lightning's Trainer as a recipe wants it: devices, precision, loggers, callbacks."""

import ctypes
import logging
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from abacad.config import Recipe
from abacad.errors import AbacadError, brief
from abacad.learn.callbacks import EpochLog, FoldBar
from abacad.learn.keeper import Average, Keeper
from abacad.learn.run_folder import RunFolder
from abacad.learn.state import FoldState

_MALLOPT = {-4: 0, -1: 2**31 - 1, -2: 2**28}
"""malloc.h: no mmap for single blocks (M_MMAP_MAX), never shrink (M_TRIM_THRESHOLD), grow by 256 MB (M_TOP_PAD)."""


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


def make_trainer(
    recipe: Recipe, run: RunFolder, number: int, state: FoldState, steps_per_epoch: int, folds_after: int = 0
) -> pl.Trainer:
    """A trainer for the epochs that a fold still has to go.

    Args:
        recipe: The whole run.
        run: Its folder.
        number: Number of the fold.
        state: Where the fold stands.
        steps_per_epoch: Steps of the optimiser in an epoch, for the start of the averaged weights.
        folds_after: Folds that will be trained after it, for the time left.
    """
    wanted, folder = recipe.trainer, run.fold(number)
    callbacks: list[Any] = [EpochLog(folder / "metrics.csv", number, state.epochs, folds_after)]
    average = None
    if recipe.optim.ema:
        # Random weights stay in an average for long: it begins a little later, and still within the first epoch.
        begin = min(20, steps_per_epoch // 2) - state.epochs * steps_per_epoch
        average = Average(recipe.optim.ema, begin, state.average)
        callbacks.append(average)
    callbacks.append(Keeper(recipe, number, run.weights(number), run.last(number), state, average))
    if wanted.progress:
        callbacks.append(FoldBar(number, state.epochs))
    return _lightning(
        recipe,
        max_epochs=wanted.max_epochs - state.epochs,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        accumulate_grad_batches=wanted.accumulate,
        accelerator=wanted.accelerator,
        devices=wanted.devices,
        num_nodes=wanted.num_nodes,
        strategy="ddp" if wanted.strategy == "auto" and wanted.devices * wanted.num_nodes > 1 else wanted.strategy,
        precision=precision_of(wanted.precision, wanted.accelerator),
        gradient_clip_val=recipe.optim.clip or None,
        callbacks=callbacks,
        logger=_loggers(recipe, folder),
        enable_progress_bar=wanted.progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
    )


def _lightning(recipe: Recipe, **settings: Any) -> pl.Trainer:
    """Lightning's Trainer; what it refuses, such as a device that is not there, is the recipe's fault."""
    try:
        return pl.Trainer(**settings)
    except (ValueError, RuntimeError, TypeError, MisconfigurationException) as error:
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
    try:
        return [makers[name]() for name in recipe.trainer.loggers]
    except ModuleNotFoundError as error:
        raise AbacadError(
            f"A logger of the recipe is not installed: {brief(str(error), 120)}\n"
            "Install it (pip install 'abacad[mlflow,wandb]'), or leave it out: --trainer.loggers [tensorboard]."
        ) from error


def keep_freed_memory() -> None:
    """Tell glibc to keep what tensors free: asking the system anew for each costs a fifth of a CPU training step.

    For the panel network alone: the large tensors of an image network would leave holes of gigabytes.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for option, value in _MALLOPT.items():
        libc.mallopt(option, value)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advice off the screen: what it would say of workers and devices, the recipe has decided."""
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

"""Progress of a training: a row of metrics.csv and a line of the log for each epoch, and a bar for the current one.

People read epochs from 1 on; files and code count from 0. The time left is an upper limit for the whole run: the mean
duration of an epoch times all epochs to come in this fold and the later ones, as if none stopped early.
"""

import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pandas as pd
from lightning.pytorch.callbacks import RichProgressBar
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn

from abacad.files import write_table

log = logging.getLogger(__name__)


def epochs_to_come(epoch: int, max_epochs: int, folds_after: int) -> int:
    """Epochs that the run has still to go.

    Args:
        epoch: The epoch that has just ended, counted from 0 within its fold.
        max_epochs: Epochs of a fold.
        folds_after: Folds to come after this one.

    Example:
        >>> from abacad.learn.callbacks import epochs_to_come
        >>> epochs_to_come(0, 5, folds_after=1)
        9
    """
    return max_epochs - epoch - 1 + folds_after * max_epochs


def told_time(seconds: float) -> str:
    """A duration in one unit.

    Example:
        >>> from abacad.learn.callbacks import told_time
        >>> told_time(40), told_time(720), told_time(12_600)
        ('40 s', '12 min', '3.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class EpochLog(pl.Callback):
    """Writes a row of metrics.csv and a line of the log after each epoch.

    Columns: epoch from 0, train_loss, val_loss, val_auc, lr (learning rate at the end of the epoch), seconds.
    """

    def __init__(self, path: Path, fold: int, done: int = 0, folds_after: int = 0) -> None:
        """Prepare; nothing is written before the first epoch has ended.

        Args:
            path: metrics.csv of the fold.
            fold: Number of the fold.
            done: Epochs that earlier starts of the fold have trained.
            folds_after: Folds to come, for the time left.
        """
        self.path, self.fold, self.done, self.folds_after = path, fold, done, folds_after
        self.started, self.seconds = time.monotonic(), list[float]()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the row."""
        if not trainer.is_global_zero:  # all processes see the same figures, and one writes the file
            return
        epoch, epochs = self.done + trainer.current_epoch, self.done + (trainer.max_epochs or 1)
        self.seconds.append(time.monotonic() - self.started)
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {"epoch": epoch, **{name: logged.get(name) for name in ("train_loss", "val_loss", "val_auc")}}
        row |= {"lr": trainer.optimizers[0].param_groups[0]["lr"], "seconds": round(self.seconds[-1], 2)}
        # Lightning's own CSVLogger begins a file anew when a stopped fold goes on (docs/adr/0003-tools.md).
        table = pd.DataFrame([row])
        if self.path.is_file():
            # A kill between this row and the state of the fold repeats the epoch: the row of the first try is dropped.
            before = pd.read_csv(self.path)
            table = pd.concat([before[before["epoch"] < epoch], table])
        write_table(self.path, table)
        left = sum(self.seconds) / len(self.seconds) * epochs_to_come(epoch, epochs, self.folds_after)
        log.info(
            "Fold %d, epoch %d of %s: AUC %.4f, loss %.4f, %s left",
            self.fold, epoch + 1, epochs, row["val_auc"], row["train_loss"] or math.nan, told_time(left),
        )  # fmt: skip


class FoldBar(RichProgressBar):
    """Lightning's progress bar with the number of the fold.

    It goes to standard error, since standard output may be a table that another program reads.
    """

    def __init__(self, fold: int, done: int = 0) -> None:
        """Note the number of the fold, and how many epochs earlier starts of it have trained."""
        super().__init__(console_kwargs={"stderr": True})
        self.fold, self.done = fold, done

    def _init_progress(self, trainer: pl.Trainer) -> None:
        super()._init_progress(trainer)
        if self.progress is not None:
            self.progress.live.transient = True  # a finished bar would stand between the lines of the log

    def configure_columns(self, trainer: pl.Trainer) -> Sequence[ProgressColumn]:  # type: ignore[override]
        """Columns that fit a terminal of 80 characters."""
        return [
            # Lightning's own columns add a rate and a row of metrics, and wrap at 80
            TextColumn("{task.description}"), BarColumn(bar_width=16), MofNCompleteColumn(), TimeRemainingColumn(),
        ]  # fmt: skip

    def _get_train_description(self, current_epoch: int) -> str:
        return (
            f"Fold {self.fold}, epoch {self.done + current_epoch + 1} of {self.done + (self.trainer.max_epochs or 1)}"
        )

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Figures behind the bar, without Lightning's version number of the run."""
        shown = dict(super().get_metrics(trainer, pl_module))
        shown.pop("v_num", None)
        return shown

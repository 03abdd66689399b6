"""What is written and shown while a fold is trained: a row of metrics.csv an epoch, and the progress bar."""

import logging
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pandas as pd
from lightning.pytorch.callbacks import RichProgressBar

from abacad.files import write_table

log = logging.getLogger(__name__)


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

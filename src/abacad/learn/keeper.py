"""Callbacks that keep a fold: its best detector and its state after each epoch, and the average of its weights."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch import Tensor

from abacad.config import Recipe
from abacad.learn.state import FoldState
from abacad.model.checkpoint import save_detector
from abacad.model.detector import Detector


class Average(EMAWeightAveraging):
    """Lightning's moving average of the weights, which goes on from that of a stopped fold."""

    def __init__(self, decay: float, begin: int, kept: dict[str, Tensor]) -> None:
        """Average from the step `begin` on, counted in this process; go on from what was kept, unless it is empty."""
        super().__init__(decay=decay, update_starting_at_step=begin)
        self.kept = kept

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put the average where the weights are."""
        assert self._average_model is not None
        if self.kept:
            self._average_model.load_state_dict(self.kept)
        self._average_model.to(pl_module.device)

    def detector(self) -> Detector:
        """The averaged detector."""
        assert self._average_model is not None
        return self._average_model.module.detector  # type: ignore[return-value]

    def state(self) -> dict[str, Tensor]:
        """The averaged weights, and over how many steps."""
        assert self._average_model is not None
        return self._average_model.state_dict()


@dataclass
class Keeper(pl.Callback):
    """Writes the best detector and the state of the fold after each epoch, and stops when no better one comes.

    The detector is written before the state that tells of it: a kill between the two costs the epoch, no more.

    Attributes:
        recipe: The whole run.
        number: Of the fold.
        best: File of the best detector.
        last: File of the state.
        state: Where the fold stands.
        average: The moving average, where one is kept.
    """

    recipe: Recipe
    number: int
    best: Path
    last: Path
    state: FoldState
    average: Average | None = None

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep what the epoch brought."""
        value, epoch = float(trainer.callback_metrics["val_auc"]), self.state.epochs
        if value > self.state.best_auc:
            self.state = replace(self.state, best_auc=value, best_epoch=epoch)
            if trainer.is_global_zero:
                detector: Any = pl_module.detector if self.average is None else self.average.detector()
                save_detector(self.best, detector, self.recipe.model, self.recipe.represent, fold=self.number)
        self.state = replace(self.state, epochs=epoch + 1)
        if trainer.is_global_zero:
            self._written(trainer, pl_module).write(self.last)
        if self.state.is_done(self.recipe.trainer):
            trainer.should_stop = True

    def _written(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> FoldState:
        return replace(
            self.state,
            weights=pl_module.detector.state_dict(),  # type: ignore[union-attr]
            average={} if self.average is None else self.average.state(),
            optimizer=trainer.optimizers[0].state_dict()["state"],
            scaler=trainer.precision_plugin.state_dict(),
        )

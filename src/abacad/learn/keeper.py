"""Callbacks that store a fold after each epoch, its best detector and its state, and that average its weights."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch import Tensor

from abacad.config import Recipe
from abacad.learn.average import kept_epochs
from abacad.learn.state import FoldState
from abacad.model.checkpoint import save_detector
from abacad.model.detector import Detector


class Average(EMAWeightAveraging):
    """Lightning's exponential moving average of the weights, which a continued fold takes up where it was."""

    def __init__(self, decay: float, begin: int, kept: dict[str, Tensor]) -> None:
        """Prepare the average.

        Args:
            decay: Share of the old average that stays at each step, such as 0.999.
            begin: Step of the optimiser, counted in this process, at which the average begins.
            kept: State of the average of an earlier start; empty where there is none.
        """
        super().__init__(decay=decay, update_starting_at_step=begin)
        self.kept = kept

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Load the state of an earlier start, and move the average to the device of the weights."""
        assert self._average_model is not None
        if self.kept:
            self._average_model.load_state_dict(self.kept)
        self._average_model.to(pl_module.device)

    def detector(self) -> Detector:
        """The detector with averaged weights."""
        assert self._average_model is not None
        return self._average_model.module.detector  # type: ignore[return-value]

    def state(self) -> dict[str, Tensor]:
        """The averaged weights and the number of steps, as tensors by name."""
        assert self._average_model is not None
        return self._average_model.state_dict()


@dataclass
class Keeper(pl.Callback):
    """Stores the best detector and the state of the fold after each epoch; stops the training when it is done.

    Attributes:
        recipe: The whole run; `trainer.patience` epochs without a better AUC end the fold.
        number: Number of the fold.
        best: File of the detector with the highest validation AUC so far.
        last: File of the state after the last finished epoch.
        state: That state.
        average: The moving average of the weights; where there is one, it is validated and stored.
    """

    recipe: Recipe
    number: int
    best: Path
    last: Path
    state: FoldState
    average: Average | None = None
    steps_before: int = field(init=False)

    def __post_init__(self) -> None:
        """Remember how far the fold was; Lightning counts from there."""
        self.steps_before = self.state.steps

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Store the detector if its AUC is the highest so far, then the state."""
        value, epoch = float(trainer.callback_metrics["val_auc"]), self.state.epochs
        detector: Any = pl_module.detector if self.average is None else self.average.detector()
        n_averaged = self.recipe.trainer.averaged
        if n_averaged > 1:
            best = kept_epochs(self.state.best, epoch, value, detector.state_dict(), n_averaged)
            self.state = replace(self.state, best=best)
        if value > self.state.best_auc:
            self.state = replace(self.state, best_auc=value, best_epoch=epoch)
            # All processes hold the same weights; one of them writes.
            if trainer.is_global_zero:
                save_detector(self.best, detector, self.recipe.model, self.recipe.represent, fold=self.number)
        # The state comes after the detector that it counts as the best: a kill in between costs this epoch, while the
        # other order would leave a state whose best detector was never written.
        self.state = replace(self.state, epochs=epoch + 1, steps=self.steps_before + trainer.global_step)
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

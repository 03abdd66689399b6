"""What keeps a fold: callbacks that store its best detector and its state after each epoch, and average its weights.

    best.safetensors  the detector with the highest validation AUC, as `score` reads it
    last.ckpt         all that the fold needs to go on (`abacad.learn.state`)

Lightning's own checkpoints are switched off. They are pickles, which can run code when a stranger's file is opened, and
they hold the state of Lightning's loops, which seed and number of the epoch make needless here.
"""

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
    """Lightning's exponential moving average (EMA) of the weights; a continued fold takes it up where it stood.

    average ← decay · average + (1 − decay) · weights        after each step of the optimiser
    """

    def __init__(self, decay: float, begin: int, kept: dict[str, Tensor]) -> None:
        """Prepare the average.

        Args:
            decay: Share of the old average that each step keeps, such as 0.999.
            begin: Step of the optimiser at which the average begins, counted since this process started; below 0 where
                it began in an earlier start.
            kept: The average that an earlier start left (`state`); empty where there is none.
        """
        super().__init__(decay=decay, update_starting_at_step=begin)
        self.kept = kept

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Load the average of an earlier start, and move it to the device of the weights."""
        # Lightning makes the average in `setup`, before this, but its type allows None. There the module still lies on
        # the CPU, so that the average has to be moved as well.
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
    """Stores the best detector and the state of the fold after each epoch, and stops the training when it is done.

    Attributes:
        recipe: The whole recipe; `trainer.patience` epochs without a better AUC end the fold.
        number: Number of the fold.
        best: File of the detector with the highest validation AUC so far.
        last: File of the state after the last finished epoch.
        state: That state.
        average: The moving average of the weights; where there is one, it and not the last weights is validated and
            stored.
        steps_before: Steps of the optimiser that earlier starts of the fold have taken.
    """

    recipe: Recipe
    number: int
    best: Path
    last: Path
    state: FoldState
    average: Average | None = None
    steps_before: int = field(init=False)

    def __post_init__(self) -> None:
        """Remember how far the fold was: Lightning counts its steps from 0 at every start."""
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
            # DDP keeps the weights of all processes equal, so that one of them can write for all.
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
        # Weights, average and moments are the live tensors, which the next step changes: they go into the file at once,
        # and not into `self.state`.
        return replace(
            self.state,
            weights=pl_module.detector.state_dict(),  # type: ignore[union-attr]
            average={} if self.average is None else self.average.state(),
            optimizer=trainer.optimizers[0].state_dict()["state"],
            scaler=trainer.precision_plugin.state_dict(),
        )

"""How long one start of a training may take, for machines that are lent by the hour."""

import time
from dataclasses import dataclass, field

import lightning.pytorch as pl

from abacad.config import Recipe
from abacad.errors import AbacadError


@dataclass
class Budget:
    """Hours from now on, and how long an epoch takes.

    Attributes:
        hours: That may be used; none: any.
        began: When, on the clock that only goes forward.
        epoch_s: The longest epoch so far, in seconds.
    """

    hours: float | None = None
    began: float = field(default_factory=time.monotonic)
    epoch_s: float = 0.0

    def has_room(self) -> bool:
        """Whether another epoch, as long as the longest so far, ends in time."""
        return self.hours is None or time.monotonic() - self.began + self.epoch_s <= 3600 * self.hours


def time_is_up(recipe: Recipe, what: str) -> AbacadError:
    """What to say where the time is up and nothing can be used yet."""
    return AbacadError(
        f"Stopped after {recipe.trainer.max_time:g} hours, as asked (trainer.max_time): {what}.\n"
        "The same command goes on where it was."
    )


class BudgetStop(pl.Callback):
    """Ends a fold before an epoch that would end too late; it is left as a kill would leave it, and goes on later."""

    def __init__(self, budget: Budget) -> None:
        """Take the budget of this start."""
        self.budget, self.started = budget, 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop all processes where one of them has no time left: their clocks differ by a little."""
        self.budget.epoch_s = max(self.budget.epoch_s, time.monotonic() - self.started)
        if trainer.strategy.reduce_boolean_decision(not self.budget.has_room(), all=False):
            trainer.should_stop = True

"""How long one start of a training may take, for machines that are lent by the hour."""

import time
from dataclasses import dataclass, field

import lightning.pytorch as pl

from abacad.config import Recipe
from abacad.errors import AbacadError


@dataclass
class Budget:
    """The hours that one start may train, counted from now, and how long its longest epoch took.

    Attributes:
        hours: Hours that may be used; none: no limit.
        began: When this start began, in seconds of `time.monotonic`.
        epoch_s: Duration of the longest epoch so far, in seconds.
    """

    hours: float | None = None
    # not the time of day, which jumps when a machine sets its clock (tests/faults/test_machine.py)
    began: float = field(default_factory=time.monotonic)
    # 0 until one has ended, since nobody knows before how long it takes: a budget of minutes still buys one epoch
    epoch_s: float = 0.0

    def has_room(self) -> bool:
        """Whether another epoch, as long as the longest so far, ends in time."""
        return self.hours is None or time.monotonic() - self.began + self.epoch_s <= 3600 * self.hours


def time_is_up(recipe: Recipe, what: str) -> AbacadError:
    """The error that ends a start whose time is up before it has made anything that can be used."""
    return AbacadError(
        f"Stopped after {recipe.trainer.max_time:g} hours, as asked (trainer.max_time): {what}.\n"
        "The same command goes on where it was."
    )


class BudgetStop(pl.Callback):
    """Stops a fold before an epoch that would end too late. Its state is on the disk: the next start continues it."""

    def __init__(self, budget: Budget) -> None:
        """Take the budget of this start."""
        self.budget, self.started = budget, 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop all processes when one of them has no time left: their clocks differ by a little."""
        self.budget.epoch_s = max(self.budget.epoch_s, time.monotonic() - self.started)
        # They have to decide alike: one that trained on alone would wait for the others' gradients for ever.
        if trainer.strategy.reduce_boolean_decision(not self.budget.has_room(), all=False):
            trainer.should_stop = True

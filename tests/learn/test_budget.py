"""A time budget: no epoch begins that would end too late."""

import time
from unittest.mock import Mock

import lightning.pytorch as pl
import pytest

from abacad.learn.budget import Budget, BudgetStop

MODULE = Mock(spec=pl.LightningModule)


@pytest.mark.parametrize(
    ("hours", "used_s", "epoch_s", "room"),
    [(None, 1e9, 1e9, True), (1.0, 0, 0, True), (1.0, 3000, 500, True), (1.0, 3000, 700, False), (1.0, 3700, 0, False)],
)
def test_there_is_room_for_an_epoch_that_ends_in_time(hours, used_s, epoch_s, room):
    assert Budget(hours, time.monotonic() - used_s, epoch_s).has_room() is room


@pytest.mark.parametrize("of_another_process", [True, False])
def test_the_longest_epoch_decides_and_all_processes_stop_together(of_another_process, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    budget = Budget(1.0, began=0.0)
    stop = BudgetStop(budget)
    trainer = Mock(spec=pl.Trainer, should_stop=False)
    trainer.strategy.reduce_boolean_decision = lambda mine, all: mine or of_another_process
    stops = []
    for seconds in (1000, 800, 900):
        stop.on_train_epoch_start(trainer, MODULE)
        clock[0] += seconds
        stop.on_train_epoch_end(trainer, MODULE)
        stops.append(trainer.should_stop)
    assert budget.epoch_s == 1000
    assert stops == ([True] * 3 if of_another_process else [False, False, True])  # 2,700 + 1,000 s are too many

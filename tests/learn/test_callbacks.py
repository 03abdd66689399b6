"""Epochs are counted from 1 in log and bar alike; the time left is that of the whole run."""

import logging
from unittest.mock import Mock

import lightning.pytorch as pl
import pandas as pd
import pytest
import torch
from rich.console import Console

from abacad.learn.callbacks import EpochLog, FoldBar, epochs_to_come, told_time


@pytest.mark.parametrize(("epoch", "folds_after", "left"), [(0, 0, 4), (4, 0, 0), (0, 1, 9), (4, 4, 20)])
def test_epochs_of_later_folds_are_to_come(epoch, folds_after, left):
    assert epochs_to_come(epoch, 5, folds_after) == left


@pytest.mark.parametrize(("seconds", "told"), [(0, "0 s"), (99, "99 s"), (120, "2 min"), (7200, "2.0 h")])
def test_a_time_is_told_in_one_unit(seconds, told):
    assert told_time(seconds) == told


def trainer(epoch: int) -> Mock:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    metrics = {"train_loss": torch.tensor(0.5), "val_auc": torch.tensor(0.75), "val_loss": torch.tensor(0.6)}
    state = Mock(spec=pl.Trainer, is_global_zero=True, current_epoch=epoch, max_epochs=3)
    state.callback_metrics, state.optimizers = metrics, [optimizer]
    return state


MODULE = Mock(spec=pl.LightningModule)


def test_log_and_bar_count_epochs_alike(tmp_path, caplog):
    """The bar used to end at 4/4 where the log ended at 5 of 5."""
    epochs, bar = EpochLog(tmp_path / "metrics.csv", 1, folds_after=2), FoldBar(1)
    with caplog.at_level(logging.INFO, "abacad"):
        for epoch in range(3):
            state = trainer(epoch)
            bar._trainer = state
            epochs.on_train_epoch_start(state, MODULE)
            epochs.on_train_epoch_end(state, MODULE)
            assert bar._get_train_description(epoch) in caplog.messages[-1]
    assert "epoch 3 of 3" in caplog.messages[-1]
    assert list(pd.read_csv(tmp_path / "metrics.csv")["epoch"]) == [0, 1, 2]


def test_a_line_of_the_log_fits_a_terminal(tmp_path, caplog):
    epochs = EpochLog(tmp_path / "metrics.csv", 1)
    with caplog.at_level(logging.INFO, "abacad"):
        epochs.on_train_epoch_end(trainer(0), MODULE)
    assert len(caplog.messages[-1]) <= 80 - len("13:26:35 INFO     ")


def test_the_bar_draws_on_standard_error():
    assert FoldBar(0)._console_kwargs == {"stderr": True}
    assert Console(**FoldBar(0)._console_kwargs).stderr

"""Lightning's Trainer as the recipe wants it, and what it refuses told as the recipe's fault."""

import ctypes
import logging
import platform
import warnings

import pytest
import torch
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from abacad.config import Optim, Recipe, Trainer
from abacad.errors import AbacadError
from abacad.learn import trainer as module
from abacad.learn.budget import Budget, BudgetStop
from abacad.learn.callbacks import EpochLog, FoldBar
from abacad.learn.keeper import Average, Keeper
from abacad.learn.run_folder import RunFolder
from abacad.learn.state import FoldState
from abacad.learn.trainer import keep_freed_memory, make_trainer, quiet_lightning

PLAIN = Trainer(max_epochs=7, accelerator="cpu", precision="32-true", loggers=(), progress=False)


def made(folder, wanted=PLAIN, state=None, steps=100, **optim):
    with quiet_lightning():
        return make_trainer(
            Recipe(trainer=wanted, optim=Optim(**optim)), RunFolder(folder), 2, state or FoldState(), steps
        )


def of_type(trainer, wanted):
    return [callback for callback in trainer.callbacks if type(callback) is wanted]


def test_a_trainer_goes_the_epochs_that_are_left(tmp_path):
    assert made(tmp_path).max_epochs == 7
    assert made(tmp_path, state=FoldState(epochs=5)).max_epochs == 2
    assert made(tmp_path, state=FoldState(epochs=9)).max_epochs == 0  # the recipe was given fewer since


def test_it_does_what_the_recipe_says_and_nothing_of_its_own(tmp_path):
    wanted = Trainer(accelerator="cpu", precision="bf16-mixed", accumulate=3, loggers=("tensorboard",), progress=True)
    trainer = made(tmp_path, wanted, clip=0.5)
    assert trainer.precision == "bf16-mixed"
    assert trainer.accumulate_grad_batches == 3
    assert trainer.gradient_clip_val == 0.5
    assert trainer.checkpoint_callback is None
    assert trainer.logger.log_dir == str(tmp_path / "fold2" / "tensorboard")
    assert len(of_type(trainer, FoldBar)) == len(of_type(trainer, EpochLog)) == len(of_type(trainer, Keeper)) == 1
    quiet = made(tmp_path, clip=0.0)
    assert quiet.gradient_clip_val is None
    assert quiet.loggers == []
    assert of_type(quiet, FoldBar) == []


def test_files_of_a_fold_lie_in_its_folder(tmp_path):
    (keeper,) = of_type(made(tmp_path), Keeper)
    (log,) = of_type(made(tmp_path), EpochLog)
    run = RunFolder(tmp_path)
    assert (keeper.best, keeper.last, keeper.number) == (run.weights(2), run.last(2), 2)
    assert log.path == run.fold(2) / "metrics.csv"


@pytest.mark.parametrize(
    ("steps", "epochs", "begin"), [(100, 0, 20), (40, 0, 20), (10, 0, 5), (1, 0, 0), (100, 1, -80), (10, 3, -25)]
)
def test_the_average_begins_early_in_the_first_epoch_and_only_once(steps, epochs, begin, tmp_path):
    """Counted in this process: in a continued fold it began before."""
    trainer = made(tmp_path, state=FoldState(epochs=epochs), steps=steps, ema=0.9)
    (average,) = of_type(trainer, Average)
    assert average.update_starting_at_step == begin
    assert of_type(trainer, Keeper)[0].average is average
    assert of_type(made(tmp_path, ema=0.0), Average) == []


def test_a_device_that_is_not_there_is_the_recipes_fault(tmp_path):
    wanted = Trainer(accelerator="cuda", precision="32-true", loggers=(), progress=False)
    if torch.cuda.is_available():
        wanted = Trainer(accelerator="cuda", precision="32-true", devices=1000, loggers=(), progress=False)
    with pytest.raises(AbacadError, match=r"trainer\.accelerator cuda, devices .* do not go together here") as told:
        made(tmp_path, wanted)
    assert len(str(told.value).splitlines()) <= 3


def test_devices_are_not_blamed_for_what_else_is_refused():
    with quiet_lightning(), pytest.raises(MisconfigurationException, match="max_epochs"):
        module._lightning(Recipe(trainer=PLAIN), max_epochs=-3, accelerator="cpu", devices=1)


@pytest.mark.parametrize("logger", ["mlflow", "wandb"])
def test_a_logger_that_is_not_installed_is_told_with_what_installs_it(logger, tmp_path, monkeypatch):
    def absent(*_args, **_more):
        raise ModuleNotFoundError(f"No module named '{logger}'")

    monkeypatch.setattr(module, "MLFlowLogger", absent)
    monkeypatch.setattr(module, "WandbLogger", absent)
    with pytest.raises(AbacadError, match=rf"No module named '{logger}'\n.*pip install 'abacad\[mlflow,wandb\]'"):
        made(tmp_path, Trainer(accelerator="cpu", precision="32-true", loggers=(logger,), progress=False))


def test_lightning_is_quiet_in_the_block_and_as_before_after_it():
    logger = logging.getLogger("lightning.pytorch")
    before, filters = logger.level, list(warnings.filters)
    with quiet_lightning():
        assert logger.level == logging.ERROR
    assert logger.level == before
    assert warnings.filters == filters


@pytest.mark.parametrize(("libc", "calls"), [("glibc", 3), ("musl", 0), ("", 0)])
def test_only_glibc_is_told_to_keep_memory(libc, calls, monkeypatch):
    asked = []

    class Libc:
        def mallopt(self, option, value):
            asked.append((option, value))

    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, "2.36"))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Libc())
    keep_freed_memory()
    assert len(asked) == calls
    assert all(-(2**31) <= value < 2**31 for _, value in asked)  # what C's int holds


def test_a_trainer_keeps_the_time_it_is_given(tmp_path):
    budget = Budget(2.0)
    trainer = make_trainer(Recipe(trainer=PLAIN), RunFolder(tmp_path), 0, FoldState(), 10, budget=budget)
    (stop,) = of_type(trainer, BudgetStop)
    assert stop.budget is budget


def test_curves_of_a_continued_fold_go_on_at_its_step_and_epoch(tmp_path):
    logged = []
    logger = DummyLogger()
    logger.log_metrics = lambda metrics, step=None: logged.append((dict(metrics), step))
    going_on = module._going_on(logger, FoldState(epochs=3, steps=120))
    going_on.log_metrics({"train_loss": 0.5, "epoch": 1}, step=39)
    going_on.log_metrics({"x": 1.0})
    assert logged == [({"train_loss": 0.5, "epoch": 4}, 159), ({"x": 1.0}, None)]

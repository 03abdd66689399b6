"""After each epoch: the best detector first, then the state that tells of it; and an average that goes on."""

from unittest.mock import Mock

import lightning.pytorch as pl
import pytest
import torch

from abacad.config import Model, Optim, Recipe, Represent, Trainer
from abacad.learn import keeper
from abacad.learn.keeper import Average, Keeper
from abacad.learn.state import FoldState, read_state
from abacad.model.checkpoint import load_detector
from abacad.model.detector import Detector, build_detector

RECIPE = Recipe(
    represent=Represent("binned", views=("clean",), rows=4),
    model=Model("panel", width=2, pretrained=False),
    trainer=Trainer(max_epochs=6, patience=2),
    optim=Optim(ema=0.5),
)


class Module(pl.LightningModule):
    """A learner with a detector whose every weight is one number."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.detector = build_detector(RECIPE.model, RECIPE.represent)
        self.fill(value)

    def fill(self, value: float) -> None:
        with torch.no_grad():
            for weight in self.parameters():
                weight.fill_(value)


def value_of(detector: Detector) -> float:
    return float(next(detector.parameters()).detach().flatten()[0])


def kept(folder, state=None, average=None) -> Keeper:
    return Keeper(RECIPE, 1, folder / "best.safetensors", folder / "last.ckpt", state or FoldState(), average)


def trainer(auc: float, first: bool = True) -> Mock:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    made = Mock(spec=pl.Trainer, callback_metrics={"val_auc": torch.tensor(auc)}, is_global_zero=first)
    made.optimizers, made.should_stop, made.global_step = [optimizer], False, 10
    made.precision_plugin.state_dict.return_value = {"scale": 2.0}
    return made


def epochs(watch: Keeper, *aucs: float, first: bool = True) -> list[bool]:
    """Epochs with these AUCs, each with its number for every weight; whether the fold was told to stop."""
    stops, module = [], Module()
    for number, auc in enumerate(aucs):
        module.fill(float(number))
        run = trainer(auc, first)
        watch.on_train_epoch_end(run, module)
        stops.append(run.should_stop)
    return stops


def test_the_detector_of_the_best_epoch_stays_and_the_state_is_that_of_the_last(tmp_path):
    epochs(kept(tmp_path), 0.6, 0.8, 0.7)
    detector, represent = load_detector(tmp_path / "best.safetensors", fold=1)
    assert value_of(detector) == 1.0
    assert represent == RECIPE.represent
    state = read_state(tmp_path / "last.ckpt")
    assert (state.epochs, state.best_epoch) == (3, 1)
    assert state.best_auc == pytest.approx(0.8)
    assert float(next(iter(state.weights.values())).flatten()[0]) == 2.0
    assert state.scaler == {"scale": 2.0}


def test_an_equal_auc_is_no_better_one(tmp_path):
    epochs(kept(tmp_path), 0.8, 0.8)
    assert value_of(load_detector(tmp_path / "best.safetensors")[0]) == 0.0


def test_a_fold_stops_after_patience_or_its_last_epoch(tmp_path):
    assert epochs(kept(tmp_path), 0.6, 0.8, 0.7, 0.7) == [False, False, False, True]
    assert epochs(kept(tmp_path), 0.1, 0.2, 0.3, 0.4, 0.5, 0.6) == [False] * 5 + [True]


def test_a_continued_fold_counts_on_and_keeps_the_best_of_before(tmp_path):
    before = FoldState(epochs=3, best_epoch=2, best_auc=0.9)
    assert epochs(kept(tmp_path, before), 0.8, 0.85) == [False, True]
    assert not (tmp_path / "best.safetensors").exists()
    state = read_state(tmp_path / "last.ckpt")
    assert (state.epochs, state.best_epoch, state.best_auc) == (5, 2, 0.9)


def test_the_detector_is_written_before_the_state_that_tells_of_it(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_args, **_more):
        raise Killed

    watch = kept(tmp_path)
    epochs(watch, 0.6)
    monkeypatch.setattr(keeper, "save_detector", killed)
    with pytest.raises(Killed):
        epochs(watch, 0.9)
    assert read_state(tmp_path / "last.ckpt").best_auc == pytest.approx(0.6)


def test_other_processes_count_and_write_nothing(tmp_path):
    watch = kept(tmp_path)
    assert epochs(watch, 0.6, 0.5, 0.5, first=False) == [False, False, True]
    assert list(tmp_path.iterdir()) == []
    assert watch.state.best_auc == pytest.approx(0.6)


def averaging(value: float, kept_before=None) -> tuple[Average, Module]:
    average, module = Average(0.5, 0, kept_before or {}), Module(value)
    average.setup(Mock(spec=pl.Trainer), module, "fit")
    average.on_fit_start(Mock(spec=pl.Trainer), module)
    return average, module


def test_the_average_is_what_is_kept_as_the_best_detector(tmp_path):
    average, module = averaging(1.0)
    assert average._average_model is not None
    average._average_model.update_parameters(module)  # the first one is taken as it is
    module.fill(3.0)
    average._average_model.update_parameters(module)
    assert value_of(average.detector()) == pytest.approx(2.0)  # ½ · 1 + ½ · 3
    watch = kept(tmp_path, average=average)
    watch.on_train_epoch_end(trainer(0.7), module)
    assert value_of(load_detector(tmp_path / "best.safetensors")[0]) == pytest.approx(2.0)
    state = read_state(tmp_path / "last.ckpt")
    assert float(state.weights["backbone.answer.bias"]) == 3.0


def test_an_average_goes_on_where_it_was_kept():
    first, module = averaging(1.0)
    assert first._average_model is not None
    first._average_model.update_parameters(module)
    second, _ = averaging(9.0, {name: value.clone() for name, value in first.state().items()})
    for average in (first, second):
        assert average._average_model is not None
        average._average_model.update_parameters(Module(4.0))
    assert value_of(second.detector()) == value_of(first.detector()) == pytest.approx(2.5)
    assert int(second.state()["n_averaged"]) == 2

"""What a fold that stops and goes on carries along: its curves, the epochs that are averaged, and a time budget."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from abacad.errors import AbacadError
from abacad.learn.budget import Budget
from abacad.learn.keeper import Keeper
from abacad.model.checkpoint import load_detector
from abacad.run.train import train
from tests.learn.test_fold import IMAGE, Killed, kill_at, scores


def logged_steps(run: Path) -> tuple[list[int], list[float]]:
    """Steps of the optimiser and epochs with which the training loss of the first fold was logged."""
    files = sorted((run / "fold0" / "tensorboard").glob("events*"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, list] = {"train_loss": [], "epoch": []}
    for file in files:
        events = EventAccumulator(str(file)).Reload()
        for tag in found:
            found[tag] += events.Scalars(tag) if tag in events.Tags()["scalars"] else []
    return [event.step for event in found["train_loss"]], sorted({event.value for event in found["epoch"]})


def test_curves_and_averaged_epochs_go_on_where_a_stopped_fold_was(shared_competition, tmp_path, monkeypatch):
    options = IMAGE | {"data.only": 0, "trainer.averaged": 2, "trainer.loggers": ("tensorboard",), "optim.ema": 0.0}
    train(shared_competition, tmp_path / "whole", **options)
    kill_at(monkeypatch, 2, 0)
    with pytest.raises(Killed):
        train(shared_competition, tmp_path / "run", **options)
    run = train(shared_competition, tmp_path / "run", **options)
    assert logged_steps(run.path) == logged_steps(tmp_path / "whole") == ([1, 3, 5], [0, 1, 2])
    found = [pd.read_csv(path / "fold0" / "oof.csv")["score"].tolist() for path in (tmp_path / "whole", run.path)]
    assert found[0] == found[1]


def test_the_detector_of_a_fold_is_the_mean_of_its_best_epochs(shared_competition, tmp_path, monkeypatch):
    kept, plain = [], Keeper.on_train_epoch_end

    def noted(self, trainer, module):
        plain(self, trainer, module)
        weight = module.detector.backbone.conv_stem.weight
        kept.append((float(trainer.callback_metrics["val_auc"]), weight.detach().clone()))

    monkeypatch.setattr(Keeper, "on_train_epoch_end", noted)
    options = {"data.only": 0, "trainer.averaged": 2, "optim.ema": 0.0, "trainer.patience": 3}
    run = train(shared_competition, tmp_path / "run", **IMAGE | options)
    best = sorted(kept, key=lambda pair: -pair[0])[:2]  # sorted keeps the earlier of equal ones first
    detector, _ = load_detector(run.weights(0))
    torch.testing.assert_close(detector.backbone.conv_stem.weight.detach(), (best[0][1] + best[1][1]) / 2)
    assert not torch.equal(best[0][1], best[1][1])


def test_a_time_budget_stops_between_epochs_and_the_same_command_goes_on(
    shared_competition, tmp_path, monkeypatch, caplog
):
    whole, options = tmp_path / "whole", IMAGE | {"optim.ema": 0.0, "trainer.max_epochs": 2}
    train(shared_competition, whole, **options)
    rooms = iter([True, False, True, True, False] + [True] * 9)
    monkeypatch.setattr(Budget, "has_room", lambda self: next(rooms))
    budget = options | {"trainer.max_time": 0.5}
    run = tmp_path / "run"
    with pytest.raises(
        AbacadError, match=r"Stopped after 0.5 hours, as asked .*: no fold is trained yet, fold 0 stands after 1"
    ):
        train(shared_competition, run, **budget)
    train(shared_competition, run, **budget)  # the first fold ends, the second does not begin
    assert "fold 1 stands after 0 epochs, folds 1 are left; the same command goes on" in caplog.text
    assert not (run / "oof.csv").exists()
    assert json.loads((run / "run.json").read_text())["folds_trained"] == [0]
    train(shared_competition, run, **options)  # without the budget: it may change
    assert scores(run).tolist() == scores(whole).tolist()


def test_a_stopped_fold_ends_with_what_it_has_when_fewer_epochs_are_asked_for(
    shared_competition, tmp_path, monkeypatch
):
    options = IMAGE | {"trainer.max_epochs": 8, "trainer.patience": 8}
    kill_at(monkeypatch, 3, 0)
    with pytest.raises(Killed):
        train(shared_competition, tmp_path / "run", **options)
    run = train(shared_competition, tmp_path / "run", **options | {"trainer.max_epochs": 1})
    assert [len(pd.read_csv(run.fold(number) / "metrics.csv")) for number in (0, 1)] == [3, 1]
    assert len(scores(run.path)) == 40
    assert not run.last(0).exists()

"""A training: every id held back once, the same run again from its recipe, and on from where it was stopped."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from torch.utils.data import Dataset

from abacad.cli import main
from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.learn.folds import make_folds
from abacad.learn.labelled import Labelled
from abacad.learn.learner import Learner
from abacad.metric import auc
from abacad.recipes import read_recipe
from tests.conftest import QUICK, write_competition
from tests.learn.test_fold import IMAGE, Killed
from tests.run.made import RECIPE, random_run

module = importlib.import_module("abacad.run.train")


def labels_of(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "train_labels.csv", dtype={"id": str})


@pytest.mark.parametrize(
    ("recipe", "run"), [("compact", "runs/compact"), ("own/mine.yaml", "runs/mine"), (Recipe(), "runs/own")]
)
def test_a_run_without_a_name_has_that_of_its_recipe(recipe, run):
    assert module._default_run(recipe) == Path(run)


def test_folds_that_are_trained_are_noted_and_joined_when_all_are(shared_competition, tmp_path, caplog):
    run = random_run(tmp_path / "run", shared_competition)
    whole = pd.read_csv(run.oof, dtype={"id": str})
    run.oof.unlink()
    moved = run.fold_oof(1).rename(tmp_path / "oof.csv")
    with caplog.at_level("INFO"):
        module._conclude(run, 60.0, anew=True)
    record = json.loads(run.record.read_text())
    assert (record["folds_trained"], len(record["auc_fold"]), record["train_seconds"]) == ([0], 1, 60.0)
    assert not run.oof.exists()
    assert "1 of 2 folds are trained (0)" in caplog.text
    moved.rename(run.fold_oof(1))
    module._conclude(run, 30.0, anew=True)
    record = json.loads(run.record.read_text())
    assert (record["folds_trained"], record["train_seconds"]) == ([0, 1], 90.0)
    assert record["auc_mean"] == pytest.approx(np.mean(record["auc_fold"]), abs=1e-5)
    value, low, high = record["auc_oof"]
    assert value == pytest.approx(auc(whole["target"].to_numpy(), whole["score"].to_numpy()), abs=1e-5)
    assert low <= value <= high
    assert list(pd.read_csv(run.oof, dtype={"id": str})["id"]) == list(whole["id"])  # as in the labels, not by fold


def test_a_finished_run_is_not_concluded_again(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    before = run.record.read_text()
    module._conclude(run, 5.0, anew=False)
    assert run.record.read_text() == before


@pytest.mark.parametrize(("below", "stops"), [(None, False), (0.0, False), (0.999, True)])
def test_the_gate_stops_where_the_recipe_says_so(below, stops, shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    recipe = replace(RECIPE, trainer=replace(RECIPE.trainer, stop_below=below))
    table = pd.read_csv(run.fold_oof(0))
    table.assign(score=0.5).to_csv(run.fold_oof(0), index=False)
    if stops:
        with pytest.raises(AbacadError, match=r"Stopped after fold 0, as asked: its AUC .* is below 0\.999\.\n.*null"):
            module._pass_gate(0, run, recipe, None)
    else:
        module._pass_gate(0, run, recipe, None)


class Given(Dataset):
    """Represented cadences in memory."""

    def __init__(self, planes: torch.Tensor) -> None:
        self.planes = planes

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.planes[index]


def test_what_to_look_at_is_told_in_figures(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    curve = pd.DataFrame({"train_loss": [0.7, 0.65], "val_auc": [0.5, 0.55]})
    curve.to_csv(run.fold(0) / "metrics.csv", index=False)
    planes = torch.randn(40, 3, 4, 8)
    targets = (np.arange(40) % 4 == 0).astype(int)
    labelled = Labelled(Given(planes), np.arange(40).astype(str), targets, np.zeros(40, int), (6, 28, 64))
    told = module._figures(0, run, RECIPE, labelled)
    assert "planes of shape (3, 4, 8)" in told["preprocessing"]
    assert f"mean {planes[:32].mean():.3f}" in told["normalisation"]
    assert "all finite: True" in told["normalisation"]
    assert "40 cadences, 10 positive, pos_weight 3.00" in told["loading"]
    assert "training loss 0.700 → 0.650, validation AUC by epoch 0.500, 0.550" in told["learning rate and warm-up"]


def test_every_training_id_is_held_back_once(shared_competition, trained_run):
    oof, folds = pd.read_csv(trained_run / "oof.csv"), pd.read_csv(trained_run / "folds.csv")
    labels = labels_of(shared_competition)
    assert list(oof["id"]) == list(labels["id"]) == list(folds["id"])
    assert list(oof["target"]) == list(labels["target"])
    assert list(oof["fold"]) == list(folds["fold"])
    assert oof["score"].between(0, 1).all()


def test_the_run_folder_tells_the_run(trained_run):
    record = json.loads((trained_run / "run.json").read_text())
    assert {"abacad", "packages", "seed", "device", "data", "auc_fold", "auc_oof", "train_seconds"} <= set(record)
    recipe = read_recipe(trained_run / "config.yaml")
    assert recipe.model.name == "panel"
    assert recipe.optim.batch_size == 8
    for fold in (0, 1):
        metrics = pd.read_csv(trained_run / f"fold{fold}" / "metrics.csv")
        assert list(metrics["epoch"]) == [0, 1]
        assert metrics[["train_loss", "val_loss", "val_auc", "lr"]].notna().all(axis=None)
        with safe_open(trained_run / f"fold{fold}" / "best.safetensors", "pt") as file:
            assert "represent" in json.loads(file.metadata()["abacad"])
        assert list((trained_run / f"fold{fold}" / "tensorboard").glob("events*"))
    assert "Fold 1, epoch 2" in (trained_run / "log.txt").read_text()
    assert not list(trained_run.rglob("*.part"))


def test_the_same_command_again_changes_nothing(shared_competition, trained_run):
    before = {
        path: path.stat().st_mtime_ns for path in trained_run.rglob("*") if path.name in ("oof.csv", "best.safetensors")
    }
    assert main(["train", str(shared_competition), "--run", str(trained_run), *QUICK]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_config_repeats_the_run(shared_competition, trained_run, tmp_path):
    words = [
        "train",
        str(shared_competition),
        "--config",
        str(trained_run / "config.yaml"),
        "--run",
        str(tmp_path / "r"),
    ]
    assert main(words) == 0
    first, again = (pd.read_csv(run / "oof.csv") for run in (trained_run, tmp_path / "r"))
    np.testing.assert_allclose(first["score"], again["score"], atol=1e-5)


@pytest.mark.parametrize("labelled", ["true", "false"])
def test_simulated_cadences_train_mixed_or_alone(shared_competition, tmp_path, labelled):
    words = ["train", str(shared_competition), "--run", str(tmp_path / "r"), *QUICK, "--trainer.max_epochs", "1"]
    assert main([*words, "--data.simulated", "24", "--data.labelled", labelled]) == 0
    assert len(pd.read_csv(tmp_path / "r" / "oof.csv")) == 40


def test_a_bright_needle_is_learned(tmp_path):
    """The whole path learns: on needles of 6 σ a few epochs are far from chance (0.84 the worst of six folds)."""
    root = write_competition(tmp_path / "data", n_train=120)
    words = ["train", str(root), "--run", str(tmp_path / "r"), *QUICK, "--trainer.max_epochs", "8"]
    assert main([*words, "--trainer.patience", "8", "--optim.lr", "1e-2", "--optim.batch_size", "16"]) == 0
    folds = pd.read_csv(tmp_path / "r" / "oof.csv").groupby("fold")
    assert all(auc(part["target"].to_numpy(), part["score"].to_numpy()) > 0.75 for _, part in folds)


def command(root: Path, run: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "abacad", "train", str(root), "--run", str(run), *QUICK, *more]


def test_a_killed_run_continues_and_holds_each_id_once(shared_competition, tmp_path):
    """SIGKILL in the second fold; the same command keeps the first fold and ends the run."""
    run = tmp_path / "run"
    words = command(shared_competition, run, "--trainer.max_epochs", "30", "--trainer.patience", "30")
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (run / "fold1" / "last.ckpt").is_file():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "oof.csv").exists()
    first = (run / "fold0" / "best.safetensors").stat().st_mtime_ns
    epochs_before = len(pd.read_csv(run / "fold1" / "metrics.csv"))
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    assert (run / "fold0" / "best.safetensors").stat().st_mtime_ns == first
    metrics = pd.read_csv(run / "fold1" / "metrics.csv")
    assert list(metrics["epoch"]) == list(range(30))
    assert epochs_before < 30
    oof = pd.read_csv(run / "oof.csv")
    assert sorted(oof["id"]) == sorted(labels_of(shared_competition)["id"])


def test_two_processes_hold_back_the_same_ids_each_once(shared_competition, trained_run, tmp_path):
    run = tmp_path / "ddp"
    words = command(shared_competition, run, "--trainer.devices", "2", "--trainer.accelerator", "cpu")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    alone, together = (pd.read_csv(path / "oof.csv") for path in (trained_run, run))
    assert list(alone["id"]) == list(together["id"])
    assert list(alone["fold"]) == list(together["fold"])
    assert together["score"].notna().all()
    assert done.stdout.count("all held-back cadences") == 1


def test_an_unknown_preset_is_told_with_the_nearest(shared_competition, tmp_path):
    options = {"data.simulated": 8, "data.simulated_preset": "kagle"}
    with pytest.raises(AbacadError, match=r"no preset 'kagle'. Did you mean kaggle\?"):
        module.train(shared_competition, tmp_path / "run", RECIPE, **options)
    assert not (tmp_path / "run").exists()


def test_groups_that_come_after_the_folds_make_new_ones_until_an_epoch_is_finished(competition, tmp_path, monkeypatch):
    """A first start that trained nothing had made its folds without them, and groups were torn between folds."""

    def killed(*_args, **_more):
        raise Killed

    monkeypatch.setattr(module, "train_fold", killed)
    labels, run = labels_of(competition), tmp_path / "run"
    for per_group in (1, 2, 4):
        if per_group > 1:
            groups = labels[["id"]].assign(group=np.arange(len(labels)) // per_group)
            groups.to_csv(competition / "groups.csv", index=False)
        with pytest.raises(Killed):
            module.train(competition, run, RECIPE)
        folds = pd.read_csv(run / "folds.csv", dtype={"id": str}).set_index("id")["fold"]
        in_groups = folds[labels["id"]].groupby(np.arange(len(labels)) // per_group)
        assert (in_groups.min() == in_groups.max()).all()
    (run / "fold0").mkdir()
    (run / "fold0" / "last.ckpt").touch()
    groups.assign(group=0).to_csv(competition / "groups.csv", index=False)
    with pytest.raises(AbacadError, match=r"The groups file \(data\.groups\) has changed since .*\nPut it back"):
        module.train(competition, run, RECIPE)
    groups.to_csv(competition / "groups.csv", index=False)
    with pytest.raises(Killed):
        module.train(competition, run, RECIPE)


def test_verdicts_that_leave_a_fold_one_class_are_told_before_any_training(shared_competition, tmp_path, monkeypatch):
    """The fold was trained to its last epoch, with an AUC that is no number, and then had no detector."""
    trained = []
    monkeypatch.setattr(module, "train_fold", lambda number, *_args, **_more: trained.append(number))
    labels, verdicts = labels_of(shared_competition), tmp_path / "verdicts.csv"
    folds = make_folds(labels, labels["id"], RECIPE.data.folds, RECIPE.seed)["fold"]
    needles = labels["id"][(folds == 1) & (labels["target"] == 1)]
    needles.to_frame().assign(verdict="rfi").to_csv(verdicts, index=False)
    with pytest.raises(AbacadError, match=r"Fold 1 holds back one class only.*\nLook at the verdicts once more"):
        module.train(shared_competition, tmp_path / "run", RECIPE, **{"data.verdicts": str(verdicts)})
    assert trained == []
    assert not list((tmp_path / "run").glob("fold?"))


@pytest.mark.parametrize(("asked", "weight"), [(3.5, 3.5), (None, 13 / 7)])
def test_positives_weigh_as_asked_or_as_they_are_rare(asked, weight, shared_competition, tmp_path, monkeypatch):
    def step(self, batch, batch_index):
        assert float(self.pos_weight) == pytest.approx(weight, rel=1e-6)
        raise Killed

    monkeypatch.setattr(Learner, "training_step", step)
    with pytest.raises(Killed):
        module.train(shared_competition, tmp_path / "run", **IMAGE | {"optim.pos_weight": asked})

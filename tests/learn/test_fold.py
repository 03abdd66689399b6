"""A fold that was stopped and continued is the fold that never was, bit for bit, wherever the stop fell."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.learn.fold import even_pos_weight, pos_weight
from abacad.learn.learner import Learner
from abacad.learn.run_folder import RunFolder, read_oof
from abacad.model.detector import Detector
from abacad.run.predict import predict
from abacad.run.report import report
from abacad.run.submit import submit
from abacad.run.train import train

IMAGE = {
    "trainer.max_epochs": 3, "trainer.patience": 2, "trainer.progress": False, "trainer.precision": "32-true",
    "trainer.accelerator": "cpu", "trainer.loggers": (), "data.folds": 2, "data.workers": 0, "optim.batch_size": 8,
    "optim.lr": 1e-2, "optim.ema": 0.8, "model.name": "test_efficientnet", "model.pretrained": False, "model.drop": 0.2,
    "augment.mixup": 1.0,
}  # fmt: skip
"""Everything that draws random numbers: order, augmentation, mixup, dropout; and all that is kept: moments, average."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, epoch: int, batch: int) -> None:
    """Stop in that step of the first fold, once."""
    plain, done = Learner.training_step, []

    def step(self, samples, batch_index):
        if not done and (self.epoch, batch_index) == (epoch, batch):
            done.append(True)
            raise Killed
        return plain(self, samples, batch_index)

    monkeypatch.setattr(Learner, "training_step", step)


def scores(run: Path) -> np.ndarray:
    return pd.read_csv(run / "oof.csv", dtype={"id": str})["score"].to_numpy()


@pytest.fixture(scope="module", params=["never, 0", "always, 0", "never, 1"])
def never_killed(request, shared_competition, tmp_path_factory):
    """Options, and the folder of a run with them that went through."""
    pack, workers = request.param.split(", ")
    options = IMAGE | {"data.pack": pack, "data.workers": int(workers)}
    run = tmp_path_factory.mktemp("whole") / "run"
    train(shared_competition, run, **options)
    return options, run


@pytest.mark.parametrize(("epoch", "batch"), [(0, 1), (1, 0), (2, 1)])
def test_a_fold_goes_on_as_if_never_stopped(never_killed, shared_competition, tmp_path, monkeypatch, epoch, batch):
    options, whole = never_killed
    kill_at(monkeypatch, epoch, batch)
    with pytest.raises(Killed):
        train(shared_competition, tmp_path / "run", **options)
    np.random.seed(1)  # noqa: NPY002 — whatever another process's generators hold
    torch.manual_seed(1)
    train(shared_competition, tmp_path / "run", **options)
    assert scores(tmp_path / "run").tolist() == scores(whole).tolist()
    curves = [pd.read_csv(run / "fold0" / "metrics.csv").drop(columns="seconds") for run in (whole, tmp_path / "run")]
    pd.testing.assert_frame_equal(*curves, check_exact=True)


def test_epochs_differ(never_killed):
    """What the test above relies on: no epoch repeats another, so that one trained twice would be seen."""
    losses = pd.read_csv(never_killed[1] / "fold0" / "metrics.csv")["train_loss"]
    assert losses.nunique() == len(losses)


@pytest.fixture(scope="module")
def whole(shared_competition, tmp_path_factory) -> Path:
    """A run that went through."""
    return train(shared_competition, tmp_path_factory.mktemp("whole") / "run", **IMAGE | {"data.pack": "always"}).path


@pytest.mark.parametrize("name", ["last.ckpt", "best.safetensors", "metrics.csv", "oof.csv", "packed-train.npy"])
@pytest.mark.parametrize("after", [True, False])
def test_a_kill_at_any_file_leads_on_and_leaves_nothing(whole, shared_competition, tmp_path, monkeypatch, name, after):
    """Killed just before or after a file was renamed into its place, twice."""
    plain, left = os.replace, [2]

    def replace(source, target):
        hit = Path(target).name == name and left[0] > 0
        left[0] -= hit
        if not hit or after:
            plain(source, target)
        if hit:
            raise Killed

    monkeypatch.setattr(os, "replace", replace)
    for _ in range(4):
        try:
            train(shared_competition, tmp_path / "run", **IMAGE | {"data.pack": "always"})
            break
        except Killed:
            continue
    assert left[0] < 2
    assert scores(tmp_path / "run").tolist() == scores(whole).tolist()
    assert {path.name for path in (tmp_path / "run").glob("**/*")} <= {path.name for path in whole.glob("**/*")} | {
        path.name for path in (tmp_path / "run").glob("**/events*")
    }


def test_what_a_kill_left_of_a_finished_run_goes_at_the_next_start(whole, shared_competition):
    left = [whole / "packed-train.npy", whole / "fold1" / "last.ckpt", whole / "run.lock"]
    for path in left:
        path.write_bytes(b"left over")
    train(shared_competition, whole, **IMAGE | {"data.pack": "always"})
    assert not any(path.exists() for path in left)


def test_what_may_change_in_a_begun_run(shared_competition, tmp_path, monkeypatch):
    kill_at(monkeypatch, 1, 0)
    with pytest.raises(Killed):
        train(shared_competition, tmp_path / "run", **IMAGE)
    with pytest.raises(AbacadError, match=r"another recipe \(optim.lr: 0.01 → 0.02\)"):
        train(shared_competition, tmp_path / "run", **IMAGE | {"optim.lr": 0.02})
    other = {"optim.batch_size": 4, "trainer.max_epochs": 4, "trainer.patience": 4, "inference.batch_size": 7}
    run = train(shared_competition, tmp_path / "run", **IMAGE | other)
    assert list(pd.read_csv(run.fold(0) / "metrics.csv")["epoch"]) == [0, 1, 2, 3]
    assert run.recipe().optim.batch_size == 4
    assert "optim.batch_size: 8 → 4" in json.loads(run.record.read_text())["changes"]


class Bomb:
    """Opening it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_state_that_would_execute_something_is_refused_by_name(shared_competition, tmp_path, monkeypatch):
    kill_at(monkeypatch, 1, 0)
    with pytest.raises(Killed):
        train(shared_competition, tmp_path / "run", **IMAGE)
    last = RunFolder(tmp_path / "run").last(0)
    torch.save({"format": Bomb(tmp_path / "executed")}, last)
    with pytest.raises(AbacadError, match=r"last\.ckpt holds no state of a fold as plain data"):
        train(shared_competition, tmp_path / "run", **IMAGE)
    assert not (tmp_path / "executed").exists()


def test_a_training_that_diverges_stops_and_says_where(shared_competition, tmp_path, monkeypatch):
    plain = Learner.training_step

    def poisoned(self, batch, batch_index):
        if self.epoch == 1:
            batch = batch._replace(planes=batch.planes * float("nan"))
        return plain(self, batch, batch_index)

    monkeypatch.setattr(Learner, "training_step", poisoned)
    with pytest.raises(AbacadError) as told:
        train(shared_competition, tmp_path / "run", **IMAGE | {"augment.mixup": 0.0})
    assert "diverged in epoch 2, step 1" in str(told.value)
    assert "learning rate was 0." in str(told.value)
    ids = set(pd.read_csv(shared_competition / "train_labels.csv", dtype={"id": str})["id"])
    assert sum(cadence_id in str(told.value) for cadence_id in ids) == 3


def test_validation_logits_that_are_no_numbers_are_no_auc_of_a_half(shared_competition, tmp_path, monkeypatch):
    plain = Detector.forward

    def broken(self, planes, **others):
        logits = plain(self, planes, **others)
        return logits if self.training else logits * float("nan")

    monkeypatch.setattr(Detector, "forward", broken)
    with pytest.raises(AbacadError, match="20 of 20 validation logits are no number"):
        train(shared_competition, tmp_path / "run", **IMAGE)


def test_the_first_fold_first_and_the_others_with_the_same_command(whole, shared_competition, tmp_path):
    data, run = str(shared_competition), tmp_path / "run"
    options = IMAGE | {"data.pack": "always"}
    train(data, run, **options | {"data.only": 0})
    assert not (run / "oof.csv").exists()
    assert not (run / "fold1").exists()
    record = json.loads((run / "run.json").read_text())
    assert record["folds_trained"] == [0]
    assert list(pd.read_csv(predict(run, data, progress=False))) == ["id", "fold0", "score"]
    assert len(pd.read_csv(submit(run, data, tmp_path / "s.csv", progress=False))) == 12
    assert "1 of 2 folds" in report(run).read_text()
    train(data, run, **options | {"data.only": (1,)})
    assert scores(run).tolist() == scores(whole).tolist()
    with pytest.raises(AbacadError, match=r"fold 2; the folds are 0 to 1"):
        train(data, run, **options | {"data.only": 2})


def test_the_gate_stops_when_asked_and_stays_shut(shared_competition, tmp_path):
    run = tmp_path / "run"
    for _ in range(2):
        with pytest.raises(AbacadError, match=r"Stopped after fold 0, as asked: its AUC 0\.\d+ \[.*below 0\.999"):
            train(shared_competition, run, **IMAGE | {"trainer.stop_below": 0.999})
        assert not (run / "fold1").exists()
    assert len(read_oof(RunFolder(run))) == 20
    train(shared_competition, run, **IMAGE)
    assert len(scores(run)) == 40


def test_a_finished_run_without_one_of_its_folds_is_refused(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "fold1")
    with pytest.raises(AbacadError, match=r"finished with 2 folds, of which 1 are there"):
        report(tmp_path / "run")


def test_scores_of_all_folds_are_as_good_as_those_together(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / "oof.csv").unlink()
    both = [read_oof(RunFolder(run)).sort_values("id", ignore_index=True) for run in (whole, tmp_path / "run")]
    pd.testing.assert_frame_equal(*both)


def tree(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_predict_submit_and_report_only_read_a_read_only_run(whole, shared_competition, tmp_path, monkeypatch):
    before, access = tree(whole), os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != whole and access(path, mode))
    with pytest.raises(AbacadError, match=r"is read-only\.\nName the file to write: --out FILE"):
        predict(whole, shared_competition, progress=False)
    written = predict(whole, shared_competition, tmp_path / "t.csv", progress=False)
    submit(whole, shared_competition, tmp_path / "s.csv", progress=False)
    report(whole, tmp_path / "r.html")
    assert tree(whole) == before
    scored = pd.read_csv(written)["score"]
    np.testing.assert_allclose(pd.read_csv(tmp_path / "s.csv")["target"], scored)


def test_weights_have_the_mode_that_the_umask_leaves(whole):
    weights = RunFolder(whole).weights(0)
    assert weights.stat().st_mode == (whole / "oof.csv").stat().st_mode


def test_files_that_a_recipe_names_stand_there_with_whole_paths(whole, shared_competition, tmp_path, monkeypatch):
    monkeypatch.chdir(whole.parent)
    options = IMAGE | {"data.only": 0, "trainer.max_epochs": 1, "model.weights": whole.name}
    run = train(shared_competition, tmp_path / "run", **options)
    assert run.recipe().model.weights == str(whole)
    monkeypatch.chdir(tmp_path)
    train(shared_competition, run.path, run.recipe(), **{"data.only": 1})


def test_the_data_folder_is_found_from_elsewhere(shared_competition, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(shared_competition.parent)
    run = train(shared_competition.name, tmp_path / "run", **IMAGE | {"data.only": 0, "trainer.max_epochs": 1})
    monkeypatch.chdir(tmp_path)
    report(run.path)
    assert "No picture" not in caplog.text
    assert json.loads(run.record.read_text())["data"]["folder"] == str(shared_competition)


def test_too_little_memory_is_told_with_what_to_lower(shared_competition, tmp_path, monkeypatch):
    def step(self, batch, batch_index):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Learner, "training_step", step)
    with pytest.raises(AbacadError, match=r"batches of 8 .*\n.*--optim.batch_size 4 --trainer.accumulate 2"):
        train(shared_competition, tmp_path / "run", **IMAGE)


def test_accumulated_batches_make_one_step(shared_competition, tmp_path, monkeypatch):
    """20 cadences in batches of 4: five batches, by twos three steps of the optimiser, and the rate falls in three."""
    rates, plain = [], torch.optim.AdamW.step

    def step(self, *given, **more):
        rates.append(self.param_groups[0]["lr"])
        return plain(self, *given, **more)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    options = {"optim.batch_size": 4, "trainer.accumulate": 2, "trainer.max_epochs": 1, "optim.ema": 0.0}
    train(shared_competition, tmp_path / "run", **IMAGE | options | {"data.only": 0})
    assert len(rates) == 3
    assert rates[-1] < 0.7 * rates[0]


def test_what_a_positive_weighs_is_negatives_over_positives_counted_among_the_labels():
    assert pos_weight(3, 1) == 3.0
    assert even_pos_weight(np.array([0.0, 1.0, 0.0, 0.0]), Recipe()) == 3

"""No fold starts from weights, or learns from pseudo labels, that know what it holds back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.errors import AbacadError
from abacad.metric import auc
from abacad.run.predict import predict
from abacad.run.train import train
from tests.conftest import SHAPE

QUICK = {
    "trainer.max_epochs": 4, "trainer.patience": 4, "trainer.progress": False, "trainer.precision": "32-true",
    "trainer.accelerator": "cpu", "trainer.loggers": (), "data.folds": 4, "data.workers": 0, "optim.batch_size": 16,
    "optim.lr": 1e-2, "model.name": "panel", "model.pretrained": False, "model.width": 4, "represent.kind": "binned",
    "data.pack": "always", "augment.horizontal_flip": 0.0, "augment.vertical_flip": 0.0, "augment.shift": 0.0,
}  # fmt: skip
N = 120


@pytest.fixture(scope="module")
def noise(tmp_path_factory) -> Path:
    """Pure noise with labels by chance; each test cadence is the copy of a training one, which gives labels away."""
    root, rng = tmp_path_factory.mktemp("noise") / "data", np.random.default_rng(5)
    ids = {split: [f"{rng.integers(1 << 60):015x}" for _ in range(N)] for split in ("train", "test")}
    for train_id, test_id in zip(ids["train"], ids["test"], strict=True):
        cadence = rng.normal(size=SHAPE).astype(np.float16)
        for split, name in (("train", train_id), ("test", test_id)):
            path = root / split / name[0] / f"{name}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, cadence)
    labels = pd.DataFrame({"id": ids["train"], "target": rng.permutation(np.arange(N) % 2)})
    labels.to_csv(root / "train_labels.csv", index=False)
    pd.DataFrame({"id": ids["test"], "target": 0.5}).to_csv(root / "sample_submission.csv", index=False)
    return root


@pytest.fixture(scope="module")
def first_run(noise, tmp_path_factory) -> Path:
    run = train(noise, tmp_path_factory.mktemp("runs") / "first", **QUICK).path
    predict(run, noise, progress=False)
    return run


def mean_auc(run: Path) -> float:
    folds = pd.read_csv(run / "oof.csv").groupby("fold")
    return float(np.mean([auc(fold["target"].to_numpy(), fold["score"].to_numpy()) for _, fold in folds]))


def test_a_run_is_the_start_of_another_fold_by_fold_without_a_leak(noise, first_run, tmp_path):
    """On noise the mean stays near ½ (best of four epochs: a little above); from fold 0's file it reached 0.8."""
    run = train(noise, tmp_path / "run", **QUICK | {"model.weights": str(first_run)}).path
    assert mean_auc(first_run) < 0.68
    assert mean_auc(run) < mean_auc(first_run) + 0.1


def test_pseudo_labels_of_each_fold_come_from_its_own_detector(noise, first_run, tmp_path):
    """Test cadences that are copies of held-back ones bring the mean's knowledge of their labels: 0.82 on noise."""
    run = train(noise, tmp_path / "run", **QUICK | {"data.pseudo": str(first_run / "test.csv")}).path
    assert mean_auc(run) < mean_auc(first_run) + 0.1


def test_other_folds_are_no_start(noise, first_run, tmp_path):
    with pytest.raises(AbacadError, match=r"held back other folds"):
        train(noise, tmp_path / "run", **QUICK | {"model.weights": str(first_run), "seed": 1})
    with pytest.raises(AbacadError, match=r"held back other folds"):
        train(noise, tmp_path / "r2", **QUICK | {"data.pseudo": str(first_run / "test.csv"), "seed": 1})


def test_the_file_of_one_fold_is_no_start_of_all(noise, first_run, tmp_path):
    file = first_run / "fold0" / "best.safetensors"
    with pytest.raises(AbacadError, match=r"labels that other folds are judged by"):
        train(noise, tmp_path / "run", **QUICK | {"model.weights": str(file)})


def test_pseudo_labels_without_a_column_a_fold_are_refused(noise, first_run, tmp_path):
    table = pd.read_csv(first_run / "test.csv", dtype={"id": str})
    table[["id", "score"]].to_csv(tmp_path / "mean.csv", index=False)
    with pytest.raises(AbacadError, match="fold0"):
        train(noise, tmp_path / "run", **QUICK | {"data.pseudo": str(tmp_path / "mean.csv")})
    table.to_csv(tmp_path / "elsewhere.csv", index=False)
    with pytest.raises(AbacadError, match=r"has no folds\.csv"):
        train(noise, tmp_path / "run", **QUICK | {"data.pseudo": str(tmp_path / "elsewhere.csv")})

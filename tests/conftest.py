"""Small competitions in the real format, whose bright needles a small network learns in seconds."""

import importlib
import logging
import os
import pkgutil
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors gain nothing from threads that wait for each other
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the refusal is tested, not the patience

from jaxtyping import install_import_hook

install_import_hook("abacad", "tests.checked")  # every test is a check of shapes and types as well

import abacad  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    # All at once, before any thread runs: the hook parses sources, and Python 3.11 cannot do that in two threads.
    for module in pkgutil.walk_packages(abacad.__path__, "abacad."):
        importlib.import_module(module.name)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402

from abacad.cli import main  # noqa: E402

# one browser for all tests of a process: a second Playwright cannot start while the first one runs
from tests.show.pages import browser  # noqa: E402, F401

SHAPE = (6, 28, 64)


def write_competition(root: Path, n_train: int = 40, n_test: int = 12, seed: int = 0, shape=SHAPE) -> Path:
    """A competition folder with every third cadence positive: a bright channel in the ON panels alone."""
    rng = np.random.default_rng(seed)
    for split, n_cadences in (("train", n_train), ("test", n_test)):
        ids = [f"{rng.integers(1 << 60):015x}" for _ in range(n_cadences)]
        targets = [int(place % 3 == 0) for place in range(n_cadences)]
        for cadence_id, target in zip(ids, targets, strict=True):
            cadence = rng.normal(size=shape)
            channel = rng.integers(4, shape[2] - 4)
            cadence[
                (slice(None), slice(None), channel) if not target else (slice(0, None, 2), slice(None), channel)
            ] += 6
            path = root / split / cadence_id[0] / f"{cadence_id}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, cadence.astype(np.float16))
        table = pd.DataFrame({"id": ids, "target": targets})
        if split == "train":
            table.to_csv(root / "train_labels.csv", index=False)
        else:
            table.to_csv(root / "hidden.csv", index=False)
            table.assign(target=0.5).to_csv(root / "sample_submission.csv", index=False)
    (root / "old_leaky_data").mkdir()
    (root / "old_leaky_data" / "train_labels_old.csv").write_text("id,target\n0,1\n")
    return root


@pytest.fixture
def competition(tmp_path: Path) -> Path:
    """A competition folder that the test may spoil."""
    return write_competition(tmp_path / "data")


@pytest.fixture(scope="session")
def shared_competition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A competition folder that no test may change."""
    return write_competition(tmp_path_factory.mktemp("shared") / "data")


QUICK = (
    "--recipe", "compact", "--trainer.max_epochs", "2", "--data.folds", "2", "--trainer.progress", "false",
    "--data.workers", "0", "--trainer.precision", "32-true", "--optim.batch_size", "8", "--model.width", "4",
    "--optim.ema", "0", "--model.pretrained", "false",
)  # fmt: skip
"""Options under which a small competition trains in seconds."""


@pytest.fixture(scope="session")
def trained_run(shared_competition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on `shared_competition`; tests may add files to it."""
    run = tmp_path_factory.mktemp("runs") / "compact"
    assert main(["train", str(shared_competition), "--run", str(run), *QUICK]) == 0
    return run


@pytest.fixture(autouse=True)
def _untouched_logging():
    """The command line sets up logging; each test starts without."""
    yield
    logger = logging.getLogger("abacad")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)

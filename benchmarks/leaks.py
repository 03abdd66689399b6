"""Two ways in which labels could leak into what a fold is judged by, on pure noise, where the honest AUC is 0.5.

    OMP_NUM_THREADS=1 python benchmarks/leaks.py WORK

A run that starts from another run's weights, and one with that run's scores as pseudo labels of a test set half of
which are copies of training cadences. The third, every fold from the detector of one fold, has to be refused.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import abacad
from abacad.errors import AbacadError
from abacad.files import read_json

N_TRAIN, N_TEST = 400, 200
SMALL = {
    "model.width": 8,
    "model.pretrained": False,
    "represent.rows": 4,
    "trainer.max_epochs": 12,
    "trainer.patience": 12,
    "trainer.progress": False,
    "trainer.loggers": [],
    "optim.lr": 5e-3,
}


def write_noise(root: Path) -> None:
    """A competition folder of noise with random labels; the first half of the test set is copied from training."""
    rng = np.random.default_rng(0)
    train = rng.normal(size=(N_TRAIN, 6, 28, 64)).astype(np.float16)
    test = rng.normal(size=(N_TEST, 6, 28, 64)).astype(np.float16)
    test[: N_TEST // 2] = train[: N_TEST // 2]
    ids = {split: [f"{k % 16:x}{k:06x}{split[1]}" for k in range(n)] for split, n in (("train", 400), ("test", 200))}
    for split, cadences in (("train", train), ("test", test)):
        for name, cadence in zip(ids[split], cadences, strict=True):
            (root / split / name[0]).mkdir(parents=True, exist_ok=True)
            np.save(root / split / name[0] / f"{name}.npy", cadence)
    labels = rng.integers(0, 2, N_TRAIN)
    pd.DataFrame({"id": ids["train"], "target": labels}).to_csv(root / "train_labels.csv", index=False)
    pd.DataFrame({"id": ids["test"], "target": 0.5}).to_csv(root / "sample_submission.csv", index=False)


def oof(run: Path, root: Path, **changes: object) -> str:
    """AUC of all held-back cadences of a run, or why it was refused."""
    try:
        abacad.train(root, run, recipe="compact", **SMALL | changes)
    except AbacadError as error:
        return f"refused: {str(error).splitlines()[0]}"
    value, low, high = read_json(run / "run.json")["auc_oof"]
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Print the AUC of each run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("work", type=Path, help="a folder for the noise and the runs")
    work = options.parse_args().work
    root, first = work / "noise", work / "first"
    write_noise(root)
    print("random weights:", oof(first, root))
    print("each fold from its own of that run:", oof(work / "second", root, **{"model.weights": str(first)}))
    one = first / "fold0" / "best.safetensors"
    print("each fold from fold 0:", oof(work / "third", root, **{"model.weights": str(one)}))
    scores = abacad.predict(first, root, progress=False)
    print("pseudo labels of that run:", oof(work / "fourth", root, **{"data.pseudo": str(scores)}))


if __name__ == "__main__":
    main()

"""Memory of a training over 2,000 steps: a line through what each epoch leaves, in bytes a step.

    python benchmarks/memory.py [--steps 2000]

A small model on 64 cadences of (6, 28, 64), one cadence a step, so that 2,000 steps take a minute; what leaks with a
step, an epoch, a checkpoint or a row of metrics.csv shows all the same. The first quarter is left out: caches fill.
"""

import argparse
import gc
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import abacad
from abacad.learn.callbacks import EpochLog

PAGE = os.sysconf("SC_PAGESIZE")


def resident_mb() -> float:
    """What this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def cadences(root: Path, n: int) -> None:
    """A competition folder of noise; every third cadence has a bright channel in its ON panels."""
    rng = np.random.default_rng(0)
    table = ["id,target"]
    for number in range(n):
        name, cadence = f"{number:015x}", rng.normal(size=(6, 28, 64)).astype(np.float16)
        cadence[::2, :, 20] += 6 * (number % 3 == 0)
        path = root / "train" / name[0] / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, cadence)
        table.append(f"{name},{int(number % 3 == 0)}")
    (root / "train_labels.csv").write_text("\n".join(table) + "\n")


def followed(epochs: int, root: Path, run: Path) -> list[float]:
    """MB after each epoch of fold 0."""
    seen: list[float] = []
    written = EpochLog.on_train_epoch_end

    def noted(self: EpochLog, trainer: object, module: object) -> None:
        written(self, trainer, module)  # type: ignore[arg-type]
        gc.collect()
        seen.append(resident_mb())

    EpochLog.on_train_epoch_end = noted  # type: ignore[method-assign,assignment]
    options = {
        "trainer.max_epochs": epochs, "trainer.patience": epochs, "trainer.progress": False, "trainer.loggers": [],
        "trainer.precision": "32-true", "data.folds": 2, "data.only": 0, "data.workers": 0, "optim.batch_size": 1,
        "model.width": 4, "model.pretrained": False,
    }  # fmt: skip
    abacad.train(root, run, "compact", **options)
    return seen


def main() -> None:
    """Train and tell the slope."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        cadences(root, 64)
        per_epoch = 32
        seen = np.array(followed(-(-steps // per_epoch), root, Path(folder) / "run"))
    step = per_epoch * np.arange(1, len(seen) + 1)
    late = step > step[-1] / 4
    slope, _ = np.polyfit(step[late], seen[late], 1)
    print(f"{step[-1]} steps: {seen[0]:.1f} MB after the first epoch, {seen[late][0]:.1f} MB at step {step[late][0]},")
    print(f"{seen[-1]:.1f} MB at the end; slope {slope * 1e6:.0f} bytes a step, {slope * 1000:.2f} MB in 1,000 steps")


if __name__ == "__main__":
    main()

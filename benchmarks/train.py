"""How fast recipes train and score, and what reading and representing a cadence costs beside them.

    python benchmarks/train.py [--recipes compact baseline] [--threads 1] [--cadences 64]

Every figure is the best of three passes over the same cadences in the same process; the last column is the time beside
that of a training step on tensors already in memory, the limit that reading should not lift.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from abacad.config import Recipe
from abacad.data.competition import cadence_path, read_cadence
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Cadences, Samples
from abacad.learn.packed import pack
from abacad.model.detector import build_detector
from abacad.model.score import score
from abacad.recipes import read_recipe
from abacad.represent.representation import represent


def best_ms(work: Callable[[], object], n_cadences: int) -> float:
    """Milliseconds a cadence, the best of three passes."""
    passes = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        passes.append(time.perf_counter() - started)
    return min(passes) / n_cadences * 1e3


def measure(recipe: Recipe, folder: Path, ids: list[str]) -> dict[str, float]:
    """Milliseconds a cadence of each stage."""
    n = len(ids)
    raw = [torch.from_numpy(read_cadence(cadence_path(folder, "train", name))) for name in ids]
    source = Cadences(folder, "train", ids, recipe.represent)
    packed = pack(source, n, folder / f"{recipe.represent.kind}.npy")
    samples = Samples(packed, range(n), np.zeros(n), Augmentation(recipe.augment, recipe.represent.kind))
    channels = torch.stack([packed[place] for place in range(n)])
    detector = build_detector(recipe.model, recipe.represent)
    optimizer = torch.optim.AdamW(detector.parameters())
    size = min(recipe.optim.batch_size, n)

    def train() -> None:
        for batch in channels.split(size):
            detector(batch).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    def infer() -> None:
        for batch in channels.split(size):
            score([detector.eval()], batch, ["identity"], recipe.represent.kind)

    return {
        "read the file": best_ms(lambda: [read_cadence(source.paths[place]) for place in range(n)], n),
        "represent": best_ms(lambda: [represent(one, recipe.represent) for one in raw], n),
        "packed and augmented": best_ms(lambda: [samples[place] for place in range(n)], n),
        "training step, resident": best_ms(train, n),
        "score, one view": best_ms(infer, n),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--recipes", nargs="+", default=["compact", "baseline"])
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--cadences", type=int, default=64)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = [f"{place:015x}" for place in range(chosen.cadences)]
        for cadence_id in ids:
            path = cadence_path(folder, "train", cadence_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, rng.standard_normal((6, 273, 256)).astype(np.float16))
        table = Table(title=f"ms a cadence, {chosen.threads} thread(s), torch {torch.__version__}")
        for column in ("recipe", "stage", "ms", "cadences a second", "of a training step"):
            table.add_column(column)
        for recipe in chosen.recipes:
            found = measure(read_recipe(recipe, ["--model.pretrained", "false"]), folder, ids)
            step = found["training step, resident"]
            for stage, ms in found.items():
                table.add_row(recipe, stage, f"{ms:.2f}", f"{1e3 / ms:.0f}", f"{ms / step:.0%}")
        Console(width=100).print(table)


if __name__ == "__main__":
    main()

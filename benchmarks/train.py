"""How fast recipes train and score, and what reading and representing a cadence costs beside them.

    python benchmarks/train.py [--recipes compact baseline] [--threads 1] [--cadences 64]

Every figure is processor time, the best of three passes over the same cadences in the same process; the last column is
the time beside that of a training step on tensors already in memory, the limit that reading should not lift. The panel
network's step is measured once more from lines that were kept, then with frozen norms, too, and then in 16 bits.
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
from abacad.learn.kept_lines import LinesOf, lines_if_wanted
from abacad.learn.learner import freeze_norms
from abacad.learn.packed import pack
from abacad.model.detector import build_detector
from abacad.model.evidence import from_bytes
from abacad.model.score import score
from abacad.recipes import read_recipe
from abacad.represent.representation import represent, representation
from abacad.signal.cadence import Axes

STEP = "training step, resident"
ON_CPU = ["--model.pretrained", "false", "--trainer.accelerator", "cpu", "--data.workers", "0"]


def best_ms(work: Callable[[], object], n_cadences: int) -> float:
    """Milliseconds a cadence, the best of three passes."""
    passes = []
    for _ in range(3):
        started = time.process_time()
        work()
        passes.append(time.process_time() - started)
    return min(passes) / n_cadences * 1e3


def measure(recipe: Recipe, folder: Path, ids: list[str]) -> dict[str, float]:
    """Milliseconds a cadence of each stage."""
    n = len(ids)
    raw = [torch.from_numpy(read_cadence(cadence_path(folder, "train", name))) for name in ids]
    source, seen = Cadences(folder, "train", ids, recipe.represent), representation(recipe.represent)
    packed = pack(source, n, folder / f"{recipe.represent.kind}.npy")
    kept = lines_if_wanted(packed, folder / "lines.npy", recipe, Axes())
    samples = Samples(packed, range(n), np.zeros(n), Augmentation(recipe.augment, seen), lines=kept)
    planes = torch.stack([packed[place] for place in range(n)])
    lines = None if kept is None else torch.stack([kept[place] for place in range(n)])
    detector = build_detector(recipe.model, recipe.represent)
    optimizer = torch.optim.AdamW(detector.parameters())
    batches = torch.arange(n).split(min(recipe.optim.batch_size, n))

    def train(lines: torch.Tensor | None = None, frozen: bool = False, half: bool = False) -> None:
        detector.train()
        if frozen:
            freeze_norms(detector)
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                logits = detector(planes[batch], evidence=None if lines is None else from_bytes(lines[batch]))
            logits.float().sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    def infer() -> None:
        for batch in batches:
            score([detector.eval()], planes[batch], ["identity"], seen)

    stages: dict[str, Callable[[], object]] = {
        "read the file": lambda: [read_cadence(source.paths[place]) for place in range(n)],
        "represent": lambda: [represent(one, recipe.represent) for one in raw],
        "packed and augmented": lambda: [samples[place] for place in range(n)],
        STEP: train,
    }
    if lines is not None and (kept_of := detector.lines_of()) is not None:
        some = LinesOf(packed, kept_of)
        stages |= {
            "lines, once": lambda: [some.__getitems__(few.tolist()) for few in torch.arange(n).split(16)],
            "training step, lines kept": lambda: train(lines),
            "… and norms frozen": lambda: train(lines, frozen=True),
            "… and in 16 bits": lambda: train(lines, frozen=True, half=True),
        }
    return {stage: best_ms(work, n) for stage, work in (stages | {"score, one view": infer}).items()}


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
            found = measure(read_recipe(recipe, ON_CPU), folder, ids)
            step = found[STEP]
            for stage, ms in found.items():
                table.add_row(recipe, stage, f"{ms:.2f}", f"{1e3 / ms:.0f}", f"{ms / step:.0%}")
        Console(width=100).print(table)


if __name__ == "__main__":
    main()

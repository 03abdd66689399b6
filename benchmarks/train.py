"""How fast recipes train and score, and what reading and representing a cadence costs beside them.

    python benchmarks/train.py [--recipes compact baseline] [--threads 1] [--cadences 64]

Every figure is processor time, the best of three passes over the same cadences in the same process; the last column is
the time beside that of a training step on tensors already in memory, the limit that reading should not lift. The panel
network's step is measured once more from lines that were kept, then with frozen norms, too, and then in 16 bits.

Beside each stage of the network stands what memory alone would take: the bytes that its operations read and write, each
once, over the speed at which this core copies 256 MB in the same run. A stage below its limit keeps much in the caches.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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
_IN_TORCH = 3  # stages before the first that is torch's alone: the step
ON_CPU = ["--model.pretrained", "false", "--trainer.accelerator", "cpu", "--data.workers", "0"]


class Traffic(TorchDispatchMode):
    """Adds up the bytes of all tensors that operations read and write; views of a tensor move nothing."""

    moved = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        read, written = ([one for one in tree_leaves(some) if isinstance(one, torch.Tensor)] for some in (args, made))
        owners = {one.untyped_storage().data_ptr() for one in read}
        in_place = func.overloadpacket.__name__.endswith("_")
        if in_place or any(one.untyped_storage().data_ptr() not in owners for one in written):
            self.moved += sum(one.nbytes for one in (*read, *written))
        return made


def moved_bytes(work: Callable[[], object], n_cadences: int) -> float:
    """Bytes a cadence that `work` reads and writes."""
    work()  # matrices that are kept are made now
    with Traffic() as traffic:
        work()
    return traffic.moved / n_cadences


def copied_bytes_a_ms() -> float:
    """Bytes that a copy from memory to memory reads and writes in a millisecond."""
    there = torch.ones(1 << 25)
    back = torch.empty_like(there)
    return 2 * there.nbytes / best_ms(lambda: back.copy_(there), 1)


def best_ms(work: Callable[[], object], n_cadences: int) -> float:
    """Milliseconds a cadence, the best of three passes."""
    passes = []
    for _ in range(3):
        started = time.process_time()
        work()
        passes.append(time.process_time() - started)
    return min(passes) / n_cadences * 1e3


def measure(recipe: Recipe, folder: Path, ids: list[str]) -> dict[str, tuple[float, float | None]]:
    """Milliseconds a cadence of each stage, and those that memory alone would take, where torch does all of it."""
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
    speed = copied_bytes_a_ms()
    return {
        stage: (best_ms(work, n), moved_bytes(work, n) / speed if place >= _IN_TORCH else None)
        for place, (stage, work) in enumerate((stages | {"score, one view": infer}).items())
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
        for column in ("recipe", "stage", "ms", "cadences a second", "of a training step", "memory alone, ms"):
            table.add_column(column)
        for recipe in chosen.recipes:
            found = measure(read_recipe(recipe, ON_CPU), folder, ids)
            step = found[STEP][0]
            for stage, (ms, memory) in found.items():
                limit = "" if memory is None else f"{memory:.2f}"
                table.add_row(recipe, stage, f"{ms:.2f}", f"{1e3 / ms:.0f}", f"{ms / step:.0%}", limit)
        Console(width=120).print(table)


if __name__ == "__main__":
    main()

"""What a training step and a score cost with channels-last memory, a compiled network, and 16 bits, beside neither.

    OMP_NUM_THREADS=1 python benchmarks/quicker.py [--recipes lite0 compact] [--cadences 32] [--device cpu]

Ways take turns, five times each, in one process; the figure is the best turn. On a CPU it is processor time, so that
other work on the machine counts little; elsewhere the clock's. Compiling is not counted: the first step tells how long
it took.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from abacad.config import Recipe
from abacad.learn.speed import laid_out, make_quick
from abacad.model.detector import build_detector
from abacad.recipes import read_recipe
from abacad.represent.representation import represent

WAYS: dict[str, dict[str, Any]] = {
    "32 bits": {},
    "channels last": {"channels_last": True},
    "compiled": {"compile": True},
    "channels last, compiled": {"channels_last": True, "compile": True},
    "16 bits": {"precision": "bf16-mixed"},
    "16 bits, channels last": {"precision": "bf16-mixed", "channels_last": True},
}


def steps(recipe: Recipe, way: str, device: torch.device, n: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """A training step, and the scoring of the same cadences, in one of the ways."""
    chosen = replace(recipe, trainer=replace(recipe.trainer, **WAYS[way]))
    torch.manual_seed(0)
    detector = build_detector(replace(chosen.model, pretrained=False, weights=None), chosen.represent).to(device)
    make_quick(detector, chosen)
    planes = laid_out(represent(torch.randn(n, 6, 273, 256), chosen.represent), chosen).to(device)
    target = (torch.arange(n) % 2).float().to(device)
    optimiser = torch.optim.AdamW(detector.parameters())
    half = torch.autocast(device.type, torch.bfloat16) if "16" in way else nullcontext()

    def step() -> None:
        detector.train()
        optimiser.zero_grad()
        with half:
            loss = F.binary_cross_entropy_with_logits(detector(planes).float(), target)
        loss.backward()
        optimiser.step()

    def score() -> None:
        detector.eval()
        with torch.inference_mode(), half:
            detector(planes)

    return step, score


def seconds(work: Callable[[], None], device: torch.device) -> float:
    """Time that one call takes: of the processor on a CPU, of the clock elsewhere."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    started = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - started


def measured(recipe: Recipe, device: torch.device, n: int) -> dict[str, tuple[float, float, float]]:
    """Of each way: seconds of the first step, and the best milliseconds a cadence of a step and of a score."""
    works, told = {}, {}
    for way in WAYS:
        if recipe.model.name == "panel" and "channels last" in way:
            continue  # it has an order of its own
        works[way] = steps(recipe, way, device, n)
        first = seconds(works[way][0], device)
        seconds(works[way][1], device)
        told[way] = (first, float("inf"), float("inf"))
    for _ in range(5):
        for way, (step, score) in works.items():
            first, step_ms, score_ms = told[way]
            told[way] = (
                first,
                min(step_ms, seconds(step, device) / n * 1e3),
                min(score_ms, seconds(score, device) / n * 1e3),
            )
    return told


def main() -> None:
    """Print a table for each recipe."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--recipes", nargs="+", default=["lite0", "compact"])
    options.add_argument("--cadences", type=int, default=32)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    device = torch.device(chosen.device)
    torch.set_num_threads(1)
    for name in chosen.recipes:
        told = measured(read_recipe(name), device, chosen.cadences)
        table = Table(title=f"{name}, {chosen.cadences} cadences, {device}")
        for heading in ("way", "first step, s", "step, ms a cadence", "ratio", "score, ms a cadence", "ratio"):
            table.add_column(heading, justify="left" if heading == "way" else "right")
        _, base_step, base_score = told["32 bits"]
        for way, (first, step, score) in told.items():
            figures = (step, step / base_step, score, score / base_score)
            cells = (f"{first:.1f}", *(f"{figure:.2f}" for figure in figures))
            table.add_row(way, *cells)
        Console().print(table)


if __name__ == "__main__":
    main()

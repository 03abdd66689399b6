"""One change at a time: what each choice of a recipe is worth in AUC, on the same cadences and the same seed.

    python benchmarks/ablate.py WORK [--recipe pretrain] [--cadences 2000] [--folder DATA …] [--only NAME …]
    python benchmarks/ablate.py WORK --networks --preset easy --cadences 500 --tests 300

Trains the recipe, then each variant of `VARIANTS` (with --networks, each representation with timm networks at 96 × 96
pixels from random weights), on simulated cadences of a preset, and scores test sets that no variant trained on:
simulated ones by new seeds, and every competition folder DATA that has a truth.csv. WORK keeps the packed cadences, the
scores and results.csv: AUC with its interval, the difference to the recipe with its paired-bootstrap interval, and the
CPU seconds of the training. A variant that results.csv has already is left out.
"""

import argparse
import hashlib
import json
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import Dataset

from abacad.config import Recipe, Represent
from abacad.learn.dataset import Cadences, Represented
from abacad.learn.fold import Labelled, train_fold
from abacad.learn.packed import Packed, pack
from abacad.learn.run_folder import RunFolder
from abacad.learn.simulated import Mixture
from abacad.metric import auc_difference, auc_interval
from abacad.model.checkpoint import load_detector
from abacad.model.score import score
from abacad.recipes import read_recipe
from abacad.represent.representation import representation
from abacad.simulator.presets import PRESETS

VARIANTS: dict[str, list[str]] = {
    "the recipe": [],
    "seed 1": ["--seed", "1"],
    "seed 2": ["--seed", "2"],
    "seed 1, mixup, Beta(1, 1)": ["--seed", "1", "--augment.mixup", "1"],
    "seed 2, mixup, Beta(1, 1)": ["--seed", "2", "--augment.mixup", "1"],
    "hard negatives: decoys in one of three": ["--trained-on", "decoys"],
    "view shared alone": ["--represent.views", "[shared]"],
    "view clean alone": ["--represent.views", "[clean]"],
    "view track alone": ["--represent.views", "[track]"],
    "without view shared": ["--represent.views", "[clean,track]"],
    "without view clean": ["--represent.views", "[shared,track]"],
    "without view track": ["--represent.views", "[shared,clean]"],
    "3 rows a bin": ["--represent.rows", "3"],
    "13 rows a bin": ["--represent.rows", "13"],
    "width 4": ["--model.width", "4"],
    "width 16": ["--model.width", "16"],
    "no flips": ["--augment.horizontal_flip", "0", "--augment.vertical_flip", "0"],
    "small shifts": ["--augment.shift", "0.5"],
    "mixup, Beta(1, 1)": ["--augment.mixup", "1"],
    "mixup, Beta(5, 5)": ["--augment.mixup", "5"],
    "no average of the weights": ["--optim.ema", "0"],
    "no warm-up": ["--optim.warmup", "0"],
    "half the learning rate": ["--optim.lr", "2e-3"],
    "twice the learning rate": ["--optim.lr", "8e-3"],
    "one view at test time": ["--inference.tta", "[identity]"],
    "half the epochs": ["--trainer.max_epochs", "3"],
}
_SMALL = "--model.size 96 --trainer.max_epochs 3 --optim.lr 1e-3 --inference.tta [identity]"
NETWORKS: dict[str, list[str]] = {"the recipe": []} | {
    f"{name}, {kind}": f"--model.name {name} --represent.kind {kind} {_SMALL}".split()
    for name in ("efficientnet_b0", "convnext_tiny")
    for kind in ("difference", "on", "panels", "tall", "tall_on", "binned")
}
_SEEDS = {"train": 71, "test": 72}


def source_of(name: str, n: int, represent: Represent) -> tuple[Dataset, np.ndarray]:
    """Represented cadences and their targets: simulated ones by `purpose:preset`, or the test set of a folder."""
    purpose, _, preset = name.partition(":")
    if purpose in _SEEDS:
        kaggle = PRESETS["kaggle"]
        simulation = (PRESETS | {"decoys": replace(kaggle, rfi=replace(kaggle.rfi, decoys=0.33))})[preset]
        mixture = Mixture([replace(simulation, positives=0.3)], n, _SEEDS[purpose])
        return Represented(mixture, represent), mixture.targets()
    truth = pd.read_csv(Path(name) / "truth.csv", dtype={"id": str})
    if "split" in truth:
        truth = truth[truth["split"] == "test"]
    return Cadences(Path(name), "test", list(truth["id"]), represent), truth["target"].to_numpy()


def packed(work: Path, name: str, n: int, represent: Represent) -> tuple[Packed, np.ndarray]:
    """The same, packed once for each representation."""
    source, targets = source_of(name, n, represent)
    key = hashlib.sha256(json.dumps([name, n, asdict(represent)]).encode()).hexdigest()[:12]
    return pack(source, len(targets), work / "packed" / f"{key}.npy"), targets


def trained_scores(
    work: Path, recipe: Recipe, preset: str, n: int, tests: dict[str, int]
) -> tuple[dict[str, np.ndarray], float]:
    """Scores of each test set by the recipe trained on `n` cadences, and the CPU seconds of the training."""
    source, targets = packed(work, f"train:{preset}", n, recipe.represent)
    ids = np.array([f"{place:06d}" for place in range(n)])
    folds = np.where(np.arange(n) % 10 == 9, 0, 1)
    run = RunFolder(work / "run")
    shutil.rmtree(run.path, ignore_errors=True)
    started = time.process_time()
    train_fold(0, Labelled(source, ids, targets, folds, (6, 273, 256)), recipe, run)
    seconds = time.process_time() - started
    detector, seen = load_detector(run.weights(0))
    found = {}
    for name, n_test in tests.items():
        cadences, _ = packed(work, name, n_test, recipe.represent)
        batches = torch.utils.data.DataLoader(cadences, batch_size=64)
        found[name] = np.concatenate(
            [score([detector], batch, recipe.inference.tta, representation(seen))[:, 0].numpy() for batch in batches]
        )
    return found, seconds


def _short(test: str) -> str:
    """The preset, or the folder's name."""
    return Path(test).name.removeprefix("test:")


def rows_of(name: str, found: dict[str, np.ndarray], base: dict[str, np.ndarray], seconds: float, work: Path,
            tests: dict[str, int], represent: Represent) -> list[dict[str, object]]:  # fmt: skip
    """One row a test set."""
    rows = []
    for test, scores in found.items():
        _, targets = packed(work, test, tests[test], represent)
        alone, more = auc_interval(targets, scores), auc_difference(targets, scores, base[test])
        rows.append(
            {"variant": name, "test": _short(test), "auc": alone.value, "low": alone.low, "high": alone.high,
             "difference": more.value, "difference_low": more.low, "difference_high": more.high,
             "cpu_s": round(seconds)}
        )  # fmt: skip
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("work", type=Path)
    options.add_argument("--recipe", default="pretrain")
    options.add_argument("--cadences", type=int, default=2000)
    options.add_argument("--tests", type=int, default=1000, help="cadences of each simulated test set")
    options.add_argument("--folder", nargs="*", default=[])
    options.add_argument("--preset", default="kaggle", help="of the training and of the first test set")
    options.add_argument("--networks", action="store_true")
    options.add_argument("--only", nargs="*", default=None)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    results = chosen.work / "results.csv"
    variants = NETWORKS if chosen.networks else VARIANTS
    simulated = dict.fromkeys([f"test:{chosen.preset}", "test:demo"], chosen.tests)
    tests = simulated | dict.fromkeys(chosen.folder, 0)
    quick = ["--trainer.progress", "false", "--trainer.max_epochs", "6", "--optim.batch_size", "32"]
    quick += ["--optim.ema", "0.98", "--trainer.loggers", "[]"]
    for name in dict.fromkeys(["the recipe", *(chosen.only or variants)]):
        done = pd.read_csv(results) if results.is_file() else pd.DataFrame({"variant": []})
        if name in set(done["variant"]):
            continue
        words, trained_on = variants[name], chosen.preset
        if words[:1] == ["--trained-on"]:
            trained_on, words = words[1], words[2:]
        recipe = read_recipe(chosen.recipe, [*quick, *words])
        found, seconds = trained_scores(chosen.work, recipe, trained_on, chosen.cadences, tests)
        named: dict[str, Any] = {_short(test): scores for test, scores in found.items()}
        np.savez(chosen.work / f"{name}.npz", **named)
        with np.load(chosen.work / "the recipe.npz") as kept:
            base = {test: kept[_short(test)] for test in found}
        rows = rows_of(name, found, base, seconds, chosen.work, tests, recipe.represent)
        pd.concat([done, pd.DataFrame(rows)]).to_csv(results, index=False)
        print(pd.DataFrame(rows).round(3).to_string(index=False, header=name == "the recipe"), flush=True)


if __name__ == "__main__":
    main()

"""The ROC of a trained detector on the preset `kaggle` for several faint ends of its needles, and the published one.

    python benchmarks/calibrate.py [WEIGHTS] [--cadences 4000] [--brightest 3]

Needles are drawn down to 0.08 σ; leaving out the faintest gives the set with another faint end. WEIGHTS is a detector's
file; none takes the package's. ± is one standard error over bootstraps.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from abacad.metric import auc, roc_band
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED
from abacad.model.score import score
from abacad.represent.representation import represent, representation
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate

PUBLISHED = {0.005: 0.42, 0.1: 0.57, 0.2: 0.65, 0.4: 0.775, 0.6: 0.875, 0.8: 0.96}
"""True-positive rate of a plain network of AUC 0.800 on the competition's data, by false-positive rate (read off a
plot; the first point is at 0)."""
FAINT_ENDS = (0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.21, 0.25)
_DRAWN_FROM = min(FAINT_ENDS)


def scored(weights: Path, brightest: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, pixel SNR and scores of `n` new cadences, half of them with a needle."""
    kaggle = PRESETS["kaggle"]
    needles = replace(kaggle.needles, pixel_snr=(_DRAWN_FROM, brightest))
    simulation = replace(kaggle, needles=needles, positives=0.5)
    detector, seen = load_detector(weights)
    targets, snr, scores = [], [], []
    for start in track(range(0, n, 16), "Scoring", transient=True):
        batch = generate(simulation, np.arange(start, min(start + 16, n)), seed=4_000_037)
        channels = represent(batch.panels.float(), seen)
        targets.append(batch.targets.numpy())
        snr.append(batch.truth["pixel_snr"])
        scores.append(score([detector], channels, ["identity", "horizontal"], representation(seen))[:, 0].numpy())
    return np.concatenate(targets), np.concatenate(snr), np.concatenate(scores)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("weights", nargs="?", type=Path, default=SHIPPED)
    options.add_argument("--cadences", type=int, default=4000)
    options.add_argument("--brightest", type=float, default=PRESETS["kaggle"].needles.pixel_snr[1])
    chosen = options.parse_args()
    torch.set_num_threads(1)
    targets, snr, scores = scored(chosen.weights, chosen.brightest, chosen.cadences)
    rates = np.array(list(PUBLISHED))
    table = Table(title=f"True-positive rate, needles up to {chosen.brightest:g} σ")
    for name in ("faintest, σ", *(f"FPR {rate:g}" for rate in rates), "AUC"):
        table.add_column(name)
    table.add_row("published", *(f"{value:g}" for value in PUBLISHED.values()), "0.80")
    for faintest in FAINT_ENDS:
        kept = (targets == 0) | (snr >= faintest)
        rate, low, high = roc_band(targets[kept], scores[kept], rates)
        cells = [f"{value:.3f} ± {error:.3f}" for value, error in zip(rate, (high - low) / 3.92, strict=True)]
        table.add_row(f"{faintest:g}", *cells, f"{auc(targets[kept], scores[kept]):.3f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

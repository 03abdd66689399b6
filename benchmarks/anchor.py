"""How faint must the needles of `kaggle` be for a plain CNN to have its published AUC?

    OMP_NUM_THREADS=1 python benchmarks/anchor.py --cadences 800
    OMP_NUM_THREADS=1 python benchmarks/anchor.py --low 0.5 --bound 300

The preset's faint end was fitted so that the package's panel network had the AUC that plain CNNs are known for on the
competition's data. Here the plain CNN is the recipe's own, EfficientNet-Lite0 on three differences, from the start in
the package, and the faint end is moved until its AUC meets the published one. The panel network and the search without
learning score the same cadences, and so does the near-ideal observer where `--bound` asks for it.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from abacad.config import Model
from abacad.ideal.known import noise_of, of_training
from abacad.ideal.observer import Observer
from abacad.metric import auc_interval
from abacad.model.detector import build_detector
from abacad.model.judge import Judge, shipped
from abacad.model.unlearned import unlearned_score
from abacad.recipes import read_recipe
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate, numbers_for
from abacad.simulator.settings import Simulation

SEED = 0
"""Of numbers that no training draws."""


def judges(weights: str) -> dict[str, Judge]:
    """The recipe's CNN and the package's panel network, one view each."""
    recipe, cpu = read_recipe("lite0"), torch.device("cpu")
    model: Model = replace(recipe.model, weights=weights)
    cnn = Judge([build_detector(model, recipe.represent).eval()], recipe.represent, ("identity",), cpu)
    return {"lite0": cnn, "panel network": replace(Judge.of_files([shipped(273)], cpu), flips=("identity",))}


def scored(simulation: Simulation, n: int, weights: str, n_bound: int) -> dict[str, str]:
    """AUC of everybody on cadences of a preset, half of them with a needle."""
    found: dict[str, list[np.ndarray]] = {}
    who = judges(weights)
    for start in range(0, n, 50):
        numbers = numbers_for("validation", np.arange(start, min(start + 50, n)))
        batch = generate(simulation, numbers, SEED)
        panels = batch.panels.float()
        rows = {name: judge.scores(panels, simulation.axes) for name, judge in who.items()}
        rows |= {"no learning": unlearned_score(panels).numpy(), "target": batch.targets.numpy()}
        for name, values in rows.items():
            found.setdefault(name, []).append(values)
    columns = {name: np.concatenate(values) for name, values in found.items()}
    target = columns.pop("target")
    told = {name: str(auc_interval(target, values)) for name, values in columns.items()}
    if n_bound:
        told["bound"] = str(auc_interval(target[:n_bound], bound(simulation, n_bound)))
    return told


def bound(simulation: Simulation, n: int) -> np.ndarray:
    """Scores of the near-ideal observer for the first cadences."""
    observer, scores = Observer(simulation), np.empty(n)
    for index in range(n):
        number = numbers_for("validation", np.array([index]))
        known = of_training(simulation, number, SEED)[0]
        panels = generate(simulation, number, SEED).panels[0]
        scores[index] = observer.judge(noise_of(panels, known, simulation.normalise), known).score
    return scores


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--preset", default="kaggle")
    options.add_argument("--weights", default="in-domain", help="the CNN's")
    options.add_argument("--low", type=float, nargs="+", default=[0.16, 0.25, 0.4, 0.6])
    options.add_argument("--cadences", type=int, default=800)
    options.add_argument("--bound", type=int, default=0, help="cadences for the near-ideal observer, a second each")
    chosen = options.parse_args()
    preset = replace(PRESETS[chosen.preset], positives=0.5)
    table: Table | None = None
    for low in chosen.low:
        needles = replace(preset.needles, pixel_snr=(low, preset.needles.pixel_snr[1]))
        told = scored(replace(preset, needles=needles), chosen.cadences, chosen.weights, chosen.bound)
        table = table or Table("faintest pixel SNR", *told, title=f"{chosen.preset}, {chosen.cadences} cadences")
        table.add_row(f"{low:g}", *told.values())
        Console(width=140).print(table)


if __name__ == "__main__":
    main()

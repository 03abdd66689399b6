"""Low false-alarm rates of network and blind observer together, and the forest that reads the loudest cadences.

    python benchmarks/loudest.py --cadences 44800 --seed 8200 --out one.csv
    python benchmarks/loudest.py --cadences 44800 --seed 8300 --out two.csv
    python benchmarks/loudest.py --cadences 44800 --seed 8400 --out three.csv
    python benchmarks/loudest.py --of one.csv two.csv three.csv --forest second-opinion-loud.safetensors

The first three score simulated cadences of `kaggle`, 4 % with a needle of the test set's families, by the package's
network (30 ms each), and let the observer weigh the loudest 2 % of those without a needle, and needles of panel SNR 4.5
to 33 that are as loud (0.7 s each). The last prints the share of needles found at false-alarm rates, each table read
by a forest that grew on the others, and writes the forest that grows on all: with these arguments that of the package.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.progress import track
from second_opinion import grown, opinions_of, row_of, simulation_of

from abacad.ideal.blind_observer import blind_observer
from abacad.ideal.forest import Forest
from abacad.ideal.second_opinion import LOUD, numbers_of, together
from abacad.learn.run_folder import judge_of
from abacad.model.detector import SHIPPED
from abacad.parallel import side_by_side
from abacad.signal.cadence import Axes
from abacad.simulator.scene import generate

_BATCH, _SHARE, _POSITIVES = 16, 0.02, 0.04
_SNR = (4.5, 6.5, 10.0, 15.0, 33.0)
_RATES = (1e-2, 5e-3, 1e-3, 5e-4, 1e-4)
_LEAVES, _LEAST = 64, 5  # of a tree, and cadences of a leaf
_DRAWS = 300  # of the bootstrap


def weighed(n: int, seed: int) -> pd.DataFrame:
    """One row a cadence: target, the network's score, and what the observer says of the loudest."""
    simulation, judge = replace(simulation_of("kaggle"), positives=_POSITIVES), judge_of(SHIPPED, torch.device("cpu"))
    parts = []
    for first in track(range(0, n, _BATCH), "Scoring"):
        batch = generate(simulation, np.arange(first, min(first + _BATCH, n)), seed)
        parts.append(pd.DataFrame(batch.truth).assign(target=batch.targets.numpy(), network=judge.scores(batch.panels)))
    table = pd.concat(parts, ignore_index=True)
    negative = np.sort(table.loc[table["target"] == 0, "network"])[::-1]
    asked = (table["target"] == 0) | table["panel_snr"].between(_SNR[0], _SNR[-1])
    loud = table.index[(table["network"] > negative[int(_SHARE * len(negative))]) & asked]

    def one(number: int) -> dict[str, object]:
        panels = generate(simulation, np.array([number]), seed).panels[0]
        return row_of(blind_observer(Axes.usual(*panels.shape[1:])).opinion(panels))

    said = pd.DataFrame(list(track(side_by_side(one, loud), "Weighing", len(loud))), index=loud)
    return table.join(said)


def answers(table: pd.DataFrame, loud: Forest) -> np.ndarray:
    """Scores of all cadences, those that were weighed with the observer's opinion."""
    scores, rows = table["network"].to_numpy().copy(), table["off"].notna().to_numpy()
    scores[rows] = together(scores[rows], opinions_of(table[rows]), loud)
    return scores


def grown_on(tables: Sequence[pd.DataFrame]) -> Forest:
    """The forest of the cadences that were weighed."""
    known = pd.concat(tables, ignore_index=True)
    known = known[known["off"].notna()]
    numbers = numbers_of(known["network"].to_numpy(), opinions_of(known))
    return grown(numbers, known["target"].to_numpy(), _LEAVES, _LEAST, balanced=True)


def tell(table: pd.DataFrame) -> None:
    """Share of needles found at each rate, by panel SNR, and of lines by the panels that they stand in."""
    needle, lit = (table["target"] == 1).to_numpy(), table["panels_lit"].map(lambda names: len(str(names).split()))
    classes = {
        f"panel SNR {low:g}-{high:g}": needle & table["panel_snr"].between(low, high, "left").to_numpy()
        for low, high in pairwise(_SNR)
    }
    lines = needle & (table["family"] == "line").to_numpy() & table["panel_snr"].between(6.5, 10).to_numpy()
    classes |= {f"lines of 6.5-10 in {n} ON": lines & (lit == n).to_numpy() for n in (3, 2, 1)}
    rng = np.random.default_rng(0)
    drawn = [np.arange(len(table)), *(rng.integers(0, len(table), len(table)) for _ in range(_DRAWS))]
    for rate in _RATES:
        print(f"false-alarm rate {rate:g}")
        found: dict[tuple[str, str], list[float]] = {}
        for column in ("network", "answer"):
            values = table[column].to_numpy()
            for rows in drawn:
                noise = np.sort(values[rows][~needle[rows]])[::-1]
                least = noise[int(rate * len(noise))]
                for name, of in classes.items():
                    found.setdefault((column, name), []).append((values[rows][of[rows]] > least).mean())
        for name, of in classes.items():
            before, now = (np.array(found[column, name]) for column in ("network", "answer"))
            spread = np.nanquantile(now[1:], [0.025, 0.975]).round(2)
            gain = np.nanquantile((now - before)[1:], [0.025, 0.975]).round(3)
            change = f"{now[0] - before[0]:+.3f} {gain}"
            print(f"  {name:26s} {of.sum():4d}  {before[0]:.2f} -> {now[0]:.2f} {spread}  {change}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cadences", type=int, default=44800)
    parser.add_argument("--seed", type=int, default=8200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--of", type=Path, nargs="+", help="tables of --out")
    parser.add_argument("--forest", type=Path, default=LOUD, help="file to write the forest into")
    asked = parser.parse_args()
    if asked.of is None:
        weighed(asked.cadences, asked.seed).to_csv(asked.out, index=False)
        return
    tables = [pd.read_csv(path) for path in asked.of]
    grown_on(tables).write(asked.forest)
    for place, table in enumerate(tables):
        others = [*tables[:place], *tables[place + 1 :]]
        table["answer"] = answers(table, grown_on(others))
    tell(pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    main()

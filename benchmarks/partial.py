"""Lines that miss one or two ON panels: how many are found, by the share of the loudest that the observer weighs.

    python benchmarks/partial.py --cadences 24000 --needles 4000 --seed 8500 --out partial.csv
    python benchmarks/partial.py --of partial.csv

In sets as they are drawn such lines are rare: 70 of 134,400 cadences (`benchmarks/loudest.py`). Here the cadences of
`kaggle` without a needle are its own, and the needles are lines of panel SNR 6.5 to 10 in three, two and one ON panels.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.progress import track
from second_opinion import opinions_of, row_of, simulation_of

from abacad.ideal.blind_observer import blind_observer
from abacad.ideal.second_opinion import together
from abacad.learn.run_folder import judge_of
from abacad.model.detector import SHIPPED
from abacad.parallel import side_by_side
from abacad.signal.cadence import Axes
from abacad.simulator.scene import generate
from abacad.simulator.settings import Families, Simulation

_BATCH, _SNR = 16, (6.5, 10.0)
_SHARES = (0.02, 0.05, 0.1)
_RATES = (1e-2, 5e-3, 2e-3)
_DRAWS = 1000  # of the bootstrap


def sources(seed: int) -> dict[str, tuple[Simulation, int]]:
    """What is simulated, and the seed: cadences without a needle, whole lines, and lines in one or two ON panels."""
    kaggle = simulation_of("kaggle")
    lines = replace(
        kaggle, positives=1.0, needles=replace(kaggle.needles, test_families=None, families=Families.only(line=1.0))
    )
    whole, partial = (replace(lines, needles=replace(lines.needles, partial=share)) for share in (0.0, 1.0))
    return {"none": (replace(kaggle, positives=0.0), seed), "whole": (whole, seed + 1), "partial": (partial, seed + 2)}


def scored(n: int, n_needles: int, seed: int) -> pd.DataFrame:
    """One row a cadence: the network's score, its source and place there, and the ON panels that a line stands in."""
    judge, parts = judge_of(SHIPPED, torch.device("cpu")), []
    for name, (simulation, own) in sources(seed).items():
        some = n if name == "none" else n_needles
        for first in track(range(0, some, _BATCH), f"Scoring {name}"):
            places = np.arange(first, min(first + _BATCH, some))
            batch = generate(simulation, places, own)
            part = pd.DataFrame(batch.truth).assign(source=name, place=places, network=judge.scores(batch.panels))
            parts.append(part if name == "none" else part[part["panel_snr"].between(*_SNR)])
    return pd.concat(parts, ignore_index=True)


def weighed(table: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """What the observer says of the loudest share of the cadences without a needle, and of needles as loud."""
    none = np.sort(table.loc[table["source"] == "none", "network"])[::-1]
    loud = table.index[table["network"] > none[int(share * len(none))]]
    drawn = sources(seed)

    def one(row: int) -> dict[str, object]:
        simulation, own = drawn[str(table.loc[row, "source"])]
        panels = generate(simulation, np.array([table.loc[row, "place"]]), own).panels[0]
        return row_of(blind_observer(Axes.usual(*panels.shape[1:])).opinion(panels))

    said = pd.DataFrame(list(track(side_by_side(one, loud), "Weighing", len(loud))), index=loud)
    return table.join(said)


def tell(table: pd.DataFrame) -> None:
    """The share found at each rate, by the ON panels that a line stands in and by the share that is weighed."""
    none = (table["source"] == "none").to_numpy()
    lit = table["panels_lit"].map(lambda names: len(str(names).split())).to_numpy()
    network, asked = table["network"].to_numpy(), table["off"].notna().to_numpy()
    both = network.copy()
    both[asked] = together(network[asked], opinions_of(table[asked]))
    rng = np.random.default_rng(0)
    draws = [np.arange(len(table)), *(rng.integers(0, len(table), len(table)) for _ in range(_DRAWS))]
    loudest = np.sort(network[none])[::-1]
    for share in (0.0, *_SHARES):
        loud = network > (loudest[int(share * len(loudest))] if share else 1)
        scores = np.where(loud, both, network)
        print(f"weighed: the loudest {share:.0%}")
        for rate in _RATES:
            told = [_found(scores, none, lit, rate, n, draws) for n in (3, 2, 1)]
            print(f"  rate {rate:g}: three / two / one ON panels {' / '.join(told)}")


def _found(
    scores: np.ndarray, none: np.ndarray, lit: np.ndarray, rate: float, panels: int, draws: list[np.ndarray]
) -> str:
    def share(rows: np.ndarray) -> float:
        noise, needles = scores[rows[none[rows]]], scores[rows[~none[rows] & (lit[rows] == panels)]]
        return float((needles > np.sort(noise)[::-1][int(rate * len(noise))]).mean())

    values = [share(rows) for rows in draws]
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return f"{values[0]:.2f} [{low:.2f}, {high:.2f}] ({(~none & (lit == panels)).sum()})"


def main() -> None:
    """Score and weigh, or tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cadences", type=int, default=24000)
    parser.add_argument("--needles", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=8500)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--of", type=Path)
    given = parser.parse_args()
    if given.of is None:
        table = weighed(scored(given.cadences, given.needles, given.seed), max(_SHARES), given.seed)
        if given.out:
            table.to_csv(given.out, index=False)
    else:
        table = pd.read_csv(given.of)
    tell(table)


if __name__ == "__main__":
    main()

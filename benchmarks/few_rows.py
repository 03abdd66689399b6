"""What detectors make of panels of few rows: windows of telescope files, and stamps as the search cuts them.

    python benchmarks/few_rows.py [WEIGHTS …] [--cadences 3000] [--seed 61]

Half of the cadences hold a needle of the preset `telescope`, 0.5 to 20 σ a pixel before smearing: windows with drifts
up to 0.3 Hz/s and up to 4 Hz/s, and stamps with drifts up to 4 Hz/s, in whose bins needles are as bright as in the
channels of a window. Prints the AUC of each file of weights, of the package's where none is named, by drift and by
brightness, and of the last file less that of the first, with intervals of pairs.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import torch
from rich.progress import track

from abacad.learn.simulated import SimulatedCadences
from abacad.metric import auc_difference, auc_interval
from abacad.model.detector import SHIPPED_FEW_ROWS
from abacad.model.judge import Judge
from abacad.searcher.simulated_stamps import SimulatedStamps
from abacad.simulator.presets import preset_named

_TOGETHER = 32
_DRIFTS = (0, 0.05, 0.15, 0.35, 1, 4)
_SNRS = (0.5, 1, 2, 5, 20)


def sets(n: int, seed: int) -> dict[str, SimulatedCadences]:
    """The three sets of cadences, which no detector of the package has been trained on."""
    telescope = replace(preset_named("telescope"), positives=0.5)
    slow = replace(telescope, needles=replace(telescope.needles, drift_hz_s=(0.005, 0.3)))
    return {
        "windows, up to 0.3 Hz/s": SimulatedCadences(slow, n, seed, "validation"),
        "windows, up to 4 Hz/s": SimulatedCadences(telescope, n, seed, "validation"),
        "stamps, up to 4 Hz/s": SimulatedStamps(telescope, n, seed, "validation"),
    }


def scored(name: str, cadences: SimulatedCadences, judges: Sequence[Judge]) -> pd.DataFrame:
    """One row a cadence: its truth, and a column of scores for each judge."""
    parts = []
    for first in track(range(0, len(cadences), _TOGETHER), name, transient=True):
        batch = cadences.batch(range(first, min(first + _TOGETHER, len(cadences))))
        scores = {number: judge.scores(batch.panels.float()) for number, judge in enumerate(judges)}
        parts.append(pd.DataFrame(batch.truth | scores))
    table = pd.concat(parts, ignore_index=True)
    in_bins = isinstance(cadences, SimulatedStamps)
    return table.assign(snr=table["pixel_snr"] * (1 if in_bins else table["smear"]), drift=table["drift_hz_s"].abs())


def tell(name: str, table: pd.DataFrame, n: int) -> None:
    """The AUC of each judge, of all needles and of some against all cadences without one."""
    needle = table["target"] == 1
    target = table["target"].to_numpy()
    print(name)
    for judge in range(n):
        print(f"  {judge}: {auc_interval(target, table[judge].to_numpy())}")
        for column, edges in (("drift", _DRIFTS), ("snr", _SNRS)):
            for low, high in pairwise(edges):
                some = table[~needle | table[column].between(low, high, "left")]
                if some["target"].any():
                    value = auc_interval(some["target"].to_numpy(), some[judge].to_numpy())
                    print(f"     {column} {low:g}-{high:g} ({int(some['target'].sum())}): {value}")
    if n > 1:
        print(f"  difference: {auc_difference(target, table[n - 1].to_numpy(), table[0].to_numpy())}")


def main() -> None:
    """Score the sets by each file of weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="*", default=[SHIPPED_FEW_ROWS])
    parser.add_argument("--cadences", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=61)
    given = parser.parse_args()
    judges = [Judge.of_files([path], torch.device("cpu")) for path in given.weights]
    for name, cadences in sets(given.cadences, given.seed).items():
        tell(name, scored(name, cadences, judges), len(judges))


if __name__ == "__main__":
    main()

"""What the blind observer adds to the package's detector: AUC of either, of both together, and of the bound.

    python benchmarks/second_opinion.py [--preset kaggle] [--cadences 300] [--seed 7002] [--bound] [--out OUT.csv]
    python benchmarks/second_opinion.py --folder DATA [--cadences 240]
    python benchmarks/second_opinion.py --cadences 3000 --seed 7101 --fit
    python benchmarks/second_opinion.py --cadences 3000 --seed 7101 --forest second-opinion.safetensors

Simulated cadences, half of them with a needle of the preset's test families; or so many of the test cadences of a
competition folder that has a truth.csv, half with a needle as far as there are so many. --bound adds the observer that
knows gains and interference. --fit prints the weights that a logistic regression finds, and --forest grows the forest
of `abacad.ideal.second_opinion`; with the arguments above they are those of the package. A cadence takes about a second
of one core; OUT.csv keeps the scores, and --of OUT.csv begins with them instead of weighing anew.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.progress import track
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from abacad.data.competition import cadence_path, read_cadence
from abacad.ideal.blind_observer import blind_observer
from abacad.ideal.forest import Forest
from abacad.ideal.known import noise_of, of_training
from abacad.ideal.observer import Observer
from abacad.ideal.second_opinion import numbers_of, together
from abacad.ideal.verdict import Opinion
from abacad.learn.run_folder import judge_of
from abacad.metric import auc_difference, auc_interval
from abacad.model.detector import SHIPPED
from abacad.parallel import side_by_side
from abacad.signal.cadence import Axes
from abacad.simulator.presets import preset_named
from abacad.simulator.scene import generate
from abacad.simulator.settings import Simulation

_REGULARISED = 0.3  # inverse strength of the regression's penalty on the weights
_TREES, _LEAVES, _LEAST, _AT_ONCE = 100, 32, 10, 0.5  # of the forest: trees, leaves, cadences of a leaf, numbers to ask


def simulation_of(preset: str) -> Simulation:
    """The preset with half of its cadences positive, and the families of its test set."""
    named = preset_named(preset)
    families = named.needles.test_families or named.needles.families
    return replace(named, positives=0.5, needles=replace(named.needles, families=families))


def simulated(simulation: Simulation, n: int, seed: int) -> Iterator[tuple[str, int, torch.Tensor]]:
    """Name, target and panels of each cadence."""
    for number in range(n):
        batch = generate(simulation, np.array([number]), seed)
        yield str(number), int(batch.targets[0]), batch.panels[0]


def of_folder(folder: Path, n: int) -> Iterator[tuple[str, int, torch.Tensor]]:
    """The same of a competition folder's test set."""
    truth = pd.read_csv(folder / "truth.csv", dtype={"id": str})
    truth = truth[truth["split"] == "test"]
    positive = truth[truth["target"] == 1].head(n // 2)
    chosen = pd.concat([positive, truth[truth["target"] == 0].head(n - len(positive))])
    for name, target in zip(chosen["id"].tolist(), chosen["target"].tolist(), strict=True):
        yield name, int(target), torch.from_numpy(read_cadence(cadence_path(folder, "test", name)))


def scored(asked: argparse.Namespace) -> pd.DataFrame:
    """One row a cadence: target, score of the network, all that the opinion says, and the bound's score."""
    simulation = simulation_of(asked.preset)
    judge, knowing = judge_of(SHIPPED, torch.device("cpu")), Observer(simulation) if asked.bound else None

    def one(given: tuple[str, int, torch.Tensor]) -> dict[str, object]:
        name, target, panels = given
        opinion = blind_observer(Axes.usual(*panels.shape[1:])).opinion(panels)
        row = {"id": name, "target": target, "network": float(judge.scores(panels[None])[0]), **row_of(opinion)}
        if knowing is not None:
            known = of_training(simulation, np.array([int(name)]), asked.seed)[0]
            row["bound"] = knowing.judge(noise_of(panels, known), known).score
        return row

    cadences = (
        of_folder(asked.folder, asked.cadences) if asked.folder else simulated(simulation, asked.cadences, asked.seed)
    )
    return pd.DataFrame(list(track(side_by_side(one, cadences), "Weighing", asked.cadences)))


def row_of(opinion: Opinion) -> dict[str, object]:
    """All that an opinion says, by columns of a table."""
    needles = {f"needle {family}": ratio for family, ratio in opinion.needles.items()}
    walks = {f"walk {kind} {panel}": ratio for kind, six in opinion.walks.items() for panel, ratio in enumerate(six)}
    return {"off": opinion.off, "stands": opinion.stands, **needles, **walks}


def opinions_of(table: pd.DataFrame) -> list[Opinion]:
    """The opinions that `scored` wrote into a table."""
    families = [column.split()[1] for column in table.columns if column.startswith("needle ")]
    kinds = sorted({column.split()[1] for column in table.columns if column.startswith("walk ")})
    return [
        Opinion(
            {family: row[f"needle {family}"] for family in families},
            row["off"],
            row["stands"],
            {kind: [row[f"walk {kind} {panel}"] for panel in range(6)] for kind in kinds},
        )
        for row in table.to_dict("records")
    ]


def grown(
    numbers: np.ndarray, targets: np.ndarray, leaves: int = _LEAVES, least: int = _LEAST, balanced: bool = False
) -> Forest:
    """A random forest as arrays; balanced: as if there were as many cadences with a needle as without."""
    forest = RandomForestClassifier(
        _TREES, max_leaf_nodes=leaves, min_samples_leaf=least, max_features=_AT_ONCE, random_state=0,
        class_weight="balanced" if balanced else None,
    ).fit(numbers, targets)  # fmt: skip
    trees = [estimator.tree_ for estimator in forest.estimators_]
    shape = len(trees), max(tree.node_count for tree in trees)
    made = Forest(np.zeros(shape, np.int16), np.zeros(shape, np.float32), np.zeros((*shape, 2), np.int16),
                  np.zeros(shape, np.float32))  # fmt: skip
    for place, tree in enumerate(trees):
        n, leaf = tree.node_count, tree.children_left < 0
        itself = np.arange(n)
        made.number[place, :n] = np.where(leaf, 0, tree.feature)
        # a value of 32 bits is above the limit of 64 where it is above its rounding down
        least = tree.threshold.astype(np.float32)
        made.least[place, :n] = np.where(least > tree.threshold, np.nextafter(least, np.float32(-np.inf)), least)
        made.child[place, :n, 0] = np.where(leaf, itself, tree.children_left)
        made.child[place, :n, 1] = np.where(leaf, itself, tree.children_right)
        made.share[place, :n] = tree.value[:, 0, 1] / tree.value[:, 0].sum(-1)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="kaggle")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--cadences", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7002)
    parser.add_argument("--bound", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--forest", type=Path, help="file to write the forest into")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--of", type=Path, nargs="+", help="tables of --out")
    asked = parser.parse_args()
    table = pd.concat([pd.read_csv(path) for path in asked.of], ignore_index=True) if asked.of else scored(asked)
    opinions = opinions_of(table)
    if asked.forest:
        grown(numbers_of(table["network"].to_numpy(), opinions), table["target"].to_numpy()).write(asked.forest)
        return
    table["blind"] = [opinion.log_odds for opinion in opinions]
    table["together"] = together(table["network"].to_numpy(), opinions)
    if asked.out:
        table.to_csv(asked.out, index=False)
    target = table["target"].to_numpy()
    for name in ("network", "blind", "together", *(["bound"] if asked.bound else [])):
        against = auc_difference(target, table[name].to_numpy(), table["network"].to_numpy())
        print(f"{name:9s} {auc_interval(target, table[name].to_numpy())}   less the network {against}")
    if asked.fit:
        odds = np.log(table["network"] / (1 - table["network"]))
        parts = np.stack([opinion.parts() for opinion in opinions])
        for name, columns in (("together", np.column_stack([odds, parts])), ("blind", parts)):
            found = LogisticRegression(C=_REGULARISED).fit(columns, target)
            print(f"{name}: weights {found.coef_[0].round(2)}, bias {found.intercept_[0]:.2f}")


if __name__ == "__main__":
    main()

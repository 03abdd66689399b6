"""The recipe of three differences with an image network: which start and which representation is worth what.

    abacad simulate sets/demo --preset demo --train 1200 --test 400 --seed 0
    python benchmarks/recipe.py sets/demo runs/recipe

Rows are a start (random, ImageNet, in-domain), a representation and a seed. Each is a whole `abacad train` with the
recipe `lite0`, in a folder of its own below the second argument: a row that is finished is not trained again, and an
interrupted one goes on. `--only imagenet:difference` runs chosen rows, `--folds 1` the first fold alone. Test AUC are
given where the folder has a truth.csv; their intervals draw scenes where it names them.
"""

import argparse
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

import abacad
from abacad.files import read_json
from abacad.learn.gates import FIRST_FOLD_GATE, MEAN_GATE
from abacad.metric import Interval, auc_interval
from abacad.run.compare import Comparison

STARTS = ("random", "imagenet", "in-domain")
KINDS = ("difference", "on", "tall_on", "binned")


def rows_of(chosen: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Start, kind and seed of each row; the in-domain start was trained on one kind alone."""
    both = [
        (start, kind) for start in STARTS for kind in KINDS if start != "in-domain" or kind == chosen.in_domain_kind
    ]
    if chosen.only:
        both = [pair for pair in both if ":".join(pair) in chosen.only]
    return [(start, kind, seed) for start, kind in both for seed in range(chosen.seeds)]


def trained(chosen: argparse.Namespace, start: str, kind: str, seed: int) -> Path:
    """The run of a row."""
    changes = {"represent.kind": kind, "seed": seed, "model.pretrained": start == "imagenet", "trainer.progress": False}
    changes["model.weights"] = chosen.in_domain if start == "in-domain" else None
    if start != "in-domain":  # nothing of what they know is worth keeping as it is
        changes |= {"optim.lr": 1e-3, "optim.layer_decay": 1.0}
    if chosen.folds:
        changes["data.only"] = list(range(chosen.folds))
    if chosen.epochs:
        changes["trainer.max_epochs"] = chosen.epochs
    return abacad.train(chosen.data, chosen.out / f"{start}-{kind}-{seed}", "lite0", **changes).path


def test_auc(run: Path, data: Path) -> str:
    """AUC of the test set, where its labels are known."""
    truth_file = data / "truth.csv"
    if not truth_file.is_file():
        return "—"
    abacad.predict(run, data, progress=False)
    truth = pd.read_csv(truth_file, dtype={"id": str})
    table = pd.read_csv(run / "test.csv", dtype={"id": str}).merge(truth, on="id")
    groups = table["scene"].to_numpy() if "scene" in table else None
    return str(auc_interval(table["target"].to_numpy(), table["score"].to_numpy(), groups=groups))


def told(chosen: argparse.Namespace, start: str, kind: str, seed: int) -> list[str]:
    """The cells of a row."""
    run = trained(chosen, start, kind, seed)
    compared = abacad.compare(run)
    assert isinstance(compared, Comparison)
    (row,) = compared.runs.to_dict("records")
    first = read_json(run / "run.json")["auc_fold"][0]
    gates = f"{'yes' if first > FIRST_FOLD_GATE else 'no'} / {'yes' if row['mean'] >= MEAN_GATE else 'no'}"
    held_back = str(Interval(row["oof"], row["low"], row["high"]))
    cells = [start, kind, str(seed), f"{first:.3f}", f"{row['mean']:.3f}", gates, held_back]
    return [*cells, test_auc(run, chosen.data), f"{row['minutes']:.0f}"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path, help="a competition folder")
    options.add_argument("out", type=Path, help="a folder for the runs")
    options.add_argument("--in_domain", default="in-domain", help="weights for the third start, if not the package's")
    options.add_argument("--in_domain_kind", default="difference", help="what they were trained on")
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--epochs", type=int, help="another number than the recipe's")
    options.add_argument("--folds", type=int, help="train the first so many of the five; none: all")
    options.add_argument("--only", nargs="+", help="rows, as start:kind")
    chosen = options.parse_args()
    columns = ("start", "planes", "seed", "first fold", "mean", "gates", "held back", "test", "minutes")
    table = Table(*columns, title=f"lite0 on {chosen.data}")
    for start, kind, seed in rows_of(chosen):
        table.add_row(*told(chosen, start, kind, seed))
        Console(width=140).print(table)  # after each row, so that an interrupted benchmark has told what it has


if __name__ == "__main__":
    main()

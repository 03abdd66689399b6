"""What folds that share backgrounds do to a held-back score, against the score on scenes that nobody trained on.

    python benchmarks/folds.py run WORK [--coverage 5] [--seeds 1 2 3 4]       trains; WORK/results.csv grows by rows
    python benchmarks/folds.py unseen WORK [--coverage 5] [--seeds 1 2 3 4]    trains; WORK/unseen.csv grows by rows
    python benchmarks/folds.py table WORK                                      what came out, with intervals over seeds

For each seed: cadences of `mlebench`, half of them positive, in scenes of 1,024 channels; a test set from other scenes;
`abacad overlaps`; then the same cadences in folds at random and in grouped folds. The network is one that can learn by
heart: the panel encoder of width 16 without the lines, from random weights, no flips, no average of the weights, and
the weights after the last epoch are judged (the best epoch would be one that has learnt less by heart).

The cadences of one seed are easier than those of another, which hides the difference between held-back and test scores.
`unseen` therefore has each seed's cadences scored by detectors of the other seeds, trained on as many, which know none
of their scenes: what a held-back score of these very cadences ought to be.

Beside the AUC: how a held-back cadence without a needle scores by the label of the training cadence that it shares most
channels with (half of them, at least). A detector that knows the background again answers that label: the AUC of its
scores against it is then above 0.5. In grouped folds the same pairs are the control, as the partner is not trained on.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch

from abacad.config import Recipe
from abacad.data.competition import Split
from abacad.learn.dataset import Cadences, Samples, loader
from abacad.learn.fold import pos_weight
from abacad.learn.folds import make_folds, read_groups
from abacad.learn.learner import Learner
from abacad.learn.packed import Packed, pack
from abacad.metric import auc
from abacad.model.detector import build_detector
from abacad.model.score import score
from abacad.overlap.links import OVERLAPS, cut_large, read_overlaps
from abacad.recipes import read_recipe
from abacad.represent.representation import representation
from abacad.run.overlaps import overlaps
from abacad.run.simulate import simulate
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Scenes

N_FOLDS, N_CADENCES, JUDGED = 3, 600, (5, 10, 20)
RECIPE = [
    *("--represent.views", "[shared,track]", "--model.pretrained", "false", "--model.width", "16"),
    *("--augment.horizontal_flip", "0", "--augment.vertical_flip", "0", "--optim.ema", "0"),
    *("--optim.lr", "3e-3", "--optim.weight_decay", "1e-4", "--trainer.max_epochs", str(JUDGED[-1])),
    *("--inference.tta", "[identity]"),
]


def sky(folder: Path, coverage: float, seed: int) -> Path:
    """A folder whose test cadences come from other scenes, with its overlaps."""
    if not (folder / OVERLAPS).is_file():
        scenes = Scenes(n_freq=1024, coverage=coverage, overlap="split")
        preset = replace(PRESETS["mlebench"], positives=0.5, scenes=scenes)
        simulate(folder, preset, n_train=N_CADENCES, n_test=N_CADENCES, seed=seed, progress=False)
        overlaps(folder, progress=False)
    return folder


def packed(folder: Path, split: Split, recipe: Recipe) -> tuple[pd.DataFrame, Packed]:
    truth = pd.read_csv(folder / "truth.csv", dtype={"id": str})
    labels = truth[truth["split"] == split].sort_values("id").reset_index(drop=True)[["id", "target"]]
    source = Cadences(folder, split, list(labels["id"]), recipe.represent)
    return labels, pack(source, len(labels), folder / f"{split}.npy")


class EpochScores(pl.Callback):
    """Scores all cadences after the epochs that are judged."""

    def __init__(self, recipe: Recipe, *sources: Packed) -> None:
        self.recipe, self.sources, self.seen = recipe, sources, representation(recipe.represent)
        self.scores: dict[int, list[np.ndarray]] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch + 1 in JUDGED:
            assert isinstance(pl_module, Learner)
            detector = pl_module.detector.eval()
            self.scores[trainer.current_epoch + 1] = [self._scores(detector, source) for source in self.sources]
            detector.train()

    def _scores(self, detector: torch.nn.Module, source: Packed) -> np.ndarray:
        parts = [torch.stack([source[place] for place in part]) for part in np.array_split(range(len(source)), 20)]
        found = [score([detector], part, self.recipe.inference.tta, self.seen) for part in parts]
        return torch.cat(found)[:, 0].numpy()


def trained(recipe: Recipe, train: Packed, targets: np.ndarray, kept: np.ndarray, *others: Packed) -> EpochScores:
    """The scores of a detector of the cadences `kept`: of all cadences, and of others."""
    pl.seed_everything(recipe.seed, verbose=False)
    judge = EpochScores(recipe, train, *others)
    weight = pos_weight(float((1 - targets[kept]).sum()), float(targets[kept].sum()))
    trainer = pl.Trainer(
        max_epochs=recipe.trainer.max_epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, gradient_clip_val=recipe.optim.clip, callbacks=[judge],
    )  # fmt: skip
    batches = loader(Samples(train, kept, targets), recipe.optim.batch_size, 0, seed=recipe.seed)
    trainer.fit(Learner(build_detector(recipe.model, recipe.represent), recipe, weight, len(batches)), batches)
    return judge


def partner_labels(labels: pd.DataFrame, pairs: pd.DataFrame, folds: np.ndarray, least: int = 128) -> np.ndarray:
    """The label of the cadence of another fold that each shares most channels with; NaN where it shares too few."""
    back = pairs.rename(columns={"id_a": "id_b", "id_b": "id_a"})
    both = pd.concat([pairs, back])[["id_a", "id_b", "columns"]]
    place = pd.Series(labels.index, labels["id"])
    both = both[both["id_a"].isin(place.index) & both["id_b"].isin(place.index) & (both["columns"] >= least)]
    a, b = place[both["id_a"]].to_numpy(), place[both["id_b"]].to_numpy()
    known = pd.DataFrame({"a": a, "b": b, "columns": both["columns"].to_numpy()})[folds[a] != folds[b]]
    best = known.sort_values("columns").drop_duplicates("a", keep="last")
    found = np.full(len(labels), np.nan)
    found[best["a"]] = labels["target"].to_numpy()[best["b"]]
    return found


def by_partner(targets: np.ndarray, scores: np.ndarray, partner: np.ndarray, folds: np.ndarray, target: int) -> float:
    """AUC of the scores of held-back cadences of one label against their partner's label, mean of folds."""
    values = []
    for fold in range(N_FOLDS):
        some = (targets == target) & np.isfinite(partner) & (folds == fold)
        values.append(auc(partner[some], scores[some]))
    return float(np.nanmean(values))


def run(work: Path, coverage: float, seeds: list[int]) -> None:
    for seed in seeds:
        recipe = replace(read_recipe("compact", RECIPE), seed=seed)
        folder = sky(work / f"coverage{coverage:g}-{seed}", coverage, seed)
        (labels, train), (told, test) = (packed(folder, split, recipe) for split in ("train", "test"))
        pairs, targets = read_overlaps(folder / OVERLAPS), labels["target"].to_numpy()
        by_way = {}
        for way, choice in (("random", "none"), ("grouped", "auto")):
            groups = read_groups(choice, folder, labels["id"])
            groups = groups if way == "random" else cut_large(labels["id"], groups, pairs, N_FOLDS)
            by_way[way] = make_folds(labels, groups, N_FOLDS, seed)["fold"].to_numpy()
        partner = partner_labels(labels, pairs, by_way["random"])
        for way, folds in by_way.items():
            judges = [trained(recipe, train, targets, np.flatnonzero(folds != n), test) for n in range(N_FOLDS)]
            rows = []
            for epoch in JUDGED:
                own, others = zip(*(judge.scores[epoch] for judge in judges), strict=True)
                oof = np.choose(folds, own)
                held = [auc(targets[folds == n], oof[folds == n]) for n in range(N_FOLDS)]
                fitted = [auc(targets[folds != n], own[n][folds != n]) for n in range(N_FOLDS)]
                rows.append(
                    {"coverage": coverage, "seed": seed, "folds": way, "epochs": epoch, "train": np.mean(fitted)}
                    | {"mean": np.mean(held), "pooled": auc(targets, oof)}
                    | {"test": np.mean([auc(told["target"].to_numpy(), each) for each in others])}
                    | {f"partner_{t}": by_partner(targets, oof, partner, folds, t) for t in (0, 1)}
                    | {"with_partner": float(np.isfinite(partner).mean())}
                )
            table = work / "results.csv"
            pd.DataFrame(rows).to_csv(table, mode="a", header=not table.is_file(), index=False)
            print(pd.DataFrame(rows).round(3).to_string(), flush=True)


def unseen(work: Path, coverage: float, seeds: list[int], n_detectors: int = 2) -> None:
    recipes = {seed: replace(read_recipe("compact", RECIPE), seed=seed) for seed in seeds}
    folders = {seed: sky(work / f"coverage{coverage:g}-{seed}", coverage, seed) for seed in seeds}
    sets = {seed: packed(folder, "train", recipes[seed]) for seed, folder in folders.items()}
    for seed, (labels, source) in sets.items():
        others = [other for other in seeds if other != seed]
        targets = labels["target"].to_numpy()
        folds = make_folds(labels, read_groups("none", folders[seed], labels["id"]), N_FOLDS, seed)["fold"].to_numpy()
        for fold in range(n_detectors):
            kept = np.flatnonzero(folds != fold)
            judge = trained(recipes[seed], source, targets, kept, *(sets[other][1] for other in others))
            rows = [
                {"coverage": coverage, "seed": other, "by": seed, "fold": fold, "epochs": epoch}
                | {"unseen": auc(sets[other][0]["target"].to_numpy(), scores)}
                for epoch in JUDGED
                for other, scores in zip(others, judge.scores[epoch][1:], strict=True)
            ]
            table = work / "unseen.csv"
            pd.DataFrame(rows).to_csv(table, mode="a", header=not table.is_file(), index=False)


def interval(values: pd.Series) -> str:
    """Mean and 95 % interval of it (Student's t over seeds)."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5
    return f"{values.mean():.3f} ± {half:.3f}"


def table(work: Path) -> None:
    found = pd.read_csv(work / "results.csv").drop_duplicates(["coverage", "seed", "folds", "epochs"], keep="last")
    found = found.assign(mean_off=found["mean"] - found["test"], pooled_off=found["pooled"] - found["test"])
    names = ["train", "mean", "pooled", "test", "mean_off", "pooled_off", "partner_0", "partner_1"]
    if (work / "unseen.csv").is_file():
        keys = ["coverage", "seed", "epochs"]
        found = found.merge(pd.read_csv(work / "unseen.csv").groupby(keys)["unseen"].mean().reset_index(), "left", keys)
        found = found.assign(mean_off=found["mean"] - found["unseen"], pooled_off=found["pooled"] - found["unseen"])
        names.append("unseen")
    print(found.groupby(["coverage", "epochs", "folds"])[names].agg(interval).to_string())
    wide = found.pivot_table(index=["coverage", "epochs", "seed"], columns="folds", values=names)
    for name in names:
        print(name, "random − grouped")
        print((wide[name]["random"] - wide[name]["grouped"]).groupby(["coverage", "epochs"]).agg(interval).to_string())
    for name in ("mean_off", "pooled_off"):
        print(found.assign(size=found[name].abs()).groupby(["coverage", "epochs", "folds"])["size"].agg(interval))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["run", "unseen", "table"])
    parser.add_argument("work", type=Path)
    parser.add_argument("--coverage", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.verb == "table":
        table(asked.work)
    else:
        {"run": run, "unseen": unseen}[asked.verb](asked.work, asked.coverage, asked.seeds)

"""Run folders as a training leaves them, of detectors with random weights: their scores are no use, and soon there."""

from pathlib import Path

import numpy as np
import torch
import yaml

from abacad.config import Data, Inference, Model, Recipe, Represent, Trainer
from abacad.data.competition import read_labels
from abacad.files import write_json
from abacad.learn.provenance import fingerprint
from abacad.learn.run_folder import RunFolder
from abacad.model.checkpoint import save_detector
from abacad.model.detector import build_detector

RECIPE = Recipe(
    data=Data(folds=2, workers=0),
    represent=Represent("binned", views=("clean",), rows=4),
    model=Model("panel", width=2, pretrained=False),
    inference=Inference(tta=("identity",)),
    trainer=Trainer(progress=False, accelerator="cpu", precision="32-true", loggers=()),
)


def random_run(path: Path, root: Path, recipe: Recipe = RECIPE, seed: int = 0) -> RunFolder:
    """A finished run of that recipe on a competition folder; held-back scores are a little better than chance."""
    run = RunFolder(path)
    path.mkdir(parents=True)
    run.config.write_text(yaml.safe_dump(recipe.as_dict(), sort_keys=False))
    labels = read_labels(root)
    rng = np.random.default_rng(seed)
    oof = labels.assign(fold=np.arange(len(labels)) % recipe.data.folds)
    oof["score"] = np.clip(0.3 + 0.2 * oof["target"] + 0.25 * rng.random(len(oof)), 0, 1)
    for fold in range(recipe.data.folds):
        torch.manual_seed(seed * 100 + fold)
        run.fold(fold).mkdir()
        save_detector(
            run.weights(fold), build_detector(recipe.model, recipe.represent), recipe.model, recipe.represent, fold=fold
        )
        oof[oof["fold"] == fold].to_csv(run.fold_oof(fold), index=False)
    oof.to_csv(run.oof, index=False)
    oof[["id", "fold"]].assign(group=oof["id"]).to_csv(run.folds, index=False)
    write_json(run.record, {"data": fingerprint(root, labels), "auc_fold": [0.5] * recipe.data.folds})
    return run

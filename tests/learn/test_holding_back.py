"""What a fold holds back: not trained on, and scored as the recipe says."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import TensorDataset

from abacad.data.competition import cadence_path, read_cadence
from abacad.learn import fold
from abacad.learn.labelled import Labelled
from abacad.learn.run_folder import RunFolder
from abacad.model.judge import Judge
from abacad.recipes import read_recipe


class EnoughError(Exception):
    """The loaders are made; nothing has to be trained."""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_fold_is_trained_on_all_others_and_judged_by_its_own(number, tmp_path, monkeypatch):
    folds = np.arange(30) % 3
    folds[7] = -1  # held back by none
    labelled = Labelled(
        TensorDataset(torch.zeros(30, 1)), np.arange(30).astype(str), np.arange(30) % 2, folds, (6, 28, 64)
    )
    made, plain = [], fold.FoldData
    monkeypatch.setattr(fold, "FoldData", lambda *given, **more: made.append(plain(*given, **more)) or made[0])

    def stop(*_: object, **__: object) -> None:
        raise EnoughError

    monkeypatch.setattr(fold, "make_trainer", stop)
    recipe = read_recipe("compact", ["--model.pretrained", "false", "--data.workers", "0", "--model.width", "2"])
    with pytest.raises(EnoughError):
        fold.train_fold(number, labelled, recipe, RunFolder(tmp_path))
    loaders = made[0].training(0, 1), made[0].held_back(0, 1)
    training, judging = (set(map(int, loader.dataset.indices)) for loader in loaders)
    assert judging == set(np.flatnonzero(folds == number))
    assert training == set(range(30)) - judging


def test_held_back_scores_are_those_of_the_flips(shared_competition, trained_run):
    oof = pd.read_csv(trained_run / "oof.csv", dtype={"id": str})
    run = RunFolder(trained_run)
    part = oof[oof["fold"] == 1]
    cadences = [read_cadence(cadence_path(shared_competition, "train", name)) for name in part["id"]]
    panels = torch.from_numpy(np.stack(cadences))
    cpu = torch.device("cpu")
    flipped = Judge.of_files([run.weights(1)], cpu, run.recipe().inference.tta).scores(panels)
    np.testing.assert_allclose(part["score"], flipped, atol=1e-5)
    plain = Judge.of_files([run.weights(1)], cpu, ["identity"]).scores(panels)
    assert np.abs(plain - flipped).max() > 1e-4

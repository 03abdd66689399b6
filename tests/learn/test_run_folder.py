"""The run folder: what it tells of itself, which folds are there, and held-back scores believed after a look."""

import json
from dataclasses import asdict

import pandas as pd
import pytest
import torch
import yaml

from abacad.config import Data, Inference, Model, Recipe, Represent
from abacad.errors import AbacadError
from abacad.learn.record import part_of
from abacad.learn.run_folder import RunFolder, judge_of, read_oof
from abacad.model.checkpoint import save_detector
from abacad.model.detector import SHIPPED, build_detector

RECIPE = Recipe(
    data=Data(folds=3),
    represent=Represent("binned", views=("clean",), rows=4),
    model=Model("panel", width=2, pretrained=False),
    inference=Inference(tta=("identity",)),
)


def oof_of(fold: int, ids=("a", "b")) -> pd.DataFrame:
    return pd.DataFrame(
        {"id": [f"{name}{fold}" for name in ids], "target": [0, 1], "fold": fold, "score": [0.25, 0.75]}
    )


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run of three folds, of which the first two are trained."""
    made = RunFolder(tmp_path / "run")
    made.path.mkdir()
    made.config.write_text(yaml.safe_dump(RECIPE.as_dict()))
    for fold in (0, 1):
        made.fold(fold).mkdir()
        oof_of(fold).to_csv(made.fold_oof(fold), index=False)
    return made


def test_it_tells_how_far_it_is(run):
    assert run.told() == [("folds", "none yet")]
    run.note(auc_fold=[0.8, 0.9])
    assert run.told() == [("folds", "2")]
    run.note(auc_oof=[0.85, 0.8, 0.9])
    assert repr(run).endswith("run: folds 2, AUC of all held-back cadences 0.8500 [0.8000, 0.9000]>")


def test_facts_are_added_and_later_ones_hold(run):
    run.note(seed=1, verb="train")
    run.note(seed=2)
    assert json.loads(run.record.read_text()) == {"seed": 2, "verb": "train"}


def test_the_verb_decides_on_the_folds_and_on_what_continues_it(run):
    assert (run.verb, run.n_folds) == ("train", 3)
    assert run.again() == f"abacad train DATA --config {run.config} --run {run.path}"
    run.note(verb="pretrain")
    assert (run.verb, run.n_folds) == ("pretrain", 1)
    assert run.again() == f"abacad pretrain --config {run.config} --run {run.path}"


def test_folds_that_are_there_are_used_and_the_log_says_which(run, caplog):
    with caplog.at_level("INFO"):
        assert run.trained() == [0, 1]
    assert "2 of 3 folds trained (0, 1)" in caplog.text
    caplog.clear()
    run.fold(2).mkdir()
    run.fold_oof(2).touch()
    with caplog.at_level("INFO"):
        assert run.trained() == [0, 1, 2]
    assert not caplog.text


def test_no_fold_or_a_lost_one_is_told_with_the_way_out(run):
    run.oof.touch()
    with pytest.raises(AbacadError, match="finished with 3 folds, of which 2 are there"):
        run.trained()
    for fold in (0, 1):
        run.fold_oof(fold).unlink()
    with pytest.raises(AbacadError, match=r"0 of 3 folds are trained\.\n.*abacad train DATA --config"):
        run.trained()
    run.config.unlink()
    with pytest.raises(AbacadError, match="is no run folder"):
        run.trained()


def test_held_back_scores_are_those_of_the_folds_until_the_run_is_finished(run):
    assert list(read_oof(run)["id"]) == ["a0", "b0", "a1", "b1"]
    oof_of(2).to_csv(run.oof, index=False)
    assert list(read_oof(run)["id"]) == ["a2", "b2"]


@pytest.mark.parametrize(
    "change",
    [
        {"target": [0, 2]}, {"score": [0.5, 1.01]}, {"score": [-0.01, 0.5]}, {"fold": [0, 3]}, {"fold": [-1, 0]},
        {"id": ["a0", "a0"]},
    ],
)  # fmt: skip
def test_held_back_scores_that_cannot_be_are_refused(change, run):
    oof_of(0).assign(**change).to_csv(run.oof, index=False)
    with pytest.raises(AbacadError, match=r"oof\.csv does not hold a target 0 or 1, a fold, and a score"):
        read_oof(run)
    oof_of(0)[:0].to_csv(run.oof, index=False)
    with pytest.raises(AbacadError, match="does not hold"):
        read_oof(run)


def test_a_part_of_the_record_is_keys_with_values_or_nothing():
    assert part_of({"data": {"folder": "x"}}, "data") == {"folder": "x"}
    assert part_of({"data": [1]}, "data") == part_of({}, "data") == {}


def saved(path, seed: int, fold: int | None = None) -> None:
    torch.manual_seed(seed)
    save_detector(path, build_detector(RECIPE.model, RECIPE.represent), RECIPE.model, RECIPE.represent, fold=fold)


def test_a_run_judges_by_all_its_folds_and_a_file_by_its_detector(run):
    for fold in (0, 1):
        saved(run.weights(fold), fold, fold)
    cpu, panels = torch.device("cpu"), torch.randn(3, 6, 28, 40)
    judge = judge_of(run.path, cpu)
    assert len(judge.detectors) == 2
    assert tuple(judge.flips) == ("identity",)
    assert asdict(judge.represent) == asdict(RECIPE.represent)
    alone = [judge_of(run.weights(fold), cpu).by_detector(judge.seen.make(panels)) for fold in (0, 1)]
    assert all(each.shape == (3, 1) for each in alone)
    run.weights(0).write_bytes(run.weights(1).read_bytes())
    with pytest.raises(AbacadError, match="fold 1, not of fold 0"):
        judge_of(run.path, cpu)


def test_the_weights_of_the_package_look_once_and_any_others_four_times(tmp_path):
    copy = tmp_path / "panel.safetensors"
    copy.write_bytes(SHIPPED.read_bytes())
    assert judge_of(SHIPPED, torch.device("cpu")).flips == ("identity",)
    assert judge_of(copy, torch.device("cpu")).flips == Inference().tta


def test_scores_of_a_fold_that_is_trained_anew_are_forgotten_and_no_others(run):
    run.test.write_text("id,fold0,fold1,score\na,0.5,0.5,0.5\n")
    run.forget_test_scores(2)
    assert run.test.is_file()
    run.forget_test_scores(1)
    assert not run.test.exists()
    run.forget_test_scores(1)
    for by_hand in ("id,score\na,0.5\n", ""):
        run.test.write_text(by_hand)
        run.forget_test_scores(0)
        assert run.test.read_text() == by_hand

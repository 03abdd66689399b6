"""Pseudo labels: each fold is trained with the scores of its own fold, as probabilities, and no test cadence judges."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from abacad.cli import main
from abacad.config import Augment, Data, Model, Optim, Recipe, Represent, Trainer
from abacad.data.competition import read_labels, read_sample
from abacad.errors import AbacadError
from abacad.learn.dataset import Cadences
from abacad.learn.kept_lines import lines_if_wanted
from abacad.learn.labelled import Labelled
from abacad.learn.packed import pack
from abacad.learn.pseudo import NEVER_HELD_BACK, probability, with_pseudo
from abacad.learn.run_folder import RunFolder
from abacad.model.evidence import MAX_DRIFT, Lines, from_bytes
from tests.conftest import QUICK, SHAPE

SEEN = Represent("difference")


@pytest.fixture
def labelled(shared_competition) -> Labelled:
    labels = read_labels(shared_competition)
    source = Cadences(shared_competition, "train", list(labels["id"]), SEEN)
    folds = np.arange(len(labels)) % 2
    return Labelled(source, labels["id"].to_numpy(), labels["target"].to_numpy(), folds, SHAPE)


@pytest.fixture
def runs(labelled, tmp_path) -> tuple[RunFolder, RunFolder]:
    """A run that scored, and the one that learns from it; both held back the same cadences."""
    found = []
    for name in ("scored", "learns"):
        found.append(RunFolder(tmp_path / name))
        found[-1].path.mkdir()
        pd.DataFrame({"id": labelled.ids, "fold": labelled.folds}).to_csv(found[-1].folds, index=False)
    return found[0], found[1]


def recipe_of(run: RunFolder, **data) -> Recipe:
    return Recipe(data=Data(folds=2, pseudo=str(run.test), **data), represent=SEEN)


def scored(run: RunFolder, root, **columns) -> pd.DataFrame:
    """The run's test.csv, in another order than the sample's."""
    ids = read_sample(root)[::-1]
    made = {"id": ids, "fold0": np.linspace(0, 1, 12), "fold1": np.linspace(0.5, 0.1, 12), "score": 0.5} | columns
    table = pd.DataFrame(made)
    table.to_csv(run.test, index=False)
    return table


def test_test_cadences_join_with_the_scores_of_each_fold(labelled, runs, shared_competition):
    table = scored(runs[0], shared_competition)
    joined = with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])
    assert list(joined.ids) == [*labelled.ids, *table["id"]]
    assert joined.folds.tolist() == [*labelled.folds, *[NEVER_HELD_BACK] * 12]
    for fold in (0, 1):
        targets = joined.for_fold(fold).targets
        assert targets[:40].tolist() == labelled.targets.tolist()
        np.testing.assert_allclose(targets[40:], probability(table[f"fold{fold}"].to_numpy(), 14 / 40))
    assert len(joined.source) == 52
    path = shared_competition / "test" / table["id"][3][0] / f"{table['id'][3]}.npy"
    alone = Cadences(shared_competition, "test", [path.stem], SEEN)[0]
    np.testing.assert_array_equal(joined.source[43], alone)


@pytest.mark.parametrize(("packs", "with_lines"), [("always", True), ("never", True), ("always", False)])
def test_lines_are_those_of_all_cadences_or_of_none(packs, with_lines, labelled, runs, shared_competition):
    """A batch may hold cadences of both parts."""
    scored(runs[0], shared_competition)
    represent, data = Represent("binned", rows=2), Data(folds=2, pseudo=str(runs[0].test), pack=packs, workers=0)
    trainer = Trainer(accelerator="cpu", progress=False)
    recipe = Recipe(data=data, represent=represent, model=Model("panel"), augment=Augment(shift=0.0), trainer=trainer)
    source = pack(Cadences(shared_competition, "train", list(labelled.ids), represent), 40, runs[1].packed)
    lines = lines_if_wanted(source, runs[1].lines, recipe, labelled.axes) if with_lines else None
    joined = with_pseudo(replace(labelled, source=source, lines=lines), shared_competition, recipe, runs[1])
    if packs == "never" or not with_lines:
        assert joined.lines is None
        return
    assert len(joined.lines) == 52
    for place in (0, 39, 40, 51):
        made = Lines(1, MAX_DRIFT, labelled.axes.panel_start).in_planes(joined.source[place][None])[0]
        torch.testing.assert_close(from_bytes(joined.lines[place]), made, atol=0.02, rtol=0)


def test_only_the_folds_that_are_trained_need_scores(labelled, runs, shared_competition):
    scored(runs[0], shared_competition)
    table = pd.read_csv(runs[0].test).drop(columns="fold0")
    table.to_csv(runs[0].test, index=False)
    joined = with_pseudo(labelled, shared_competition, recipe_of(runs[0], only=1), runs[1])
    assert joined.pseudo is not None
    assert list(joined.pseudo[1]) == [1]
    with pytest.raises(AbacadError, match="fold0"):
        with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])


def test_a_run_with_other_folds_would_give_labels_away(labelled, runs, shared_competition):
    scored(runs[0], shared_competition)
    pd.DataFrame({"id": labelled.ids, "fold": 1 - labelled.folds}).to_csv(runs[0].folds, index=False)
    with pytest.raises(AbacadError, match=r"--data\.pseudo .* held back other folds: 40 of 40"):
        with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])


def test_scores_of_another_simulation_with_the_same_ids_are_refused(labelled, runs, shared_competition):
    scored(runs[0], shared_competition)
    runs[0].note(test={"folder": str(shared_competition), "simulation_sha256": "of another"})
    with pytest.raises(AbacadError, match=r"another simulation than .*\nWrite it anew: abacad predict"):
        with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])
    runs[0].note(test={"folder": "/moved", "simulation_sha256": None})
    assert len(with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1]).ids) == 52


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"fold0": 1.5}, "outside 0 to 1"),
        ({"fold1": -0.1}, "outside 0 to 1"),
        ({"id": "0a"}, "names an id twice"),
        ({"id": [f"absent{k}" for k in range(12)]}, r"scores 12 cadences that .*test has not \(absent0 …\)"),
    ],
)
def test_scores_that_cannot_be_are_refused_with_the_file(columns, said, labelled, runs, shared_competition):
    scored(runs[0], shared_competition, **columns)
    with pytest.raises(AbacadError, match=said) as told:
        with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])
    assert str(runs[0].test) in str(told.value)


def test_packed_cadences_are_the_same(labelled, runs, shared_competition):
    scored(runs[0], shared_competition)
    wanted = recipe_of(runs[0], pack="always", workers=0)
    wanted = replace(wanted, trainer=replace(wanted.trainer, progress=False))
    plain = with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])
    packed = with_pseudo(labelled, shared_competition, wanted, runs[1])
    assert runs[1].packed_pseudo.is_file()
    np.testing.assert_allclose(packed.source[45], plain.source[45], atol=5e-3, rtol=1e-3)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_probability_has_the_odds_of_the_score_times_those_of_the_labels(share):
    scores = np.linspace(0.01, 0.99, 50)
    found = probability(scores, share)
    np.testing.assert_allclose(found / (1 - found), scores / (1 - scores) * share / (1 - share))
    np.testing.assert_allclose(probability(np.array([0.0, 1.0]), share), [0, 1])
    np.testing.assert_allclose(probability(scores, 0.5), scores)


@pytest.mark.parametrize(
    ("pos_weight", "data", "balance"),
    [
        (None, {}, 1.0),
        (26 / 14, {}, 1.0),  # what null would have taken
        (1.0, {}, 14 / 26),
        (1.0, {"simulated": 100}, (14 + 10) / (26 + 90)),  # one simulated cadence of ten is positive
        (3.0, {"simulated": 100, "labelled": False}, 3.0 / 9.0),
    ],
)
def test_scores_are_undone_by_the_weight_that_the_other_run_was_trained_with(
    pos_weight, data, balance, labelled, runs, shared_competition
):
    table = scored(runs[0], shared_competition)
    other = Recipe(optim=Optim(pos_weight=pos_weight), data=Data(**data))
    runs[0].config.write_text(yaml.safe_dump(other.as_dict()))
    joined = with_pseudo(labelled, shared_competition, recipe_of(runs[0]), runs[1])
    found, scores = joined.for_fold(1).targets[40:], table["fold1"].to_numpy()
    np.testing.assert_allclose(found / (1 - found), scores / (1 - scores) * 14 / 26 / balance)
    if pos_weight == 1.0 and not data:
        np.testing.assert_allclose(found, scores)


def test_pseudo_labelled_test_cadences_join_the_training_and_judge_nothing(shared_competition, trained_run, tmp_path):
    scores = tmp_path / "test.csv"
    ids = pd.read_csv(shared_competition / "sample_submission.csv", dtype={"id": str})["id"]
    pd.DataFrame({"id": ids, "fold0": 0.5, "fold1": 0.5, "score": 0.5}).to_csv(scores, index=False)
    (tmp_path / "folds.csv").write_bytes((trained_run / "folds.csv").read_bytes())
    words = ["train", str(shared_competition), *QUICK, "--data.pack", "always", "--data.pseudo", str(scores)]
    assert main([*words, "--run", str(tmp_path / "run")]) == 0
    oof = pd.read_csv(tmp_path / "run" / "oof.csv")
    assert set(oof["id"]) == set(read_labels(shared_competition)["id"])
    assert set(oof["target"]) == {0, 1}
    assert not list((tmp_path / "run").glob("packed*"))
    plain = pd.read_csv(trained_run / "oof.csv")
    assert not np.allclose(oof["score"], plain["score"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,fold0,fold1,score\nabsent,0.5,0.5,0.5\n", "absent"),
        ("id,target\n0,1\n", "columns"),
        ("id,score\n0,1\n", "fold0"),
        ("id,fold0,fold1,score\n0,0.5,2,1\n", "outside 0 to 1"),
    ],
)
def test_pseudo_labels_that_do_not_fit_are_refused(content, said, shared_competition, trained_run, tmp_path, capsys):
    (tmp_path / "scores.csv").write_text(content)
    (tmp_path / "folds.csv").write_bytes((trained_run / "folds.csv").read_bytes())
    words = ["train", str(shared_competition), *QUICK, "--data.pseudo", str(tmp_path / "scores.csv")]
    assert main([*words, "--run", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err

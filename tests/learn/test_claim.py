"""A run folder is one recipe's on one data set: begun, gone on with, taken over before its first epoch, or refused."""

import os
from dataclasses import replace

import pytest

from abacad.config import Data, Inference, Model, Optim, Recipe, Trainer
from abacad.errors import AbacadError
from abacad.files import read_json
from abacad.learn.claim import claimed, clean
from abacad.learn.run_folder import RunFolder

RECIPE = Recipe(model=Model("panel"), optim=Optim(lr=0.01))
DATA = {"folder": "/data/seti", "labels_sha256": "one"}


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def begun(run: RunFolder, epochs: int = 0, recipe: Recipe = RECIPE, data: dict = DATA) -> RunFolder:
    """A folder that a training has taken, prepared, and left after some epochs."""
    with claimed(run, recipe, data, verb="train"):
        for path in (run.checked, run.folds, run.packed):
            path.write_text("prepared")
        run.fold(0).mkdir()
        if epochs:
            run.last(0).write_text("state")
    return run


def test_a_new_folder_holds_recipe_data_and_facts(run):
    with claimed(run, RECIPE, DATA, verb="train", seed=3):
        assert run.lock.is_file()
        assert run.recipe() == RECIPE
    assert read_json(run.record) == {"data": DATA, "verb": "train", "seed": 3}
    assert not run.lock.exists()
    assert (run.path / "log.txt").is_file()


def test_while_it_is_held_the_folder_names_its_process(run):
    with claimed(run, RECIPE, DATA):
        assert read_json(run.lock)["process"] == os.getpid()


@pytest.mark.parametrize("name", ["thesis.tex", ".hidden", "folds.csv"])
def test_a_folder_of_somebody_else_is_left_alone(name, run):
    run.path.mkdir()
    (run.path / name).write_text("mine")
    with (
        pytest.raises(AbacadError, match=r"is not empty and is no run folder\.\nName another"),
        claimed(run, RECIPE, DATA),
    ):
        pass
    assert [path.name for path in run.path.iterdir()] == [name]


def test_the_same_call_goes_on(run, caplog):
    begun(run, epochs=1)
    with caplog.at_level("INFO"), claimed(run, RECIPE, DATA):
        pass
    assert f"Continuing the run in {run.path}" in caplog.text
    assert "changes" not in read_json(run.record)
    assert run.checked.read_text() == "prepared"


@pytest.mark.parametrize(
    ("other", "key"),
    [
        (replace(RECIPE, seed=1), "seed: 0 → 1"),
        (replace(RECIPE, optim=Optim(lr=0.02)), "optim.lr: 0.01 → 0.02"),
        (replace(RECIPE, data=Data(folds=4)), "data.folds: 5 → 4"),
    ],
)
def test_after_an_epoch_another_recipe_is_refused_by_its_key(other, key, run):
    begun(run, epochs=1)
    with pytest.raises(AbacadError, match="was made by another recipe") as told, claimed(run, other, DATA):
        pass
    assert key in str(told.value)
    assert f"--config {run.config}" in str(told.value)
    assert run.recipe() == RECIPE


def test_before_the_first_epoch_another_recipe_takes_the_folder(run):
    """Nothing is lost but what was prepared for the first."""
    begun(run)
    other = replace(RECIPE, seed=1)
    with claimed(run, other, DATA):
        assert not any(path.exists() for path in (run.checked, run.folds, run.packed))
    assert run.recipe() == other


def test_before_the_first_epoch_the_same_recipe_keeps_what_was_prepared(run):
    begun(run)
    with claimed(run, replace(RECIPE, trainer=Trainer(max_epochs=3)), DATA):
        assert run.folds.read_text() == "prepared"


def test_what_changes_no_finished_score_may_change_and_is_noted(run):
    begun(run, epochs=1)
    first = replace(RECIPE, trainer=Trainer(max_epochs=20, loggers=()), optim=Optim(lr=0.01, batch_size=16))
    with claimed(run, first, DATA):
        pass
    with claimed(run, replace(first, data=Data(only=0)), DATA):
        pass
    changes = read_json(run.record)["changes"]
    assert sorted(changes[:-1]) == [
        "optim.batch_size: 64 → 16", "trainer.loggers: ['tensorboard'] → []", "trainer.max_epochs: 8 → 20",
    ]  # fmt: skip
    assert changes[-1] == "data.only: None → 0"
    assert run.recipe().trainer.max_epochs == 20


def test_a_fold_whose_scores_overflow_in_16_bits_is_scored_in_32_and_keeps_its_epochs(run):
    with claimed(run, replace(RECIPE, inference=Inference(precision="16-mixed")), DATA):
        run.fold_oof(0).parent.mkdir()
        run.last(0).touch()
    with claimed(run, RECIPE, DATA):
        assert run.last(0).is_file()
    assert run.recipe().inference.precision == "32-true"


@pytest.mark.parametrize("verb", ["train", "pretrain"])
def test_a_trained_run_is_told_that_nothing_is_left_to_train_and_its_recipe_stays(verb, run, caplog):
    begun(run, epochs=2)
    if verb == "pretrain":
        run.pretrained.write_text("weights")
    for number in range(5 if verb == "train" else 0):
        run.fold(number).mkdir(exist_ok=True)
        run.fold_oof(number).write_text("scores")
    longer = replace(RECIPE, trainer=Trainer(max_epochs=90), data=Data(workers=3))
    with caplog.at_level("INFO"), claimed(run, longer, DATA):
        pass
    assert f"this changes nothing: trainer.max_epochs: {RECIPE.trainer.max_epochs} → 90. Train otherwise" in caplog.text
    assert "From here on with data.workers: None → 3" in caplog.text
    assert run.recipe() == replace(RECIPE, data=Data(workers=3))
    assert read_json(run.record)["changes"] == ["data.workers: None → 3"]


def test_after_an_epoch_other_labels_are_refused_with_the_folder_of_before(run):
    begun(run, epochs=1)
    other = {"folder": "/elsewhere", "labels_sha256": "two"}
    with pytest.raises(AbacadError, match=r"was trained on other labels \(/data/seti\)"), claimed(run, RECIPE, other):
        pass


def test_after_an_epoch_another_simulation_is_refused_and_one_that_nobody_noted_goes_on(run):
    """Simulated folders of one seed have the same ids and labels; a folder of an earlier version noted these alone."""
    begun(run, epochs=1)
    with claimed(run, RECIPE, DATA | {"simulation_sha256": "a"}):
        pass
    run.note(data=DATA | {"simulation_sha256": "a"})
    for other in ("b", None):
        told = r"was trained on another simulation \(/data/seti\)\.\nName another"
        with pytest.raises(AbacadError, match=told), claimed(run, RECIPE, DATA | {"simulation_sha256": other}):
            pass


def test_before_an_epoch_another_simulation_is_prepared_for_anew(run):
    begun(run, data=DATA | {"simulation_sha256": "a"})
    with claimed(run, RECIPE, DATA | {"simulation_sha256": "b"}):
        assert not any(path.exists() for path in (run.checked, run.folds, run.packed))


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"groups_sha256": "a"}, {"groups_sha256": "b"}, r"data\.groups\) has changed since \S*run .*\nPut it back"),
        ({"groups_sha256": None}, {"groups_sha256": "b"}, r"data\.groups\) is new since \S*run .*\nRemove it"),
        ({"groups_sha256": "a"}, {"groups_sha256": None}, r"data\.groups\) has changed since"),
        ({"overlaps_sha256": "a"}, {"overlaps_sha256": "b"}, r"overlaps\.csv beside the groups file has changed since"),
        ({"partners_sha256": "a"}, {"partners_sha256": "b"}, r"overlaps\.csv of the data folder has changed since"),
        ({"pseudo_sha256": "a"}, {"pseudo_sha256": "b"}, r"\(data\.pseudo\) has changed since .*\nPut"),
        ({"verdicts_sha256": "a"}, {"verdicts_sha256": "b"}, r"\(data\.verdicts\) has changed since .*\nPut"),
    ],
)  # fmt: skip
def test_a_table_that_has_changed_is_prepared_for_anew_or_refused_after_an_epoch(before, now, told, run):
    begun(run, data=DATA | before)
    with claimed(run, RECIPE, DATA | now):
        assert not any(path.exists() for path in (run.checked, run.folds, run.packed))
        run.last(0).write_text("state")
    assert read_json(run.record)["data"] == DATA | now
    run.note(data=DATA | before)
    with pytest.raises(AbacadError, match=told), claimed(run, RECIPE, DATA | now):
        pass
    with claimed(run, RECIPE, DATA | before):
        assert run.last(0).is_file()


def test_a_run_that_noted_no_tables_goes_on_with_any(run):
    """As one of an earlier version; and a table that is gone is missed by whoever reads it."""
    begun(run, epochs=1)
    with claimed(run, RECIPE, DATA | {"groups_sha256": "a", "overlaps_sha256": "b"}):
        assert run.folds.is_file()
    run.note(data=DATA | {"groups_sha256": "a", "overlaps_sha256": "b"})
    with claimed(run, RECIPE, DATA | {"groups_sha256": "a"}):
        assert run.folds.is_file()


def test_the_same_labels_in_another_place_are_the_same_data(run):
    begun(run, epochs=1)
    with claimed(run, RECIPE, DATA | {"folder": "/moved"}):
        assert run.checked.is_file()


def test_a_finished_fold_needs_no_state_and_a_finished_run_no_packed_cadences(run):
    begun(run, epochs=1)
    for path in (run.fold_oof(0), run.fold(1) / "last.ckpt", run.packed_pseudo, run.lines, run.lines_pseudo):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    clean(run)
    assert not run.last(0).exists()
    assert run.last(1).exists()
    assert run.packed.exists()
    run.oof.touch()
    clean(run)
    assert not any(path.exists() for path in (run.packed, run.packed_pseudo, run.lines, run.lines_pseudo))


def test_a_pretraining_is_finished_by_its_weights(run):
    begun(run)
    run.note(verb="pretrain")
    run.oof.touch()
    clean(run)
    assert run.packed.exists()
    run.pretrained.touch()
    clean(run)
    assert not run.packed.exists()

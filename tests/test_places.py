"""Which folder is which: found where it usually lies, told apart from the other sort, and guarded as a whole."""

from pathlib import Path

import pytest

from abacad import places
from abacad.errors import AbacadError
from abacad.places import (
    find_competition,
    find_run,
    find_scorer,
    is_competition,
    is_run,
    owner_of,
    paths_of,
)


def folder(path: Path, *names: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / name).touch()
    return path


@pytest.fixture
def data(tmp_path) -> Path:
    return folder(tmp_path / "data", "train_labels.csv", "sample_submission.csv")


@pytest.fixture
def run(tmp_path) -> Path:
    return folder(tmp_path / "run", "config.yaml")


@pytest.mark.parametrize("given", ["runs/a", Path("runs/a"), ["runs/a"], (Path("runs/a"),)])
def test_one_path_is_a_list_of_one(given):
    """A text is a path, not a list of letters."""
    assert paths_of(given) == [Path("runs/a")]
    assert paths_of([]) == []


@pytest.mark.parametrize("name", ["train_labels.csv", "sample_submission.csv"])
def test_either_table_makes_a_competition(name, tmp_path):
    assert is_competition(folder(tmp_path / "d", name))
    assert not is_competition(folder(tmp_path / "e", "labels.csv"))
    (tmp_path / "f" / name).mkdir(parents=True)  # a folder of that name is no table
    assert not is_competition(tmp_path / "f")


@pytest.mark.parametrize("below", ["", "public", "prepared/public"])
def test_a_competition_is_found_where_it_is_or_one_level_down(below, tmp_path):
    made = folder(tmp_path / below, "train_labels.csv")
    assert find_competition(tmp_path) == made
    assert find_competition(str(tmp_path)) == made


def test_the_folder_itself_comes_before_one_below(data):
    folder(data / "public", "train_labels.csv")
    assert find_competition(data) == data


def test_without_a_name_the_usual_places_are_looked_at_in_order(tmp_path, monkeypatch):
    usual = (tmp_path / "first", tmp_path / "second", tmp_path / "third")
    monkeypatch.setattr(places, "USUAL_PLACES", usual)
    with pytest.raises(AbacadError, match=r"none is at its usual places\.\n.*abacad simulate OUT"):
        find_competition()
    folder(usual[2], "train_labels.csv")
    assert find_competition() == usual[2]
    folder(usual[1], "train_labels.csv")
    assert find_competition() == usual[1]


def test_a_folder_that_is_none_is_told_for_what_it_is(tmp_path, run):
    with pytest.raises(AbacadError, match=r"There is no folder .*gone"):
        find_competition(tmp_path / "gone")
    with pytest.raises(AbacadError, match=r"is a run folder\.\nThe data folder, .* is named after it"):
        find_competition(run)
    with pytest.raises(AbacadError, match=r"holds no train_labels\.csv and no sample_submission\.csv"):
        find_competition(folder(tmp_path / "empty"))
    (tmp_path / "file").touch()
    with pytest.raises(AbacadError, match=r"There is no folder .*file"):
        find_competition(tmp_path / "file")


def test_a_run_is_found_by_its_recipe(run, data, tmp_path):
    assert is_run(run)
    assert find_run(run) == run == find_run(str(run))
    with pytest.raises(AbacadError, match=r"There is no run folder .*\nMake one: abacad train DATA --run"):
        find_run(tmp_path / "gone")
    with pytest.raises(AbacadError, match=r"is no run folder but a competition's\.\nThe run folder is named first"):
        find_run(data)
    with pytest.raises(AbacadError, match=r"it has no config\.yaml"):
        find_run(folder(tmp_path / "empty"))


def test_a_scorer_is_a_file_or_a_run(run, tmp_path):
    (tmp_path / "w.safetensors").touch()
    assert find_scorer(tmp_path / "w.safetensors") == tmp_path / "w.safetensors"
    assert find_scorer(str(run)) == run
    with pytest.raises(AbacadError, match="There is no run folder"):
        find_scorer(tmp_path / "gone")


def test_a_missing_file_of_weights_is_no_run_to_be_trained(tmp_path):
    """It was said to be made by `abacad train DATA --run fold0/gone.safetensors`."""
    with pytest.raises(AbacadError, match=r"There is no file .*gone\.safetensors\.\nIs the name right"):
        find_scorer(tmp_path / "gone.safetensors")
    (tmp_path / "best.safetensors").touch()
    with pytest.raises(AbacadError, match=r"has best\.safetensors\."):
        find_scorer(tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    "name", ["train_labels.csv", "train/0/0a.npy", "test/x", "old_leaky_data/a.csv", "truth.csv", "groups.csv"]
)
def test_a_competitions_own_files_are_owned_by_it(name, data):
    assert owner_of(data / name) == (data, "competition")


@pytest.mark.parametrize(
    "name", ["config.yaml", "oof.csv", "fold0/best.safetensors", "fold12/x/y", "run.lock", "log.txt"]
)
def test_a_runs_own_files_are_owned_by_it(name, run):
    assert owner_of(run / name) == (run, "run")


@pytest.mark.parametrize("name", ["mine.html", "folders/a", "fold/a", "foldx/a", "submission.csv", "report.html"])
def test_other_files_in_a_folder_are_nobodys(name, run, data):
    assert owner_of(run / name) is None
    assert owner_of(data / name) is None


def test_a_run_inside_a_competition_owns_its_files(data):
    inner = folder(data / "runs" / "a", "config.yaml")
    assert owner_of(inner / "oof.csv") == (inner, "run")
    assert owner_of(data / "runs" / "oof.csv") is None


def test_what_lies_far_below_is_not_asked_about(data):
    """Four folders up are looked at: none of a competition's files lies deeper."""
    assert owner_of(data / "train" / "a" / "b" / "c.npy") is not None
    assert owner_of(data / "train" / "a" / "b" / "c" / "d" / "e.npy") is None

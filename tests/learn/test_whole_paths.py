"""Files that a recipe names are found from any folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from abacad.config import Data, Model, Recipe
from abacad.errors import AbacadError
from abacad.learn.whole_paths import require_files, with_whole_paths


def test_files_become_whole_paths_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = Data(pseudo="runs/a/test.csv", verdicts="v.csv", groups="g.csv")
    found = with_whole_paths(replace(Recipe(), data=data, model=Model(weights="runs/a")))
    assert found.data.pseudo == str(tmp_path / "runs" / "a" / "test.csv")
    assert found.data.verdicts == str(tmp_path / "v.csv")
    assert found.data.groups == str(tmp_path / "g.csv")
    assert found.model.weights == str(tmp_path / "runs" / "a")
    monkeypatch.chdir("/")
    assert with_whole_paths(found) == found
    assert all(Path(path).is_absolute() for path in (found.data.pseudo, found.model.weights))


def test_what_is_no_file_stays():
    for groups in ("auto", "none"):
        recipe = replace(Recipe(), data=Data(groups=groups), model=Model(weights="in-domain"))
        assert with_whole_paths(recipe) == recipe
    assert with_whole_paths(Recipe()) == Recipe()


@pytest.mark.parametrize("key", ["pseudo", "verdicts"])
def test_a_table_that_is_not_there_is_told_before_any_work(key, tmp_path):
    """It was told after all cadences had been read and packed."""
    path = tmp_path / "v.csv"
    recipe = replace(Recipe(), data=Data(**{key: str(path)}))
    with pytest.raises(AbacadError, match=rf"There is no file .*v\.csv\.\nName another, or none: --data\.{key}"):
        require_files(recipe)
    path.touch()
    require_files(recipe)
    require_files(Recipe())

"""Files that a recipe names are found from any folder."""

from dataclasses import replace
from pathlib import Path

from abacad.config import Data, Model, Recipe
from abacad.learn.whole_paths import with_whole_paths


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

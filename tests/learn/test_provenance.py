"""What run.json says of data, tables and versions: labels tell data apart, and what is absent is called absent."""

import hashlib
from dataclasses import replace

import pandas as pd
import torch

from abacad.config import Data, Recipe, Represent
from abacad.learn import provenance
from abacad.learn.provenance import environment, fingerprint, is_another_simulation, is_of, scored_data, tables


def test_the_labels_are_what_tells_data_from_other_data(tmp_path):
    labels = pd.DataFrame({"id": ["a", "b", "c"], "target": [0, 1, 1]})
    original = fingerprint(tmp_path, labels)
    assert (original["cadences"], original["positives"], original["folder"]) == (3, 2, str(tmp_path.resolve()))
    same = fingerprint(tmp_path / "moved", labels.copy())
    assert same["labels_sha256"] == original["labels_sha256"]
    for other in (labels[::-1], labels.assign(target=[1, 0, 1]), labels[1:], labels.assign(id=["a", "b", "d"])):
        assert fingerprint(tmp_path, other)["labels_sha256"] != original["labels_sha256"]


def test_simulated_folders_of_the_same_labels_are_told_apart_by_their_card(tmp_path):
    labels, cards = pd.DataFrame({"id": ["a", "b"], "target": [0, 1]}), {"one": "P", "copy": "P", "other": "B"}
    for name, preset in cards.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "simulation.json").write_text(f'{{"simulation": "{preset}"}}')
    one, copy, other, real = (fingerprint(tmp_path / name, labels) for name in (*cards, "real"))
    assert one["simulation_sha256"] == copy["simulation_sha256"] != other["simulation_sha256"]
    assert real["simulation_sha256"] is None


def test_tables_are_known_by_their_bytes_and_a_groups_file_by_its_absence_too(tmp_path):
    recipe = Recipe(represent=Represent("binned", views=("clean", "residual")))
    assert tables(tmp_path, recipe) == {"groups_sha256": None}
    (tmp_path / "overlaps.csv").write_text("id_a,id_b\n")
    assert set(tables(tmp_path, Recipe())) == {"groups_sha256"}  # links cut groups, and there are none
    assert set(tables(tmp_path, recipe)) == {"groups_sha256", "partners_sha256"}
    (tmp_path / "groups.csv").write_text("id,group\n")
    noted = tables(tmp_path, recipe)
    assert noted["groups_sha256"] == hashlib.sha256(b"id,group\n").hexdigest()
    assert noted["overlaps_sha256"] == noted["partners_sha256"] == hashlib.sha256(b"id_a,id_b\n").hexdigest()
    assert tables(tmp_path, replace(recipe, data=Data(groups="none"))).keys() == {"partners_sha256"}
    own = replace(Recipe(), data=Data(groups=str(tmp_path / "own.csv")))
    assert tables(tmp_path, own) == {}
    (tmp_path / "own.csv").write_text("id,group\n")
    assert tables(tmp_path, own) == {key: noted[key] for key in ("groups_sha256", "overlaps_sha256")}


def test_files_of_labels_that_the_recipe_names_are_tables(tmp_path):
    files = {name: tmp_path / f"{name}.csv" for name in ("pseudo", "verdicts")}
    recipe = replace(Recipe(), data=Data(groups="none", **{name: str(path) for name, path in files.items()}))
    assert tables(tmp_path, recipe) == {}  # whoever reads them says that they are not there
    for content in (b"id,verdict\na,rfi\n", b"id,verdict\na,noise\n"):
        for path in files.values():
            path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        assert tables(tmp_path, recipe) == {"pseudo_sha256": digest, "verdicts_sha256": digest}


def test_a_prediction_is_of_its_folder_or_of_one_with_the_same_labels_that_was_simulated_alike(tmp_path):
    for name, labels, card in (("one", "l", "A"), ("moved", "l", "A"), ("other", "l", "B"), ("new", "m", "A")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train_labels.csv").write_text(labels)
        (tmp_path / name / "simulation.json").write_text(card)
    noted = scored_data(tmp_path / "one")
    assert [is_of(noted, tmp_path / name) for name in ("one", "moved", "other", "new")] == [True, True, False, False]
    (tmp_path / "one" / "train_labels.csv").write_text("mended")
    assert is_of(noted, tmp_path / "one")  # scores of test cadences follow from no label
    (tmp_path / "one" / "simulation.json").write_text("B")  # simulated anew in the same place
    assert not is_of(noted, tmp_path / "one")
    assert is_another_simulation(noted, tmp_path / "one")
    assert not is_another_simulation({"folder": "x"}, tmp_path / "one")
    without = [tmp_path / name for name in ("no labels", "none either")]
    assert not is_of(scored_data(without[0]), without[1])
    assert not is_of({}, without[0])


def test_versions_are_noted_and_an_absent_package_is_absent(monkeypatch):
    noted = environment(7, "cpu")
    assert (noted["seed"], noted["device"]) == (7, "cpu")
    assert noted["packages"]["torch"].split("+")[0] == torch.__version__.split("+")[0]

    def none_of_it(name):
        raise provenance.PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", none_of_it)
    monkeypatch.setattr(provenance.subprocess, "run", lambda *_args, **_more: (_ for _ in ()).throw(OSError()))
    noted = environment(7, "cpu")
    assert set(noted["packages"].values()) == {"absent"}
    assert noted["git"] is None

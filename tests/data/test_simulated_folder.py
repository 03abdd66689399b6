"""A simulated folder is begun once, goes on by the same call alone, and says what made it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import abacad
from abacad.data.simulated_folder import begin, finish, is_simulated, read_card, write_cadence
from abacad.errors import AbacadError
from abacad.simulator.presets import PRESETS

OURS = {"seed": 3, "n_train": 10, "background": None}
EASY = PRESETS["easy"]
TABLE = pd.DataFrame({"id": ["0a", "0b"], "target": [1, 0]})


@pytest.fixture
def finished(tmp_path):
    begin(tmp_path / "set", EASY, OURS)
    finish(tmp_path / "set", TABLE, TABLE.assign(target=0.5), TABLE.assign(pixel_snr=1 / 3))
    return tmp_path / "set"


def test_the_same_call_goes_on_until_the_labels_are_there(finished):
    assert begin(finished, EASY, OURS) is True
    (finished / "train_labels.csv").unlink()
    assert begin(finished, EASY, OURS) is False
    assert begin(finished, EASY, OURS, last="truth.csv") is True


@pytest.mark.parametrize(
    ("simulation", "parameters", "said"),
    [
        (EASY, OURS | {"seed": 4}, "another seed"),
        (EASY, OURS | {"seed": 4, "n_train": 11}, "another n_train and seed"),
        (replace(EASY, positives=0.2), OURS, "another simulation"),
        (EASY, OURS | {"n_test": 5}, "another n_test"),
    ],
)
def test_another_call_is_refused_by_what_is_another(simulation, parameters, said, finished):
    with pytest.raises(AbacadError, match=rf"was begun with {said}\.\nRepeat that call"):
        begin(finished, simulation, parameters)


def test_another_version_makes_other_bytes(finished, monkeypatch):
    monkeypatch.setattr(abacad, "__version__", "0.0.0")
    with pytest.raises(AbacadError, match="another version"):
        begin(finished, EASY, OURS)


def test_nothing_of_others_is_simulated_over(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(AbacadError, match="is not empty, and no simulation began it"):
        begin(tmp_path / "full", EASY, OURS)
    with pytest.raises(AbacadError, match="is a file"):
        begin(tmp_path / "full" / "thesis.tex", EASY, OURS)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    (tmp_path / "empty").mkdir()
    assert begin(tmp_path / "empty", EASY, OURS) is False


def test_a_card_is_what_made_the_folder(finished):
    card = read_card(finished)
    assert (card.simulation, card.seed, card.background) == (EASY, 3, None)
    assert is_simulated(finished)
    assert not is_simulated(finished.parent)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_the_way_through_json(name, tmp_path):
    begin(tmp_path / "set", PRESETS[name], OURS)
    (tmp_path / "set" / "train_labels.csv").touch()
    assert read_card(tmp_path / "set").simulation == PRESETS[name]


def test_no_card_or_an_unfinished_folder_is_told_with_the_command(tmp_path):
    with pytest.raises(AbacadError, match=r"no simulator wrote it\.\nMake one: abacad simulate OUT"):
        read_card(tmp_path)
    begin(tmp_path / "set", EASY, OURS)
    with pytest.raises(AbacadError, match=r"is not finished\.\nRepeat the call"):
        read_card(tmp_path / "set")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card.pop("background"), "background"),
        (lambda card: card.update(seed="3"), "its seed is no whole number"),
        (lambda card: card["simulation"].update(positives="many"), "simulation.positives is 'many'"),
        (lambda card: card["simulation"].update(sky=1), "there is no key simulation.sky"),
    ],
)
def test_a_card_that_was_changed_is_told_by_its_key(change, said, finished):
    path = finished / "simulation.json"
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))
    with pytest.raises(AbacadError, match=r"simulation\.json cannot be read") as told:
        read_card(finished)
    assert said in str(told.value)


def test_tables_are_written_with_the_labels_last(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("abacad.data.simulated_folder.write_table", lambda path, *_args, **_more: written.append(path))
    finish(tmp_path, TABLE, TABLE, TABLE)
    assert [path.name for path in written] == ["truth.csv", "sample_submission.csv", "train_labels.csv"]


def test_whoever_reads_the_leaky_folder_meets_ids_that_are_no_cadences(finished):
    assert "not_a_cadence_1" in (finished / "old_leaky_data" / "train_labels_old.csv").read_text()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("step", [1, -1])
def test_a_cadences_file_is_byte_for_byte_what_numpy_writes(dtype, step, tmp_path):
    cadence = np.arange(6 * 3 * 8).reshape(6, 3, 8).astype(dtype)[..., ::step]
    write_cadence(tmp_path / "ours.npy", cadence)
    np.save(tmp_path / "theirs.npy", np.ascontiguousarray(cadence))
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()
    np.testing.assert_array_equal(np.load(tmp_path / "ours.npy"), cadence)

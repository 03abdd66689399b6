"""The scored cadences behind a page: highest scores first, each read from its file, or a message that names it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from abacad.config import Recipe
from abacad.data.competition import read_labels, read_sample
from abacad.data.simulated_folder import begin
from abacad.errors import AbacadError
from abacad.show.source import Entry, Source, open_source
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from tests.conftest import SHAPE
from tests.data.files import ramp, write_cadence


@pytest.fixture
def run(shared_competition, tmp_path) -> Path:
    """A run folder with held-back scores, and where its data are."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(Recipe().as_dict()))
    labels = read_labels(shared_competition)
    scores = np.linspace(0.05, 0.95, len(labels))
    labels.assign(fold=np.arange(len(labels)) % 5, score=scores).to_csv(folder / "oof.csv", index=False)
    place = {"folder": str(shared_competition)}
    (folder / "run.json").write_text(json.dumps({"data": place, "test": place}))
    return folder


def with_test(run: Path, root: Path) -> Path:
    ids = read_sample(root)
    table = pd.DataFrame({"id": ids, "fold0": 0.5, "score": np.linspace(0.9, 0.1, len(ids))})
    table.to_csv(run / "test.csv", index=False)
    return run


def test_held_back_cadences_come_with_fold_and_label_the_highest_scores_first(run, shared_competition):
    source = open_source(run)
    labels = read_labels(shared_competition)
    assert [entry.name for entry in source.entries] == list(labels["id"])[::-1]
    first = source.entries[0]
    assert first.log_odds == pytest.approx(np.log(0.95 / 0.05))
    assert (first.fold, first.label) == (4, labels["target"].iloc[-1])
    path = shared_competition / "train" / first.name[0] / f"{first.name}.npy"
    np.testing.assert_array_equal(first.read(), np.load(path).astype(np.float32))
    assert (source.split, source.root, source.judged) == ("train", shared_competition, True)
    assert "40 held-back cadences" in source.about


def test_test_cadences_are_shown_where_there_are_some_unless_asked_otherwise(run, shared_competition):
    with_test(run, shared_competition)
    source = open_source(run)
    assert source.split == "test"
    assert [entry.name for entry in source.entries] == read_sample(shared_competition)
    assert {(entry.fold, entry.label) for entry in source.entries} == {(None, None)}
    assert source.entries[0].read().shape == SHAPE
    assert open_source(run, "oof").split == "train"


def test_equal_scores_keep_the_tables_order(run, shared_competition):
    with_test(run, shared_competition)
    table = pd.read_csv(run / "test.csv").assign(score=0.5)
    table.to_csv(run / "test.csv", index=False)
    assert [entry.name for entry in open_source(run).entries] == read_sample(shared_competition)


def test_scores_that_are_not_there_are_told_with_the_verb_that_makes_them(run):
    with pytest.raises(AbacadError, match=r"has no test\.csv\.\nabacad predict RUN DATA"):
        open_source(run, "test")
    (run / "oof.csv").unlink()
    with pytest.raises(AbacadError, match=r"has no oof\.csv\.\nThe same `abacad train`"):
        open_source(run)


@pytest.mark.parametrize("content", ["", "id\n0a\n", "id,score\n0a,high\n", "\0\0\0"])
@pytest.mark.parametrize("name", ["test.csv", "oof.csv"])
def test_scores_of_a_run_that_are_no_table_are_told_by_their_file(name, content, run):
    (run / name).write_text(content)
    with pytest.raises(AbacadError, match=name):
        open_source(run, name.removesuffix(".csv"))


def test_a_data_folder_that_has_moved_is_asked_for(run, shared_competition, tmp_path):
    (run / "run.json").write_text(json.dumps({"data": {"folder": str(tmp_path / "gone")}}))
    with pytest.raises(AbacadError, match=r"has moved\.\nName it: --data FOLDER"):
        open_source(run)
    assert open_source(run, data=shared_competition).root == shared_competition


@pytest.fixture
def scores(shared_competition, tmp_path) -> Path:
    files = sorted((shared_competition / "test").rglob("*.npy"))[:3]
    pd.DataFrame({"file": [str(path) for path in files], "score": [0.2, 0.9, 0.5]}).to_csv(
        tmp_path / "s.csv", index=False
    )
    return tmp_path / "s.csv"


def test_a_table_of_scores_is_a_source_too(scores):
    source = open_source(scores)
    table = pd.read_csv(scores)
    assert [entry.name for entry in source.entries] == [Path(table["file"][k]).stem for k in (1, 2, 0)]
    assert source.entries[0].read().shape == SHAPE
    assert source.axes is None


def test_files_are_found_from_where_the_table_lies(scores, shared_competition):
    table = pd.read_csv(scores)
    (scores.parent / "near.npy").write_bytes(Path(table["file"][0]).read_bytes())
    table.assign(file=["near.npy", "near.npy", "gone.npy"]).to_csv(scores, index=False)
    source = open_source(scores)
    assert [entry.name for entry in source.entries] == ["near", "gone"]  # a file that is named twice stands there once
    assert source.entries[0].read().shape == SHAPE
    with pytest.raises(AbacadError, match="no file gone"):
        source.entries[1].read()


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/0.npy", "b/0.npy", "b/1.npy"], ["a/0", "b/0", "1"]),
        (["a/c/0.npy", "b/c/0.npy", "b/d/0.npy"], ["a/c/0", "b/c/0", "d/0"]),
        (["0.npy", "a/0.npy", "/b/a/0.npy", "/0.npy"], ["0", "a/0", "b/a/0", "/0"]),
        (["a/0.npy", "a/0.h5"], ["a/0.npy", "a/0.h5"]),
        (["a/0.npy", "./a/0.npy", "a//0.npy"], ["0"]),
    ],
)
def test_files_of_one_stem_are_named_with_the_folders_that_tell_them_apart(files, names, tmp_path):
    """One name is one candidate on the page, so that a verdict on one of two would be lost."""
    scores = np.linspace(0.9, 0.1, len(files))
    pd.DataFrame({"file": files, "score": scores}).to_csv(tmp_path / "t.csv", index=False)
    source = open_source(tmp_path / "t.csv")
    assert [entry.name for entry in source.entries] == names
    assert f"{len(names)} cadences" in source.about


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n", "file,score\n", "file,score\nx.npy,high\n", "file,score\nx.npy,nan\n", "", "\xff\xfe,,,"]
)
def test_a_table_of_something_else_is_refused_by_its_name(content, tmp_path):
    (tmp_path / "t.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(AbacadError, match=r"t\.csv"):
        open_source(tmp_path / "t.csv")


def test_windows_of_telescope_files_need_the_files(tmp_path):
    files = write_cadence(tmp_path, 4, 600)
    table = pd.DataFrame({"file": "0.h5", "channel": [0, 256, 0], "score": [0.3, 0.6, 0.2]})
    table.to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(AbacadError, match=r"Name the six files: --files"):
        open_source(tmp_path / "w.csv")
    with pytest.raises(AbacadError, match=r"these files are ABABA?\b|these files are"):
        open_source(tmp_path / "w.csv", files=files[:3])
    source = open_source(tmp_path / "w.csv", files=files[::-1])
    assert len(source.entries) == 2  # a window that stands there twice is one
    low = source.entries[0]
    np.testing.assert_array_equal(low.read()[2], ramp(4, 600, 2)[:, 256:512])
    assert low.low_mhz == pytest.approx(6000 - (599 - 256) * 2.79e-6)
    assert low.name == f"{low.low_mhz:.6f} MHz"
    assert source.axes is not None
    assert (source.axes.n_time, source.axes.n_freq) == (4, 256)


def test_windows_of_files_whose_headers_name_no_source_are_those_that_score_took(tmp_path):
    files = write_cadence(tmp_path, 4, 600, source_name="")
    pd.DataFrame({"file": "0.h5", "channel": [256], "score": 0.6}).to_csv(tmp_path / "w.csv", index=False)
    (window,) = open_source(tmp_path / "w.csv", files=files).entries
    np.testing.assert_array_equal(window.read()[2], ramp(4, 600, 2)[:, 256:512])
    with pytest.raises(AbacadError, match="does not say what it looked at"):
        open_source(tmp_path / "w.csv", files=files[:3])


@pytest.mark.parametrize("channel", [-1, 345, 10**9, 0.5, "first", ""])
def test_windows_that_the_files_do_not_hold_are_told(channel, tmp_path):
    files = write_cadence(tmp_path, 4, 600)
    pd.DataFrame({"file": "0.h5", "channel": [channel], "score": 0.6}).to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(AbacadError, match=r"w\.csv scores a window at channel .*600 channels\.\nName those"):
        open_source(tmp_path / "w.csv", files=files)


def test_a_search_that_found_nothing_has_nothing_to_look_at(tmp_path):
    files = write_cadence(tmp_path, 4, 600)
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "events.csv").write_text("class,frequency_mhz,drift_hz_s,snr,score\n")
    with pytest.raises(AbacadError, match="found nothing: there is nothing to look at"):
        open_source(tmp_path / "found", files=files)


def test_what_is_neither_is_told_with_both(tmp_path):
    with pytest.raises(AbacadError, match=r"There is no .*\nGive a run folder, or a table of scores"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(AbacadError, match="is no run folder"):
        open_source(tmp_path)


def nothing() -> np.ndarray:
    return np.zeros(SHAPE, np.float32)


@pytest.mark.parametrize(("low_mhz", "preset"), [(None, "kaggle"), (1420.0, "telescope")])
def test_what_resembles_the_cadences_has_their_axes(low_mhz, preset):
    axes = Axes.usual(28, 64)
    like = Source("", [Entry("a", 0.0, nothing, low_mhz=low_mhz)]).simulation(axes)
    assert like.axes == axes
    assert like.noise == PRESETS[preset].noise
    assert like.normalise == PRESETS[preset].normalise


def test_simulated_cadences_resemble_their_own_simulation(tmp_path):
    begin(tmp_path / "set", PRESETS["easy"], {"seed": 1, "background": None})
    (tmp_path / "set" / "train_labels.csv").touch()
    source = Source("", [Entry("a", 0.0, nothing)], root=tmp_path / "set")
    assert source.simulation(Axes.usual(28, 64)) == PRESETS["easy"]

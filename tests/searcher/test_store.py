"""A search's folder: each coarse channel whole or absent, the same to the last bit, and no other search's."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from abacad import files
from abacad.errors import AbacadError
from abacad.files import read_json
from abacad.searcher.engine import Result
from abacad.searcher.store import Store
from abacad.searcher.table import columns

ASKED = {"files": [{"name": "a.h5", "bytes": 10}], "pattern": "ABACAD", "settings": {"snr": 7.0}}


def events(*snrs: float) -> pd.DataFrame:
    row = dict.fromkeys(columns(2), 1.0) | {"class": "event", "excluded": "", "score": np.nan, "channel": 3}
    return pd.DataFrame([row | {"snr": snr, "drift_hz_s": 1 / 3} for snr in snrs], columns=columns(2))


def result(coarse: int = 0, *snrs: float, injections: pd.DataFrame | None = None) -> Result:
    return Result(coarse, events(*snrs), {"channels": 8, "classes": {"event": len(snrs)}}, injections)


@pytest.fixture
def store(tmp_path) -> Store:
    made = Store(tmp_path / "found")
    made.begin(ASKED)
    return made


def test_a_new_search_begins_and_the_same_goes_on(tmp_path):
    (tmp_path / "empty").mkdir()
    store = Store(tmp_path / "empty")
    assert store.begin(ASKED) == 0
    store.keep(result(0, 8.0))
    store.keep(result(7))
    assert Store(store.root).begin(json.loads(json.dumps(ASKED))) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ASKED | {"pattern": "AB"}, "another search: pattern differ"),
        (ASKED | {"pattern": "AB", "files": []}, "another search: files, pattern differ"),
        (ASKED | {"pol": "first"}, "another search: pol differ"),
    ],
)
def test_another_search_is_refused_by_what_differs(asked, said, store):
    with pytest.raises(AbacadError, match=said):
        store.begin(asked)
    assert read_json(store.root / "search.json") == {"asked": ASKED}


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(AbacadError, match="is not empty and holds no search"):
        Store(tmp_path).begin(ASKED)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_what_is_kept_comes_back_to_the_last_bit(store):
    snr = float(np.nextafter(7.0, 8.0))
    injections = pd.DataFrame({"snr": [6.5], "found": [True], "class": ["event"], "found_snr": [np.nan]})
    store.keep(result(3, snr, 1e-300, injections=injections))
    again = store.have(3)
    assert again is not None
    assert (again.coarse, again.summary) == (3, result(3, 1.0, 2.0).summary)
    pd.testing.assert_frame_equal(again.events, result(3, snr, 1e-300).events, check_exact=True)
    pd.testing.assert_frame_equal(again.injections, injections, check_exact=True)


def test_a_coarse_channel_without_signals_is_there_too(store):
    store.keep(result(4))
    again = store.have(4)
    assert again is not None
    assert list(again.events.columns) == columns(2)
    assert len(again.events) == 0
    assert again.injections is None
    assert store.have(5) is None


def test_stamps_that_wait_for_the_detector_are_there_until_they_are_scored(store):
    stamps = np.arange(2 * 6 * 4 * 256, dtype=np.float32).reshape(2, 6, 4, 256)
    waiting = replace(result(3, 9.0, 8.0, 7.5), unscored=(2, 0), stamps=stamps)
    store.keep(waiting)
    again = store.have(3)
    assert (again.unscored, again.stamps) == ((2, 0), None)
    np.testing.assert_array_equal(store.stamps(3), stamps)
    store.keep(again.scored(np.float32([0.5, 0.25])))
    assert store.have(3).events["score"].tolist() == [0.25, pytest.approx(np.nan, nan_ok=True), 0.5]
    assert os.listdir(store.root / "coarse") == ["00003.json"]


def test_stamps_that_a_worker_wrote_into_the_folder_are_taken_as_they_lie(store):
    stamps = np.arange(2 * 6 * 4 * 256, dtype=np.float32).reshape(2, 6, 4, 256)
    store.coarse.mkdir()
    with open(store.coarse / "00003.cut", "wb") as file:
        np.save(file, stamps)
    store.keep(replace(result(3, 9.0, 8.0), unscored=(1, 0), stamps=store.coarse / "00003.cut"))
    np.testing.assert_array_equal(store.stamps(3), stamps)
    assert sorted(os.listdir(store.coarse)) == ["00003.json", "00003.npy"]
    (store.coarse / "00004.cut").write_bytes(b"half of it")  # a kill while they were cut
    store.keep(store.have(3).scored(np.float32([0.5, 0.25])))
    store.sweep()
    assert os.listdir(store.coarse) == ["00003.json"]


@pytest.mark.parametrize("left", [None, b"", b"half of it"])
def test_a_coarse_channel_whose_stamps_are_lost_is_searched_again(store, left):
    store.keep(replace(result(3, 9.0), unscored=(0,), stamps=np.zeros((1, 6, 4, 256), np.float32)))
    path = store.root / "coarse" / "00003.npy"
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    assert store.have(3) is None


def test_a_kill_on_the_way_leaves_no_stamps_behind(store):
    """Between the stamps and the result that names them, and between the scores and the end of the stamps."""
    (store.root / "coarse").mkdir()
    for coarse in (3, 4):
        np.save(store.root / "coarse" / f"{coarse:05d}.npy", np.zeros((1, 6, 4, 256), np.float32))
    assert store.have(3) is None
    store.keep(result(3, 9.0))
    store.sweep()
    assert os.listdir(store.root / "coarse") == ["00003.json"]


def test_a_result_that_cannot_be_written_leaves_no_half(store, monkeypatch):
    def broken(*_args):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(files.os, "replace", broken)
    with pytest.raises(AbacadError, match="disk is full"):
        store.keep(result(0, 8.0))
    monkeypatch.undo()
    assert store.have(0) is None
    assert list((store.root / "coarse").iterdir()) == []


def test_the_tables_say_the_same_in_both_formats(store):
    table = events(9.0, 8.0)
    store.write_events(table)
    parquet = pd.read_parquet(store.root / "events.parquet")
    pd.testing.assert_frame_equal(parquet, table, check_exact=True)
    csv = pd.read_csv(store.root / "events.csv", dtype=str)
    assert csv["drift_hz_s"].map(float).tolist() == table["drift_hz_s"].tolist()


def test_the_counts_join_what_was_asked(store):
    store.finish({"hits": 3})
    store.finish({"hits": 4})
    assert read_json(store.root / "search.json") == {"asked": ASKED, "found": {"hits": 4}}
    assert store.begin(ASKED) == 0

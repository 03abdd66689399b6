"""The verb on files: any order, a folder that goes on, tables that say what an astronomer needs."""

import json
import os
import shutil

import h5py
import pandas as pd
import pytest

import abacad
from abacad.cli import main
from abacad.data.observation import Observation
from abacad.errors import AbacadError
from abacad.searcher import engine
from tests.data.files import write_panel
from tests.searcher.made import add_line, made

OFFSET_S = 400.0
STEP_HZ = 2.79
ROW_S = 18.0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Six files with a needle of 0.1 Hz/s at channel 2000, and a carrier at channel 3000."""
    folder = tmp_path_factory.mktemp("telescope")
    observation = made(
        seed=5, n_freq=8192, start_s=[OFFSET_S * p for p in range(6)], df_hz=STEP_HZ, dt_s=ROW_S, dof=200
    )
    add_line(observation, 2000, 0.1, 15)
    add_line(observation, 3000, 0.0, 50, panels=range(6))
    return [write_panel(folder, k, observation.panels[k]) for k in range(6)]


def test_files_in_any_order_give_one_event(files, tmp_path, capsys):
    words = [str(files[k]) for k in (4, 2, 0, 5, 3, 1)]
    assert main(["search", *words, "--out", str(tmp_path / "found"), "--max_drift", "1", "--progress", "false"]) == 0
    assert "1 event" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "found" / "events.csv")
    event = table.iloc[0]
    assert event["class"] == "event"
    assert event["channel"] == pytest.approx(2000, abs=1)
    assert event["drift_hz_s"] == pytest.approx(0.1, abs=0.003)
    assert event["score"] > 0.5
    assert event["source"] == "A"
    assert table["class"].tolist() == ["event", "in OFF"]
    low_mhz = 6000 - 8191 * STEP_HZ / 1e6
    assert event["frequency_mhz"] == pytest.approx(low_mhz + event["channel"] * STEP_HZ / 1e6, abs=2e-6)
    assert pd.read_parquet(tmp_path / "found" / "events.parquet").shape == table.shape
    hits = pd.read_csv(tmp_path / "found" / "hits.csv")
    assert sorted(hits.loc[hits["class"] == "event", "panel"]) == [1, 3, 5]
    assert set(hits.loc[hits["class"] == "in OFF", "panel"]) == {1, 2, 3, 4, 5, 6}
    third = hits[(hits["class"] == "event") & (hits["panel"] == 5)].iloc[0]
    assert third["frequency_mhz"] == pytest.approx(event["frequency_mhz"] + 0.1 * 4 * OFFSET_S / 1e6, abs=5e-6)


def test_a_search_that_was_stopped_goes_on_and_ends_with_the_same_tables(files, tmp_path, monkeypatch):
    monkeypatch.setattr(Observation, "coarse", lambda self: [(0, 4096), (4096, 4096)])
    whole = abacad.search(files, out=tmp_path / "whole", max_drift=1, inject=5, progress=False)
    searched = []
    true = engine.search_unit

    def until(coarse_channels):
        def search(observation, coarse, *more):
            if len(searched) == coarse_channels:
                raise KeyboardInterrupt
            searched.append(coarse)
            return true(observation, coarse, *more)

        return search

    monkeypatch.setattr(engine, "search_unit", until(1))
    with pytest.raises(KeyboardInterrupt):
        abacad.search(files, out=tmp_path / "parts", max_drift=1, inject=5, progress=False)
    assert (tmp_path / "parts" / "events.csv").is_file()
    assert json.loads((tmp_path / "parts" / "search.json").read_text())["found"]["coarse_channels"] == [1, 2]
    monkeypatch.setattr(engine, "search_unit", until(99))
    again = abacad.search(files, out=tmp_path / "parts", max_drift=1, inject=5, progress=False)
    assert searched == [0, 1]
    pd.testing.assert_frame_equal(whole, again)
    for name in ("events.csv", "hits.csv", "injections.csv", "dat/0.dat"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_another_search_in_the_folder_is_refused(files, tmp_path):
    abacad.search(files, out=tmp_path / "found", max_drift=0.5, judged=0, progress=False)
    with pytest.raises(AbacadError, match=r"another search: settings differ"):
        abacad.search(files, out=tmp_path / "found", max_drift=0.6, judged=0, progress=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(AbacadError, match="not empty"):
        abacad.search(files, out=tmp_path / "mine", progress=False)


@pytest.mark.parametrize(("option", "value"), [("max_drift", 0.0), ("max_drift", float("nan")), ("snr", 3.0)])
def test_options_without_sense_are_refused(files, tmp_path, option, value):
    with pytest.raises(AbacadError, match=option):
        abacad.search(files, out=tmp_path / "found", **{option: value})
    assert not (tmp_path / "found").exists()


def test_a_file_cut_short_on_disk_costs_its_own_rows_and_the_search_goes_on(files, tmp_path, caplog):
    """A download that broke off: HDF5 opens such a file no more, and the five others were lost with it."""
    shutil.copy(files[2], tmp_path / "2.h5")
    with h5py.File(files[2]) as file:
        begin = file["data"].id.get_offset()
    os.truncate(tmp_path / "2.h5", begin + 10 * 8192 * 4)
    paths = [tmp_path / "2.h5" if k == 2 else path for k, path in enumerate(files)]
    event = abacad.search(paths, out=tmp_path / "found", max_drift=1, judged=0, shown=0, progress=False).iloc[0]
    assert "2.h5: it is cut short on disk; 10 of its 16 rows are whole" in caplog.text
    assert (event["class"], event["channel"]) == ("event", pytest.approx(2000, abs=1))
    assert 0 < event["snr_3"] < event["snr_1"]
    masked = json.loads((tmp_path / "found" / "search.json").read_text())["found"]["masked_pixels"]
    assert masked == {f"{k}.h5": 6 * 8192 if k == 2 else 0 for k in range(6)}

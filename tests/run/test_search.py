"""The verb on files: any order, a folder that goes on, tables that say what an astronomer needs."""

import json
import os
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

import abacad
from abacad.cli import main
from abacad.data.observation import Observation
from abacad.errors import AbacadError
from abacad.run import search_job
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


def test_the_detector_comes_when_all_is_searched_and_a_kill_between_costs_nothing(files, tmp_path, monkeypatch):
    monkeypatch.setattr(Observation, "coarse", lambda self: [(0, 4096), (0, 4096), (4096, 4096)])
    begun = []
    search, score = engine.search_unit, search_job.scores

    def searched(observation, coarse, *more):
        begun.append("searched")
        return search(observation, coarse, *more)

    def scored(*what):
        begun.append("scored")
        if begun.count("scored") == 2:
            raise KeyboardInterrupt
        return score(*what)

    monkeypatch.setattr(engine, "search_unit", searched)
    monkeypatch.setattr(search_job, "scores", scored)
    options = {"max_drift": 1, "judged": 4, "shown": 0, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        abacad.search(files, out=tmp_path / "parts", **options)
    assert begun == ["searched"] * 3 + ["scored"] * 2
    assert sorted(os.listdir(tmp_path / "parts" / "coarse")) == ["00000.json", "00001.json", "00001.npy", "00002.json"]
    left = pd.read_csv(tmp_path / "parts" / "events.csv")
    assert (left["class"] == "event").sum() == 2
    assert left["score"].notna().sum() == 1
    again = abacad.search(files, out=tmp_path / "parts", **options)
    assert begun == ["searched"] * 3 + ["scored"] * 3
    monkeypatch.undo()
    monkeypatch.setattr(Observation, "coarse", lambda self: [(0, 4096), (0, 4096), (4096, 4096)])
    whole = abacad.search(files, out=tmp_path / "whole", **options)
    pd.testing.assert_frame_equal(whole, again, check_exact=True)
    assert whole["score"].notna().sum() == 2
    for part in ("events.csv", "coarse/00000.json", "coarse/00001.json"):
        assert (tmp_path / "whole" / part).read_bytes() == (tmp_path / "parts" / part).read_bytes()


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


def quick(paths, out, **options):
    return abacad.search(paths, out=out, max_drift=1, judged=0, shown=0, progress=False, **options)


def test_damage_of_every_sort_is_masked_counted_and_named_and_the_search_goes_on(files, tmp_path, caplog):
    """NaN and Inf, a chunk that cannot be unpacked, and one never written, which HDF5 shows as zeros."""
    paths = list(files)
    for panel in (1, 2, 3):
        with h5py.File(files[panel]) as old:
            data, words = old["data"][()], dict(old["data"].attrs)
        if panel == 1:
            data[3, 0, 100:200], data[4, 0, 100] = np.nan, np.inf
        paths[panel] = tmp_path / f"{panel}.h5"
        with h5py.File(paths[panel], "w") as new:
            table = new.create_dataset("data", data.shape, "f4", chunks=(1, 1, 8192), compression="gzip")
            table.attrs.update(words)
            for row in range(len(data)):
                if (panel, row) != (3, 7):
                    table[row] = data[row]
            place = table.id.get_chunk_info_by_coord((5, 0, 0))
        if panel == 2:
            with open(paths[panel], "r+b") as stream:
                stream.seek(place.byte_offset + 20)
                stream.write(b"\xa5" * 1000)
    event = quick(paths, tmp_path / "found").iloc[0]
    assert (event["class"], event["channel"]) == ("event", pytest.approx(2000, abs=1))
    found = json.loads((tmp_path / "found" / "search.json").read_text())["found"]
    assert [found["masked_pixels"][f"{k}.h5"] for k in range(6)] == [0, 101, 8192, 8192, 0, 0]
    for said in ("1.h5: 101 values not finite, in channels 7992 to 8091", "2.h5: 8,192 values corrupt chunk",
                 "3.h5: 8,192 values chunk never written, in channels 0 to 8191"):  # fmt: skip
        assert said in caplog.text


def test_the_headers_reach_the_physics(files, tmp_path):
    """Rows said to take half the time: a line that moves as far in a row drifts twice as fast."""
    paths = []
    for panel, path in enumerate(files):
        with h5py.File(path) as file:
            values = file["data"][()][:, 0, ::-1]
        start = 57650.5 + panel * OFFSET_S / 2 / 86_400
        paths.append(write_panel(tmp_path, panel, values, tsamp=ROW_S / 2, tstart=start, telescope_id=9))
    event = quick(paths, tmp_path / "found").iloc[0]
    assert event["drift_hz_s"] == pytest.approx(0.2, abs=0.006)
    assert (event["telescope"], event["source"], event["epoch_mjd"]) == ("ATA", "A", 57650.5)
    gaps = [path.with_stem(f"late{k}") for k, path in enumerate(paths)]
    for panel, (path, late) in enumerate(zip(paths, gaps, strict=True)):
        shutil.copy(path, late)
        with h5py.File(late, "r+") as file:
            file["data"].attrs["tstart"] = 57650.5 + panel * OFFSET_S / 86_400
    assert "event" not in set(quick(gaps, tmp_path / "gaps")["class"])


def test_a_pattern_says_what_headers_do_not(files, tmp_path):
    paths = []
    for panel, path in enumerate(files):
        paths.append(tmp_path / f"{panel}.h5")
        shutil.copy(path, paths[-1])
        with h5py.File(paths[-1], "r+") as file:
            file["data"].attrs["source_name"] = "SAME"
    with pytest.raises(AbacadError, match="none of them is OFF"):
        quick(paths, tmp_path / "found")
    assert quick(paths, tmp_path / "found", pattern="ABABAB").iloc[0]["class"] == "event"
    assert quick(paths[:5], tmp_path / "five", pattern="ABABA").iloc[0]["class"] == "event"


def test_one_polarisation_or_all_of_the_power(files, tmp_path):
    """A line of the second polarisation alone is in Stokes I, fainter by √2, and not in the first."""
    paths = []
    for panel, path in enumerate(files):
        with h5py.File(path) as file:
            second = file["data"][()][:, 0, ::-1]
        noise = np.random.default_rng(100 + panel).chisquare(200, second.shape).astype(np.float32)
        both = np.stack([noise * second.mean() / 200, second], axis=1)
        paths.append(write_panel(tmp_path, panel, both))
    events = quick(paths, tmp_path / "whole")
    assert events.iloc[0]["class"] == "event"
    assert "event" not in set(quick(paths, tmp_path / "first", pol="first")["class"])

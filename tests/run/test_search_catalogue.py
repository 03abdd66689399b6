"""Many observations: one that fails stops none, and the table of all is the tables of each."""

import os

import numpy as np
import pandas as pd
import pytest

import abacad
from abacad.cli import main
from abacad.errors import AbacadError
from abacad.run import search_catalogue
from abacad.searcher import engine
from tests.data.files import write_panel
from tests.searcher.made import add_line, made

QUICK = {"max_drift": 0.5, "judged": 0, "shown": 0, "progress": False}
WORDS = ["--max_drift", "0.5", "--judged", "0", "--shown", "0", "--progress", "false"]


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """Two observations with a needle each, at channels 1000 and 3000."""
    folder = tmp_path_factory.mktemp("sky")
    for name, channel in (("a", 1000), ("b", 3000)):
        (folder / name).mkdir()
        there = made(seed=channel, n_freq=4096, start_s=[400.0 * p for p in range(6)], df_hz=2.79, dt_s=18.0)
        add_line(there, channel, 0.1, 20)
        for panel in range(6):
            write_panel(folder / name, panel, there.panels[panel])
    (folder / "broken.h5").write_bytes(b"no telescope file")
    return folder


def catalogue(sky, *rows, head="name,files"):
    path = sky / "cadences.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@pytest.fixture
def searched(monkeypatch):
    """The folder of the files of each coarse channel that is really searched."""
    done = []
    true = engine.search_unit

    def noted(observation, *more):
        done.append(str(observation.files[0].path.parent.name))
        return true(observation, *more)

    monkeypatch.setattr(engine, "search_unit", noted)
    return done


def test_each_observation_is_searched_once_and_the_table_of_all_is_theirs(sky, tmp_path, searched):
    six = ";".join(str(sky / "a" / f"{k}.h5") for k in range(6))
    path = catalogue(sky, "late,b/*.h5", f'"001",{six}')
    out = tmp_path / "all"
    table = abacad.search_catalogue(path, out=out, **QUICK)
    assert searched == ["b", "a"]
    assert list(table.columns[:2]) == ["observation", "class"]
    assert list(dict.fromkeys(table["observation"])) == ["late", "001"]
    events = table[table["class"] == "event"].set_index("observation")["channel"]
    assert abs(events["late"] - 3000) <= 1
    assert abs(events["001"] - 1000) <= 1
    told = (out / "events.csv").read_bytes()
    both = [pd.read_csv(out / name / "events.csv", dtype=str) for name in ("late", "001")]
    written = pd.read_csv(out / "events.csv", dtype=str).drop(columns="observation")
    pd.testing.assert_frame_equal(written, pd.concat(both, ignore_index=True))
    abacad.search_catalogue(path, out=out, **QUICK)
    assert searched == ["b", "a"]
    assert (out / "events.csv").read_bytes() == told
    assert (out / "failed.csv").read_text() == "name,reason\n"


def test_torch_stays_out_of_a_process_that_has_more_to_search(sky, tmp_path, monkeypatch):
    begun = []

    def elsewhere(write, *how):
        begun.append(write.__self__.store.root.name)
        return write(*how)

    monkeypatch.setattr(search_catalogue, "apart", elsewhere)
    path = catalogue(sky, "first,a/*.h5", "second,b/*.h5", "third,a/*.h5")
    table = abacad.search_catalogue(path, out=tmp_path / "all", **(QUICK | {"judged": 2}))
    assert begun == ["first", "second"]
    assert table.groupby("observation")["score"].count().min() >= 1
    begun.clear()
    abacad.search_catalogue(path, out=tmp_path / "unscored", **QUICK)
    assert begun == []


def test_one_that_cannot_be_opened_is_named_and_the_others_go_on(sky, tmp_path, caplog):
    path = catalogue(sky, "bad,broken.h5", "good,a/*.h5")
    caplog.set_level("INFO")
    table = abacad.search_catalogue(path, out=tmp_path / "all", **QUICK)
    assert set(table["observation"]) == {"good"}
    failed = pd.read_csv(tmp_path / "all" / "failed.csv")
    assert failed["name"].tolist() == ["bad"]
    assert "broken.h5" in failed["reason"][0]
    assert [r.getMessage()[:4] for r in caplog.records if r.levelname == "WARNING"] == ["bad "]
    assert "Observation 2 of 2: good" in caplog.text


def test_a_fault_of_the_search_in_one_is_named_as_such_and_the_others_go_on(sky, tmp_path, monkeypatch, caplog):
    search = engine.search_unit

    def faulty(observation, *more):
        if observation.files[0].path.parent.name == "b":
            raise ValueError("range() arg 3 must not be zero")
        return search(observation, *more)

    monkeypatch.setattr(engine, "search_unit", faulty)
    table = abacad.search_catalogue(catalogue(sky, "bad,b/*.h5", "good,a/*.h5"), out=tmp_path / "all", **QUICK)
    assert set(table["observation"]) == {"good"}
    (reason,) = pd.read_csv(tmp_path / "all" / "failed.csv")["reason"]
    assert reason == "a fault of abacad's: ValueError: range() arg 3 must not be zero"
    assert "in faulty" in caplog.text  # the traceback


def test_a_pattern_of_a_row_counts_before_the_option(sky, tmp_path):
    path = catalogue(sky, "own,a/*.h5,ABACAD", "usual,b/*.h5,", head="name,files,pattern")
    table = abacad.search_catalogue(path, out=tmp_path / "all", pattern="ABABAB", **QUICK)
    assert table.groupby("observation")["pattern"].unique().map(list).to_dict() == {
        "own": ["ABACAD"],
        "usual": ["ABABAB"],
    }


def test_observations_of_four_and_six_panels_share_a_table(sky, tmp_path):
    path = catalogue(sky, "four,a/0.h5 a/1.h5 a/2.h5 a/3.h5", "six,b/*.h5")
    table = abacad.search_catalogue(path, out=tmp_path / "all", **QUICK)
    last = table.set_index("observation")["snr_6"]
    assert np.isnan(last["four"]).all()
    assert np.isfinite(last["six"]).all()


def test_status_2_only_when_none_could_be_searched(sky, tmp_path, capsys):
    path = catalogue(sky, "bad,broken.h5", "worse,broken.h5")
    assert main(["search", "--catalogue", str(path), "--out", str(tmp_path / "none"), *WORDS]) == 2
    told = capsys.readouterr().err
    assert "None of the 2 observations" in told
    assert pd.read_csv(tmp_path / "none" / "failed.csv")["name"].tolist() == ["bad", "worse"]
    path = catalogue(sky, "bad,broken.h5", "good,a/*.h5")
    assert main(["search", "--catalogue", str(path), "--out", str(tmp_path / "some"), *WORDS]) == 0
    told = capsys.readouterr().out
    assert "1 event" in told
    assert "failed.csv" in told


@pytest.mark.parametrize(
    ("head", "rows", "told"),
    [
        ("name,files", [], "no observation"),
        ("name,paths", ["x,a/*.h5"], "must have name, files"),
        ("name,files", ["x,a/*.h5", "../y,a/*.h5"], "row 3.*cannot be the name"),
        ("name,files", ["x\\y,a/*.h5"], "row 2.*cannot be the name"),
        ("name,files", [".,a/*.h5"], "row 2.*cannot be the name"),
        ("name,files", ["x,a/*.h5", "X,b/*.h5"], "row 3.*taken"),
        ("name,files", ["events.csv,a/*.h5"], "row 2.*taken"),
        ("name,files", ["x,a/*.h5", "y,a/0.h5 a/9.h5"], "row 3.*9.h5"),
        ("name,files", ["x,z/*.h5"], "row 2.*no file"),
        ("name,files", ["x,;"], "row 2 names no files"),
        ("name,files", ["x"], "row 2, is without files"),
        ("name,files", ["x,"], "row 2, is without files"),
    ],
)
def test_a_catalogue_that_does_not_fit_is_refused_by_file_and_row(sky, tmp_path, head, rows, told):
    path = catalogue(sky, *rows, head=head)
    with pytest.raises(AbacadError, match=told) as caught:
        abacad.search_catalogue(path, out=tmp_path / "all", **QUICK)
    assert "cadences.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert not (tmp_path / "all").exists()


def test_a_folder_of_something_else_is_left_alone(sky, tmp_path):
    (tmp_path / "events.csv").write_text("mine")
    with pytest.raises(AbacadError, match="not empty"):
        abacad.search_catalogue(catalogue(sky, "x,a/*.h5"), out=tmp_path, **QUICK)
    assert os.listdir(tmp_path) == ["events.csv"]
    assert (tmp_path / "events.csv").read_text() == "mine"


def test_files_and_a_catalogue_are_not_taken_together_nor_neither(sky, capsys):
    path = catalogue(sky, "x,a/*.h5")
    for words in ([], [str(sky / "broken.h5"), "--catalogue", str(path)]):
        assert main(["search", *words]) == 2
        assert "either telescope files or --catalogue" in capsys.readouterr().err

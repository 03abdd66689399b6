"""The search verb: files of one observation or a table of many, every option passed on, the headline on the screen."""

import pandas as pd
import pytest

from abacad.cli import main, parser_of
from tests.cli.calls import instead, refused, told


def events(**columns) -> pd.DataFrame:
    usual = {
        "class": ["event", "in OFF", "near-zero drift", "event", "RFI zone"], "score": 0.5, "frequency_mhz": 1400.0,
        "drift_hz_s": 0.1, "snr": [30.0, 90.0, 20.0, 15.0, 12.0], "off_snr": 0.0, "source": "A",
        "excluded": ["", "", "", "radar", ""], "observation": "night",
    }  # fmt: skip
    return pd.DataFrame(usual | columns)


@pytest.fixture
def files(tmp_path):
    made = [tmp_path / f"{panel}.h5" for panel in range(6)]
    for path in made:
        path.touch()
    return made


def test_every_option_reaches_the_search(files, run_folder, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "search", events())
    given = {
        "out": tmp_path / "found", "max_drift": 2.5, "min_drift": 0.01, "snr": 8.0, "windows": 2, "pattern": "ABACAD",
        "pol": "first", "hit_snr": 12.0, "judged": 3, "weights": run_folder, "inject": 10, "seed": 4, "exclude": "gbt",
        "shown": 5, "sefd": 10.0, "distance": 4.2, "accelerator": "cpu",
        "engine": "processes", "workers": 2,
    }  # fmt: skip
    told(capsys, "search", *files, *(word for key, value in given.items() for word in (f"--{key}", value)))
    assert called.positional == (files,)
    assert called.named == given | {"progress": False}
    options = set(vars(parser_of("search").parse_args([]))) - {"quiet", "json", "print_config", "files", "catalogue"}
    assert options == set(called.named)


def test_events_are_shown_and_all_signals_counted(files, monkeypatch, capsys, tmp_path):
    instead(monkeypatch, "search", events())
    said = told(capsys, "search", *files, "--out", tmp_path / "found")
    # Neither in OFF nor excluded; by class, and the brightest first.
    assert [row["snr"] for row in said if "table" in row] == [30.0, 12.0, 20.0]
    assert {"note": "Signals: 2 event, 1 in OFF, 1 near-zero drift, 1 RFI zone."} in said


def test_at_most_a_screen_of_events_is_shown(files, monkeypatch, capsys, tmp_path):
    many = pd.concat([events(**{"class": "event", "excluded": ""})] * 9, ignore_index=True)
    instead(monkeypatch, "search", many)
    said = told(capsys, "search", *files, "--out", tmp_path / "found")
    assert sum("table" in row for row in said) == 25
    assert any(row.get("note", "").startswith("The first 25 of 45 are shown; events.csv has all.") for row in said)


def test_scores_are_shown_as_log_odds_and_what_was_not_judged_as_a_dash(files, monkeypatch, capsys, tmp_path):
    """Each bright line had the score 1.0000, and a line that was not judged the score nan."""
    instead(monkeypatch, "search", events(score=[0.99999, 0.5, float("nan"), 0.5, 0.99]))
    assert main(["search", *map(str, files), "--out", str(tmp_path / "found")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "1400.000000" in line]
    assert [row[-5] for row in rows] == ["+11.5", "+4.6", "–"]
    said = told(capsys, "search", *files, "--out", tmp_path / "found")
    assert [row["score"] for row in said if "table" in row] == [0.99999, 0.99, None]  # programs have both


def test_no_signal_is_told_as_none(files, monkeypatch, capsys, tmp_path):
    instead(monkeypatch, "search", events()[:0])
    assert told(capsys, "search", *files, "--out", tmp_path / "found") == [{"note": "Signals: none."}]


def test_what_was_written_is_told_as_far_as_it_is_there(files, monkeypatch, capsys, tmp_path):
    out = tmp_path / "found"
    out.mkdir()
    (out / "events.csv").touch()
    instead(monkeypatch, "search", events())
    said = told(capsys, "search", *files, "--out", out)
    assert [row for row in said if "wrote" in row] == [{"wrote": "events", "path": str(out / "events.csv")}]


def test_a_catalogue_is_searched_instead(tmp_path, monkeypatch, capsys):
    one = instead(monkeypatch, "search", events())
    all_of = instead(monkeypatch, "search_catalogue", events())
    (tmp_path / "night.h5").touch()
    (tmp_path / "c.csv").write_text(f"name,files\nnight,{tmp_path}/night.h5\n")
    said = told(capsys, "search", "--catalogue", tmp_path / "c.csv", "--out", tmp_path / "all", "--snr", 9)
    assert said[-1] == {"next": f"abacad review {tmp_path}/all/night --files {tmp_path}/night.h5"}
    assert one.times == 0
    assert all_of.positional == (tmp_path / "c.csv",)
    assert (all_of.named["snr"], all_of.named["out"]) == (9.0, tmp_path / "all")
    assert [row["observation"] for row in said if "table" in row] == ["night"] * 3


def test_files_and_a_catalogue_or_neither_are_refused(files, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "search", events())
    (tmp_path / "c.csv").touch()
    for words in ([], [*files, "--catalogue", tmp_path / "c.csv"]):
        assert "either telescope files or --catalogue" in refused(capsys, "search", *words)
    assert "There is no file" in refused(capsys, "search", tmp_path / "gone.h5")
    assert called.times == 0

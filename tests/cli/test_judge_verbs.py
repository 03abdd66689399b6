"""Verbs with a trained detector: each option reaches the function, and the screen shows as much as was asked for."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from abacad.show.words import log_odds
from tests.cli.calls import instead, refused, told


def scores(n: int) -> pd.DataFrame:
    return pd.DataFrame({"file": [f"{k}.npy" for k in range(n)], "score": [1 - k / n for k in range(n)]})


def test_score_shows_the_highest_and_counts_all(shared_competition, run_folder, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "score", scores(30))
    files = [shared_competition / "test", shared_competition / "train"]
    words = [
        "--weights",
        run_folder,
        "--out",
        tmp_path / "s.csv",
        "--shown",
        4,
        "--bad",
        "skip",
        "--pattern",
        "ABACAD",
        "--observer",
        "--loudest",
        0.25,
    ]
    said = told(capsys, "score", *files, *words, "--accelerator", "cpu")
    assert called.positional == (files,)
    assert called.named == {
        "pattern": "ABACAD", "weights": run_folder, "out": tmp_path / "s.csv", "page": None, "submission": None,
        "shown": 4, "accelerator": "cpu", "bad": "skip", "observer": True, "loudest": 0.25, "progress": False,
    }  # fmt: skip
    assert [row["file"] for row in said if "table" in row] == ["0.npy", "1.npy", "2.npy", "3.npy"]
    assert all(row["log-odds"] == log_odds(row["score"]) for row in said if "table" in row)
    assert {"note": "30 cadences were scored."} in said
    assert {"wrote": "scores", "path": str(tmp_path / "s.csv")} in said
    assert [row["next"] for row in said if "next" in row] == [
        f"abacad score {files[0]} {files[1]} --weights '{run_folder}' --pattern ABACAD --observer --loudest 0.25 "
        "--page scores.html",
        f"abacad review {tmp_path}/s.csv --weights '{run_folder}'",
    ]  # fmt: skip


def test_score_with_a_page_and_a_submission_tells_both_and_asks_for_nothing(
    shared_competition, tmp_path, monkeypatch, capsys
):
    instead(monkeypatch, "score", scores(3))
    words = ["--page", tmp_path / "p.html", "--submission", tmp_path / "sub.csv", "--out", "-"]
    from abacad.cli import main

    assert main(["score", str(shared_competition / "test"), *map(str, words), "--json"]) == 0
    said = capsys.readouterr()
    assert said.out == ""  # the table has standard output to itself
    assert '"wrote": "page"' in said.err
    assert '"wrote": "submission"' in said.err
    assert '"next"' not in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gone.npy"], "There is no file or folder gone.npy"),
        ([".", "--weights", "gone"], "There is no run folder gone"),
        ([".", "--out", "."], "is a folder"),
        ([], "files"),
        ([".", "--bad", "maybe"], "bad"),
    ],
)
def test_score_is_refused_before_it_works(words, said, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    called = instead(monkeypatch, "score", scores(1))
    assert said in refused(capsys, "score", *words)
    assert called.times == 0


def test_sensitivity(run_folder, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "sensitivity", tmp_path / "sens.html")
    noise = tmp_path / "noise.h5"
    noise.touch()
    words = [
        "--preset",
        "hard",
        "--background",
        noise,
        "--cadences",
        100,
        "--positives",
        0.5,
        "--seed",
        3,
        "--bound",
        0,
    ]
    said = told(capsys, "sensitivity", run_folder, *words, "--accelerator", "cpu")
    assert called.positional == (run_folder,)
    background = called.named.pop("background")
    assert list(background) == [noise]
    assert called.named == {
        "preset": "hard", "cadences": 100, "positives": 0.5, "seed": 3, "bound": 0, "accelerator": "cpu", "out": None,
        "progress": False,
    }  # fmt: skip
    assert {"wrote": "table", "path": str(tmp_path / "sens.csv")} in said


def test_sensitivity_of_the_packages_weights(tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "sensitivity", tmp_path / "sens.html")
    told(capsys, "sensitivity")
    assert called.positional == (None,)
    assert list(called.named["background"]) == []


def test_export(tmp_path, monkeypatch, capsys):
    exported = SimpleNamespace(told=lambda: [("kind", "binned")], path=tmp_path / "p.onnx")
    called = instead(monkeypatch, "export", exported)
    said = told(capsys, "export", tmp_path / "p.onnx", "--rows", 28, "--channels", 64)
    assert called.positional == (tmp_path / "p.onnx", None)
    assert called.named == {"rows": 28, "channels": 64}
    assert {"table": "ONNX", "what": "kind", "is": "binned"} in said
    (tmp_path / "other.onnx").write_bytes(b"somebody's")
    assert "left as it is" in refused(capsys, "export", tmp_path / "other.onnx")


def test_paths_reach_the_function_as_paths(tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "score", scores(1))
    (tmp_path / "~name [1].npy").touch()
    told(capsys, "score", tmp_path / "~name [1].npy", "--out", tmp_path / "s.csv")
    assert called.positional == ([tmp_path / "~name [1].npy"],)
    assert all(isinstance(path, Path) for path in called.positional[0])

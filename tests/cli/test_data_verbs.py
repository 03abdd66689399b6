"""Verbs on data folders: each option reaches the function, and the next command has the right folder in it."""

import shlex
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from abacad.cli import parser_of
from abacad.cli.data_verbs import command
from abacad.simulator.presets import PRESETS
from tests.cli.calls import instead, refused, told


def test_a_command_can_be_pasted_into_a_shell():
    assert (
        command("score", Path("my data/test"), "--page", "a'b.html")
        == "abacad score 'my data/test' --page 'a'\"'\"'b.html'"
    )
    assert shlex.split(command("score", "my data", 3)) == ["abacad", "score", "my data", "3"]


def found(problems, root) -> SimpleNamespace:
    return SimpleNamespace(
        tree=[("train/", "40", "1 MB")], facts=lambda: [("labels", "40")], problems=problems, root=root
    )  # fmt: skip


@pytest.mark.parametrize("problems", [[], ["2 ids have no file."]])
def test_audit(problems, shared_competition, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "audit", found(problems, shared_competition))
    said = told(capsys, "audit", shared_competition, "--full", "--out", tmp_path / "a.html")
    assert called.positional == (shared_competition,)
    assert called.named == {"full": True, "out": tmp_path / "a.html", "progress": False}
    assert {"note": problems[0] if problems else "No problems found."} in said
    assert {"table": "Facts", "what": "labels", "found": "40"} in said
    assert {"next": f"abacad overlaps {shared_competition}"} in said


@pytest.mark.parametrize("elsewhere", [False, True])
def test_overlaps_names_its_groups_to_the_training_where_they_lie_elsewhere(
    elsewhere, shared_competition, tmp_path, monkeypatch, capsys
):
    folder = tmp_path if elsewhere else shared_competition
    called = instead(monkeypatch, "overlaps", SimpleNamespace(folder=folder, facts=lambda: [("pairs", "3")]))
    words = ["--out", tmp_path] if elsewhere else []
    said = told(capsys, "overlaps", shared_competition, *words, "--bad", "skip", "--workers", 3)
    assert called.named == {"out": tmp_path if elsewhere else None, "bad": "skip", "workers": 3, "progress": False}
    groups = f" --data.groups {tmp_path}/groups.csv" if elsewhere else ""
    assert said[-1] == {"next": f"abacad train {shared_competition} --recipe compact{groups}"}
    assert {"wrote": "groups", "path": str(folder / "groups.csv")} in said


def test_simulate_builds_the_simulation_that_its_options_tell(tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "simulate", tmp_path)
    words = ["--preset", "easy", "--train", 7, "--test", 3, "--seed", 5, "--positives", 0.25, "--axes.n_time", 28]
    said = told(capsys, "simulate", tmp_path, *words)
    _, simulation = called.positional
    assert (simulation.positives, simulation.axes.n_time) == (0.25, 28)
    assert simulation.needles == PRESETS["easy"].needles
    assert simulation.rfi == PRESETS["easy"].rfi
    assert called.named == {"n_train": 7, "n_test": 3, "seed": 5, "background": None, "progress": False}
    assert said[-1] == {"next": f"abacad train {tmp_path} --recipe compact"}


@pytest.mark.parametrize("preset", PRESETS)
def test_without_options_a_simulation_is_its_preset(preset, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "simulate", tmp_path)
    told(capsys, "simulate", tmp_path, "--preset", preset)
    assert called.positional[1] == PRESETS[preset]


def test_telescope_files_are_simulated_by_a_verb_of_their_own(tmp_path, monkeypatch, capsys):
    files = [tmp_path / f"{panel}.h5" for panel in range(6)]
    called = instead(monkeypatch, "simulate_telescope", files)
    words = ["--telescope", "--channels", 8192, "--signals", 4, "--seed", 2]
    said = told(capsys, "simulate", tmp_path, *words)
    session = called.positional[1]
    assert (session.channels, session.needles) == (8192, 4)
    assert called.named == {"seed": 2, "progress": False}
    assert shlex.split(said[-1]["next"])[2:8] == [str(path) for path in files]
    instead(monkeypatch, "simulate_telescope", files)
    told(capsys, "simulate", tmp_path, "--telescope")


@pytest.mark.parametrize("words", [["--channels", "8192"], ["--signals", "4"]])
def test_options_of_telescope_files_are_refused_without_them(words, tmp_path, capsys):
    assert "Add --telescope, or leave them out" in refused(capsys, "simulate", tmp_path, *words)


def test_options_of_a_competition_are_none_of_telescope_files(tmp_path, capsys):
    assert "there is no option --preset" in refused(capsys, "simulate", tmp_path, "--telescope", "--preset", "easy")


def test_bound(shared_competition, tmp_path, monkeypatch, capsys):
    rows = pd.DataFrame({"detector": ["ideal"], "AUC": [0.9]})
    called = instead(monkeypatch, "bound", SimpleNamespace(rows=rows, path=tmp_path / "b.csv"))
    words = ["--split", "both", "--limit", 20, "--seed", 1, "--out", tmp_path / "b.csv", "--blind"]
    said = told(capsys, "bound", shared_competition, *words)
    out = tmp_path / "b.csv"
    assert called.named == {
        "split": "both", "limit": 20, "blind": True, "seed": 1, "out": out, "progress": False,
    }  # fmt: skip
    assert {"table": "ROC-AUC, 95 % interval", "detector": "ideal", "AUC": 0.9} in said


def test_a_background_has_to_be_there(tmp_path, capsys):
    assert "no file or folder" in refused(capsys, "simulate", tmp_path / "x", "--background", tmp_path / "gone.h5")


def test_all_files_that_may_be_left_out_are():
    for name in ("audit", "overlaps"):
        assert parser_of(name).parse_args([]).folder is None

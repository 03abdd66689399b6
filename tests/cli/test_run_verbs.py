"""Verbs that make or use a run: each option reaches the function, and the next command has the same folders."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from abacad.cli.run_verbs import _runs_and_data
from abacad.errors import AbacadError
from abacad.learn.run_folder import RunFolder
from abacad.recipes import read_recipe
from tests.cli.calls import instead, refused, told


@pytest.fixture
def finished(tmp_path) -> RunFolder:
    """A run folder whose record tells two of three folds."""
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.config.write_text(yaml.safe_dump(read_recipe("compact").as_dict()))
    record = {"auc_fold": [0.81234, 0.9], "folds_trained": [0, 2], "auc_mean": 0.85617, "auc_oof": [0.85, 0.8, 0.9]}
    run.record.write_text(json.dumps(record))
    return run


def test_train_gets_the_whole_recipe_and_tells_each_fold(shared_competition, finished, monkeypatch, capsys):
    called = instead(monkeypatch, "train", finished)
    words = ["--recipe", "compact", "--run", finished.path, "--optim.lr", 0.02, "--seed", 7]
    said = told(capsys, "train", shared_competition, *words)
    folder, run, recipe = called.positional
    assert (folder, run) == (shared_competition, finished.path)
    expected = read_recipe("compact", ["--optim.lr", "0.02", "--seed", "7", "--trainer.progress", "false"])
    assert recipe == expected  # no bars where nobody watches
    rows = [(row["held back"], row["AUC"]) for row in said if "table" in row]
    assert rows == [
        ("fold 0", "0.812"), ("fold 2", "0.900"), ("mean of folds", "0.856"),
        ("all held-back cadences", "0.850 [0.800, 0.900]"),
    ]  # fmt: skip
    assert said[-1] == {"next": f"abacad predict {finished.path} {shared_competition}"}


@pytest.mark.parametrize(("words", "run"), [([], "runs/baseline"), (["--recipe", "compact"], "runs/compact")])
def test_a_run_has_the_name_of_its_recipe(words, run, shared_competition, finished, monkeypatch, capsys):
    called = instead(monkeypatch, "train", finished)
    told(capsys, "train", shared_competition, *words)
    assert called.positional[1] == Path(run)


def test_a_recipe_of_ones_own_counts_too(shared_competition, finished, monkeypatch, capsys, tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("optim:\n  lr: 0.03\n")
    called = instead(monkeypatch, "train", finished)
    told(capsys, "train", shared_competition, "--config", own)
    assert called.positional[1] == Path("runs/mine")
    assert called.positional[2].optim.lr == 0.03


def test_pretrain(tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "pretrain", tmp_path / "weights.safetensors")
    words = ["--presets", "[easy]", "--cadences", 100, "--positives", 0.5, "--trainer.max_epochs", 1]
    words += ["--bright_first", "true", "--stamps", "true"]
    said = told(capsys, "pretrain", "--run", tmp_path, *words)
    run, recipe = called.positional
    assert (run, recipe.trainer.max_epochs) == (tmp_path, 1)
    assert called.named == {
        "presets": ["easy"], "cadences": 100, "positives": 0.5, "bright_first": True, "stamps": True
    }  # fmt: skip
    assert said[-1] == {"next": f"abacad sensitivity {tmp_path}/weights.safetensors"}


def test_predict(finished, shared_competition, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "predict", tmp_path / "t.csv")
    words = [
        "--out",
        tmp_path / "t.csv",
        "--bad",
        "skip",
        "--workers",
        2,
        "--accelerator",
        "cpu",
        "--precision",
        "bf16-mixed",
    ]
    said = told(capsys, "predict", finished.path, shared_competition, *words)
    assert called.positional == (finished.path, shared_competition, tmp_path / "t.csv")
    asked = {"accelerator": "cpu", "precision": "bf16-mixed", "bad": "skip", "workers": 2, "progress": False}
    assert called.named == asked
    assert said[-1] == {"next": f"abacad submit {finished.path} {shared_competition}"}


def test_predict_without_options_leaves_the_choice_to_the_recipe(finished, shared_competition, monkeypatch, capsys):
    called = instead(monkeypatch, "predict", finished.test)
    told(capsys, "predict", finished.path, shared_competition)
    assert called.positional[2] is None
    assert called.named["bad"] is None
    assert called.named["workers"] is None


def test_submit_takes_runs_and_then_perhaps_the_data(finished, shared_competition, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "submit", tmp_path / "s.csv")
    words = ["--out", tmp_path / "s.csv", "--weights", "fitted"]
    said = told(capsys, "submit", finished.path, finished.path, shared_competition, *words)
    assert called.positional == ([finished.path, finished.path], shared_competition, tmp_path / "s.csv")
    assert called.named == {"weights": "fitted", "progress": False}
    assert said[-1] == {"next": f"abacad report {finished.path}"}


def test_the_last_folder_is_data_unless_it_is_a_run(finished, shared_competition, monkeypatch, tmp_path):
    run, data = finished.path, shared_competition
    assert _runs_and_data([run, data]) == ([run], data)
    monkeypatch.setattr("abacad.cli.run_verbs.find_competition", lambda folder: folder)
    assert _runs_and_data([run, run]) == ([run, run], None)
    assert _runs_and_data([run]) == ([run], None)
    for wrong in ([data], [data, run], [tmp_path / "gone", data]):
        with pytest.raises(AbacadError):
            _runs_and_data(wrong)


def test_report(finished, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "report", tmp_path / "r.html")
    said = told(capsys, "report", finished.path, "--out", tmp_path / "r.html")
    assert called.positional == (finished.path, tmp_path / "r.html")
    assert said == [
        {"wrote": "report", "path": str(tmp_path / "r.html")},
        {"next": f"abacad sensitivity {finished.path}"},
    ]


def test_demo(tmp_path, monkeypatch, capsys):
    files = {"report": tmp_path / "report.html", "run": tmp_path / "run"}
    made = SimpleNamespace(rows=lambda: [("fold 0", "0.9")], seconds=61.4, files=files)
    called = instead(monkeypatch, "demo", made)
    said = told(capsys, "demo", tmp_path, "--train", 40, "--test", 10, "--seed", 3)
    assert called.positional == (tmp_path,)
    assert called.named == {"seed": 3, "n_train": 40, "n_test": 10, "progress": False}
    assert {"note": f"Done in 61 s. Open {files['report']} in a browser."} in said
    assert said[-1] == {"next": f"abacad sensitivity {tmp_path}/run --preset demo"}


def searched(tmp_path, found, invented: int) -> SimpleNamespace:
    truth = pd.DataFrame({
        "kind": ["needle", "needle", "carrier"], "class": ["event", "event", "in OFF"], "found": found,
        "freq_mhz": 1400.1234567, "drift_hz_s": 0.1, "joint_snr": 12.0,
    })  # fmt: skip
    claims = pd.DataFrame({"class": "event", "frequency_mhz": [1.0] * invented, "drift_hz_s": 0.0, "snr": 7.0})
    files = {"page": tmp_path / "truth.html", "findings": tmp_path / "search.html"}
    files |= {"tables": tmp_path / "found", "files": tmp_path / "sky"}
    rows = [("needles", 2, 1, 1)]
    return SimpleNamespace(rows=lambda: rows, truth=truth, invented=claims, seconds=9.0, files=files)


@pytest.mark.parametrize(
    ("found", "invented", "tables"),
    [
        (["event", "", "in OFF"], 1, {"Against the truth": 1, "Missed": 1, "Invented": 1}),
        (["event", "event", ""], 0, {"Against the truth": 1}),  # what stands in OFF is not sought
        (["near-zero drift", "", "in OFF"], 0, {"Against the truth": 1, "Missed": 2}),
    ],
)
def test_a_search_demo_shows_what_was_missed_and_invented(found, invented, tables, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "demo_search", searched(tmp_path, found, invented))
    said = told(capsys, "demo", tmp_path, "--search", "--seed", 2)
    assert called.named == {"seed": 2, "progress": False}
    shown = [row["table"] for row in said if "table" in row]
    assert {name: shown.count(name) for name in shown} == tables
    assert {"note": f"{invented} invented."} in said


@pytest.mark.parametrize("verb", ["predict", "report", "submit"])
def test_a_folder_that_is_no_run_is_refused_before_any_work(verb, shared_competition, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, verb, None)
    assert "no run folder" in refused(capsys, verb, tmp_path, *([] if verb == "report" else [shared_competition]))
    assert called.times == 0

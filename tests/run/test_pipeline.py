"""The verbs on a small competition: what each writes, and that the next one reads it."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main, parser_of
from abacad.data.submission import check_submission
from abacad.outputs import SUBMISSION, TEST_SCORES
from tests.conftest import QUICK


def labels_of(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "train_labels.csv", dtype={"id": str})


def test_predict_then_submit(shared_competition, trained_run, tmp_path):
    assert main(["predict", str(trained_run), str(shared_competition), "--progress", "false"]) == 0
    test = pd.read_csv(trained_run / "test.csv")
    sample = pd.read_csv(shared_competition / "sample_submission.csv")
    assert list(test.columns) == ["id", "fold0", "fold1", "score"]
    np.testing.assert_allclose(test["score"], test[["fold0", "fold1"]].mean(axis=1))
    out = tmp_path / "submission.csv"
    assert main(["submit", str(trained_run), str(shared_competition), "--out", str(out), "--progress", "false"]) == 0
    submission = pd.read_csv(out)
    assert list(submission["id"]) == list(sample["id"])
    np.testing.assert_allclose(submission["target"], test["score"])
    check_submission(out, list(sample["id"]))
    assert TEST_SCORES.wrote(trained_run / "test.csv")
    assert SUBMISSION.wrote(out)


def test_a_bad_test_cadence_can_be_skipped(competition, trained_run):
    sample = pd.read_csv(competition / "sample_submission.csv")
    gone = sample["id"][4]
    (competition / "test" / gone[0] / f"{gone}.npy").write_bytes(b"")
    assert main(["predict", str(trained_run), str(competition), "--bad", "skip", "--progress", "false"]) == 0
    test = pd.read_csv(trained_run / "test.csv").set_index("id")
    assert list(test.index) == list(sample["id"])
    assert test.loc[gone, "score"] == 0.5
    assert gone in json.loads((trained_run / "run.json").read_text())["test"]["skipped"]


def test_every_verb_ends_with_what_it_wrote_and_a_next_command_that_can_be_parsed(
    shared_competition, trained_run, tmp_path, capsys
):
    data, run, out = str(shared_competition), str(trained_run), str(tmp_path / "out.csv")
    for words in (
        ["audit", data, "--out", str(tmp_path / "a.html")],
        ["train", data, "--run", run, *QUICK],
        ["predict", run, data],
        ["submit", run, data, "--out", out],
        ["report", run],
        ["score", f"{data}/test", "--weights", run, "--out", str(tmp_path / "scores.csv")],
        ["review", run, "--shown", "2", "--evidence", "false", "--out", str(tmp_path / "r.html")],
    ):
        assert main([*words, "--json"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert all(Path(entry["path"]).exists() for entry in told if "wrote" in entry)
        assert [entry for entry in told if "wrote" in entry]
        for command in [entry["next"] for entry in told if "next" in entry]:
            _, name, *rest = shlex.split(command)
            parser_of(name, rest).parse_args(rest)
        assert main([*words, "--quiet"]) == 0
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", "")


def test_swapped_folders_are_told_apart(trained_run, shared_competition, capsys):
    """`predict DATA RUN` used to advise to train into the data folder."""
    for words in (["predict", str(shared_competition), str(trained_run)], ["report", str(shared_competition)],
                  ["submit", str(shared_competition), str(trained_run)],
                  ["train", str(trained_run)]):  # fmt: skip
        assert main(words) == 2
        told = capsys.readouterr().err
        assert "--run" not in told
        assert "named" in told


@pytest.mark.parametrize("name", ["score", "predict", "sensitivity"])
def test_advice_on_devices_names_options_that_the_verb_has(name, trained_run, shared_competition, capsys):
    """`score --accelerator abacus` used to advise --trainer.accelerator."""
    words = {"score": [f"{shared_competition}/test"], "predict": [str(trained_run), str(shared_competition)]}
    assert main([name, *words.get(name, []), "--accelerator", "abacus"]) == 2
    told = capsys.readouterr().err
    assert set(re.findall(r"--[\w.]+", told)) <= set(parser_of(name)._option_string_actions)

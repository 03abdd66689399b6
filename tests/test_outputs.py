"""No verb overwrites what it did not write: not through any option, and not through its Python function."""

import os
import stat
from pathlib import Path

import pandas as pd
import pytest

import abacad
from abacad.cli import VERBS, main, parser_of
from abacad.errors import AbacadError
from abacad.files import write_table, write_text
from abacad.outputs import GENERATOR, PAGE, SCORES, SUBMISSION, output
from abacad.show.page import Page

OPTIONS = [(name, option) for name, verb in VERBS.items() for option in verb.writes]


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


@pytest.fixture
def places(competition, tmp_path):
    """A competition, a run, a cadence on its own, and a user's own files of every sort."""
    run, own = tmp_path / "run", tmp_path / "own"
    (run / "fold0").mkdir(parents=True)
    for name in (
        "config.yaml",
        "oof.csv",
        "test.csv",
        "run.json",
        "log.txt",
        "fold0/best.safetensors",
        "fold0/oof.csv",
    ):
        (run / name).write_text("id,target,fold,score\n")
    own.mkdir()
    (own / "thesis.html").write_text("<!doctype html><title>My thesis</title>")
    (own / "labels.csv").write_text("name,number\na,1\n")
    (own / "notes.txt").write_text("do not lose me")
    (own / "link.csv").symlink_to(competition / "train_labels.csv")
    return competition, run, own


def words_of(name: str, competition: Path, run: Path) -> list[str]:
    """What each verb needs besides its output; a verb that is missing here fails the test."""
    cadence = next((competition / "test").rglob("*.npy"))
    return {
        "audit": [str(competition)],
        "submit": [str(run), str(competition)],
        "report": [str(run)],
        "score": [str(cadence)],
        "review": [str(run)],
        "sensitivity": [],
        "bound": [str(competition)],
        "export": [],
        "predict": [str(run), str(competition)],
    }[name]


def option_words(name: str, option: str, value: str) -> list[str]:
    """An output as an option, or as the positional argument that it is."""
    return [f"--{option}", value] if f"--{option}" in parser_of(name)._option_string_actions else [value]


def protected(competition: Path, run: Path, own: Path) -> list[Path]:
    named = [competition / name for name in ("train_labels.csv", "sample_submission.csv", "truth.csv", "train/new.csv",
                                             "old_leaky_data/train_labels_old.csv", "test")]  # fmt: skip
    cadence = next((competition / "test").rglob("*.npy"))
    return [*named, cadence, *run.rglob("*"), *own.iterdir(), own]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_no_output_replaces_an_input_a_result_or_a_strangers_file(name, option, places, capsys):
    """`submit --out data/train_labels.csv` used to overwrite the labels, `--out run/oof.csv` the results."""
    root = places[2].parent
    for target in protected(*places):
        before = everything(root)
        assert main([name, *words_of(name, *places[:2]), *option_words(name, option, str(target))]) == 2, target
        told = capsys.readouterr().err
        assert 1 < len(told.strip().splitlines()) <= 3
        assert target.name in told
        assert everything(root) == before, target


@pytest.mark.parametrize(("name", "option"), OPTIONS)
@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout", "/dev/stderr", "/proc/self/fd/1"])
def test_no_output_is_a_device(name, option, device, places, capsys):
    """`--out /dev/stdout` used to replace the link by a file."""
    assert main([name, *words_of(name, *places[:2]), *option_words(name, option, device)]) == 2
    assert "`-`" in capsys.readouterr().err
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_pipe_and_a_folder_that_is_none_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("")
    for path, said in (("pipe", "no ordinary file"), ("file/under.csv", "is a file"), ("", "is a folder")):
        with pytest.raises(AbacadError, match=said):
            output(tmp_path / path, SCORES)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_told_before_the_work(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(AbacadError, match="read-only"):
        output(tmp_path / "deep" / "x.csv", SCORES)


def test_what_a_verb_wrote_it_may_write_again(tmp_path):
    write_table(tmp_path / "s.csv", pd.DataFrame({"id": ["a"], "target": [0.5]}))
    write_table(tmp_path / "r.csv", pd.DataFrame({"file": ["a"], "score": [0.5]}))
    Page("Title").write(tmp_path / "p.html")
    (tmp_path / "empty.csv").touch()
    for name, content in (("s.csv", SUBMISSION), ("r.csv", SCORES), ("p.html", PAGE), ("empty.csv", SCORES)):
        assert output(tmp_path / name, content) == tmp_path / name
    for name, content in (("s.csv", SCORES), ("r.csv", SUBMISSION), ("p.html", SCORES), ("s.csv", PAGE)):
        with pytest.raises(AbacadError, match="left as it is"):
            output(tmp_path / name, content)
    assert GENERATOR in (tmp_path / "p.html").read_text()


def test_python_refuses_as_the_command_line_does(places):
    competition, _, own = places
    for target in (competition / "train_labels.csv", own / "thesis.html", competition / "train"):
        before = everything(own.parent)
        with pytest.raises(AbacadError):
            abacad.audit(competition, out=target, progress=False)
        for option in ("out", "page", "submission"):
            with pytest.raises(AbacadError):
                abacad.score(competition / "test", **{option: target}, progress=False)
        assert everything(own.parent) == before


def test_groups_that_somebody_made_stay(competition, tmp_path, capsys):
    (competition / "groups.csv").write_text("id,group\na,1\n")
    assert main(["overlaps", str(competition)]) == 2
    assert "not written by abacad overlaps" in capsys.readouterr().err
    assert (competition / "groups.csv").read_text() == "id,group\na,1\n"


def test_an_output_is_written_through_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "real" / "file.txt")
    write_text(tmp_path / "link.txt", "one")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real" / "file.txt").read_text() == "one"
    assert os.listdir(tmp_path / "real") == ["file.txt"]


def test_a_dash_is_standard_output(competition, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["score", str(competition / "test"), "--out", "-"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("file,score\n")
    assert len(said.out.splitlines()) == 13
    assert "12 cadences were scored" in said.err
    assert os.listdir(tmp_path) == ["data"]
    assert main(["score", str(competition / "test"), "--out", "-", "--page", "-"]) == 2
    assert "one file only" in capsys.readouterr().err

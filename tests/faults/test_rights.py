"""Files that may not be read and folders that may not be written into: one message that names them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import QUICK
from tests.faults.child import Ended, as_nobody, command, in_child, is_one_message, open_place


@pytest.fixture
def place(shared_competition: Path, trained_run: Path) -> Iterator[Path]:
    """A data folder and a run that everybody may read and change, and a folder nobody may write into."""
    with open_place() as folder:
        shutil.copytree(shared_competition, folder / "data")
        shutil.copytree(trained_run, folder / "run", ignore=shutil.ignore_patterns("tensorboard"))
        for one in folder.rglob("*"):
            os.chmod(one, 0o777 if one.is_dir() else 0o666)
        (folder / "closed").mkdir(mode=0o555)
        yield folder


def without_rights(place: Path, *words: object) -> Ended:
    def work() -> int:
        os.chdir(place)
        as_nobody()
        return command(*words)

    return in_child(work)


INTO = {
    "audit": ("audit", "data", "--out", "closed/a.html"),
    "overlaps": ("overlaps", "data", "--out", "closed"),
    "simulate": ("simulate", "closed/set", "--preset", "demo", "--train", 2, "--test", 1),
    "train": ("train", "data", "--run", "closed/run", *QUICK),
    "predict": ("predict", "run", "data", "--out", "closed/t.csv"),
    "submit": ("submit", "run", "data", "--out", "closed/s.csv"),
    "report": ("report", "run", "--out", "closed/r.html"),
    "score": ("score", "data/test", "--out", "closed/s.csv"),
    "review": ("review", "run", "--out", "closed/r.html"),
    "sensitivity": ("sensitivity", "run", "--out", "closed/s.html"),
    "export": ("export", "closed/d.onnx"),
}


@pytest.mark.parametrize("verb", INTO)
def test_a_folder_that_may_not_be_written_into_is_named(verb, place):
    is_one_message(without_rights(place, *INTO[verb]), "closed")
    assert os.listdir(place / "closed") == []


@pytest.mark.parametrize(
    ("closed", "words"),
    [
        ("data/train_labels.csv", ("audit", "data", "--out", "a.html")),
        ("data/train_labels.csv", ("train", "data", "--run", "new", *QUICK)),
        ("data/sample_submission.csv", ("predict", "run", "data")),
        ("run/config.yaml", ("predict", "run", "data")),
        ("run/config.yaml", ("train", "data", "--run", "new", "--config", "run/config.yaml")),
        ("run/fold1/best.safetensors", ("score", "data/test", "--weights", "run", "--out", "s.csv")),
        ("run/fold1/best.safetensors", ("report", "run")),
        ("run/oof.csv", ("report", "run")),
        ("run/run.json", ("report", "run")),
    ],
)
def test_a_file_that_may_not_be_read_is_named(closed, words, place):
    os.chmod(place / closed, 0)
    is_one_message(without_rights(place, *words), Path(closed).name)


@pytest.mark.parametrize(
    "words",
    [
        ("train", "data", "--run", "new", *QUICK),
        ("score", "data/train", "--out", "s.csv"),
        ("overlaps", "data"),
    ],
)
def test_a_cadence_that_may_not_be_read_is_named(words, place):
    closed = min((place / "data" / "train").glob("?/*.npy"))
    os.chmod(closed, 0)
    is_one_message(without_rights(place, *words), closed.stem)


def test_an_audit_lists_what_may_not_be_read(place):
    closed = min((place / "data" / "train").glob("?/*.npy"))
    os.chmod(closed, 0)
    ended = without_rights(place, "audit", "data", "--out", "a.html")
    assert ended.code == 0, ended.told
    assert closed.stem in (place / "a.html").read_text()


def test_a_run_that_may_only_be_read_is_scored_elsewhere(place):
    for one in (place / "run", place / "run" / "fold0", place / "run" / "fold1"):
        os.chmod(one, 0o555)
    is_one_message(without_rights(place, "predict", "run", "data"), "run is read-only", "--out")
    ended = without_rights(place, "predict", "run", "data", "--out", "t.csv")
    assert ended.code == 0, ended.told
    assert (place / "t.csv").is_file()

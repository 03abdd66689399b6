"""Files that vanish or change after they were checked and before they are read: one message that names them."""

import contextlib
import importlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.conftest import QUICK
from tests.data.files import MJD, NAMES, write_fil, write_h5
from tests.faults.child import command, in_child, is_one_message


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "vanishes": Path.unlink,
    "is cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "is emptied": lambda path: path.write_bytes(b""),
    "gets another shape": lambda path: np.save(path, np.ones((6, 28, 32), np.float16)),
    "is no cadence": lambda path: path.write_text("hello"),
    "becomes a folder": _folder,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_test_cadence_that_changes_after_the_check(change, competition, trained_run, tmp_path, monkeypatch):
    predict = importlib.import_module("abacad.run.predict")
    victim = min((competition / "test").glob("?/*.npy"))
    check = predict.check_cadences

    def checked_then_changed(*words, **options):
        found = check(*words, **options)
        CHANGES[change](victim)
        return found

    monkeypatch.setattr(predict, "check_cadences", checked_then_changed)
    words = ["predict", trained_run, competition, "--out", tmp_path / "t.csv", "--workers", 0]
    is_one_message(in_child(lambda: command(*words)), victim.stem)
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("pack", ["always", "never"])
def test_a_training_cadence_that_vanishes_after_the_check(pack, competition, tmp_path, monkeypatch):
    train = importlib.import_module("abacad.run.train")
    victim = min((competition / "train").glob("?/*.npy"))
    check, whole = train.check_cadences, victim.read_bytes()

    def checked_then_gone(*words, **options):
        found = check(*words, **options)
        victim.unlink()
        return found

    words = ["train", competition, "--run", tmp_path / "run", *QUICK, "--data.pack", pack, "--trainer.loggers", "[]"]
    with monkeypatch.context() as patched:
        patched.setattr(train, "check_cadences", checked_then_gone)
        is_one_message(in_child(lambda: command(*words)), victim.stem)
    victim.write_bytes(whole)
    again = in_child(lambda: command(*words))
    assert again.code == 0, again.told[-800:]


def test_weights_that_vanish_after_the_recipe_was_read(competition, trained_run, tmp_path, monkeypatch):
    predict = importlib.import_module("abacad.run.predict")
    run = tmp_path / "run"
    shutil.copytree(trained_run, run, ignore=shutil.ignore_patterns("tensorboard"))
    judge_of = predict.judge_of

    def gone(*words, **options):
        (run / "fold1" / "best.safetensors").unlink()
        return judge_of(*words, **options)

    monkeypatch.setattr(predict, "judge_of", gone)
    is_one_message(in_child(lambda: command("predict", run, competition)), "fold1")


def observation(folder: Path, suffix: str) -> list[Path]:
    """Six telescope files of noise."""
    paths = [folder / f"panel{number}{suffix}" for number in range(6)]
    rng = np.random.default_rng(0)
    write = write_h5 if suffix == ".h5" else write_fil
    for number, path in enumerate(paths):
        data = rng.chisquare(4, (16, 1024)).astype(np.float32)
        write(path, data, source_name=NAMES[number], tstart=MJD + number * 310 / 86400)
    return paths


@pytest.mark.parametrize("suffix", [".h5", ".fil"])
@pytest.mark.parametrize("verb", ["search", "score"])
def test_a_telescope_file_cut_short_while_it_is_open_costs_its_own_rows(verb, suffix, tmp_path, monkeypatch):
    paths, out = observation(tmp_path, suffix), tmp_path / "found"
    place, name = {"search": ("search_job", "open_observation"), "score": ("score", "windows_of")}[verb]
    room = importlib.import_module(f"abacad.run.{place}")
    opens = getattr(room, name)

    def opened_then_cut(*words, **options):
        found = opens(*words, **options)
        with h5py.File(paths[2]) if suffix == ".h5" else contextlib.nullcontext() as file:
            end = paths[2].stat().st_size if file is None else file["data"].id.get_offset() + 16 * 1024 * 4
        os.truncate(paths[2], end - 6 * 1024 * 4)
        return found

    monkeypatch.setattr(room, name, opened_then_cut)
    more = ["--judged", 0, "--shown", 0] if verb == "search" else []
    ended = in_child(lambda: command(verb, *paths, "--pattern", "ABACAD", "--out", out, *more))
    assert ended.code == 0, ended.told[-800:]
    assert paths[2].name in ended.told
    assert "cut off" in ended.told
    if verb == "search":
        masked = json.loads((out / "search.json").read_text())["found"]["masked_pixels"]
        assert masked == {path.name: 6 * 1024 * (path == paths[2]) for path in paths}
    else:
        scores = pd.read_csv(out)["score"]
        assert len(scores) == 7  # windows of 256 of 1,024 channels, overlapping by half
        assert scores.between(0, 1).all()


@pytest.mark.parametrize("suffix", [".h5", ".fil"])
def test_a_telescope_file_that_vanishes_after_it_was_opened(suffix, tmp_path, monkeypatch):
    search_job = importlib.import_module("abacad.run.search_job")
    paths = observation(tmp_path, suffix)
    open_observation = search_job.open_observation

    def opened_then_changed(*words, **options):
        found = open_observation(*words, **options)
        paths[2].unlink()
        return found

    monkeypatch.setattr(search_job, "open_observation", opened_then_changed)
    words = ["search", *paths, "--pattern", "ABACAD", "--out", tmp_path / "found", "--judged", 0]
    is_one_message(in_child(lambda: command(*words)), paths[2].name)

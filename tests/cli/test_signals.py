"""Ctrl-C and SIGTERM end a training with the status that a shell expects, and the same command goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest

from abacad.cli.signals import stoppable
from abacad.stops import Stopped
from tests.conftest import QUICK

EPOCHS = ("--trainer.max_epochs", "200", "--trainer.patience", "200")


def has_members(group: int) -> bool:
    """Whether a process of that group lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def begun(words: list[str]) -> Iterator[subprocess.Popen]:
    """A command in a process group of its own, of which nothing is left when a test has failed."""
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    try:
        yield process
    finally:
        if has_members(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_training_says_that_it_goes_on_and_leaves_no_process(number, status, shared_competition, tmp_path):
    """Lightning used to turn Ctrl-C into status 1, and SIGTERM into 0 with readers left behind."""
    run = tmp_path / "run"
    words = [sys.executable, "-m", "abacad", "train", str(shared_competition), "--run", str(run), *QUICK, *EPOCHS]
    with begun([*words, "--data.workers", "1"]) as process:
        # A busy machine takes minutes for imports and the first epoch.
        deadline = time.monotonic() + 300
        while not (run / "fold0" / "last.ckpt").is_file():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
        assert process.returncode == status, told
        assert told.strip().splitlines()[-1] == "abacad train: stopped. The same command goes on where it was."
        assert "Traceback" not in told
        assert not list(run.rglob("*.part"))
        deadline = time.monotonic() + 5
        while has_members(process.pid):
            assert time.monotonic() < deadline, "a process of it is left"
            time.sleep(0.1)
    before = len(pd.read_csv(run / "fold0" / "metrics.csv"))
    assert 1 <= before < 200


def test_the_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Stopped) as stopped, stoppable():
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.status == 143
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


class Interrupted:
    """Python ignores what is raised while an object is destroyed."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def wait_after_destroying() -> None:
    Interrupted()
    time.sleep(5)


def test_a_signal_in_a_destructor_is_not_lost():
    started = time.monotonic()
    with pytest.raises(Stopped) as stopped, stoppable():
        wait_after_destroying()
    assert stopped.value.status == 130
    assert time.monotonic() - started < 4


def test_lightnings_own_exit_after_a_signal_is_told_as_a_stop():
    def exits() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped:
            sys.exit(0)

    with pytest.raises(Stopped) as stopped, stoppable():
        exits()
    assert stopped.value.status == 143
    with pytest.raises(SystemExit), stoppable():
        sys.exit(0)

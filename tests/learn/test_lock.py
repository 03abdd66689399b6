"""A run folder has one process that trains into it, and a dead one keeps nobody out."""

import os
import signal
import subprocess
import sys

import pytest

from abacad.errors import AbacadError
from abacad.learn.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from abacad.learn.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of a folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "run.lock")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_refused_and_told_who_is_the_first(holder, tmp_path):
    with pytest.raises(AbacadError, match=f"process {holder.pid} on .* since 20"), locked(tmp_path / "run.lock"):
        pass
    assert (tmp_path / "run.lock").exists()


def test_a_lock_of_a_killed_process_is_taken_over(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run.lock").exists()
    with locked(tmp_path / "run.lock"):
        assert str(os.getpid()) in (tmp_path / "run.lock").read_text()
    assert not (tmp_path / "run.lock").exists()


def test_an_empty_or_damaged_lock_file_is_taken_over(tmp_path):
    (tmp_path / "run.lock").write_bytes(b"\xff{")
    with locked(tmp_path / "run.lock"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_it_falls_with_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "run.lock"):
        1 / 0  # noqa: B018
    with locked(tmp_path / "run.lock"):
        pass

"""Every malformed input ends in one message that names it and the way out, soon, in little memory, and touches nothing.

The message is judged by properties, never by its words.
"""

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from abacad.cli import main
from tests.bad_input import cadences, checkpoints, command_lines, recipes, run_folders, tables, telescope, weights
from tests.bad_input.case import MARK, Case, Sandbox

CASES = [
    case
    for part in (cadences, tables, recipes, weights, checkpoints, run_folders, telescope, command_lines)
    for case in part.cases()
]
SECONDS = 2.0
MEGABYTES = 300
BOUND = 1 << 30
_written: list[str] = []
_listening = [False]


def _listen(event: str, args: tuple) -> None:
    """Note what is opened for writing, renamed or removed, and what is started."""
    if not _listening[0]:
        return
    if (
        event == "open"
        and isinstance(args[0], str)
        and isinstance(args[2], int)
        and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    ):
        _written.append(args[0])
    elif event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.truncate"):
        if os.path.lexists(args[0]) or event in ("os.mkdir", "os.symlink"):
            _written.append(str(args[0]))
    elif event in ("os.system", "os.exec", "os.posix_spawn", "pty.spawn", "socket.connect"):
        _written.append(f"{event} {args}")


sys.addaudithook(_listen)


class Hung(BaseException):
    """The command waits for something."""


def _hung(*_: object) -> None:
    raise Hung


@contextmanager
def bounded() -> Iterator[None]:
    """Listen, wake up what waits for ever, and let nothing take more memory than a hard bound."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BOUND, hard))
    signal.signal(signal.SIGALRM, _hung)
    signal.alarm(30)
    _listening[0] = True
    try:
        yield
    finally:
        _listening[0] = False
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.fixture(scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the first files load is no memory that a bad input takes: the detector of few rows, and that of many."""
    root = tmp_path_factory.mktemp("warm")
    (root / "out").mkdir()
    assert main([*telescope.six_good(root), "--quiet"]) == 0
    np.save(root / "a.npy", np.random.default_rng(0).normal(size=(6, 256, 256)).astype(np.float16))
    assert main(["score", str(root / "a.npy"), "--out", str(root / "out" / "a.csv"), "--quiet"]) == 0


@pytest.fixture
def box(
    _warm: None, tmp_path: Path, shared_competition: Path, trained_run: Path, monkeypatch: pytest.MonkeyPatch
) -> Sandbox:
    data, root = tmp_path / "data", tmp_path / "work"
    data.mkdir()
    (root / "out").mkdir(parents=True)
    for name in ("train", "test"):
        (data / name).symlink_to(shared_competition / name)
    for name in ("train_labels.csv", "sample_submission.csv"):
        shutil.copy(shared_competition / name, data / name)
    shutil.copytree(trained_run, root / "run", ignore=shutil.ignore_patterns("tensorboard", "*.ckpt"))
    monkeypatch.chdir(root)
    good = next((shared_competition / "train").glob("?/*.npy"))
    return Sandbox(root, data, root / "run", good)


def state(*folders: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    found = {}
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                about = os.lstat(os.path.join(place, name))
                found[os.path.join(place, name)] = (about.st_size, about.st_mtime_ns)
    return found


def stray(box: Sandbox) -> list[str]:
    """What was written outside the folders that the command was given to write into."""
    allowed = (
        str(box.out),
        str(box.run),
        "/dev/null",
        "/dev/shm",
        "/proc",
        "<",
        os.path.join(tempfile.gettempdir(), "tmp"),
    )
    places = [os.path.join(box.root, place) if place[:1] not in "/<" else place for place in _written]
    tried = [place for place in places if not place.startswith(allowed) and "__pycache__" not in place]
    return [place for place in tried if os.path.isdir(os.path.dirname(place)) or " " in place]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input_is_told(case: Case, box: Sandbox, capfd):
    words = case.make(box)
    before = state(box.data, box.run)
    _written.clear()
    memory, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with bounded():
        code = main(words)
    seconds = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    told = capfd.readouterr().err
    assert code == 2 or (case.may_pass and code == 0), f"{code}: {told[-600:]}"
    assert "Traceback" not in told
    assert seconds < SECONDS
    assert grown < MEGABYTES
    assert not (box.root / MARK).exists()
    assert stray(box) == []
    if code == 2:
        message = told[max(told.rfind(f"\nabacad {words[0]}:"), 0) :].strip()
        assert 1 <= len(message.splitlines()) <= 3, message
        assert "fault of abacad" not in message
        # without the folders of the test, whose names hold the name of the case
        named = (told if "the warnings say why" in message else message).replace(str(box.root.parent), "")
        assert not case.names or any(name in named for name in case.names), message
        assert {path: what for path, what in state(box.data).items()} == {
            p: w for p, w in before.items() if p.startswith(str(box.data))
        }


def test_there_are_enough_of_them_and_each_has_its_own_name():
    names = [case.name for case in CASES]
    assert len(names) >= 1100
    assert len(names) == len(set(names))
    assert all(case.names for case in CASES if not case.name.startswith("words: "))

"""A malformed input: how it is made in a sandbox, the command that meets it, and what the message has to name."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SHAPE = (6, 28, 64)
MARK = "EXECUTED"
"""A file that hostile inputs would make in the working folder, were anything in them executed."""
QUICK = ["--recipe", "compact", "--trainer.max_epochs", "1", "--data.folds", "2", "--data.workers", "0",
         "--trainer.progress", "false", "--model.width", "2", "--model.pretrained", "false"]  # fmt: skip
"""Options of a training that meets nothing else that could be refused."""


@dataclass(frozen=True)
class Sandbox:
    """Where one case plays.

    Attributes:
        root: Its folder, the working folder of the command.
        data: A competition folder whose tables may be spoiled, and whose cadences may not.
        run: A finished run folder that may be spoiled.
        good: A cadence that nothing is wrong with.
    """

    root: Path
    data: Path
    run: Path
    good: Path

    @property
    def out(self) -> Path:
        """The only folder, beside the run's, that a command may write into."""
        return self.root / "out"


@dataclass(frozen=True)
class Case:
    """One malformed input.

    Attributes:
        name: Of the test.
        make: Makes the input, and gives the words of the command line.
        names: What the message has to name: a file or a key; any of several.
        may_pass: Whether the input may turn out to be a good one, as after a random change.
    """

    name: str
    make: Callable[[Sandbox], list[str]]
    names: tuple[str, ...] = field(default=())
    may_pass: bool = False


def write(path: Path, content: bytes | str) -> Path:
    """Write a file, whatever was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    return path


def sparse(path: Path, size: int, begin: bytes = b"") -> Path:
    """A file that says it is that large and takes no room."""
    write(path, begin)
    os.truncate(path, size)
    return path


def flipped(content: bytes, seed: int, within: int | None = None) -> bytes:
    """The content with one to four of its first bytes changed."""
    rng = np.random.default_rng(seed)
    changed = bytearray(content)
    for place in rng.integers(0, within or len(changed), rng.integers(1, 5)):
        changed[place] = rng.integers(256)
    return bytes(changed)


def rubbish(seed: int, size: int = 300) -> bytes:
    """Random bytes."""
    return np.random.default_rng(seed).bytes(size)

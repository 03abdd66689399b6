"""Where a verb may write: the one place that decides whether an existing file is replaced.

    an output is written when nothing is there, or when what is there is what the same verb writes

It is refused, before any work, when it is one of the verb's inputs, one of a competition's or a run's own files, a
folder, a device, or a file that something else wrote. `-` is standard output. A link is followed: what it points to is
written, and the link stays.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from abacad.errors import AbacadError, plain_name
from abacad.places import owner_of

STDOUT = Path("-")
GENERATOR = '<meta name="generator" content="abacad">'
"""Stands in the head of every page, so that a later one knows that it may take its place."""

_HEAD = 4096  # bytes that tell who wrote a file


@dataclass(frozen=True)
class Content:
    """What a verb writes into one file.

    Attributes:
        name: As a message calls it.
        mark: Text that stands in the head of each such file; of several, one of them.
        first: Whether the mark begins the file.
    """

    name: str
    mark: str | tuple[str, ...]
    first: bool = True

    def wrote(self, path: Path) -> bool:
        """Whether that file is one of these."""
        # Bytes first: the file may be anything. \ufeff is the mark that some editors put before a text in UTF-8.
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", errors="replace").removeprefix("\ufeff")
        marks = (self.mark,) if isinstance(self.mark, str) else self.mark
        return head.startswith(marks) if self.first else any(mark in head for mark in marks)


PAGE = Content("page of abacad's", GENERATOR, first=False)
SCORES = Content("table of abacad score", ("file,", "array,score\n"))
SUBMISSION = Content("submission", "id,target\n")
TEST_SCORES = Content("table of abacad predict", "id,fold")
BOUND = Content("table of abacad bound", "id,target,score,classical,decoy")
COMPLETENESS = Content("table of abacad sensitivity", "detector,false_alarm_rate,threshold,")
ONNX = Content("ONNX model of abacad's", "abacad", first=False)
PAIRS = Content("table of abacad overlaps", "id_a,id_b,offset")


def output(path: str | Path, content: Content, inputs: Iterable[str | Path] = ()) -> Path:
    """The path, when `content` may be written there.

    Args:
        path: A file, there or not; `-` for standard output.
        content: What is going to be written.
        inputs: Files and folders that the verb reads.

    Raises:
        AbacadError: something is there that must stay.

    Example:
        >>> output("-", PAGE)
        PosixPath('-')
    """
    path = Path(path)
    if path == STDOUT:  # nothing is there that could be lost
        return path
    # Judged by where a link leads: `out.csv → data/train_labels.csv` is the competition's own file under another name.
    real = _real(path)
    _refuse_inputs(path, real, inputs)
    owner = owner_of(real)
    if owner is not None:
        raise AbacadError(
            f"{plain_name(path)} belongs to the {owner[1]} folder {plain_name(owner[0].name)}; it is left as it is.\n"
            "Name another file."
        )
    refuse_foreign(real, content)
    return path


def refuse_foreign(path: Path, content: Content) -> None:
    """Raise an AbacadError when that file is there and something else wrote it."""
    # an empty file holds nothing that could be lost: `touch`, or a shell's own redirection, made it
    if path.exists() and path.stat().st_size and not content.wrote(path):
        raise AbacadError(
            f"{plain_name(path)} exists and is no {content.name}; it is left as it is.\n"
            f"Name another file, or move this one away."
        )


def _real(path: Path) -> Path:
    """The file that a path leads to, when one can be written there."""
    real = path.resolve()
    if any(str(place).startswith(("/dev/", "/proc/")) for place in (path.absolute(), real)):
        raise AbacadError(
            f"{plain_name(path)} is a device.\nStandard output is written as `-`, and nothing else but files."
        )
    if real.is_dir():
        raise AbacadError(f"{plain_name(path)} is a folder.\nName a file in it: {plain_name(path)}/NAME.")
    if real.exists() and not real.is_file():
        raise AbacadError(f"{plain_name(path)} is no ordinary file.\nName another file, or `-` for standard output.")
    # the nearest folder that exists, since the missing ones below it are made
    folder = next(parent for parent in real.parents if parent.exists())
    if not folder.is_dir():
        raise AbacadError(
            f"{plain_name(folder)} is a file, so that {plain_name(path)} cannot lie in it.\nName another file."
        )
    if not os.access(folder, os.W_OK):
        raise AbacadError(
            f"{plain_name(path)} cannot be written: {plain_name(folder)} is read-only.\nName another file."
        )
    return real


def _refuse_inputs(path: Path, real: Path, inputs: Iterable[str | Path]) -> None:
    for given in map(Path, inputs):
        # samefile compares device and inode: hard links and other spellings of a path are the same file, too
        if given.exists() and real.exists() and real.samefile(given):
            raise AbacadError(f"{plain_name(path)} is read by this command; it is left as it is.\nName another file.")

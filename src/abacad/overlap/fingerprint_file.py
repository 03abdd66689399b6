"""Fingerprints of many cadences in a file, so that a run that is killed goes on where it stopped.

card.json    the version and the cadences that the fingerprints belong to
codes.npy    int8 (cadence, freq, panel, projection)
done.json    how many cadences are complete, and those that cannot be used
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from abacad import __version__
from abacad.errors import AbacadError, unwritable
from abacad.files import read_json, reserve, write_json
from abacad.overlap.fingerprint import PROJECTIONS
from abacad.overlap.match import Codes
from abacad.signal.cadence import N_PANELS


class FingerprintFile:
    """A folder with the fingerprints of some cadences and a note of how many of them are complete.

    Attributes:
        folder: Where the files are.
        n: Number of cadences.
        done: Number of cadences, from the first on, whose fingerprints are on the disk.
        bad: Cadences that cannot be used, by id, each with the reason.
    """

    def __init__(self, folder: Path, files: Mapping[str, Path], shape: tuple[int, ...]) -> None:
        """Open the folder, or make it; one that another version left, or other or changed cadences, is emptied first.

        Args:
            folder: Where the files are, or will be.
            files: Files of the cadences by their ids, in the order of the fingerprints.
            shape: Shape (panel, time, freq) of every cadence.

        Raises:
            AbacadError: the folder cannot be written, or the disk is full.
        """
        self.folder, self.n = folder, len(files)
        self.form = (len(files), shape[2], N_PANELS, PROJECTIONS)
        card = {"version": __version__, "files": _digest(files), "shape": list(shape)}
        try:
            if folder.exists() and not self._is_of(card):
                shutil.rmtree(folder)
            if not folder.exists():
                folder.mkdir(parents=True)
                self._reserve()
                write_json(folder / "card.json", card)
        except OSError as error:
            if not (folder / "card.json").is_file():
                shutil.rmtree(folder, ignore_errors=True)  # a file without the room that it claims
            raise AbacadError(f"{unwritable(folder.parent, error)}\nOr name another folder: --out FOLDER.") from error
        progress = self._progress()
        self.done: int = progress.get("cadences", 0)
        self.bad: dict[str, str] = progress.get("bad", {})

    def _is_of(self, card: dict[str, Any]) -> bool:
        """Whether the folder belongs to the same version and cadences, and its array has the right shape."""
        codes = self.folder / "codes.npy"
        try:
            return read_json(self.folder / "card.json") == card and self._has_form(codes)
        except AbacadError:
            return False

    def _has_form(self, codes: Path) -> bool:
        try:
            mapped = np.load(codes, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return False
        return bool(mapped.shape == self.form and mapped.dtype == np.int8)

    def _reserve(self) -> None:
        """Make the file of zeros with all its blocks on the disk.

        Writing through a memory map to a disk that is full ends the process with a signal and no message.
        """
        codes = self.folder / "codes.npy"
        np.lib.format.open_memmap(codes, mode="w+", dtype=np.int8, shape=self.form).flush()
        reserve(codes)

    def _progress(self) -> dict[str, Any]:
        """The content of done.json; empty where it is absent or damaged, so that all cadences are read again."""
        try:
            found = read_json(self.folder / "done.json")
        except AbacadError:
            return {}
        done, bad = found.get("cadences"), found.get("bad")
        return found if isinstance(done, int) and 0 <= done <= self.n and isinstance(bad, dict) else {}

    def codes(self) -> Codes:
        """(cadence, freq, panel, projection) the fingerprints, as a read-only memory map."""
        return np.load(self.folder / "codes.npy", mmap_mode="r", allow_pickle=False)

    def write(self, first: int, made: Codes) -> None:
        """Store the fingerprints of the cadences from number `first` on.

        Args:
            first: Number of the first of these cadences.
            made: (cadence, freq, panel, projection) their fingerprints.
        """
        path = self.folder / "codes.npy"
        # A plain write costs less than one through a memory map, which reads each page before it changes it.
        with path.open("r+b", buffering=0) as file:
            file.seek(path.stat().st_size - (self.n - first) * made[0].nbytes)
            file.write(made.data)

    def note(self, done: int) -> None:
        """Record that the fingerprints of the first `done` cadences are complete."""
        with (self.folder / "codes.npy").open("r+b") as file:
            os.fsync(file.fileno())
        write_json(self.folder / "done.json", {"cadences": done, "bad": self.bad})
        self.done = done

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _digest(files: Mapping[str, Path]) -> str:
    """Ids, sizes and times of change: a file that was mended or replaced since is another one."""
    digest = hashlib.sha256()
    for name, path in files.items():
        try:
            about = path.stat()
            told = f"{about.st_size} {about.st_mtime_ns}"
        except OSError:
            told = "gone"  # whoever reads it says so
        digest.update(f"{name} {told}\n".encode())
    return digest.hexdigest()

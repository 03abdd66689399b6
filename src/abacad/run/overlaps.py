"""`abacad overlaps`: which snippets of a competition folder are windows of the same observation.

    overlaps.csv   id_a, id_b, offset, columns, worst, median, differ     a row a pair
    groups.csv     id, group                                             a row a cadence of train and test

Fingerprints of all columns go into a hidden folder beside the tables until these are written, so that a killed run
continues.
"""

import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Int8
from rich.progress import track

from abacad import __version__
from abacad.data.competition import listed_files, read_header
from abacad.errors import AbacadError, CadenceError, unwritable
from abacad.files import read_json, reserve, write_json, write_table
from abacad.outputs import PAIRS, refuse_foreign
from abacad.overlap.fingerprint import PROJECTIONS, fingerprints, rows_apart, steps, weights
from abacad.overlap.links import OVERLAPS
from abacad.overlap.match import ALIKE, ROWS_VERIFIED, Codes, Recent, candidates, compared, components, verified
from abacad.overlap.reader import CadenceReader, read_ahead
from abacad.parallel import side_by_side
from abacad.places import find_competition
from abacad.signal.cadence import N_PANELS
from abacad.summary import Summary

log = logging.getLogger(__name__)

GROUPS = "groups.csv"
_MOST_WORKERS = 256
_CHUNK = 64  # cadences that a thread reads at once
_AHEAD = 4  # files that the disk is asked for before they are read
_COLUMNS = ["id_a", "id_b", "offset", "columns", "worst", "median", "differ"]


@dataclass(frozen=True, repr=False)
class Overlaps(Summary):
    """What was found.

    Attributes:
        pairs: Rows of overlaps.csv.
        groups: Rows of groups.csv.
        bad: Cadences that were left out, each with the reason.
        folder: Where the tables are.
    """

    pairs: pd.DataFrame
    groups: pd.DataFrame
    bad: dict[str, str]
    folder: Path

    def facts(self) -> list[tuple[str, str]]:
        """A table for the screen."""
        sizes = self.groups["group"].value_counts()
        sharing = len(set(self.pairs["id_a"]) | set(self.pairs["id_b"]))
        return [
            ("cadences", f"{len(self.groups):,}"),
            ("… that share columns with another", f"{sharing:,} ({sharing / len(self.groups):.1%})"),
            ("pairs", f"{len(self.pairs):,}"),
            ("groups of two or more", f"{int((sizes > 1).sum()):,}"),
            ("largest group", f"{int(sizes.max()):,}"),
            ("left out", f"{len(self.bad):,}"),
        ]

    def title(self) -> str:
        """What it is."""
        return f"Shared columns in {self.folder}"

    def told(self) -> list[tuple[str, str]]:
        """What was found."""
        return self.facts()


def overlaps(
    folder: str | Path | None = None,
    out: str | Path | None = None,
    *,
    bad: Literal["fail", "skip"] = "fail",
    workers: int | None = None,
    progress: bool = True,
) -> Overlaps:
    """Find the pairs of cadences, of train and test, that share columns, and their connected components.

    Args:
        folder: The competition folder; none looks at its usual places.
        out: Folder to write the tables into; none is the competition folder.
        bad: What to do with a cadence that cannot be used: stop, or leave it in a group of its own.
        workers: Threads that read; one a core when none.
        progress: Show progress bars.

    Example:
        >>> abacad.overlaps("data", "tables", progress=False)
        <Shared columns in tables: cadences 52, ... largest group 1, left out 0>

    Raises:
        AbacadError: there is no cadence, one cannot be used, or the tables cannot be written.
    """
    if workers is not None and not 1 <= workers <= _MOST_WORKERS:
        raise AbacadError(f"{workers:.6g} workers: give 1 to {_MOST_WORKERS}, or null for one a core.")
    root = find_competition(folder)
    target = Path(out) if out is not None else root
    _refuse_foreign_tables(target)
    files = _files(root)
    shape = _shape(files)
    ids = list(files)
    state = _State(target / ".overlaps", ids, shape)
    known = _fingerprinted(files, shape, state, bad, workers, progress)
    pairs = _pairs(ids, files, shape, state.codes(), progress)
    groups = components(len(ids), pairs["a"].to_numpy(), pairs["b"].to_numpy())
    first = np.unique(groups, return_index=True)[1]
    name = np.array(ids, dtype=object)
    table = pd.DataFrame({"id": ids, "group": name[first[groups]]})
    found = pd.DataFrame({"id_a": name[pairs["a"]], "id_b": name[pairs["b"]]}).join(pairs[_COLUMNS[2:]])
    found[["worst", "median"]] = found[["worst", "median"]].astype(float).round(4)
    write_table(target / OVERLAPS, found)
    write_table(target / GROUPS, table)
    state.clear()
    log.info("Wrote %s and %s to %s", OVERLAPS, GROUPS, target)
    return Overlaps(found, table, known, target)


def _refuse_foreign_tables(target: Path) -> None:
    """Somebody's own groups.csv stays: that of this verb never lies without its overlaps.csv."""
    refuse_foreign(target / OVERLAPS, PAIRS)
    if (target / GROUPS).exists() and not (target / OVERLAPS).exists():
        raise AbacadError(
            f"{target / GROUPS} was not written by abacad overlaps; it is left as it is.\n"
            "Write the tables into another folder (--out FOLDER), or move that one away."
        )


def _files(root: Path) -> dict[str, Path]:
    train, test = listed_files(root, "train"), listed_files(root, "test")
    if not train and not test:
        raise AbacadError(f"{root} holds no cadences in train/ or test/.\nIs it unpacked?")
    both = sorted(set(train) & set(test))
    if both:
        raise AbacadError(
            f"The id {both[0]} stands in train/ and in test/ ({len(both)} such ids).\nRemove one of each."
        )
    return dict(sorted({**train, **test}.items()))


def _shape(files: dict[str, Path]) -> tuple[int, ...]:
    """The first usable cadence's."""
    reason = ""
    for path in files.values():
        try:
            return read_header(path)[0]
        except CadenceError as error:
            reason = reason or str(error)
    raise AbacadError(f"None of the {len(files)} cadences can be used.\nThe first: {reason}")


class _State:
    """Fingerprints on disk, and how many of them are there."""

    def __init__(self, folder: Path, ids: list[str], shape: tuple[int, ...]) -> None:
        """Open the folder; one that another version or other cadences left is emptied."""
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
        self.folder, self.n = folder, len(ids)
        self.form = (len(ids), shape[2], N_PANELS, PROJECTIONS)
        card = {"version": __version__, "ids": digest, "shape": list(shape)}
        try:
            if folder.exists() and not self._is_of(card):
                shutil.rmtree(folder)
            if not folder.exists():
                folder.mkdir(parents=True)
                self._reserve()
                write_json(folder / "card.json", card)
        except OSError as error:
            raise AbacadError(f"{unwritable(folder.parent, error)}\nOr name another folder: --out FOLDER.") from error
        progress = self._progress()
        self.done: int = progress.get("cadences", 0)
        self.bad: dict[str, str] = progress.get("bad", {})

    def _is_of(self, card: dict[str, Any]) -> bool:
        """Whether the folder is this very call's: its card, and as many bytes of fingerprints."""
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
        """The file of the fingerprints, with its place on the disk: a map beyond a full disk would kill us unheard."""
        codes = self.folder / "codes.npy"
        np.lib.format.open_memmap(codes, mode="w+", dtype=np.int8, shape=self.form).flush()
        reserve(codes)

    def _progress(self) -> dict[str, Any]:
        """What done.json says, if it can be believed; if not, all is read once more."""
        try:
            found = read_json(self.folder / "done.json")
        except AbacadError:
            return {}
        done, bad = found.get("cadences"), found.get("bad")
        return found if isinstance(done, int) and 0 <= done <= self.n and isinstance(bad, dict) else {}

    def codes(self) -> Codes:
        """The fingerprints, mapped."""
        return np.load(self.folder / "codes.npy", mmap_mode="r", allow_pickle=False)

    def write(self, first: int, made: Codes) -> None:
        """Put the fingerprints of some cadences into their place; written, not mapped, which is cheaper."""
        path = self.folder / "codes.npy"
        with path.open("r+b", buffering=0) as file:
            file.seek(path.stat().st_size - (self.n - first) * made[0].nbytes)
            file.write(made.data)

    def note(self, done: int) -> None:
        """Say that the fingerprints of the first `done` cadences are on the disk."""
        with (self.folder / "codes.npy").open("r+b") as file:
            os.fsync(file.fileno())
        write_json(self.folder / "done.json", {"cadences": done, "bad": self.bad})
        self.done = done

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


_own = threading.local()


def _fingerprinted(
    files: dict[str, Path], shape: tuple[int, ...], state: _State, bad: str, workers: int | None, progress: bool
) -> dict[str, str]:
    """Fill the state; the cadences that cannot be used, with reasons."""
    if state.done:
        log.info("Going on with the fingerprints of cadence %d", state.done + 1)
    paths, starts = list(files.values()), range(state.done, len(files), _CHUNK)
    jobs = side_by_side(lambda first: _codes(paths[first : first + _CHUNK], shape), starts, workers)
    with closing(jobs):
        both = zip(starts, jobs, strict=True)
        for first, (made, reasons) in track(
            both, "Reading cadences", len(starts), disable=not progress, transient=True
        ):
            if reasons and bad == "fail":
                reason = next(iter(reasons.values()))
                raise CadenceError(f"{reason}\nMend it, or leave such out: --bad skip.")
            state.write(first, made)
            state.bad |= reasons
            if (first // _CHUNK) % 16 == 15:
                state.note(first + len(made))
    state.note(len(files))
    for reason in state.bad.values():
        log.warning("Left out: %s", reason)
    return state.bad


def _codes(paths: list[Path], shape: tuple[int, ...]) -> tuple[Codes, dict[str, str]]:
    """Fingerprints of some cadences, zero for those that cannot be used, and why."""
    if getattr(_own, "reader", None) is None or _own.reader.shape != shape:
        _own.reader = CadenceReader(shape, rows_apart(shape[1]))
        _own.weights = weights(_own.reader.n_rows)
    made: Int8[np.ndarray, "cadence freq panel projection"]
    made = np.zeros((len(paths), shape[2], N_PANELS, PROJECTIONS), np.int8)
    reasons = {}
    for path in paths[:_AHEAD]:
        read_ahead(path)
    for place, path in enumerate(paths):
        if place + _AHEAD < len(paths):
            read_ahead(paths[place + _AHEAD])
        try:
            made[place] = fingerprints(_own.reader.read(path), _own.weights).numpy()
        except CadenceError as error:
            reasons[path.stem] = str(error)
    return made, reasons


def _pairs(
    ids: list[str], files: dict[str, Path], shape: tuple[int, ...], codes: Codes, progress: bool
) -> pd.DataFrame:
    """Pairs, sorted by their ids' order: a, b, offset, columns, worst, median, differ.

    Those whose columns are alike among themselves are looked up in the files: that they agree may tell little.
    """
    found = compared(codes, candidates(codes))
    doubtful = np.flatnonzero(found["alike"] > ALIKE)
    log.info("%d pairs by their fingerprints; looking up %d of them in the files", len(found), len(doubtful))
    paths, reader = [files[name] for name in ids], CadenceReader(shape)
    n_rows = min(ROWS_VERIFIED, shape[1])
    first = (shape[1] - n_rows) // 2
    steps_of = Recent(lambda number: steps(reader.rows(paths[number], first, n_rows)).numpy())
    kept = np.ones(len(found), bool)
    for part in track(list(_parts(len(doubtful))), "Verifying pairs", disable=not progress, transient=True):
        kept[doubtful[part]] = verified(found.iloc[doubtful[part]], steps_of)
    return found[kept].sort_values(["a", "b"]).reset_index(drop=True)


def _parts(n: int, size: int = 500) -> Iterator[slice]:
    return (slice(first, first + size) for first in range(0, n, size))

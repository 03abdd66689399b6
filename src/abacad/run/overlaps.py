"""`abacad overlaps`: finds the cadences of a competition folder that are windows of the same observation.

    overlaps.csv   id_a, id_b, offset, columns, worst, median, differ     a row a pair
    groups.csv     id, group                                             a row a cadence of train and test

Fingerprints of all columns stand in the hidden folder .overlaps beside the tables until these are written, so that a
run that is killed goes on where it stopped.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Int8
from rich.progress import track

from abacad.data.check import header_or_error
from abacad.data.competition import listed_files
from abacad.errors import AbacadError, CadenceError
from abacad.files import write_table
from abacad.outputs import PAIRS, refuse_foreign
from abacad.overlap.fingerprint import PROJECTIONS, fingerprints, rows_apart, steps, weights
from abacad.overlap.fingerprint_file import FingerprintFile
from abacad.overlap.links import OVERLAPS
from abacad.overlap.match import ALIKE, ROWS_VERIFIED, Codes, Recent, compared, components, likely_pairs, verified
from abacad.overlap.reader import CadenceReader, read_ahead
from abacad.parallel import side_by_side
from abacad.places import find_competition
from abacad.signal.cadence import N_PANELS
from abacad.summary import Summary

log = logging.getLogger(__name__)

GROUPS = "groups.csv"
_MOST_WORKERS = 256  # without a bound, a mistyped number asks for threads until the system has none left
_SHAPES = 256  # cadences whose shapes are looked at before all are read: a tenth of a second
_CHUNK = 64  # cadences that a thread takes at once: the results of one are 1.2 MB
_AHEAD = 4  # files that the disk is asked for in advance, so that it works while a thread computes
_COLUMNS = ["id_a", "id_b", "offset", "columns", "worst", "median", "differ"]


@dataclass(frozen=True, repr=False)
class Overlaps(Summary):
    """The pairs and groups of cadences that share columns.

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
        """Rows (name, figure) of a table for the screen."""
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
        """The verb's name for its result, and the folder."""
        return f"Shared columns in {self.folder}"

    def told(self) -> list[tuple[str, str]]:
        """The same rows as `facts`."""
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
    # On the disk and not in memory: fingerprints of 100,000 cadences are 1.8 GB (docs/benchmarks.md).
    kept = FingerprintFile(target / ".overlaps", files, shape)
    known = _fingerprinted(files, shape, kept, bad, workers, progress)
    pairs = _pairs(ids, files, shape, kept.codes(), progress)
    groups = components(len(ids), pairs["a"].to_numpy(), pairs["b"].to_numpy())
    # A group is named by its first id: numbers would change when cadences are added, and say nothing.
    first = np.unique(groups, return_index=True)[1]
    name = np.array(ids, dtype=object)
    table = pd.DataFrame({"id": ids, "group": name[first[groups]]})
    sharing = pd.DataFrame({"id_a": name[pairs["a"]], "id_b": name[pairs["b"]]}).join(pairs[_COLUMNS[2:]])
    sharing[["worst", "median"]] = sharing[["worst", "median"]].astype(float).round(4)
    write_table(target / OVERLAPS, sharing)
    write_table(target / GROUPS, table)
    kept.clear()  # last: a run that is killed before goes on with the fingerprints, more than half of the work
    log.info("Wrote %s and %s to %s", OVERLAPS, GROUPS, target)
    return Overlaps(sharing, table, known, target)


def _refuse_foreign_tables(target: Path) -> None:
    """Refuse to overwrite a groups.csv that a person made.

    This verb writes overlaps.csv first, so a groups.csv without it is not this verb's.
    """
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
    # Sorted: fingerprints are kept by position, and a folder is listed in another order on another file system.
    return dict(sorted({**train, **test}.items()))


def _shape(files: dict[str, Path]) -> tuple[int, ...]:
    """The commonest shape of some hundred cadences; all others must have the same."""
    paths = list(files.values())
    # Spread over all of them: one odd file, wherever it stands, should not make all others odd.
    spread = np.unique(np.linspace(0, len(paths) - 1, _SHAPES).astype(int)).tolist()
    headers = [header_or_error(paths[place]) for place in spread]
    known = [header[0] for header in headers if not isinstance(header, CadenceError)]
    if not known:  # from a hundred damaged ones nothing follows for the others
        known = [header[0] for header in map(header_or_error, paths) if not isinstance(header, CadenceError)]
    if not known:
        raise AbacadError(f"None of the {len(files)} cadences can be used.\nThe first: {headers[0]}")
    return Counter(known).most_common(1)[0][0]


_own = threading.local()  # each thread reads into buffers of its own


def _fingerprinted(
    files: dict[str, Path],
    shape: tuple[int, ...],
    kept: FingerprintFile,
    bad: str,
    workers: int | None,
    progress: bool,
) -> dict[str, str]:
    """Complete the file of fingerprints; returns the cadences that cannot be used, each with the reason."""
    if kept.bad and bad == "fail":  # of a call that was to leave them out
        raise CadenceError(_told(kept.bad))
    if kept.done:
        log.info("Going on with the fingerprints of cadence %d", kept.done + 1)
    paths, starts = list(files.values()), range(kept.done, len(files), _CHUNK)
    jobs = side_by_side(lambda first: _codes(paths[first : first + _CHUNK], shape), starts, workers)
    with closing(jobs):
        both = zip(starts, jobs, strict=True)
        for first, (made, reasons) in track(
            both, "Reading cadences", len(starts), disable=not progress, transient=True
        ):
            # Before the chunk is stored, so that the same call meets the damaged cadence again and not its zeros.
            if reasons and bad == "fail":
                raise CadenceError(_told(reasons))
            kept.write(first, made)
            kept.bad |= reasons
            if (first // _CHUNK) % 16 == 15:  # a note waits for the disk, so not after every chunk
                kept.note(first + len(made))
    kept.note(len(files))
    for reason in kept.bad.values():
        log.warning("Left out: %s", reason)
    return kept.bad


def _told(reasons: dict[str, str]) -> str:
    return f"{next(iter(reasons.values()))}\nMend it, or leave such out: --bad skip."


def _codes(paths: list[Path], shape: tuple[int, ...]) -> tuple[Codes, dict[str, str]]:
    """Fingerprints of some cadences, zeros for those that cannot be used, and the reasons by id."""
    # A thread may have a reader of an earlier call for cadences of another shape.
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
    """Pairs with the columns a, b, offset, columns, worst, median, differ, sorted by a and b.

    a and b are positions in `ids`. Where the columns of a pair are alike among themselves, their agreement says little
    about a common observation, so such pairs are compared once more by the values in their files.
    """
    matched = compared(codes, likely_pairs(codes))
    doubtful = np.flatnonzero(matched["alike"] > ALIKE)
    log.info("%d pairs by their fingerprints; looking up %d of them in the files", len(matched), len(doubtful))
    paths, reader = [files[name] for name in ids], CadenceReader(shape)
    n_rows = min(ROWS_VERIFIED, shape[1])
    first = (shape[1] - n_rows) // 2
    steps_of = Recent(lambda number: steps(reader.rows(paths[number], first, n_rows)).numpy())
    kept = np.ones(len(matched), bool)
    for part in track(list(_parts(len(doubtful))), "Verifying pairs", disable=not progress, transient=True):
        kept[doubtful[part]] = verified(matched.iloc[doubtful[part]], steps_of)
    return matched[kept].sort_values(["a", "b"]).reset_index(drop=True)


def _parts(n: int, size: int = 500) -> Iterator[slice]:
    return (slice(first, first + size) for first in range(0, n, size))

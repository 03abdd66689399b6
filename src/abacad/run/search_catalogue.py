"""`abacad search --catalogue`: many observations, one after the other, and one table of what all of them hold.

OUT/catalogue.json   what makes this folder that of a catalogue's search: the observations' names
OUT/NAME/            the search of one observation, as `abacad search` writes it
OUT/events.csv       the signals of all of them, in the catalogue's order
OUT/failed.csv       those that could not be searched, and why; without rows when there is none
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import Any

import pandas as pd

from abacad import __version__
from abacad.errors import AbacadError, brief, plain_name
from abacad.files import holds_something, read_table, write_json, write_table
from abacad.run.apart import apart
from abacad.run.search_bar import search_bar
from abacad.run.search_job import Job, Wanted, begin
from abacad.searcher.engines import EngineName, check_engine, outcomes, scoring_threads
from abacad.searcher.table import columns
from abacad.searcher.task import Outcome, Task

log = logging.getLogger(__name__)

_RECORD, _EVENTS, _FAILED = "catalogue.json", "events.csv", "failed.csv"
_WAY_OUT = (
    "Give a CSV file with the columns name and files, and pattern where headers do not say: one row an observation."
)
_LONGEST = 100  # letters of a name, which becomes a folder: file systems allow 255 bytes


@dataclass(frozen=True)
class Entry:
    """One row of a catalogue.

    Attributes:
        name: Name of the observation, and of its folder.
        files: Its telescope files; each was there when the catalogue was read.
        pattern: One letter for each panel, A for ON; None takes it from the sources in the headers.
    """

    name: str
    files: tuple[Path, ...]
    pattern: str | None


def search_catalogue(
    catalogue: str | Path,
    *,
    out: str | Path,
    engine: EngineName = "serial",
    workers: int | None = None,
    progress: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Search each observation of a catalogue, and put the signals of all of them into one table.

    An observation that cannot be searched is told in a warning and in OUT/failed.csv, and the others go on. The same
    call goes on after an interruption; coarse channels that are done are not searched again. With several workers the
    coarse channels of all observations are one queue: none waits until an observation is finished.

    Args:
        catalogue: A CSV file with one row an observation: `name`, which becomes a folder in `out`; `files`, separated
            by spaces (or by `;`, where names have spaces), patterns such as `a/*.h5` too, from the catalogue's folder
            on; and, if wanted, `pattern`, a letter a panel, which counts before the option of the same name.
        out: Folder to write.
        engine: Who searches, as `abacad.search` takes it.
        workers: Coarse channels that are searched at a time; none: one a core.
        progress: Show a bar of the observations, with the time left.
        options: The others of `abacad.search`, for every observation.

    Returns:
        One row a signal: `observation`, then the columns of `abacad.search`; in the catalogue's order.

    Raises:
        AbacadError: the catalogue does not fit, `out` holds something else, or no observation could be searched.

    Example:
        >>> from abacad.simulator.telescope import Session
        >>> files = abacad.simulate_telescope("sky", Session(channels=2**13, needles=0), progress=False)
        >>> from pathlib import Path
        >>> _ = Path("cadences.csv").write_text("name,files\\nfirst night,sky/*.h5\\n")
        >>> rows = abacad.search_catalogue("cadences.csv", out="all", judged=0, shown=0, progress=False)
        >>> rows.columns[0], set(rows["observation"])
        ('observation', {'first night'})
    """
    accelerator = check_engine(engine, workers, options.pop("accelerator", "auto"))
    # All rows are checked before the first hour of search: a wrong name in the last one is told at once.
    entries, out = read_catalogue(Path(catalogue)), Path(out)
    _begin(out, entries)
    wanted = Wanted(**options, accelerator=accelerator)
    run = _Run(entries, out, wanted, scoring_threads(engine, workers), searches_here=engine == "serial")
    try:
        with outcomes(run.tasks(), engine, workers) as pairs, search_bar(progress) as bar:
            shown_as = bar.add_task("Observations", total=len(entries))
            for task, outcome in pairs:
                run.take(task, outcome)
                bar.update(shown_as, completed=run.done)
    finally:
        run.stop()
    # Also without rows: an absent file would not tell whether none failed or the search was interrupted.
    write_table(out / _FAILED, pd.DataFrame(list(run.failed.items()), columns=["name", "reason"]))
    if not run.tables:
        name, reason = next(iter(run.failed.items()))
        raise AbacadError(
            f"None of the {len(entries)} observations of {plain_name(catalogue)} could be searched. {name}: "
            f"{reason}\n{plain_name(out / _FAILED)} has the reason of each."
        )
    # In the catalogue's order, whichever observation was finished first.
    events = _together({entry.name: run.tables[entry.name] for entry in entries if entry.name in run.tables})
    write_table(out / _EVENTS, events)
    log.info("Searched %d of %d observations", len(run.tables), len(entries))
    return events


class _Run:
    """The observations of a catalogue on their way from files to tables.

    Attributes:
        tables: table of events of each observation that is searched, by name.
        failed: reason why an observation could not be searched, by name.
    """

    def __init__(
        self, entries: Sequence[Entry], out: Path, wanted: Wanted, threads: int = 1, searches_here: bool = True
    ) -> None:
        self.tables: dict[str, pd.DataFrame] = {}
        self.failed: dict[str, str] = {}
        self._entries, self._out, self._wanted = entries, out, wanted
        self._threads, self._searches_here = threads, searches_here
        self._jobs: dict[int, tuple[str, Job]] = {}  # open ones, by the number of their plan

    @property
    def done(self) -> float:
        """Observations that are done; an open one counts by its share of coarse channels."""
        open_ones = sum(len(job.results) / job.total for _, job in self._jobs.values())
        return len(self.tables) + len(self.failed) + open_ones

    def tasks(self) -> Iterator[Task]:
        """Coarse channels of all observations, one observation after the other.

        The files of an observation are opened when all tasks of those before it are taken: a catalogue of hundreds
        would otherwise hold thousands of open files.
        """
        for place, entry in enumerate(self._entries):
            log.info("Observation %d of %d: %s", place + 1, len(self._entries), entry.name)
            wanted = replace(self._wanted, pattern=entry.pattern) if entry.pattern else self._wanted
            # Any error: of hundreds of observations some are always broken, and the others should go on.
            try:
                job = begin(entry.files, self._out / entry.name, wanted)
            except Exception as error:
                self._fail(entry.name, error)
                continue
            self._jobs[job.plan.number] = entry.name, job
            tasks = job.tasks()
            # All was searched by an earlier call: no outcome will come that could finish it.
            if not tasks:
                self._finish(job.plan.number)
            yield from tasks

    def take(self, task: Task, outcome: Outcome) -> None:
        """Store what a coarse channel gave; after the last one of an observation, write its tables."""
        if task.plan.number not in self._jobs:
            return  # another coarse channel of this observation has failed
        name, job = self._jobs[task.plan.number]
        try:
            job.take(outcome)
        except Exception as error:
            del self._jobs[task.plan.number]
            self._fail(name, error)
            return
        if job.complete:
            self._finish(task.plan.number)

    def _finish(self, number: int) -> None:
        name, job = self._jobs[number]
        try:
            self.tables[name] = self._written(job)
        except Exception as error:
            self._fail(name, error)
        del self._jobs[number]  # not before: an interruption on the way has `stop` write the tables

    def _written(self, job: Job) -> pd.DataFrame:
        # torch, once loaded, would stay with the powers of all observations that this process has yet to search.
        is_last = len(self.tables) + len(self.failed) == len(self._entries) - 1
        if self._searches_here and job.takes_torch and not is_last:
            return apart(job.write, self._threads)
        return job.write(self._threads)

    def _fail(self, name: str, error: Exception) -> None:
        ours = not isinstance(error, AbacadError | OSError)
        self.failed[name] = brief(f"a fault of abacad's: {type(error).__name__}: {error}" if ours else str(error))
        # Where it happened is told at once: the others go on, so that no later call with --debug would come to it.
        log.warning("%s is left out: %s", name, self.failed[name], exc_info=error if ours else None)

    def stop(self) -> None:
        """Write the tables of what an interruption leaves."""
        for _, job in self._jobs.values():
            job.write(self._threads)


def read_catalogue(path: Path) -> list[Entry]:
    """The rows of a catalogue, each with files that are there.

    Raises:
        AbacadError: the file is no such table or has no rows, a name is no name of a folder or stands there twice, or
            a file is not there; with the row.
    """
    table = read_table(path, {"name": str, "files": str}, _WAY_OUT)
    if table.empty:
        raise AbacadError(f"{plain_name(path)} names no observation.\n{_WAY_OUT}")
    patterns = table["pattern"].fillna("").astype(str) if "pattern" in table else [""] * len(table)
    entries: list[Entry] = []
    seen = {_RECORD, _EVENTS, _FAILED}  # an observation of such a name would be a folder in the place of that file
    for row, (name, files, pattern) in enumerate(zip(table["name"], table["files"], patterns, strict=True), start=2):
        where = f"{plain_name(path)}, row {row}"
        name = _checked_name(where, str(name).strip(), seen)
        entries.append(Entry(name, _files(where, path.parent, str(files)), pattern.strip() or None))
    return entries


def _checked_name(where: str, name: str, seen: set[str]) -> str:
    """A name that can be a folder of its own; it is added to those seen."""
    shown = brief(repr(name), 60)
    if not name or name.startswith(".") or not name.isprintable() or set(name) & set("/\\:") or len(name) > _LONGEST:
        raise AbacadError(
            f"{where}: {shown} cannot be the name of an observation's folder.\n"
            f"Give it {_LONGEST} letters at most, without / \\ : and without a point at its beginning."
        )
    if name.casefold() in seen:  # some file systems take A and a for the same
        raise AbacadError(f"{where}: the name {shown} is taken.\nGive each observation a name of its own.")
    seen.add(name.casefold())
    return name


def _files(where: str, folder: Path, said: str) -> tuple[Path, ...]:
    """The files that a row names, those of one pattern in the order of their names."""
    paths: list[Path] = []
    words = said.split(";") if ";" in said else said.split()
    for word in filter(None, map(str.strip, words)):
        # A file of exactly this name first: names may hold brackets and stars, which a pattern would not match.
        named = folder / word
        matches = [named] if named.is_file() else [folder / match for match in sorted(glob(word, root_dir=folder))]
        if not matches:
            raise AbacadError(
                f"{where}: there is no file {brief(plain_name(named), 160)}.\n"
                "Names are separated by spaces or ; and count from the catalogue's folder on."
            )
        paths += matches
    if not paths:
        raise AbacadError(f"{where} names no files.\n{_WAY_OUT}")
    return tuple(paths)


def _begin(out: Path, entries: Sequence[Entry]) -> None:
    """Take the folder, unless it holds what no search of a catalogue wrote."""
    if holds_something(out) and not (out / _RECORD).is_file():
        raise AbacadError(
            f"{plain_name(out)} is not empty and holds no search of a catalogue.\n"
            "Give another --out, or an empty folder."
        )
    write_json(out / _RECORD, {"observations": [entry.name for entry in entries], "version": __version__})


def _together(tables_of: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One table of all, with a column for each panel of the observation that has most."""
    # Observations may have unlike numbers of panels: those with fewer leave the further columns empty.
    n_panels = max(sum(str(column).startswith("snr_") for column in table) for table in tables_of.values())
    tables = [table.assign(observation=name) for name, table in tables_of.items() if len(table)]
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return whole.reindex(columns=["observation", *columns(n_panels)])

"""Verdicts of several readers in one SQLite file: every one is added, none is changed, so nothing can be lost."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abacad.errors import AbacadError

_TABLE = """
CREATE TABLE IF NOT EXISTS verdicts (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    page TEXT NOT NULL, reader TEXT NOT NULL, id TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL,
    time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
"""
_PATIENCE_S = 30  # that a writer waits for another


@dataclass(frozen=True)
class Said:
    """What a reader said of a candidate; an empty verdict takes an earlier one back."""

    reader: str
    id: str
    verdict: str
    note: str


@dataclass(frozen=True)
class Shelf:
    """The file, for one page's content.

    Attributes:
        path: The SQLite file; made when it is not there.
        page: Digest of the page.
    """

    path: Path
    page: str

    def add(self, said: Sequence[Said]) -> None:
        """Add what was said, all or nothing."""
        rows = [(self.page, one.reader, one.id, one.verdict, one.note) for one in said]
        with self._open() as table:
            table.executemany("INSERT INTO verdicts (page, reader, id, verdict, note) VALUES (?, ?, ?, ?, ?)", rows)

    def since(self, number: int) -> tuple[int, list[Said]]:
        """What was said after the row `number`, in order, and the number of the last row of it."""
        with self._open() as table:
            found = table.execute(
                "SELECT n, reader, id, verdict, note FROM verdicts WHERE page = ? AND n > ? ORDER BY n",
                (self.page, number),
            ).fetchall()
        return (found[-1][0] if found else number), [Said(*row[1:]) for row in found]

    def latest(self) -> list[Said]:
        """The last word of each reader on each candidate."""
        last = {(one.reader, one.id): one for one in self.since(0)[1]}
        return [one for one in last.values() if one.verdict or one.note]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            table = sqlite3.connect(self.path, timeout=_PATIENCE_S)
        except (sqlite3.Error, OSError) as error:
            raise AbacadError(f"{self.path} cannot be opened: {error}.\nName another page: --out FILE.") from error
        try:
            # of two writers the second waits at once, instead of failing when it turns from reading to writing
            table.isolation_level = "IMMEDIATE"
            table.execute(_TABLE)
            with table:
                yield table
        except sqlite3.DatabaseError as error:
            raise AbacadError(
                f"{self.path} is no table of verdicts: {error}.\nName another page: --out FILE."
            ) from error
        finally:
            table.close()

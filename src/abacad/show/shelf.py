"""Verdicts of several readers in one SQLite file.

Rows are added and never changed: two readers cannot overwrite each other, and a verdict that is taken back is still
there to be seen.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abacad.errors import AbacadError

# Times are those of the server,
# in UTC, since the readers' own clocks may differ.
_TABLE = """
CREATE TABLE IF NOT EXISTS verdicts (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    page TEXT NOT NULL, reader TEXT NOT NULL, id TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL,
    time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
"""
_PATIENCE_S = 30  # seconds that a writer waits for another one before it gives up


@dataclass(frozen=True)
class Said:
    """A verdict.

    Attributes:
        reader: Name of the person.
        id: Id of the candidate.
        verdict: `candidate`, `rfi`, `noise` or `unsure`; empty takes the reader's earlier verdict back.
        note: Free text.
    """

    reader: str
    id: str
    verdict: str
    note: str


@dataclass(frozen=True)
class Shelf:
    """The verdicts on one page.

    Attributes:
        path: The SQLite file; made when it is not there. It may hold verdicts on other pages, too.
        page: Digest of the page's content: verdicts belong to the pictures that the readers saw.
    """

    path: Path
    page: str

    def add(self, said: Sequence[Said]) -> None:
        """Add verdicts: all of them, or none when it fails.

        Raises:
            AbacadError: the file cannot be written, or is no table of verdicts.
        """
        rows = [(self.page, one.reader, one.id, one.verdict, one.note) for one in said]
        with self._open() as table:
            table.executemany("INSERT INTO verdicts (page, reader, id, verdict, note) VALUES (?, ?, ?, ?, ?)", rows)

    def since(self, number: int) -> tuple[int, list[Said]]:
        """The number of the last row, and the verdicts after the row `number` in their order.

        A browser asks again with the last number that it was given, and so gets each verdict once.
        """
        with self._open() as table:
            rows = table.execute(
                "SELECT n, reader, id, verdict, note FROM verdicts WHERE page = ? AND n > ? ORDER BY n",
                (self.page, number),
            ).fetchall()
        return (rows[-1][0] if rows else number), [Said(*row[1:]) for row in rows]

    def latest(self) -> list[Said]:
        """The last verdict of each reader on each candidate, without those that were taken back."""
        # Rows come in their order, so that a later one replaces an earlier one.
        last = {(one.reader, one.id): one for one in self.since(0)[1]}
        return [one for one in last.values() if one.verdict or one.note]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection for each call: Python ties one to its thread, and each request has a thread of its own.
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            table = sqlite3.connect(self.path, timeout=_PATIENCE_S)
        except (sqlite3.Error, OSError) as error:
            raise AbacadError(f"{self.path} cannot be opened: {error}.\nName another page: --out FILE.") from error
        try:
            # Takes the lock when the transaction begins. By default SQLite takes it at the first write, and fails
            # instead of waiting where another writer has come in between.
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

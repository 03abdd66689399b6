"""The folder of a search: each coarse channel whole or absent, the tables made of them, and what makes a run the same.

OUT/search.json          what was searched, how, with what versions; and the counts once it is done
OUT/coarse/00042.json    one coarse channel: its signals, injections and summary
OUT/coarse/00042.npy     stamps of its events that the detector has yet to score; gone once it has
OUT/coarse/00042.cut     the same while they are cut
OUT/events.csv, .parquet one row a signal
OUT/hits.csv             one row a signal and panel in which it is bright enough alone
OUT/dat/*.dat            the hits of each file as turboSETI writes them
OUT/injections.csv       one row an injected needle, when some were
OUT/search.html          the page
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from abacad.errors import AbacadError
from abacad.files import holds_something, read_json, replacing, write_json, write_table
from abacad.searcher.engine import Result

_RECORD = "search.json"


class Store:
    """The folder of one search."""

    def __init__(self, root: Path) -> None:
        """Take the folder; nothing is written yet."""
        self.root = root

    @property
    def coarse(self) -> Path:
        """The folder of the coarse channels, in which whoever searches one may lay down its stamps."""
        return self.root / "coarse"

    def begin(self, asked: dict[str, Any]) -> int:
        """Make the folder, or find that it holds part of the same search.

        Args:
            asked: what is searched and how, as plain data; two calls with the same belong to one search.

        Returns:
            How many coarse channels are already there.

        Raises:
            AbacadError: the folder holds something else.
        """
        before = read_json(self.root / _RECORD)
        # A folder of other things is refused, since a search overwrites tables by their usual names.
        if not before and holds_something(self.root):
            raise AbacadError(f"{self.root} is not empty and holds no search.\nGive another --out, or an empty folder.")
        if before and before.get("asked") != asked:
            differs = sorted(key for key in asked if before.get("asked", {}).get(key) != asked[key])
            raise AbacadError(
                f"{self.root} holds another search: {', '.join(differs)} differ.\n"
                "Give another --out, or remove that folder."
            )
        if not before:
            write_json(self.root / _RECORD, {"asked": asked})
        return len(list(self.coarse.glob("*.json")))

    def have(self, coarse: int) -> Result | None:
        """The result of a coarse channel, as an earlier call stored it; none where it has not been searched yet."""
        content = read_json(self._part(coarse))
        if not content:
            return None
        unscored = tuple(content.get("unscored", ()))
        if unscored and not _readable(self._stamps(coarse), len(unscored)):
            return None  # what the detector is to score is lost: the coarse channel is searched again
        injections = _table(content["injections"]) if content["injections"] else None
        return Result(coarse, _table(content["events"]), content["summary"], injections, unscored)

    def stamps(self, coarse: int) -> Float[np.ndarray, "row panel time width"]:
        """The stamps of a coarse channel that the detector is to score, mapped: there may be gigabytes of them."""
        stamps: np.ndarray = np.load(self._stamps(coarse), mmap_mode="r")
        return stamps

    def keep(self, result: Result) -> None:
        """Store a result in one step."""
        stamps = self._stamps(result.coarse)
        # The stamps first: the JSON file, which names their rows, is what makes the coarse channel done.
        if isinstance(result.stamps, Path):
            result.stamps.replace(stamps)
        elif result.stamps is not None:
            with replacing(stamps) as temporary, open(temporary, "wb") as file:
                np.save(file, result.stamps)
        write_json(
            self._part(result.coarse),
            {
                "summary": result.summary,
                "events": _plain(result.events),
                "injections": None if result.injections is None else _plain(result.injections),
                "unscored": list(result.unscored),
            },
        )
        if not result.unscored:
            stamps.unlink(missing_ok=True)

    def write_events(self, events: pd.DataFrame) -> None:
        """`events.csv` and `events.parquet`."""
        write_table(self.root / "events.csv", events)
        # Parquet beside CSV: it keeps the types of columns, and tables of a whole catalogue are read far faster.
        with replacing(self.root / "events.parquet") as temporary:
            events.to_parquet(temporary, index=False)

    def sweep(self) -> None:
        """Remove stamps that a kill left behind. Only where none waits for the detector."""
        for pattern in ("*.npy", "*.cut"):
            for stamps in self.coarse.glob(pattern):
                stamps.unlink()

    def finish(self, counts: dict[str, Any]) -> None:
        """Add the counts and the depth of the search to its record, under the key `found`."""
        write_json(self.root / _RECORD, {**read_json(self.root / _RECORD), "found": counts})

    def _part(self, coarse: int) -> Path:
        return self.coarse / f"{coarse:05d}.json"

    def _stamps(self, coarse: int) -> Path:
        return self._part(coarse).with_suffix(".npy")


def _readable(path: Path, n_stamps: int) -> bool:
    """Whether a file holds so many stamps."""
    try:
        return len(np.load(path, mmap_mode="r")) == n_stamps
    except (OSError, ValueError, EOFError):
        return False


def _plain(table: pd.DataFrame) -> dict[str, Any]:
    """A table as JSON holds it: to the last bit, which a CSV file does not promise."""
    return {"columns": list(table.columns), "rows": table.astype(object).to_numpy().tolist()}


def _table(content: dict[str, Any]) -> pd.DataFrame:
    """A table as it was kept."""
    return pd.DataFrame(content["rows"], columns=content["columns"])

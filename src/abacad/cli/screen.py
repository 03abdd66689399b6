"""Output of a verb: tables and advice for people, or JSON lines for programs; the log and the progress bars.

Results go to standard output; the log, progress bars and errors go to standard error, through one console, so that a
line of the log is not written into the middle of a bar. Where a result file goes to standard output (`--out -`), all
other output goes to standard error.
"""

import json
import logging
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table of results.

    Attributes:
        title: Its heading.
        columns: Their names.
        rows: Plain values.
        formats: Format of a column's numbers for people: `{"score": ".4f"}`; JSON has all digits.
        unseen: Columns that only JSON has, since people read the same in another one.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    formats: Mapping[str, str] = field(default_factory=dict)
    unseen: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """The result of a verb: what it shows, and what it wrote.

    Attributes:
        tables: Tables of results, shown first.
        notes: Sentences, shown after the tables.
        wrote: Paths by what lies there; `-` is standard output and not shown.
        then: Commands that a person may want to run next.
    """

    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    wrote: Mapping[str, Path | str] = field(default_factory=dict)
    then: Sequence[str] = ()

    def files(self) -> dict[str, str]:
        """The entries of `wrote` that are files."""
        return {name: str(path) for name, path in self.wrote.items() if str(path) != "-"}


def show(outcome: Outcome, *, as_json: bool = False) -> None:
    """Print an outcome: for people, or with `as_json` for programs."""
    # A file at `-` has taken standard output: a table for people in the middle of it would spoil it.
    taken = len(outcome.files()) < len(outcome.wrote)
    stream = sys.stderr if taken else sys.stdout
    if as_json:
        stream.writelines(f"{line}\n" for line in json_lines(outcome))
    else:
        _show_people(outcome, stream)


def json_lines(outcome: Outcome) -> list[str]:
    """The outcome as one JSON object a line.

    A row of a table is {"table": its title, column: value, …}; a sentence {"note": …}; a file {"wrote": name,
    "path": …}; a command that comes next {"next": …}. What is no number is null.
    """
    objects: list[dict[str, Any]] = []
    for table in outcome.tables:
        rows = (dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows)
        objects += [{"table": table.title, **row} for row in rows]
    objects += [{"note": note} for note in outcome.notes]
    objects += [{"wrote": name, "path": path} for name, path in outcome.files().items()]
    objects += [{"next": command} for command in outcome.then]
    return [json.dumps(entry, ensure_ascii=False) for entry in objects]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value  # NumPy's numbers, which JSON does not know
    # JSON has neither NaN nor infinity; Python would write them all the same, and other readers would stop there.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _show_people(outcome: Outcome, stream: Any) -> None:
    from rich.console import Console

    # Without highlights and markup: names of files may hold brackets, which rich would take for colours.
    console = Console(file=stream, highlight=False)
    for table in outcome.tables:
        console.print(_drawn(table))
    for note in outcome.notes:
        console.print(f"• {note}", markup=False)
    # Paths and commands are not broken into lines, so that they can be copied.
    for name, path in outcome.files().items():
        console.print(f"{name[:1].upper()}{name[1:]}: {path}", markup=False, soft_wrap=True)
    for place, command in enumerate(outcome.then):
        console.print(f"{'Next' if place == 0 else 'Or'}: {command}", markup=False, soft_wrap=True)


def _drawn(table: Table) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(title=table.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    seen = [(place, column) for place, column in enumerate(table.columns) if column not in table.unseen]
    for place, column in seen:
        # Numbers of one column are compared by their digits, which therefore stand below each other.
        cells = [_plain(row[place]) for row in table.rows if row[place] is not None]
        numbers = all(isinstance(cell, int | float) or cell is None for cell in cells)  # None: what is not known
        drawn.add_column(column, overflow="fold", justify="right" if numbers else "left")
    for row in table.rows:
        told = (_told(row[place], table.formats.get(column, "")) for place, column in seen)
        drawn.add_row(*map(Text, told))
    return drawn


def _told(value: Any, wanted: str) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "–"  # not known, as where a detector did not judge a line
    return format(value, wanted) if wanted and isinstance(_plain(value), int | float) else str(value)


def log_to_screen(*, quiet: bool = False) -> None:
    """Show the library's log on standard error.

    Args:
        quiet: Show warnings and errors alone.

    All progress bars draw on rich's one console. The log uses the same, so that rich can put a line above a bar. Of a
    distributed training only the first process shows anything.
    """
    import warnings

    import rich
    from rich.logging import RichHandler

    warnings.filterwarnings("ignore")  # other libraries' advice to programmers
    rich.reconfigure(stderr=True)
    logger = logging.getLogger("abacad")
    # A process may run several commands, as tests do; each would add a handler.
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = RichHandler(console=rich.get_console(), show_path=False, markup=False, log_time_format="%H:%M:%S")
    handler.setLevel(logging.WARNING if quiet else logging.INFO)
    # Set by whoever starts the processes of a distributed training; the log of all of them would be each line n times.
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    logger.addHandler(handler if first else logging.NullHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a handler of another library at the root would show each line twice


def is_watched() -> bool:
    """Whether standard error is a terminal, on which progress bars can move, and this is the first process of a run."""
    import rich

    return rich.get_console().is_terminal and os.environ.get("LOCAL_RANK", "0") == "0"

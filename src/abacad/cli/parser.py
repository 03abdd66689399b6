"""How a verb's parser is made: its help, its defaults, and what the words of the command line say of them."""

import re
from argparse import HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, DefaultHelpFormatter, Namespace

from abacad.recipes import recipe_path

RECIPES = {"train": "baseline", "pretrain": "pretrain"}
"""The verbs that take a recipe, and which by default."""

_DATA = "Competition folder (holds train_labels.csv). Left out, the usual places are looked at."


@dataclass(frozen=True)
class Verb:
    """One sub-command.

    Attributes:
        summary: What it does, in a line.
        usage: Its positional arguments.
        examples: Commands that work.
        arguments: Adds its arguments to a parser; gets the words of the command line as well.
        call: Runs it and prints what it found.
    """

    summary: str
    usage: str
    examples: Sequence[str]
    arguments: Callable[[ArgumentParser, Sequence[str]], None]
    call: Callable[[ArgumentParser, Namespace], None]


class VerbFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Defaults behind each option, and the examples on lines of their own."""


class VerbParser(ArgumentParser):
    """A parser whose help leaves out in which file the defaults of a recipe stand."""

    def format_help(self, *formatter: HelpFormatter | None) -> str:
        """The help of a verb."""
        told = re.sub(r"default config file locations:\n(?:  .*\n)+\n", "", super().format_help(*formatter))
        return told.replace("<class 'Path'>", "path").replace("Path | null", "path | null")


def make_parser(name: str, verb: Verb, words: Sequence[str] = ()) -> ArgumentParser:
    """The parser of one verb; a recipe or preset named in `words` sets its defaults."""
    files: list[str | PathLike[Any]] = []
    if name in RECIPES:
        files = [recipe_path(recipe_named(words, RECIPES[name]))]
    examples = "\n".join(f"  {example}" for example in verb.examples)
    parser = VerbParser(
        prog=f"abacad {name}",
        usage=f"abacad {name} {verb.usage} [--option VALUE …]",
        description=f"{verb.summary}\n\nexamples:\n{examples}",
        formatter_class=VerbFormatter,
        exit_on_error=False,
        default_config_files=files,
    )
    verb.arguments(parser, words)
    return parser


def value_of(words: Sequence[str], options: Sequence[str], default: str) -> str:
    """The value of an option that decides the defaults of all others."""
    value = default
    for place, word in enumerate(words):
        for option in options:
            if word == option and place + 1 < len(words):
                value = words[place + 1]
            elif word.startswith(f"{option}="):
                value = word.split("=", 1)[1]
    return value


def recipe_named(words: Sequence[str], default: str) -> str:
    """The recipe that the words ask for."""
    return value_of(words, ("--recipe", "--config"), default)


def flat(nested: dict[str, Any], options: set[str], prefix: str = "") -> dict[str, Any]:
    """Nested values by the names of the options; what is an option as a whole stays whole."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        found |= {name: value} if name in options or not isinstance(value, dict) else flat(value, options, f"{name}.")
    return found


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Show a table on the screen."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)


def add_folder(parser: ArgumentParser) -> None:
    """Let a verb take a competition folder, or none."""
    parser.add_argument("folder", nargs="?", type=Path | None, default=None, metavar="DATA", help=_DATA)


def add_progress(parser: ArgumentParser) -> None:
    """Let a verb show progress bars or not."""
    parser.add_argument("--progress", type=bool, default=True, help="Show progress bars.")

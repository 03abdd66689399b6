"""Makes the parser of a verb, and checks what it has parsed before anything heavy is imported."""

import difflib
import re
from argparse import HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, DefaultHelpFormatter, Namespace

from abacad.cli.screen import Outcome
from abacad.errors import AbacadError
from abacad.outputs import Content, output
from abacad.places import paths_of
from abacad.recipes import recipe_of, recipe_path

PRINT_CONFIG = "--print_config"

_DATA = "Competition folder (holds train_labels.csv). Left out, the usual places are looked at."


@dataclass(frozen=True)
class Verb:
    """One sub-command.

    Attributes:
        summary: What it does, in a line.
        usage: Its positional arguments.
        examples: Commands that work.
        arguments: Adds its arguments to a parser; gets the words of the command line as well.
        call: Runs it; gives what it found and wrote.
        reads: What has to be there, by option: each function raises an `AbacadError` where it is not.
        writes: What the files that options name are filled with; see `abacad.outputs`.
        goes_on: Whether the same command, stopped and given again, goes on where it was.
        in_python: Whether a function of the same name does it in Python.
        recipe: The packaged recipe that it takes by default; none of a verb without recipes.
    """

    summary: str
    usage: str
    examples: Sequence[str]
    arguments: Callable[[ArgumentParser, Sequence[str]], None]
    call: Callable[[ArgumentParser, Namespace], Outcome]
    reads: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    writes: Mapping[str, Content] = field(default_factory=dict)
    goes_on: bool = False
    in_python: bool = True
    recipe: str | None = None


class VerbFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Shows the default of each option, and keeps the line breaks of the examples."""


class VerbParser(ArgumentParser):
    """A parser that suggests the nearest option for an unknown one, and accepts no abbreviated options."""

    def format_help(self, *formatter: HelpFormatter | None) -> str:
        """The help of a verb, without the path of the packaged recipe and without names of Python classes."""
        told = re.sub(r"default config file locations:\n(?:  .*\n)+\n", "", super().format_help(*formatter))
        return told.replace("<class 'Path'>", "path").replace("Path | null", "path | null")

    def parse_args(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Namespace:  # type: ignore[override]
        """Parse the words of a command line.

        Raises:
            AbacadError: the verb has no such option; the message names the nearest one.
        """
        for word in args or ():
            if word == "--":
                break
            name = word.split("=", 1)[0].removesuffix("+")
            if name.startswith("--") and name not in self._option_string_actions:
                hint = near(name, self._option_string_actions)
                raise AbacadError(f"there is no option {name}.{hint}\n`{self.prog} --help` lists the options.")
        return super().parse_args(args, *more, **options)


def make_parser(name: str, verb: Verb, words: Sequence[str] = ()) -> ArgumentParser:
    """The parser of one verb; a recipe or preset named in `words` sets its defaults."""
    files: list[str | PathLike[Any]] = []
    if verb.recipe is not None:
        files = [recipe_path(recipe_named(words, verb.recipe))]
    examples = "\n".join(f"  {example}" for example in verb.examples)
    parser = VerbParser(
        prog=f"abacad {name}",
        usage=f"abacad {name} {verb.usage} [--option VALUE …]",
        description=f"{verb.summary}\n\nexamples:\n{examples}",
        formatter_class=VerbFormatter,
        exit_on_error=False,  # errors are raised, and told by `abacad.cli` in three lines
        allow_abbrev=False,  # an abbreviation may mean another option in the next version
        default_config_files=files,
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="Tell warnings and errors alone.")
    parser.add_argument("--json", action="store_true", help="Tell results as one JSON object a line.")
    parser.add_argument(PRINT_CONFIG, action="store_true", help="Show the values of all options, and do nothing.")
    verb.arguments(parser, words)
    return parser


def check(verb: Verb, parser: ArgumentParser, parsed: Namespace) -> None:
    """Check inputs and outputs before torch is imported, so that a wrong path costs no waiting.

    Raises:
        AbacadError: an input is not there, or an output is a file that the verb did not write.
    """
    if verb.recipe is not None:
        recipe_of(parser, parsed)
    for option, look in verb.reads.items():
        value = parsed.get(option)
        # A folder that is left out is looked for at its usual places.
        if value is not None or option == "folder":
            look(value)
    inputs = [path for option in verb.reads for path in paths_of(parsed.get(option) or [])]
    for option, content in verb.writes.items():
        if parsed.get(option) is not None:
            output(parsed[option], content, inputs)


def near(given: str, known: Iterable[str], before: str = "") -> str:
    """A sentence that asks whether the nearest name was meant; empty where none is near."""
    known = list(known)
    found = [name for name in known if len(given) > 3 and name.startswith(given)]
    found = found or difflib.get_close_matches(given, known, n=1)
    return f" Did you mean {before}{found[0]}?" if found else ""


def existing(paths: Path | Sequence[Path]) -> None:
    """Raise an AbacadError when one of them is not there."""
    for path in paths_of(paths):
        if not path.exists():
            raise AbacadError(f"There is no file or folder {path}.\nIs the name right, and the disk there?")


def known_preset(name: str | Sequence[str]) -> None:
    """Raise an AbacadError when the simulator has no preset of that name, or of one of those names."""
    from abacad.simulator.presets import preset_named

    for one in [name] if isinstance(name, str) else name:
        preset_named(one)


def values_as_yaml(verb: Verb, parser: ArgumentParser, parsed: Namespace) -> str:
    """The whole recipe, as a file that `--config` takes; of a verb without one, its options."""
    if verb.recipe is not None:
        import yaml

        return yaml.safe_dump(recipe_of(parser, parsed).as_dict(), sort_keys=False)
    shown = parsed.clone()
    for key in ("quiet", "json", "print_config"):
        shown.pop(key, None)
    return parser.dump(shown, skip_validation=True)


def value_of(words: Sequence[str], options: Sequence[str], default: str) -> str:
    """The value of an option that decides the defaults of all others, read before there is a parser.

    Args:
        words: The words of the command line.
        options: Names of the option, such as `--recipe` and `--config`.
        default: Value when it is not among the words.
    """
    value = default
    for place, word in enumerate(words):
        for option in options:
            if word == option and place + 1 < len(words):
                value = words[place + 1]
            elif word.startswith(f"{option}="):
                value = word.split("=", 1)[1]
    return value


def recipe_named(words: Sequence[str], default: str) -> str:
    """Name or file of the recipe that the words of the command line ask for."""
    return value_of(words, ("--recipe", "--config"), default)


def flat(nested: dict[str, Any], options: set[str], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with the names of options as keys.

    Example:
        >>> from abacad.cli.parser import flat
        >>> flat({"noise": {"dof": 2.0}}, {"noise.dof"})
        {'noise.dof': 2.0}
    """
    found: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        found |= {name: value} if name in options or not isinstance(value, dict) else flat(value, options, f"{name}.")
    return found


def add_folder(parser: ArgumentParser) -> None:
    """Add the positional argument DATA, a competition folder, which may be left out."""
    parser.add_argument("folder", nargs="?", type=Path | None, default=None, metavar="DATA", help=_DATA)


def add_progress(parser: ArgumentParser) -> None:
    """Add the option `--progress`."""
    parser.add_argument("--progress", type=bool, default=True, help="Show progress bars, on a terminal.")

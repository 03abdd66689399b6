"""Makes the parser of a verb, and checks what it has parsed before anything heavy is imported."""

import difflib
import re
from argparse import Action, HelpFormatter, RawDescriptionHelpFormatter
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
        summary: What it does, in one line of the help.
        usage: Its positional arguments, as the help shows them.
        examples: Commands that work.
        arguments: Function that adds its arguments to a parser; it gets the words of the command line as well.
        call: Function that runs it and returns its tables, sentences and files.
        reads: Function for each option that names an input; it raises an `AbacadError` where that is not there.
        writes: Content of the file that each option names as an output; see `abacad.outputs`.
        goes_on: Whether the same command, given again after it was stopped, goes on where it was.
        in_python: Whether `abacad` has a function of the same name.
        recipe: The packaged recipe that it takes by default; none for a verb without recipes.
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
    """Shows the default of each option without names of Python classes, and keeps the line breaks of the examples."""

    def _expand_help(self, action: Action) -> str:
        # Before the text is broken into lines: afterwards a name may be on two of them.
        told = re.sub(r"<class '(?:\w+\.)*Path'>|\bPath\b(?= \||,)", "path", super()._expand_help(action))
        told = re.sub(r"Literal\[([^]]*)\]", lambda found: found[1].replace("'", "").replace(", ", " | "), told)
        # Commas within a tuple's brackets stay.
        return re.sub(
            r"Union\[((?:\w+(?:\[[^]]*\])?(?:, )?)+)\]", lambda found: re.sub(r", (?![^[]*\])", " | ", found[1]), told
        )


class VerbParser(ArgumentParser):
    """A parser that suggests the nearest option for an unknown one, and accepts no abbreviated options."""

    def format_help(self, *formatter: HelpFormatter | None) -> str:
        """The help of a verb, without the path of the packaged recipe."""
        # The path is that of this installation: docs/cli.md would differ from machine to machine.
        return re.sub(r"default config file locations:\n(?:  .*\n)+\n", "", super().format_help(*formatter))

    def parse_args(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Namespace:  # type: ignore[override]
        """Parse the words of a command line.

        Raises:
            AbacadError: the verb has no such option; the message names the nearest one.
        """
        # Before jsonargparse, whose own message names no nearest option.
        for word in args or ():
            if word == "--":  # what follows are names of files, even where they begin with two dashes
                break
            name = word.split("=", 1)[0].removesuffix("+")  # `--key+=value` appends to a list
            if name.startswith("--") and name not in self._option_string_actions:
                hint = near(name, self._option_string_actions)
                raise AbacadError(f"there is no option {name}.{hint}\n`{self.prog} --help` lists the options.")
        return super().parse_args(args, *more, **options)


def make_parser(name: str, verb: Verb, words: Sequence[str] = ()) -> ArgumentParser:
    """The parser of one verb; a recipe or preset named in `words` sets its defaults."""
    files: list[str | PathLike[Any]] = []
    # A recipe as a file of defaults: then `--model.name X --recipe Y` means the same in any order.
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
    parser.add_argument("--quiet", "-q", action="store_true", help="Show only warnings and errors.")
    parser.add_argument("--json", action="store_true", help="Print results as one JSON object a line.")
    parser.add_argument(PRINT_CONFIG, action="store_true", help="Show the values of all options and do nothing else.")
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
    # An abbreviation first: `--acc` is no near miss of `--accelerator` by its letters. Three letters may be anything.
    meant = [name for name in known if len(given) > 3 and name.startswith(given)]
    meant = meant or difflib.get_close_matches(given, known, n=1)
    return f" Did you mean {before}{meant[0]}?" if meant else ""


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
    # Options of the call and not of the work: in a file they would silence every run that takes it.
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
    # The last one counts, as in the parser itself.
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
    values: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        # A dictionary that is itself the value of an option stays whole.
        values |= {name: value} if name in options or not isinstance(value, dict) else flat(value, options, f"{name}.")
    return values


def add_folder(parser: ArgumentParser) -> None:
    """Add the positional argument DATA, a competition folder, which may be left out."""
    parser.add_argument("folder", nargs="?", type=Path | None, default=None, metavar="DATA", help=_DATA)


def add_progress(parser: ArgumentParser) -> None:
    """Add the option `--progress`."""
    parser.add_argument("--progress", type=bool, default=True, help="Show progress bars, on a terminal.")

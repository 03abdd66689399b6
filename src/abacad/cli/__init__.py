"""The command line: parse, call one verb, print. Nothing heavy is imported before a verb is called."""

import difflib
import logging
import os
import sys
from collections.abc import Sequence

from jsonargparse import ArgumentError, ArgumentParser

from abacad import __version__
from abacad.cli.parser import make_parser
from abacad.cli.verbs import VERBS
from abacad.errors import FULL, AbacadError, brief, plain_name, unreadable, unwritable

_CHANGED = "Is it there, and may you read it? If another program changed it meanwhile, repeat the command."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, 2 when the input or the recipe was at fault, 130 when interrupted."""
    # On a busy machine, threads that spin while they wait for each other make training three times slower. OpenMP reads
    # this when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # file names are bytes, and a terminal takes some letters only
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(f"abacad {__version__}")
        return 0
    try:
        _run(words[0], words[1:])
    except KeyboardInterrupt:
        print(f"abacad {words[0]}: interrupted. The same command goes on where it can.", file=sys.stderr)
        return 130
    except (AbacadError, ArgumentError, OSError, MemoryError) as error:
        if debug:
            raise
        print(f"abacad {words[0]}: {_told(error)}", file=sys.stderr)
        return 2
    except Exception as error:
        if debug:
            raise
        print(
            f"abacad {words[0]}: unexpected {type(error).__name__}: {brief(str(error))}\n"
            "This is a fault of abacad's. The same command with --debug shows where.",
            file=sys.stderr,
        )
        return 1
    return 0


def overview() -> str:
    """The text of `abacad --help`."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in VERBS.items())
    return (
        "usage: abacad VERB …\n\n"
        "Finds technosignatures in radio-telescope ON–OFF cadences.\n\n"
        f"{verbs}\n\n"
        "`abacad VERB --help` shows the options of a verb, their defaults and examples.\n"
        "`--debug` with any verb shows the traceback of an error; `--version` shows the version."
    )


def parser_of(name: str, words: Sequence[str] = ()) -> ArgumentParser:
    """The parser of one verb; a recipe or preset named in `words` sets its defaults."""
    return make_parser(name, VERBS[name], words)


def _run(name: str, words: Sequence[str]) -> None:
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, n=1)
        hint = f" Did you mean `abacad {near[0]}`?" if near else ""
        raise AbacadError(f"there is no such verb.{hint}\nThe verbs: {', '.join(VERBS)}.")
    parser = parser_of(name, words)
    parsed = parser.parse_args(list(words))
    _log_to_screen()
    VERBS[name].call(parser, parsed)


def _told(error: Exception) -> str:
    """At most three lines; of an error in a reader process, only what it said."""
    if isinstance(error, ArgumentError):
        return f"{brief(plain_name(str(error)))}\n`--help` lists the options."
    if isinstance(error, MemoryError):
        return "the memory does not suffice.\nClose other programs, or ask for less at once: a smaller batch_size."
    if isinstance(error, OSError) and error.errno is not None:
        place = error.filename or "a file"
        return str(unwritable(place, error)) if error.errno in FULL else f"{unreadable(place, error)}\n{_CHANGED}"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if "Original Traceback" in str(error):
        lines = lines[-1:]
    return "\n".join(line.removeprefix("abacad.errors.") for line in lines[:3])


def _log_to_screen() -> None:
    """Show what the library logs; processes that a distributed run started stay silent."""
    import warnings

    from rich.console import Console
    from rich.logging import RichHandler

    warnings.filterwarnings("ignore")  # other libraries' advice to programmers
    logger = logging.getLogger("abacad")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = RichHandler(console=Console(stderr=True), show_path=False, markup=False, log_time_format="%H:%M:%S")
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    logger.addHandler(handler if first else logging.NullHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False

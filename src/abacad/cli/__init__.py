"""The command line: parse the words, check them, call one verb, show its result.

torch takes seconds to import, so it is imported after options, and the files and folders they name, have been checked.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from abacad import __version__
from abacad.cli.machine import told_of_machine
from abacad.cli.parser import PRINT_CONFIG, check, make_parser, near, values_as_yaml
from abacad.cli.screen import log_to_screen, show
from abacad.cli.signals import stoppable
from abacad.cli.values import told_of_value
from abacad.cli.verbs import VERBS
from abacad.errors import FULL, AbacadError, brief, plain_name, unreadable, unwritable
from abacad.stops import Stopped

_CHANGED = "Is it there, and may you read it? If another program changed it meanwhile, repeat the command."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after `abacad`; none takes those of the process.

    Returns:
        0 when all went well, 1 for a fault of abacad's own, 2 when the input was at fault, 130 after Ctrl-C, 143 after
        SIGTERM.
    """
    # On a busy machine, threads that spin while they wait for each other make training three times slower. OpenMP reads
    # this when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name may hold bytes that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    # Taken out here and not parsed: it has to work also where an option beside it makes the parser fail.
    words = [word for word in words if word != "--debug"]
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if not words or words[0].startswith("-"):
        return _without_verb(words)
    return _verb(words[0], words[1:], debug)


def _without_verb(words: Sequence[str]) -> int:
    # Options come after the verb, since each verb has its own; one parser for all would have to build every verb's.
    if words and words[0] not in ("-h", "--help", "-V", "--version"):
        return _fails(words[0], "a verb comes first.\n`abacad --help` lists them.", 2)
    print(f"abacad {__version__}" if words and words[0] in ("-V", "--version") else overview())
    return 0


def _verb(name: str, words: Sequence[str], debug: bool) -> int:
    """Run one verb; print its errors as at most three lines and return the status of the process."""
    try:
        with stoppable():
            _run(name, words)
    except (Stopped, KeyboardInterrupt) as stopped:
        return _stopped(name, stopped)
    except (AbacadError, ArgumentError, OSError) as error:
        if debug:
            raise
        machine = told_of_machine(error) if isinstance(error, OSError) else None
        return _fails(name, machine or _told(error), 2)
    except Exception as error:
        if debug:
            raise
        # torch tells of a full memory or disk by a plain RuntimeError, which is no fault of abacad's.
        if told := told_of_machine(error):
            return _fails(name, told, 2)
        return _fails(
            name,
            f"unexpected {type(error).__name__}: {brief(str(error))}\n"
            "This is a fault of abacad's. The same command with --debug shows where.",
            1,
        )
    return 0


def overview() -> str:
    """The text of `abacad --help`."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in VERBS.items())
    return (
        "usage: abacad VERB …\n\n"
        "Finds technosignatures in radio-telescope ON–OFF cadences.\n\n"
        f"{verbs}\n\n"
        "`abacad help VERB` shows the options of a verb, their defaults and examples.\n"
        "With any verb: `--quiet` shows only warnings and errors, `--json` prints\n"
        "results as one JSON object a line, `--print_config` shows all values and does\n"
        "nothing else, and `--debug` shows the traceback of an error. `-V` or\n"
        "`--version` shows the version. The exit status is 0 when all went well, 2 when\n"
        "the input was at fault, 130 after Ctrl-C, 143 after SIGTERM, and 1 for a fault\n"
        "of abacad's own."
    )


def parser_of(name: str, words: Sequence[str] = ()) -> ArgumentParser:
    """The parser of one verb; a recipe or preset named in `words` sets its defaults."""
    return make_parser(name, VERBS[name], words)


def _run(name: str, words: Sequence[str]) -> None:
    if name not in VERBS:
        raise AbacadError(f"there is no such verb.{near(name, VERBS, 'abacad ')}\nThe verbs: {', '.join(VERBS)}.")
    verb, parser = VERBS[name], parser_of(name, words)
    # jsonargparse has an option of this name of its own, which would print other values, so the word is taken out here.
    parsed = parser.parse_args([word for word in words if word != PRINT_CONFIG])
    if PRINT_CONFIG in words:
        print(values_as_yaml(verb, parser, parsed), end="")
        return
    check(verb, parser, parsed)
    # After the check: what is refused has no log to show, and rich takes its time to import.
    log_to_screen(quiet=parsed.quiet)
    _hide_bars_unless_watched(parsed)
    outcome = verb.call(parser, parsed)
    if not parsed.quiet:
        show(outcome, as_json=parsed.json)


def _hide_bars_unless_watched(parsed: Namespace) -> None:
    # In a file or a pipe each step of a bar would be a line.
    from abacad.cli.screen import is_watched

    if parsed.quiet or not is_watched():
        for key in ("progress", "trainer.progress"):
            if key in parsed:
                parsed[key] = False


def _stopped(name: str, stopped: BaseException) -> int:
    goes_on = name in VERBS and VERBS[name].goes_on
    told = "The same command goes on where it was." if goes_on else "The same command begins anew."
    return _fails(name, f"stopped. {told}", getattr(stopped, "status", 130))


def _fails(name: str, told: str, status: int) -> int:
    print(_wrapped(f"abacad {name}: {told}"), file=sys.stderr)
    return status


def _wrapped(told: str) -> str:
    """Lines as a terminal shows them, broken between words; files and pipes get them whole."""
    if not sys.stderr.isatty():
        return told
    width = shutil.get_terminal_size().columns
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in told.splitlines()
    )


def _told(error: Exception) -> str:
    """The message in at most three lines; of an error in a reader process without torch's copy of its traceback."""
    if isinstance(error, ArgumentError):
        return f"{brief(plain_name(told_of_value(str(error))))}\n`--help` lists the options."
    if isinstance(error, OSError) and error.errno is not None:
        place = error.filename or "a file"
        return str(unwritable(place, error)) if error.errno in FULL else f"{unreadable(place, error)}\n{_CHANGED}"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # torch raises an error of a reader process again with its traceback before it; what it says is the last line.
    if "Original Traceback" in str(error):
        lines = lines[-1:]
    return "\n".join(line.removeprefix("abacad.errors.") for line in lines[:3])

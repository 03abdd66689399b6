"""The command line: parse, call one verb, print. Nothing heavy is imported before a verb is called."""

import difflib
import logging
import re
import sys
from argparse import HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter, Namespace

from abacad import __version__
from abacad.config import add_recipe_arguments, brief, recipe_of, recipe_path
from abacad.errors import AbacadError

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, 2 when the input or the recipe was at fault, 130 when interrupted."""
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
    except (AbacadError, ArgumentError, OSError) as error:
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
    verb = VERBS[name]
    files: list[str | PathLike[Any]] = [recipe_path(_recipe_named(words))] if name == "train" else []
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


def _run(name: str, words: Sequence[str]) -> None:
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, n=1)
        hint = f" Did you mean `abacad {near[0]}`?" if near else ""
        raise AbacadError(f"there is no such verb.{hint}\nThe verbs: {', '.join(VERBS)}.")
    parser = parser_of(name, words)
    parsed = parser.parse_args(list(words))
    _log_to_screen()
    VERBS[name].call(parser, parsed)


def _value_of(words: Sequence[str], options: Sequence[str], default: str) -> str:
    """The value of an option that decides the defaults of all others."""
    value = default
    for place, word in enumerate(words):
        for option in options:
            if word == option and place + 1 < len(words):
                value = words[place + 1]
            elif word.startswith(f"{option}="):
                value = word.split("=", 1)[1]
    return value


def _recipe_named(words: Sequence[str]) -> str:
    return _value_of(words, ("--recipe", "--config"), "baseline")


def _told(error: Exception) -> str:
    """At most three lines; of an error in a reader process, only what it said."""
    if isinstance(error, ArgumentError):
        return f"{brief(str(error))}\n`--help` lists the options."
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if "Original Traceback" in str(error):
        lines = lines[-1:]
    return "\n".join(line.removeprefix("abacad.errors.") for line in lines[:3])


def _log_to_screen() -> None:
    """Show what the library logs; processes that a distributed run started stay silent."""
    import os
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


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)


def _data(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path | None, default=None, metavar="DATA", help=_DATA)


def _progress(parser: ArgumentParser) -> None:
    parser.add_argument("--progress", type=bool, default=True, help="Show progress bars.")


def _audit_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    _data(parser)
    parser.add_argument("--full", action="store_true", help="Read the values of all cadences, not of a sample.")
    parser.add_argument("--out", type=Path, default=Path("audit.html"), help="The page to write.")
    _progress(parser)


def _audit(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.audit import audit, facts

    found = audit(parsed.folder, full=parsed.full, out=parsed.out, progress=parsed.progress)
    _table("Files", ("name", "files", "size"), found.tree)
    _table("Facts", ("what", "found"), facts(found))
    for problem in found.problems or ["No problems found."]:
        print(f"• {problem}")
    print(f"Page: {found.page}")


def _simulate_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    from abacad.signal.presets import PRESETS, Simulation

    preset = _value_of(words, ("--preset",), "kaggle")
    if preset not in PRESETS:
        raise AbacadError(f"there is no preset '{preset}'.\nPresets: {', '.join(PRESETS)}.")
    parser.add_argument("out", type=Path, metavar="OUT", help="Folder to write; new, or one that was begun so.")
    parser.add_argument("--preset", type=str, default=preset, help=f"Where to start from: {', '.join(PRESETS)}.")
    parser.add_argument("--train", type=int, default=2000, help="Labelled cadences.")
    parser.add_argument("--test", type=int, default=500, help="Cadences to be scored.")
    parser.add_argument("--seed", type=int, default=0, help="The same seed gives the same folder.")
    parser.add_argument("--background", type=Path | None, default=None, help="Telescope file to take the noise from.")
    _progress(parser)
    parser.add_class_arguments(Simulation, nested_key=None)
    parser.set_defaults(_flat(asdict(PRESETS[preset]), {action.dest for action in parser._actions}))


def _simulate(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.simulate import simulate
    from abacad.signal.presets import Simulation

    built = parser.instantiate(parsed)
    simulation = Simulation(**{key: getattr(built, key) for key in Simulation.__dataclass_fields__})
    folder = simulate(
        parsed.out,
        simulation,
        n_train=parsed.train,
        n_test=parsed.test,
        seed=parsed.seed,
        background=parsed.background,
        progress=parsed.progress,
    )
    print(f"Simulated competition: {folder}")


def _flat(nested: dict[str, Any], options: set[str], prefix: str = "") -> dict[str, Any]:
    """Nested values by the names of the options; what is an option as a whole stays whole."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        flat |= {name: value} if name in options or not isinstance(value, dict) else _flat(value, options, f"{name}.")
    return flat


def _train_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    recipe = _recipe_named(words)
    _data(parser)
    parser.add_argument("--recipe", "--config", type=str, default=recipe, help="Packaged recipe, or a YAML file.")
    parser.add_argument("--run", type=Path, default=Path("runs") / Path(recipe).stem, help="The run folder.")
    add_recipe_arguments(parser)


def _train(parser: ArgumentParser, parsed: Namespace) -> None:
    recipe = recipe_of(parser, parsed)  # a mistake in it is told before anything heavy is imported

    from abacad.run.train import train

    run = train(parsed.folder, parsed.run, recipe)
    _fold_table(run.path)


def _fold_table(run: Path) -> None:
    from abacad.files import read_json

    record = read_json(run / "run.json")
    rows = [(f"fold {number}", f"{value:.4f}") for number, value in enumerate(record.get("auc_fold", []))]
    rows.append(("mean of folds", f"{record['auc_mean']:.4f}"))
    value, low, high = record["auc_oof"]
    rows.append(("all held-back cadences", f"{value:.4f}  [{low:.4f}, {high:.4f}]"))
    _table(f"ROC-AUC of {run}", ("held back", "AUC"), rows)


def _predict_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="A trained run folder.")
    _data(parser)
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument(
        "--bad", type=Literal["fail", "skip"] | None, help="Unusable cadences; null: as the recipe says."
    )
    parser.add_argument("--workers", type=int | None, default=None, help="Processes that read cadences.")
    _progress(parser)


def _predict(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.predict import predict

    keys = ("accelerator", "bad", "workers", "progress")
    table = predict(parsed.run, parsed.folder, **{key: getattr(parsed, key) for key in keys})
    print(f"Scores: {table}")


def _submit_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN… [DATA]", help="Run folders, then the data folder.")
    parser.add_argument("--out", type=Path | None, default=None, help="File to write; null: RUN/submission.csv.")
    parser.add_argument("--weights", type=Literal["equal", "fitted"], default="equal", help="Equal, or fitted on OOF.")
    _progress(parser)


def _submit(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.ensemble import submit

    *runs, last = parsed.runs
    if (last / "config.yaml").is_file() or not runs:
        runs, folder = [*runs, last], None
    else:
        folder = last
    written = submit(runs, folder, parsed.out, weights=parsed.weights, progress=parsed.progress)
    print(f"Submission: {written}")


def _report_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="A trained run folder.")
    parser.add_argument("--out", type=Path | None, default=None, help="File to write; null: RUN/report.html.")


def _report(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.report import report

    print(f"Report: {report(parsed.run, parsed.out)}")


def _demo_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("out", nargs="?", type=Path, default=Path("demo"), metavar="OUT", help="Folder to work in.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the data and of the training.")
    parser.add_argument("--train", type=int, default=1500, help="Labelled cadences to simulate.")
    parser.add_argument("--test", type=int, default=500, help="Cadences to simulate for the submission.")


def _demo(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.demo import demo

    found = demo(parsed.out, seed=parsed.seed, n_train=parsed.train, n_test=parsed.test)
    _table("ROC-AUC", ("cadences", "AUC"), found.rows())
    _table("Files", ("what", "where"), [(name, str(path)) for name, path in found.files.items()])
    print(f"Done in {found.seconds:.0f} s. Open {found.files['report']} in a browser.")


VERBS = {
    "audit": Verb(
        "Look at a competition folder before training on it.",
        "[DATA]",
        ("abacad audit DATA", "abacad audit DATA --full --out audit.html"),
        _audit_arguments,
        _audit,
    ),
    "simulate": Verb(
        "Write a competition folder of simulated cadences.",
        "OUT",
        ("abacad simulate OUT --preset kaggle --train 4000 --test 1000 --seed 1",),
        _simulate_arguments,
        _simulate,
    ),
    "train": Verb(
        "Train a cross-validated ensemble on labelled cadences.",
        "[DATA]",
        (
            "abacad train DATA --recipe compact --run runs/compact",
            "abacad train DATA --recipe baseline --model.name convnext_tiny --optim.lr 3e-4",
        ),
        _train_arguments,
        _train,
    ),
    "predict": Verb(
        "Score the test cadences with a trained run.",
        "RUN [DATA]",
        ("abacad predict runs/compact DATA",),
        _predict_arguments,
        _predict,
    ),
    "submit": Verb(
        "Write submission.csv from one run, or from the blend of several.",
        "RUN… [DATA]",
        ("abacad submit runs/compact DATA --out submission.csv", "abacad submit runs/a runs/b DATA --weights fitted"),
        _submit_arguments,
        _submit,
    ),
    "report": Verb(
        "Write the page that tells a run.",
        "RUN",
        ("abacad report runs/compact",),
        _report_arguments,
        _report,
    ),
    "demo": Verb(
        "Run the whole pipeline on cadences it simulates; minutes on two cores.",
        "[OUT]",
        ("abacad demo", "abacad demo /tmp/demo --seed 3"),
        _demo_arguments,
        _demo,
    ),
}


if __name__ == "__main__":
    sys.exit(main())

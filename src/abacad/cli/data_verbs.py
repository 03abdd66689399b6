"""The verbs audit, overlaps, simulate and bound, which read a data folder or make one.

A verb imports torch when it is called, so that `abacad --help` answers at once.
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.parser import Verb, add_folder, add_progress, existing, flat, known_preset, value_of
from abacad.cli.screen import Outcome, Table
from abacad.errors import AbacadError
from abacad.outputs import BOUND, PAGE
from abacad.places import find_competition


def command(*words: object) -> str:
    """A command line of abacad as a person types it, with quotes where they are needed.

    Example:
        >>> from abacad.cli.data_verbs import command
        >>> command("train", "my data")
        "abacad train 'my data'"
    """
    return shlex.join(["abacad", *map(str, words)])


def _audit_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    add_folder(parser)
    parser.add_argument("--full", action="store_true", help="Read the values of all cadences, not of a sample.")
    parser.add_argument("--out", type=Path, default=Path("audit.html"), help="The page to write; - shows its text.")
    add_progress(parser)


def _audit(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.audit import audit

    result = audit(parsed.folder, full=parsed.full, out=parsed.out, progress=parsed.progress)
    return Outcome(
        [Table("Files", ("name", "files", "size"), result.tree), Table("Facts", ("what", "found"), result.facts())],
        result.problems or ["No problems found."],
        {"page": parsed.out},
        [command("overlaps", result.root)],
    )


def _overlaps_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    add_folder(parser)
    parser.add_argument("--out", type=Path | None, default=None, help="Folder for the tables; null: the data folder.")
    parser.add_argument(
        "--bad",
        type=Literal["fail", "skip"],
        default="fail",
        help="At a cadence that cannot be used: stop, or leave it out.",
    )
    parser.add_argument("--workers", type=int | None, default=None, help="Threads that read; null: one for each core.")
    add_progress(parser)


def _overlaps(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.overlaps import GROUPS, OVERLAPS, overlaps

    keys = ("out", "bad", "workers", "progress")
    result = overlaps(parsed.folder, **{key: getattr(parsed, key) for key in keys})
    data = [parsed.folder] if parsed.folder else []
    # `train` looks for groups.csv in the data folder by itself; elsewhere it has to be named.
    groups = [] if parsed.out is None else ["--data.groups", result.folder / GROUPS]
    return Outcome(
        [Table("Shared columns", ("what", "found"), result.facts())],
        wrote={"pairs": result.folder / OVERLAPS, "groups": result.folder / GROUPS},
        then=[command("train", *data, "--recipe", "compact", *groups)],
    )


def _simulate_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    from abacad.simulator.presets import PRESETS
    from abacad.simulator.settings import Simulation

    _simulate_telescope_arguments(parser)
    # Without the options of a competition, which would do nothing there and fill the help of telescope files.
    if "--telescope" in words:
        return
    # The preset sets the defaults of all other options, so it is read before there is a parser.
    preset = value_of(words, ("--preset",), "kaggle")
    known_preset(preset)
    parser.add_argument("--preset", type=str, default=preset, help=f"Values to start from: {', '.join(PRESETS)}.")
    parser.add_argument("--train", type=int, default=2000, help="Number of labelled cadences.")
    parser.add_argument("--test", type=int, default=500, help="Number of test cadences.")
    parser.add_argument("--background", type=Path | None, default=None, help="Telescope file to take the noise from.")
    # Options, types and help come from the dataclass and its docstring: a new field is an option at once.
    parser.add_class_arguments(Simulation, nested_key=None)
    # The preset's values are the defaults, so that --help and --print_config show what will be simulated.
    parser.set_defaults(flat(asdict(PRESETS[preset]), {action.dest for action in parser._actions}))


def _simulate_telescope_arguments(parser: ArgumentParser) -> None:
    """Options of both simulations, and those of telescope files alone."""
    parser.add_argument("out", type=Path, metavar="OUT", help="Folder to write: new, or begun by the same command.")
    parser.add_argument("--seed", type=int, default=0, help="The same seed gives the same folder.")
    add_progress(parser)
    parser.add_argument(
        "--telescope", action="store_true", help="Six telescope files of one observation instead of a competition."
    )
    parser.add_argument(
        "--channels", type=int | None, default=None, help="With --telescope: channels of a file; null: 262144."
    )
    parser.add_argument(
        "--signals", type=int | None, default=None, help="With --telescope: drifting signals; null: 20."
    )


def _simulate_telescope(parsed: Namespace) -> Outcome:
    from abacad.run.simulate_telescope import simulate_telescope
    from abacad.simulator.telescope import Session

    # What was not asked for keeps the default of `Session`, which stands in one place only.
    asked = {"channels": parsed.channels, "needles": parsed.signals}
    asked = {key: value for key, value in asked.items() if value is not None}
    paths = simulate_telescope(parsed.out, Session(**asked), seed=parsed.seed, progress=parsed.progress)
    return Outcome(
        wrote={"telescope files": parsed.out, "truth": parsed.out / "truth.csv"},
        then=[command("search", *paths, "--out", parsed.out / "found")],
    )


def _simulate(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    if parsed.telescope:
        return _simulate_telescope(parsed)
    # Without this the options would be taken and do nothing.
    if parsed.channels is not None or parsed.signals is not None:
        raise AbacadError("--channels and --signals are for telescope files.\nAdd --telescope, or leave them out.")
    from abacad.run.simulate import simulate
    from abacad.simulator.settings import Simulation

    # jsonargparse makes the nested dataclasses (noise, needles, …) of the flat options; the outermost has no key.
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
    return Outcome(wrote={"simulated competition": folder}, then=[command("train", folder, "--recipe", "compact")])


def _bound_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("folder", type=Path, metavar="DATA", help="A folder that abacad simulate wrote.")
    parser.add_argument("--split", type=Literal["train", "test", "both"], default="test", help="Cadences to score.")
    parser.add_argument("--limit", type=int | None, default=None, help="Number of cadences; null: all.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the bootstrap intervals.")
    parser.add_argument("--blind", action="store_true", help="The observer without its knowledge as well.")
    parser.add_argument("--out", type=Path | None, default=None, help="Table to write; null: DATA/bound.csv.")
    add_progress(parser)


def _bound(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.bound import bound

    keys = ("split", "limit", "blind", "seed", "out", "progress")
    result = bound(parsed.folder, **{key: getattr(parsed, key) for key in keys})
    # Figures are text, with their intervals in them: nobody should read one without the other.
    table = Table("ROC-AUC, 95 % interval", list(result.rows.columns), result.rows.to_numpy().tolist())
    return Outcome([table], wrote={"scores": result.path}, then=[command("score", parsed.folder / "test")])


VERBS = {
    "audit": Verb(
        "Look at a competition folder before training on it.",
        "[DATA]",
        ("abacad audit DATA", "abacad audit DATA --full --out audit.html"),
        _audit_arguments,
        _audit,
        reads={"folder": find_competition},
        writes={"out": PAGE},
    ),
    "overlaps": Verb(
        "Group the cadences that share columns of one observation.",
        "[DATA]",
        ("abacad overlaps DATA", "abacad overlaps DATA --out FOLDER --bad skip"),
        _overlaps_arguments,
        _overlaps,
        reads={"folder": find_competition},
        goes_on=True,
    ),
    "simulate": Verb(
        "Write a folder of simulated cadences, or six telescope files.",
        "OUT",
        ("abacad simulate OUT --preset kaggle --train 4000 --test 1000 --seed 1", "abacad simulate --telescope OUT"),
        _simulate_arguments,
        _simulate,
        reads={"background": existing},
        goes_on=True,
    ),
    "bound": Verb(
        "Score simulated cadences with the near-ideal observer.",
        "DATA",
        ("abacad bound DATA", "abacad bound DATA --split both --limit 200"),
        _bound_arguments,
        _bound,
        reads={"folder": existing},
        writes={"out": BOUND},
    ),
}

"""The verbs: what each takes on the command line, and what it shows. Nothing heavy is imported before one is called."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.parser import RECIPES, Verb, flat, recipe_named, value_of
from abacad.config import add_recipe_arguments, recipe_of
from abacad.errors import AbacadError

_DATA = "Competition folder (holds train_labels.csv). Left out, the usual places are looked at."


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


def _overlaps_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    _data(parser)
    parser.add_argument("--out", type=Path | None, default=None, help="Folder for the tables; null: the data folder.")
    parser.add_argument(
        "--bad", type=Literal["fail", "skip"], default="fail", help="Unusable cadences: stop, or go on."
    )
    parser.add_argument("--workers", type=int | None, default=None, help="Threads that read; null: one a core.")
    _progress(parser)


def _overlaps(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.overlaps import GROUPS, OVERLAPS, overlaps

    keys = ("out", "bad", "workers", "progress")
    found = overlaps(parsed.folder, **{key: getattr(parsed, key) for key in keys})
    _table("Shared columns", ("what", "found"), found.facts())
    print(f"Tables: {found.folder / OVERLAPS}, {found.folder / GROUPS}")


def _simulate_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    from abacad.signal.presets import PRESETS, Simulation

    preset = value_of(words, ("--preset",), "kaggle")
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
    parser.set_defaults(flat(asdict(PRESETS[preset]), {action.dest for action in parser._actions}))


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


def _train_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    recipe = recipe_named(words, RECIPES["train"])
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


def _pretrain_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    recipe = recipe_named(words, RECIPES["pretrain"])
    parser.add_argument("--recipe", "--config", type=str, default=recipe, help="Packaged recipe, or a YAML file.")
    parser.add_argument("--run", type=Path, default=Path("runs") / Path(recipe).stem, help="The run folder.")
    parser.add_argument(
        "--presets", type=list[str], default=["kaggle", "demo", "hard"], help="Presets that are drawn from in turn."
    )
    parser.add_argument("--cadences", type=int, default=24_000, help="Cadences to simulate; every tenth judges.")
    parser.add_argument("--positives", type=float, default=0.4, help="Share of them with a needle.")
    add_recipe_arguments(parser)


def _pretrain(parser: ArgumentParser, parsed: Namespace) -> None:
    recipe = recipe_of(parser, parsed)

    from abacad.run.pretrain import pretrain

    keys = ("presets", "cadences", "positives")
    print(f"Weights: {pretrain(parsed.run, recipe, **{key: getattr(parsed, key) for key in keys})}")


def _score_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE…", help=".npy cadences, folders, or six .fil or .h5 files."
    )
    parser.add_argument(
        "--weights", type=Path | None, default=None, help="A run folder or a file; null: those of the package."
    )
    parser.add_argument("--out", type=Path, default=Path("scores.csv"), help="Table to write.")
    parser.add_argument("--page", type=Path | None, default=None, help="Page to write, with pictures; null: none.")
    parser.add_argument("--shown", type=int, default=12, help="Cadences on the screen and on the page.")
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument("--bad", type=Literal["fail", "skip"], default="fail", help="Cadences that cannot be used.")
    _progress(parser)


def _score(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.score import score

    keys = ("weights", "out", "page", "shown", "accelerator", "bad", "progress")
    table = score(parsed.files, **{key: getattr(parsed, key) for key in keys})
    shown = table.head(parsed.shown).assign(score=table["score"].map("{:.4f}".format))
    _table("Highest scores", list(shown.columns), shown.to_numpy().tolist())
    print(f"Scores: {parsed.out}, {len(table)} cadences")
    if parsed.page:
        print(f"Page: {parsed.page}")


def _sensitivity_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="A trained run folder.")
    parser.add_argument("--preset", type=str, default="kaggle", help="Preset of the simulator.")
    parser.add_argument("--cadences", type=int, default=4000, help="Cadences to simulate, half of them with a needle.")
    parser.add_argument("--seed", type=int, default=20_000_003, help="Seed of the cadences.")
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument("--out", type=Path | None, default=None, help="Page to write; null: RUN/sensitivity.html.")
    _progress(parser)


def _sensitivity(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.sensitivity import sensitivity

    keys = ("preset", "cadences", "seed", "accelerator", "out", "progress")
    print(f"Page: {sensitivity(parsed.run, **{key: getattr(parsed, key) for key in keys})}")


def _bound_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("folder", type=Path, metavar="DATA", help="A folder that abacad simulate wrote.")
    parser.add_argument("--split", type=Literal["train", "test", "both"], default="test", help="Which cadences.")
    parser.add_argument("--limit", type=int | None, default=None, help="Only so many of them; null: all.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the bootstrap intervals.")
    parser.add_argument("--out", type=Path | None, default=None, help="Table to write; null: DATA/bound.csv.")
    _progress(parser)


def _bound(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.bound import bound

    keys = ("split", "limit", "seed", "out", "progress")
    found = bound(parsed.folder, **{key: getattr(parsed, key) for key in keys})
    _table("ROC-AUC, 95 % interval", list(found.rows.columns), found.rows.to_numpy().tolist())
    print(f"Scores: {found.path}")


def _demo_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("out", nargs="?", type=Path, default=Path("demo"), metavar="OUT", help="Folder to work in.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the data and of the training.")
    parser.add_argument("--train", type=int, default=1200, help="Labelled cadences to simulate.")
    parser.add_argument("--test", type=int, default=400, help="Cadences to simulate for the submission.")


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
    "overlaps": Verb(
        "Find the cadences that share columns of one observation, and group them.",
        "[DATA]",
        ("abacad overlaps DATA", "abacad overlaps DATA --out FOLDER --bad skip"),
        _overlaps_arguments,
        _overlaps,
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
    "pretrain": Verb(
        "Train a detector on simulated cadences alone.",
        "",
        (
            "abacad pretrain --run runs/pretrain --cadences 24000",
            "abacad train DATA --recipe compact --model.weights runs/pretrain/weights.safetensors",
        ),
        _pretrain_arguments,
        _pretrain,
    ),
    "score": Verb(
        "Rank cadences with a trained detector; by default with the one in the package.",
        "FILE…",
        (
            "abacad score DATA/test --page scores.html",
            "abacad score a1.h5 b.h5 a2.h5 c.h5 a3.h5 d.h5 --out hits.csv",
        ),
        _score_arguments,
        _score,
    ),
    "sensitivity": Verb(
        "Measure how faint a needle a trained run finds, beside the classical search.",
        "RUN",
        ("abacad sensitivity runs/compact --preset kaggle --cadences 10000",),
        _sensitivity_arguments,
        _sensitivity,
    ),
    "bound": Verb(
        "Score simulated cadences with the near-ideal observer: the ceiling of every detector.",
        "DATA",
        ("abacad bound DATA", "abacad bound DATA --split both --limit 200"),
        _bound_arguments,
        _bound,
    ),
    "demo": Verb(
        "Run the whole pipeline on cadences it simulates; minutes on two cores.",
        "[OUT]",
        ("abacad demo", "abacad demo elsewhere --seed 3"),
        _demo_arguments,
        _demo,
    ),
}

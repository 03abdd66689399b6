"""Verbs that make a run, or use its folder. Nothing heavy is imported before one is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.data_verbs import command
from abacad.cli.parser import Verb, add_folder, add_progress, known_preset, recipe_named
from abacad.cli.screen import Outcome, Table
from abacad.config import Precision, Recipe
from abacad.outputs import PAGE, SUBMISSION, TEST_SCORES
from abacad.places import find_competition, find_run, is_run
from abacad.recipes import add_recipe_arguments, recipe_of


def _train_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    recipe = recipe_named(words, "baseline")
    add_folder(parser)
    parser.add_argument("--recipe", "--config", type=str, default=recipe, help="Packaged recipe, or a YAML file.")
    parser.add_argument("--run", type=Path, default=Path("runs") / Path(recipe).stem, help="The run folder.")
    parser.add_argument(
        "--limit", type=int | None, default=None,
        help="Try every step once, on this many labelled cadences, and tell how long the whole takes; no run is made.",
    )  # fmt: skip
    add_recipe_arguments(parser)


def _quick_check(parsed: Namespace, recipe: Recipe) -> Outcome:
    from abacad.run.quick_check import quick_check

    result = quick_check(parsed.folder, recipe, parsed.limit)
    return Outcome([Table(result.title(), ("what", "found"), result.told())], result.notes)


def _train(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    recipe = recipe_of(parser, parsed)  # a mistake in it is told before anything heavy is imported

    if parsed.limit is not None:
        return _quick_check(parsed, recipe)

    from abacad.run.train import train

    run = train(parsed.folder, parsed.run, recipe)
    data = [parsed.folder] if parsed.folder else []
    return Outcome([_fold_table(run.path)], wrote={"run folder": run.path}, then=[command("predict", run.path, *data)])


def _fold_table(run: Path) -> Table:
    from abacad.learn.record import read_record
    from abacad.learn.run_folder import RunFolder

    record = read_record(RunFolder(run).record)
    if not {"auc_fold", "auc_mean", "auc_oof"} <= set(record):  # of a finished run whose record was lost
        return Table(f"ROC-AUC of {run}", ("held back", "AUC"), [])
    folds = record.get("folds_trained", range(len(record["auc_fold"])))
    # With `data.only` a call trains some folds: each is named by its number, not by its place.
    rows = [(f"fold {number}", f"{value:.3f}") for number, value in zip(folds, record["auc_fold"], strict=False)]
    rows.append(("mean of folds", f"{record['auc_mean']:.3f}"))
    value, low, high = record["auc_oof"]
    rows.append(("all held-back cadences", f"{value:.3f} [{low:.3f}, {high:.3f}]"))
    return Table(f"ROC-AUC of {run}", ("held back", "AUC"), rows)


def _pretrain_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    recipe = recipe_named(words, "pretrain")
    parser.add_argument("--recipe", "--config", type=str, default=recipe, help="Packaged recipe, or a YAML file.")
    parser.add_argument("--run", type=Path, default=Path("runs") / Path(recipe).stem, help="The run folder.")
    parser.add_argument(
        "--presets", type=list[str], default=["kaggle", "demo", "hard"], help="Presets that are drawn from in turn."
    )
    parser.add_argument(
        "--cadences", type=int, default=16_000, help="Cadences to simulate; every tenth is held back for the AUC."
    )
    parser.add_argument("--positives", type=float, default=0.4, help="Share of them with a needle.")
    parser.add_argument(
        "--bright_first", type=bool, default=False, help="Bright needles first, in one epoch; image networks need it."
    )
    parser.add_argument(
        "--stamps", type=bool, default=False, help="Half of them are stamps, as the search shows them to the detector."
    )
    add_recipe_arguments(parser)


def _pretrain(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    recipe = recipe_of(parser, parsed)  # before torch is imported: a mistake in it is told at once

    from abacad.run.pretrain import pretrain

    keys = ("presets", "cadences", "positives", "bright_first", "stamps")
    weights = pretrain(parsed.run, recipe, **{key: getattr(parsed, key) for key in keys})
    return Outcome(wrote={"weights": weights}, then=[command("sensitivity", weights)])


def _predict_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="A trained run folder.")
    add_folder(parser)
    parser.add_argument("--out", type=Path | None, default=None, help="File to write; null: RUN/test.csv.")
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument(
        "--bad",
        type=Literal["fail", "skip"] | None,
        help="At a cadence that cannot be used: stop, or score it 0.5; null: as the recipe says.",
    )
    parser.add_argument(
        "--precision", type=Precision | None, default=None, help="Precision of the network; null: as the recipe says."
    )
    parser.add_argument("--workers", type=int | None, default=None, help="Processes that read cadences.")
    add_progress(parser)


def _predict(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.predict import predict

    keys = ("accelerator", "precision", "bad", "workers", "progress")
    table = predict(parsed.run, parsed.folder, parsed.out, **{key: getattr(parsed, key) for key in keys})
    data = [parsed.folder] if parsed.folder else []
    return Outcome(wrote={"scores": table}, then=[command("submit", parsed.run, *data)])


def _submit_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN… [DATA]", help="Run folders, then the data folder.")
    parser.add_argument("--out", type=Path | None, default=None, help="File to write; null: RUN/submission.csv.")
    parser.add_argument(
        "--weights", type=str, default="equal", metavar="W,W…",
        help="equal, a number for each run (0.3,0.7), ranks, or fitted on OOF: fitted (≥ 0) or stacking (any sign).",
    )  # fmt: skip
    add_progress(parser)


def _runs_and_data(given: Sequence[Path]) -> tuple[list[Path], Path | None]:
    """Run folders, then perhaps the data folder; each is refused when it is not there."""
    # One list for both: argparse cannot tell where a list of runs ends and an optional folder begins.
    *runs, last = given
    runs, folder = ([*runs, last], None) if is_run(last) or not runs else (runs, last)
    for run in runs:
        find_run(run)
    find_competition(folder)
    return runs, folder


def _submit(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.submit import submit

    runs, folder = _runs_and_data(parsed.runs)
    written = submit(runs, folder, parsed.out, weights=parsed.weights, progress=parsed.progress)
    return Outcome(wrote={"submission": written}, then=[command("report", runs[0])])


def _report_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="A trained run folder.")
    parser.add_argument("--out", type=Path | None, default=None, help="File to write; null: RUN/report.html.")


def _report(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.report import report

    page = report(parsed.run, parsed.out)
    return Outcome(wrote={"report": page}, then=[command("sensitivity", parsed.run)])


def _demo_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("out", nargs="?", type=Path, default=Path("demo"), metavar="OUT", help="Folder to work in.")
    parser.add_argument("--search", action="store_true", help="Search simulated telescope files instead of training.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the data and of the training.")
    parser.add_argument("--train", type=int, default=1200, help="Labelled cadences to simulate.")
    parser.add_argument("--test", type=int, default=400, help="Cadences to simulate for the submission.")
    add_progress(parser)


def _demo_search(parsed: Namespace) -> Outcome:
    from abacad.run.demo_search import demo_search

    result = demo_search(parsed.out, seed=parsed.seed, progress=parsed.progress)
    columns, claims = ("kind", "freq_mhz", "drift_hz_s", "joint_snr"), ("class", "frequency_mhz", "drift_hz_s", "snr")
    truth = result.truth
    # Interference is no miss, whatever it was called: it only must not be an event, and then it is among the invented.
    missed = truth[(truth["class"] != "in OFF") & (truth["found"] != truth["class"])]
    formats = {"freq_mhz": ".6f", "frequency_mhz": ".6f", "drift_hz_s": "+.4f", "joint_snr": ".1f", "snr": ".1f"}
    wrong = [
        Table("Missed", columns, missed[list(columns)].to_numpy().tolist(), formats),
        Table("Invented", claims, result.invented[list(claims)].to_numpy().tolist(), formats),
    ]
    return Outcome(
        [Table("Against the truth", ("what", "there", "right", "missed or wrong"), result.rows())]
        + [table for table in wrong if table.rows],
        [
            f"{len(result.invented)} invented.",
            f"Done in {result.seconds:.0f} s. Open {result.files['page']} and {result.files['findings']} in a browser.",
        ],
        dict(result.files),
        [command("review", result.files["tables"], "--files", *sorted(result.files["files"].glob("*.h5")))],
    )


def _demo(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    # One verb for both, since a newcomer looks for "demo"; --train and --test do nothing in a search.
    if parsed.search:
        return _demo_search(parsed)
    from abacad.run.demo import demo

    result = demo(parsed.out, seed=parsed.seed, n_train=parsed.train, n_test=parsed.test, progress=parsed.progress)
    return Outcome(
        [Table("ROC-AUC", ("cadences", "AUC"), result.rows())],
        [f"Done in {result.seconds:.0f} s. Open {result.files['report']} in a browser."],
        dict(result.files),
        [command("sensitivity", result.files["run"], "--preset", "demo")],
    )


VERBS = {
    "train": Verb(
        "Train a cross-validated ensemble on labelled cadences.",
        "[DATA]",
        (
            "abacad train DATA --recipe compact --run runs/compact",
            "abacad train DATA --recipe medal --limit 200",
            "abacad train DATA --recipe baseline --model.name convnext_tiny --optim.lr 3e-4",
        ),
        _train_arguments,
        _train,
        reads={"folder": find_competition, "data.simulated_preset": known_preset},
        goes_on=True,
        recipe="baseline",
    ),
    "pretrain": Verb(
        "Train a detector on simulated cadences alone.",
        "",
        (
            "abacad pretrain --run runs/pretrain --cadences 16000",
            "abacad train DATA --recipe compact --model.weights runs/pretrain/weights.safetensors",
        ),
        _pretrain_arguments,
        _pretrain,
        reads={"presets": known_preset},
        goes_on=True,
        recipe="pretrain",
    ),
    "predict": Verb(
        "Score the test cadences with a trained run.",
        "RUN [DATA]",
        ("abacad predict runs/compact DATA",),
        _predict_arguments,
        _predict,
        reads={"run": find_run, "folder": find_competition},
        writes={"out": TEST_SCORES},
    ),
    # The data folder of `submit` is the last of its paths, so that both are checked by one function.
    "submit": Verb(
        "Write submission.csv from one run, or from the blend of several.",
        "RUN… [DATA]",
        ("abacad submit runs/compact DATA --out submission.csv", "abacad submit runs/a runs/b DATA --weights 0.3,0.7"),
        _submit_arguments,
        _submit,
        reads={"runs": _runs_and_data},
        writes={"out": SUBMISSION},
    ),
    "report": Verb(
        "Write a page on a run: AUC, curves, best and worst cadences.",
        "RUN",
        ("abacad report runs/compact",),
        _report_arguments,
        _report,
        reads={"run": find_run},
        writes={"out": PAGE},
    ),
    "demo": Verb(
        "Run the whole pipeline on simulated cadences, in minutes.",
        "[OUT]",
        ("abacad demo", "abacad demo elsewhere --seed 3", "abacad demo --search sky"),
        _demo_arguments,
        _demo,
        goes_on=True,
    ),
}

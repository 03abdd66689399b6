"""The verbs score, export and sensitivity, which use a trained detector on other cadences.

A verb imports torch when it is called, so that `abacad --help` answers at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.data_verbs import command
from abacad.cli.parser import Verb, add_progress, existing, known_preset
from abacad.cli.screen import Outcome, Table
from abacad.outputs import ONNX, PAGE, SCORES, STDOUT, SUBMISSION
from abacad.places import find_scorer


def _score_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE…", help=".npy cadences, folders, or six .fil or .h5 files."
    )
    parser.add_argument(
        "--pattern",
        type=str | None,
        default=None,
        help="One letter for each telescope file in the order of time, A for ON; null: by their headers.",
    )
    parser.add_argument(
        "--weights", type=Path | None, default=None, help="A run folder or a file of weights; null: the package's."
    )
    parser.add_argument("--out", type=Path, default=Path("scores.csv"), help="Table to write; -: standard output.")
    parser.add_argument("--page", type=Path | None, default=None, help="Page to write, with pictures; null: none.")
    parser.add_argument(
        "--submission",
        type=Path | None,
        default=None,
        help="Submission to write, for one competition folder; null: none.",
    )
    parser.add_argument("--shown", type=int, default=12, help="Cadences on the screen and on the page.")
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument(
        "--bad",
        type=Literal["fail", "skip"],
        default="fail",
        help="At a cadence that cannot be used: stop, or leave it out.",
    )
    parser.add_argument(
        "--observer",
        action="store_true",
        help="Weigh each cadence with the near-ideal observer too: deeper, 0.7 s of a core each.",
    )
    parser.add_argument(
        "--loudest",
        type=float,
        default=1.0,
        help="Share of the cadences that the observer weighs: the highest scores; the others keep theirs.",
    )
    add_progress(parser)


def _score(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.score import score
    from abacad.show.words import log_odds

    # `out` has a default here and none in Python, where the table is returned.
    keys = ("pattern", "weights", "out", "page", "submission", "shown", "accelerator", "bad", "observer", "loudest")
    table = score(parsed.files, **{key: getattr(parsed, key) for key in (*keys, "progress")})
    best = table.head(parsed.shown)
    best = best.assign(**{"log-odds": best["score"].map(log_odds)})  # sure scores all print as 1.0000
    rows = [tuple(row) for row in best.itertuples(index=False)]
    # `out` may be `-`, standard output: then the table for people goes to standard error (see `screen.show`).
    wrote = {key: parsed[key] for key in ("out", "page", "submission") if parsed[key] is not None}
    return Outcome(
        [Table("Highest scores", list(best.columns), rows, {"score": ".4f", "log-odds": "+.1f", "freq_mhz": ".6f"})],
        [f"{len(table)} cadences were scored."],
        {"scores" if name == "out" else name: path for name, path in wrote.items()},
        _then_of_score(parsed),
    )


def _then_of_score(parsed: Namespace) -> list[str]:
    from abacad.data.filterbank import is_telescope_file

    # A table of windows has channels and no paths, so the page that shows them has to be given the files again.
    telescope = [file for file in parsed.files if is_telescope_file(file)]
    files = ["--files", *telescope] if telescope else []
    weights = ["--weights", parsed.weights] if parsed.weights else []
    review = [] if parsed.out == STDOUT else [command("review", parsed.out, *weights, *files)]
    same = [*weights, *(["--pattern", parsed.pattern] if parsed.pattern else [])]
    same += ["--observer"] if parsed.observer else []
    same += ["--loudest", parsed.loudest] if parsed.loudest < 1 else []
    return review if parsed.page else [command("score", *parsed.files, *same, "--page", "scores.html"), *review]


def _sensitivity_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "run",
        type=Path | None,
        nargs="?",
        metavar="RUN",
        help="A run folder or a file of weights; none: the package's.",
    )
    parser.add_argument("--preset", type=str, default="kaggle", help="Preset of the simulator.")
    parser.add_argument(
        "--background",
        nargs="+",
        type=Path,
        default=(),
        metavar="FILE…",
        help="Telescope files to take the noise from: six, or one.",
    )
    parser.add_argument(
        "--cadences",
        type=int,
        default=8000,
        help="Cadences to simulate; 60000 with --positives 0.1 reach a false-alarm rate of 1e-4.",
    )
    parser.add_argument("--positives", type=float, default=0.25, help="Share of them with a needle.")
    # Not 0, which a person gives to a training: two purposes of one seed once drew the same cadences
    # (docs/lab-notebook.md, section 18).
    parser.add_argument("--seed", type=int, default=20_000_003, help="Seed of the cadences.")
    parser.add_argument(
        "--bound",
        type=int,
        default=0,
        help="Cadences that the near-ideal observer scores, about a second each; 0: none.",
    )
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument(
        "--out", type=Path | None, default=None, help="Page to write; null: sensitivity.html in RUN, or here."
    )
    add_progress(parser)


def _sensitivity(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.sensitivity import sensitivity

    # Names of options are those of the function's arguments: nothing has to be translated, nor can be mistaken.
    keys = ("preset", "background", "cadences", "positives", "seed", "bound", "accelerator", "out", "progress")
    page = sensitivity(parsed.run, **{key: getattr(parsed, key) for key in keys})
    wrote: dict[str, Path | str] = {"page": page, "table": page.with_suffix(".csv")}
    then = (
        command("score", "DATA/test") if parsed.run is None else command("score", "DATA/test", "--weights", parsed.run)
    )
    return Outcome(notes=[f"Open {page} in a browser."], wrote=wrote, then=[then])


def _export_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="ONNX file to write.")
    parser.add_argument(
        "--weights", type=Path | None, default=None, help="A run folder or a file; null: those of the package."
    )
    parser.add_argument("--rows", type=int | None, default=None, help="Rows of a panel; null: those it was trained on.")
    parser.add_argument(
        "--channels", type=int | None, default=None, help="Channels of a cadence; null: those it was trained on."
    )


def _export(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.export import export

    # Rows and channels are fixed in the file: the matrices of its shifts are made for them.
    result = export(parsed.out, parsed.weights, rows=parsed.rows, channels=parsed.channels)
    weights = [] if parsed.weights is None else [parsed.weights]
    return Outcome(
        [Table("ONNX", ("what", "is"), result.told())],
        wrote={"model": result.path},
        then=[command("sensitivity", *weights)],
    )


VERBS = {
    "score": Verb(
        "Rank cadences by a detector: that of a run, or the package's.",
        "FILE…",
        (
            "abacad score DATA/test --page scores.html",
            "abacad score DATA/test --submission submission.csv",
            "abacad score a1.h5 b.h5 a2.h5 c.h5 a3.h5 d.h5 --out hits.csv",
        ),
        _score_arguments,
        _score,
        reads={"files": existing, "weights": find_scorer},
        writes={"out": SCORES, "page": PAGE, "submission": SUBMISSION},
    ),
    "export": Verb(
        "Write a detector as an ONNX file, for runtimes without Python.",
        "OUT",
        ("abacad export panel.onnx", "abacad export run.onnx --weights runs/compact"),
        _export_arguments,
        _export,
        reads={"weights": find_scorer},
        writes={"out": ONNX},
    ),
    "sensitivity": Verb(
        "Measure down to which SNR a detector finds needles.",
        "[RUN]",
        (
            "abacad sensitivity runs/compact --preset kaggle",
            "abacad sensitivity --cadences 60000 --positives 0.1",
            "abacad sensitivity --preset telescope --background a1.h5 b.h5 a2.h5 c.h5 a3.h5 d.h5",
        ),
        _sensitivity_arguments,
        _sensitivity,
        reads={"run": find_scorer, "preset": known_preset, "background": existing},
        writes={"out": PAGE},
    ),
}

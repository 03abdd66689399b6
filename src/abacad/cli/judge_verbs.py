"""Verbs that use a trained detector on other cadences. Nothing heavy is imported before one is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.parser import Verb, add_progress, show_table


def _score_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE…", help=".npy cadences, folders, or six .fil or .h5 files."
    )
    parser.add_argument(
        "--pattern", type=str | None, default=None, help="ON (A) and OFF telescope files in time; null: as headers say."
    )
    parser.add_argument(
        "--weights", type=Path | None, default=None, help="A run folder or a file; null: those of the package."
    )
    parser.add_argument("--out", type=Path, default=Path("scores.csv"), help="Table to write.")
    parser.add_argument("--page", type=Path | None, default=None, help="Page to write, with pictures; null: none.")
    parser.add_argument("--shown", type=int, default=12, help="Cadences on the screen and on the page.")
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument("--bad", type=Literal["fail", "skip"], default="fail", help="Cadences that cannot be used.")
    add_progress(parser)


def _score(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.score import score

    keys = ("pattern", "weights", "out", "page", "shown", "accelerator", "bad", "progress")
    table = score(parsed.files, **{key: getattr(parsed, key) for key in keys})
    shown = table.head(parsed.shown).assign(score=table["score"].map("{:.4f}".format))
    show_table("Highest scores", list(shown.columns), shown.to_numpy().tolist())
    print(f"Scores: {parsed.out}, {len(table)} cadences")
    if parsed.page:
        print(f"Page: {parsed.page}")


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
        "--cadences", type=int, default=8000, help="To simulate; 60000, 1 of 10 with a needle, reach a rate of 1e-4."
    )
    parser.add_argument("--positives", type=float, default=0.25, help="Share of them with a needle.")
    parser.add_argument("--seed", type=int, default=20_000_003, help="Seed of the cadences.")
    parser.add_argument(
        "--bound", type=int, default=750, help="How many the near-ideal observer scores, for a rate of 1e-2; 0: none."
    )
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    parser.add_argument(
        "--out", type=Path | None, default=None, help="Page to write; null: sensitivity.html in RUN, or here."
    )
    add_progress(parser)


def _sensitivity(parser: ArgumentParser, parsed: Namespace) -> None:
    from abacad.run.sensitivity import sensitivity

    keys = ("preset", "cadences", "positives", "seed", "bound", "accelerator", "out", "progress")
    print(f"Page: {sensitivity(parsed.run, **{key: getattr(parsed, key) for key in keys})}")


VERBS = {
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
        "Measure how faint a needle a detector finds, beside the classical search and the best there can be.",
        "[RUN]",
        (
            "abacad sensitivity runs/compact --preset kaggle",
            "abacad sensitivity --cadences 60000 --positives 0.1",
        ),
        _sensitivity_arguments,
        _sensitivity,
    ),
}

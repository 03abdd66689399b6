"""The verb review, with which a person looks at candidates and gives verdicts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.data_verbs import command
from abacad.cli.parser import Verb, add_progress, existing
from abacad.cli.screen import Outcome
from abacad.outputs import PAGE
from abacad.places import find_competition, find_scorer, is_run


def _review_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="A run folder, a table of abacad score, or a folder of abacad search.",
    )
    parser.add_argument("--out", type=Path, default=Path("review.html"), help="Page to write.")
    parser.add_argument("--shown", type=int, default=200, help="Candidates on the page, those with the highest scores.")
    parser.add_argument(
        "--of",
        type=Literal["auto", "test", "oof"],
        default="auto",
        help="Which scores of a run; auto: test if there are any, else oof.",
    )
    # run.json has the data folder's path of the machine that trained; a run folder may have been copied from there.
    parser.add_argument("--data", type=Path | None, default=None, help="Data folder of a run, if it has moved.")
    parser.add_argument(
        "--files", nargs="+", type=Path, default=[], help="Telescope files that a table or a search was made from."
    )
    parser.add_argument(
        "--weights", type=Path | None, default=None, help="Detector for the evidence of a table; null: the package's."
    )
    parser.add_argument(
        "--evidence", type=bool, default=True, help="Draw the detector's evidence; half a second a candidate and fold."
    )
    parser.add_argument(
        "--blind", type=float, default=0.0, help="Share of simulated cadences to mix in, to test the reviewer."
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of the simulated cadences.")
    parser.add_argument(
        "--serve", action="store_true", help="Serve the page to several readers; verdicts go into OUT.sqlite."
    )
    # This machine alone unless another address is asked for: verdicts and candidates are nobody else's business.
    parser.add_argument("--host", type=str, default="127.0.0.1", help="With --serve: address to listen at.")
    parser.add_argument("--port", type=int, default=8765, help="With --serve: port to listen at; 0: a free one.")
    parser.add_argument(
        "--token",
        type=str | None,
        default=None,
        help="With --serve: secret of 16 letters or more, which readers need where others reach the host.",
    )
    parser.add_argument("--accelerator", type=str, default="auto", help="auto, cuda, mps or cpu.")
    add_progress(parser)


def _review(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.review import review
    from abacad.show.server import Address

    keys = ["out", "shown", "of", "data", "files", "weights", "evidence", "blind", "seed", "accelerator", "progress"]
    # `Address` refuses to listen where others reach the host without a token.
    listen = Address(parsed.host, parsed.port, parsed.token or "") if parsed.serve else None
    written = review(parsed.source, listen=listen, **{key: getattr(parsed, key) for key in keys})
    if listen:
        return Outcome(wrote={"verdicts": written}, then=[_then(parsed)])
    keys_told = "Open it in a browser. Keys: c candidate, r RFI, n noise, u unsure, z undo, x export."
    return Outcome(notes=[keys_told], wrote={"page": written}, then=[_then(parsed)])


def _then(parsed: Namespace) -> str:
    """The command that comes next: a training with verdicts on a run's cadences, else a test of the reviewer."""
    if is_run(parsed.source):
        return command("train", *([parsed.data] if parsed.data else ["DATA"]), "--data.verdicts", "VERDICTS.csv")
    files = ["--files", *parsed.files] if parsed.files else []
    return command("review", parsed.source, *files, "--blind", "0.1")


VERBS = {
    "review": Verb(
        "Look at the highest scores and give verdicts, one key for each.",
        "SOURCE",
        (
            "abacad review runs/compact --out review.html",
            "abacad review scores.csv --shown 500 --blind 0.1",
            "abacad review runs/compact --serve",
            "abacad review found --files *.h5",
            "abacad review hits.csv --files a1.h5 b.h5 a2.h5 c.h5 a3.h5 d.h5",
        ),
        _review_arguments,
        _review,
        reads={"source": existing, "data": find_competition, "files": existing, "weights": find_scorer},
        writes={"out": PAGE},
    ),
}

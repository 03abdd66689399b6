"""The verb compare, for runs or submissions. Nothing heavy is imported before it is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.data_verbs import command
from abacad.cli.parser import Verb
from abacad.cli.screen import Outcome, Table
from abacad.places import find_scorer

_AUC = {"mean": ".3f", "oof": ".3f", "low": ".3f", "high": ".3f"}


def _arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="RUN…", help="Run folders, or submissions; the first is the reference."
    )


def _runs_or_files(paths: Sequence[Path]) -> None:
    # A run folder or a file: what is neither is refused here, before pandas is imported.
    for path in paths:
        find_scorer(path)


def _compare(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.run.compare import Comparison, compare

    result = compare(parsed.paths)
    if not isinstance(result, Comparison):
        files = _table("Ranks", result.files, {"rank_correlation": ".4f"})
        return Outcome([files, _table("Largest moves; place 1 is the highest score", result.moves, {})])
    tables = [
        _table("ROC-AUC of held-back cadences", result.runs, _AUC),
        _table("Difference of AUC on the same cadences, 95 % interval by scene", result.differences,
               _of_differences(result.differences)),
        _table("What differs in the recipes", result.recipes, {}),
    ]  # fmt: skip
    best = result.runs.sort_values("oof")["run"].iloc[-1]
    # One run alone has no differences, and runs of one recipe differ in no key: such tables are left out.
    return Outcome([table for table in tables if table.rows], then=[command("report", best)])


def _of_differences(rows: Any) -> dict[str, str]:
    """Formats of differences and their bounds."""
    from abacad.metric import digits_told

    # As many digits as the narrowest interval warrants, so that the figures of a column stand below each other: a
    # fourth digit of a difference that is known to ±0.02 would suggest what nobody measured.
    digits = max((digits_told(low, high) for low, high in rows[["low", "high"]].to_numpy().tolist()), default=3)
    return dict.fromkeys(("difference", "low", "high"), f"+.{digits}f")


def _table(title: str, rows: Any, formats: dict[str, str]) -> Table:
    return Table(title, list(rows.columns), rows.to_numpy().tolist(), formats)


VERBS = {
    "compare": Verb(
        "Compare runs with the first: AUC, paired differences, recipes.",
        "RUN…",
        ("abacad compare runs/a runs/b", "abacad compare first.csv second.csv"),
        _arguments,
        _compare,
        reads={"paths": _runs_or_files},
    )
}

"""The verb that searches telescope files. Nothing heavy is imported before it is called."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.data_verbs import command
from abacad.cli.parser import Verb, add_progress, existing
from abacad.cli.screen import Outcome, Table
from abacad.errors import AbacadError
from abacad.places import find_scorer

_TABLES = {"events": "events.csv", "hits": "hits.csv", "turboSETI's tables": "dat", "page": "search.html"}
_OF_CATALOGUE = {"events": "events.csv", "observations left out": "failed.csv"}
_FORMATS = {
    "log-odds": "+.1f", "frequency_mhz": ".6f", "drift_hz_s": ".4f", "snr": ".1f", "off_snr": ".1f",
}  # fmt: skip
_SHOWN = ("class", "log-odds", "frequency_mhz", "drift_hz_s", "snr", "off_snr", "score", "source")
_UNSEEN = ("score", "source")  # bright lines all score 1.0000, and the log names the source
_MOST = 25  # rows on the screen
_LISTED = ["event", "RFI zone", "near-zero drift", "window"]


def _search_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE…", help=".h5 or .fil files of one observation, in any order."
    )
    parser.add_argument(
        "--catalogue",
        type=Path | None,
        default=None,
        help="Instead of FILE…: a CSV file with the columns name and files, one row an observation.",
    )
    parser.add_argument("--out", type=Path, default=Path("found"), help="Folder to write.")
    parser.add_argument("--max_drift", type=float, default=4.0, help="Largest drift rate, Hz/s, of both signs.")
    parser.add_argument(
        "--min_drift", type=float, default=0.0, help="Events that drift more slowly, Hz/s, are called near-zero drift."
    )
    parser.add_argument(
        "--snr", type=float, default=7.0, help="Least SNR of a line through all ON panels together that is reported."
    )
    parser.add_argument(
        "--pattern",
        type=str | None,
        default=None,
        help="One letter for each panel, A for ON; null: from the headers' sources.",
    )
    parser.add_argument(
        "--pol", type=Literal["I", "first"], default="I", help="Total intensity, or the first polarisation."
    )
    # Off by default: the detector needs 80 s a coarse channel for its windows, the lines 2.5 s (docs/benchmarks.md).
    parser.add_argument(
        "--windows",
        type=int,
        default=0,
        help="How many windows of a coarse channel to report that no line explains; takes thirty times as long.",
    )
    parser.add_argument(
        "--hit_snr", type=float, default=10.0, help="Least SNR in one panel alone for hits.csv and the .dat files."
    )
    parser.add_argument(
        "--judged", type=int, default=32, help="How many events of each coarse channel the detector scores."
    )
    parser.add_argument(
        "--weights", type=Path | None, default=None, help="A run folder or a file; null: those of the package."
    )
    parser.add_argument(
        "--inject", type=int, default=0, help="Needles to add to each coarse channel, to measure completeness."
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of these needles.")
    parser.add_argument(
        "--exclude",
        type=str | None,
        default=None,
        help="Bands whose signals come last and are not counted: a CSV file, or gbt.",
    )
    parser.add_argument("--shown", type=int, default=12, help="Events with pictures on the page; 0: no page.")
    parser.add_argument(
        "--sefd", type=float | None, default=None, help="SEFD of the receiver, Jy; tells the smallest flux."
    )
    parser.add_argument(
        "--distance", type=float | None, default=None, help="Distance of the target, parsec; tells the smallest power."
    )
    parser.add_argument(
        "--accelerator",
        type=str,
        default="auto",
        help="Device of the detector: auto, cuda, mps or cpu; cuda by name is also that of the first look.",
    )
    parser.add_argument(
        "--engine",
        type=Literal["serial", "processes", "ray"],
        default="serial",
        help="This process, several of this machine, or Ray (an extra; RAY_ADDRESS names a cluster).",
    )
    parser.add_argument(
        "--workers", type=int | None, default=None, help="Coarse channels searched at a time; null: one for each core."
    )
    add_progress(parser)


def _search(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    keys = (
        "out", "max_drift", "min_drift", "snr", "windows", "pattern", "pol", "hit_snr", "judged", "weights",
        "inject", "seed", "exclude", "shown", "sefd", "distance", "accelerator", "engine", "workers",
        "progress",
    )  # fmt: skip
    options = {key: getattr(parsed, key) for key in keys}
    # Either may be left out for the parser, which knows no "one of two" for a positional argument.
    if bool(parsed.files) == (parsed.catalogue is not None):
        raise AbacadError(
            "it takes either telescope files or --catalogue.\nName the files of one observation, or a table of many."
        )
    if parsed.catalogue is not None:
        from abacad.run.search_catalogue import search_catalogue

        table = search_catalogue(parsed.catalogue, **options)
        then = _review_of_one(parsed.catalogue, parsed.out, table)
        return _told(table, parsed.out, _OF_CATALOGUE, ("observation", *_SHOWN), then)
    from abacad.run.search import search

    # The folder knows its files by name alone: the page that cuts them out needs to be told where they lie.
    then = command("review", parsed.out, "--files", *parsed.files)
    return _told(search(parsed.files, **options), parsed.out, _TABLES, _SHOWN, then)


def _review_of_one(catalogue: Path, out: Path, table: Any) -> str:
    """The command that reviews the observation with the first signal."""
    from abacad.run.search_catalogue import read_catalogue

    # A command that runs as it stands, and not a pattern of one: its files are named in the catalogue.
    files = {entry.name: entry.files for entry in read_catalogue(catalogue)}
    name = str(table["observation"].iloc[0]) if len(table) else next(iter(files))
    return command("review", out / name, "--files", *files[name])


def _told(table: Any, out: Path, files: Mapping[str, str], shown: Sequence[str], then: str) -> Outcome:
    """The first events of a table of signals, how many there are of each class, and what was written."""
    # Interference is counted and not listed: it is nearly all of the table.
    events = table[table["class"].isin(_LISTED) & (table["excluded"] == "")]
    from abacad.show.words import log_odds

    # A catalogue's table begins with all events of its first observation; the brightest of all come first here.
    places = events.assign(place=events["class"].map(_LISTED.index))
    head = places.sort_values(["place", "snr"], ascending=[True, False], kind="stable").head(_MOST)
    head = head.assign(**{"log-odds": head["score"].map(log_odds, na_action="ignore")})[list(shown)]
    rows = [tuple(row) for row in head.itertuples(index=False)]
    counts = ", ".join(f"{count} {name}" for name, count in table["class"].value_counts().items())
    # Said, or a table of 25 rows would look like all that was found.
    of = f"The first {_MOST} of {len(events):,} are shown; events.csv has all. " if len(events) > _MOST else ""
    return Outcome(
        [Table("Events", list(shown), rows, _FORMATS, _UNSEEN)],
        [f"{of}Signals: {counts or 'none'}."],
        {name: out / file for name, file in files.items() if (out / file).exists()},
        [then] if len(table) else [],
    )


VERBS = {
    "search": Verb(
        "Search telescope files for drifting lines in ON panels alone.",
        "FILE… | --catalogue CSV",
        (
            "abacad search *.h5 --out found",
            "abacad search a1.h5 b.h5 a2.h5 c.h5 a3.h5 d.h5 --out found --max_drift 50 --inject 100",
            "abacad search --catalogue cadences.csv --out all --engine processes",
        ),
        _search_arguments,
        _search,
        reads={"files": existing, "catalogue": existing, "weights": find_scorer},
        goes_on=True,
    ),
}

"""The commands that benchmarks/kill.py kills: every verb that writes, on very small inputs."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from abacad.simulator.presets import PRESETS

QUICK = (
    "--trainer.max_epochs", "2", "--trainer.progress", "false", "--data.workers", "0", "--trainer.precision", "32-true",
    "--optim.batch_size", "8", "--model.width", "2", "--model.pretrained", "false", "--trainer.loggers", "[]",
)  # fmt: skip
SMALL = ("--preset", "demo", "--axes.n_time", "28", "--axes.n_freq", "64", "--scenes.n_freq", "256")
DEMO = PRESETS["demo"]
TINY = replace(DEMO, axes=replace(DEMO.axes, n_time=28, n_freq=64), scenes=replace(DEMO.scenes, n_freq=256))
"""The preset `tiny` of killed processes: `sensitivity` simulates 700 cadences, and would take minutes with others."""
TELESCOPE = ("--telescope", "--channels", "8192", "--signals", "2", "--progress", "false")


@dataclass(frozen=True)
class Verb:
    """A command to be killed.

    Attributes:
        name: Of the verb.
        words: The command line, given the folder of inputs and the one of results.
        before: Puts what the verb needs into the folder of results.
        share: Of the kills, beside 1 of the others.
    """

    name: str
    words: Callable[[Path, Path], list[str]]
    before: Callable[[Path, Path], None] = lambda given, out: None
    share: float = 1.0


def with_run(given: Path, out: Path) -> None:
    """A finished run among the results, as predict and report need it."""
    shutil.copytree(given / "run", out / "run")


def with_scores(given: Path, out: Path) -> None:
    """A finished run with test scores."""
    with_run(given, out)
    shutil.copy(given / "test.csv", out / "run" / "test.csv")


def data(given: Path) -> str:
    """The competition folder."""
    return str(given / "data")


def files(given: Path) -> list[str]:
    """The six files of the observation."""
    return [str(path) for path in sorted((given / "sky").glob("*.h5")) or sorted((given / "sky").glob("*.fil"))]


def simulate(folder: Path, n_train: int, n_test: int) -> list[str]:
    """A competition folder of that many cadences."""
    return ["simulate", str(folder), *SMALL, "--train", str(n_train), "--test", str(n_test)]


VERBS = (
    Verb("simulate", lambda g, o: simulate(o / "set", 8, 4), share=1.5),
    Verb("simulate --telescope", lambda g, o: ["simulate", str(o / "sky"), *TELESCOPE]),
    Verb("audit", lambda g, o: ["audit", data(g), "--out", str(o / "audit.html")]),
    Verb("overlaps", lambda g, o: ["overlaps", data(g), "--out", str(o)], share=2.0),
    Verb(
        "train",
        lambda g, o: [
            "train", data(g), "--run", str(o / "run"), "--recipe", "compact", *QUICK,
            "--data.folds", "2", "--data.pack", "always",
        ],
        share=4.0,
    ),
    Verb(
        "pretrain",
        lambda g, o: ["pretrain", "--run", str(o / "run"), *QUICK, "--presets", "[telescope]", "--cadences", "100"],
        share=0.8,
    ),
    Verb("predict", lambda g, o: ["predict", str(o / "run"), data(g)], with_run, share=2.0),
    Verb("submit", lambda g, o: ["submit", str(o / "run"), data(g)], with_scores),
    Verb("report", lambda g, o: ["report", str(o / "run")], with_scores, share=0.5),
    Verb(
        "score",
        lambda g, o: ["score", str(g / "data" / "test"), "--out", str(o / "s.csv"), "--page", str(o / "s.html")],
        share=0.6,
    ),
    Verb(
        "search",
        lambda g, o: ["search", *files(g), "--out", str(o / "found"), "--inject", "1", "--judged", "2", "--shown", "1"],
        share=1.0,
    ),
    Verb(
        "review",
        lambda g, o: ["review", str(o / "run"), "--shown", "3", "--out", str(o / "review.html")],
        with_scores,
    ),
    Verb(
        "sensitivity",
        lambda g, o: [
            "sensitivity", str(g / "run"), "--preset", "tiny", "--cadences", "700", "--bound", "0",
            "--out", str(o / "s.html"),
        ],
    ),
    Verb("bound", lambda g, o: ["bound", data(g), "--limit", "3", "--out", str(o / "b.csv")]),
    Verb("export", lambda g, o: ["export", str(o / "d.onnx"), "--weights", str(g / "run")]),
    Verb("demo", lambda g, o: ["demo", str(o / "demo"), "--train", "40", "--test", "10"], share=0.1),
    Verb("demo --search", lambda g, o: ["demo", str(o / "demo"), "--search"], share=0.1),
)  # fmt: skip


def preparations(given: Path) -> list[list[str]]:
    """The commands that make the inputs of all verbs."""
    train = ["train", data(given), "--run", str(given / "run"), "--recipe", "compact", *QUICK, "--data.folds", "2"]
    return [
        simulate(given / "data", 30, 10),
        ["simulate", str(given / "sky"), *TELESCOPE],
        train,
        ["predict", str(given / "run"), data(given)],
    ]

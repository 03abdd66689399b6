"""Kill every verb at random moments and before file operations, repeat the command, compare with a run never killed.

    python benchmarks/kill.py --kills 200 --out kill.csv

Counted over all kills: stuck (the repeated command did not end well), lost or doubled (rows of a table), left over
(files that the run never killed has not), different (bytes of results that are not those of the run never killed).

A process is forked for each command once all is imported, so that a kill takes a second and not ten. A hook counts the
operations that open a file for writing, rename, remove, make a folder or truncate below the folder of the results, and
ends the process by SIGKILL before the n-th.
"""

import argparse
import csv
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from abacad.cli import main

QUICK = [
    "--recipe",
    "compact",
    "--trainer.max_epochs",
    "2",
    "--data.folds",
    "2",
    "--trainer.progress",
    "false",
    "--data.workers",
    "0",
    "--trainer.precision",
    "32-true",
    "--optim.batch_size",
    "8",
    "--model.width",
    "2",
    "--model.pretrained",
    "false",
    "--trainer.loggers",
    "[]",
]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
EXACT = (".csv", ".npy", ".safetensors", ".yaml")
"""Results that have to be the same to the last byte; logs, timings and pages with a date in them need only be there."""
TIMED = ("metrics.csv",)


@dataclass(frozen=True)
class Verb:
    """A command to be killed.

    Attributes:
        name: Of the verb.
        words: The command line, given the folder of inputs and the one of results.
        before: Puts what the verb needs into the folder of results.
    """

    name: str
    words: Callable[[Path, Path], list[str]]
    before: Callable[[Path, Path], None] = lambda given, out: None


def with_run(given: Path, out: Path) -> None:
    """A finished run among the results, as predict and submit need it."""
    shutil.copytree(given / "run", out / "run")


def with_scores(given: Path, out: Path) -> None:
    """A finished run with test scores."""
    with_run(given, out)
    shutil.copy(given / "test.csv", out / "run" / "test.csv")


def data(given: Path) -> str:
    """The competition folder."""
    return str(given / "data")


VERBS = (
    Verb(
        "simulate",
        lambda g, o: [
            "simulate",
            str(o / "set"),
            "--preset",
            "demo",
            "--train",
            "30",
            "--test",
            "10",
            "--axes.n_time",
            "28",
            "--axes.n_freq",
            "64",
            "--scenes.n_freq",
            "256",
        ],
    ),
    Verb("audit", lambda g, o: ["audit", data(g), "--out", str(o / "audit.html")]),
    Verb("overlaps", lambda g, o: ["overlaps", data(g), "--out", str(o)]),
    Verb("train", lambda g, o: ["train", data(g), "--run", str(o / "run"), *QUICK, "--data.pack", "always"]),
    Verb("predict", lambda g, o: ["predict", str(o / "run"), data(g)], with_run),
    Verb("submit", lambda g, o: ["submit", str(o / "run"), data(g)], with_scores),
    Verb("report", lambda g, o: ["report", str(o / "run")], with_run),
    Verb(
        "score",
        lambda g, o: ["score", str(g / "data" / "test"), "--out", str(o / "s.csv"), "--page", str(o / "s.html")],
    ),
    Verb("bound", lambda g, o: ["bound", data(g), "--limit", "3", "--out", str(o / "b.csv")]),
)


def hook(under: Path, at: int, count: Path | None) -> None:
    """Count the file operations below a folder; end before the one numbered `at`, from 1 on."""
    seen = [0]
    root = str(under)
    teller = os.open(count, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if count else -1

    def listen(event: str, args: tuple) -> None:
        if event not in CHANGES and not (event == "open" and isinstance(args[2], int) and args[2] & WRITES):
            return
        if not isinstance(args[0], str | os.PathLike) or not str(args[0]).startswith(root):
            return
        seen[0] += 1
        if teller >= 0:
            os.write(teller, b".")
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(listen)


def forked(
    words: list[str], under: Path, *, at: int = 0, after_s: float | None = None, count: Path | None = None
) -> int:
    """Run a command in a process of its own; its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        told = os.open(under.parent / "told.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(quiet, 1)
        os.dup2(told, 2)
        hook(under, at, count)
        os._exit(main(words))
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def found(folder: Path) -> dict[str, bytes]:
    """Every file by its name, with its content where that has to be the same."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            exact = path.suffix in EXACT and path.name not in TIMED
            files[str(path.relative_to(folder))] = path.read_bytes() if exact else b""
    return files


def rows_wrong(reference: dict[str, bytes], now: dict[str, bytes]) -> int:
    """Tables that have lost or doubled a row."""
    tables = [name for name in reference if name.endswith(".csv") and name in now]
    ids = {
        name: [[line.split(b",")[0] for line in part[name].splitlines()] for part in (reference, now)]
        for name in tables
    }
    return sum(sorted(before) != sorted(after) for before, after in ids.values())


class Trial:
    """One verb, run once unharmed, then killed and repeated."""

    def __init__(self, verb: Verb, given: Path, place: Path) -> None:
        """Run the command once unharmed."""
        self.verb, self.given, self.place = verb, given, place
        self.reference, self.operations, self.seconds = {}, 0, 0.0
        out, count = self._fresh(), place / "count"
        count.unlink(missing_ok=True)
        started = time.monotonic()
        code = forked(verb.words(given, out), out, count=count)
        self.seconds = time.monotonic() - started
        if code != 0:
            raise SystemExit(f"{verb.name} fails without a kill: {(place / 'told.txt').read_text()[-600:]}")
        self.operations, self.reference = count.stat().st_size, found(out)

    def _fresh(self) -> Path:
        out = self.place / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        self.verb.before(self.given, out)
        return out

    def kill(self, at: int, after_s: float | None) -> dict[str, object]:
        """Kill once, repeat, compare."""
        out = self._fresh()
        words = self.verb.words(self.given, out)
        first = forked(words, out, at=at, after_s=after_s)
        second = forked(words, out)
        now = found(out)
        left = sorted(set(now) - set(self.reference))
        absent = sorted(set(self.reference) - set(now))
        other = sorted(name for name in self.reference if name in now and now[name] != self.reference[name])
        return {
            "verb": self.verb.name,
            "moment": f"before operation {at} of {self.operations}" if at else f"after {after_s:.2f} s",
            "killed": first == -signal.SIGKILL,
            "stuck": second != 0,
            "lost_or_doubled": rows_wrong(self.reference, now) + len(absent),
            "left_over": len(left),
            "different": len(other),
            "names": " ".join([*left, *absent, *other]),
            "told": (self.place / "told.txt").read_text()[-300:] if second else "",
        }  # fmt: skip


def prepared(place: Path) -> Path:
    """The inputs of all verbs: a small simulated competition, and a finished run on it."""
    given = place / "given"
    words = VERBS[0].words(given, given)
    words[1] = str(given / "data")
    unscored = ["train", str(given / "data"), "--run", str(given / "run"), *QUICK]
    scored = ["predict", str(given / "run"), str(given / "data")]
    for command in (words, unscored, scored):
        given.mkdir(parents=True, exist_ok=True)
        if forked(command, given) != 0:
            raise SystemExit((place / "told.txt").read_text())
    shutil.move(given / "run" / "test.csv", given / "test.csv")
    return given


def moments(trial: Trial, n: int, rng: random.Random) -> list[tuple[int, float | None]]:
    """Half before file operations, evenly, half at random."""
    n_at = min(trial.operations, (n + 1) // 2)
    places = sorted({1 + (trial.operations - 1) * k // max(1, n_at - 1) for k in range(n_at)})
    return [(at, None) for at in places] + [(0, rng.uniform(0, trial.seconds)) for _ in range(n - len(places))]


def run(kills: int, names: list[str], out: Path | None, seed: int = 0) -> int:
    """Kill, tell and sum up; the number of kills after which something was wrong."""
    rng, wrong, rows = random.Random(seed), 0, []
    verbs = [verb for verb in VERBS if not names or verb.name in names]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        given = prepared(place)
        for verb in verbs:
            trial = Trial(verb, given, place)
            for at, after_s in moments(trial, -(-kills // len(verbs)), rng):
                row = trial.kill(at, after_s)
                rows.append(row)
                bad = any(row[key] for key in ("stuck", "lost_or_doubled", "left_over", "different"))
                wrong += bad
                if bad:
                    print(row, flush=True)
            print(f"{verb.name}: {trial.operations} operations, {trial.seconds:.1f} s", flush=True)
    if out:
        with out.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    sums = {
        key: sum(bool(row[key]) for row in rows)
        for key in ("killed", "stuck", "lost_or_doubled", "left_over", "different")
    }
    print(f"{len(rows)} commands, of these {sums}")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--verbs", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    raise SystemExit(1 if run(given.kills, given.verbs, given.out, given.seed) else 0)

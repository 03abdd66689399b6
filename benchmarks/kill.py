"""Kill every verb at random moments and before file operations, repeat the command, compare with a run never killed.

    python benchmarks/kill.py --kills 200 --out kill.csv

Counted over all kills: stuck (the repeated command did not end well), lost or doubled (rows of a table, or whole
files), left over (files that the run never killed has not), different (files whose bytes are not those of the run never
killed; of pages and JSON without numbers, among which are times of day, and without drawings, which have random names).

A process that has imported everything is forked for each command, so that a kill takes a second and not ten. A hook
counts the operations that open a file for writing, write into it, rename, remove, make a folder or truncate below the
folder of the results, and ends the process by SIGKILL before the n-th. Random moments are counted in processor time.
"""

import argparse
import csv
import os
import pkgutil
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forked import forked, import_all
from killed_verbs import VERBS, Verb, preparations

import abacad

EXACT = (".csv", ".npy", ".safetensors", ".yaml", ".h5", ".fil", ".dat", ".parquet", ".onnx", ".png")
MASKED = (".html", ".json")
TIMED = ("metrics.csv",)
"""Tables with seconds in them."""
BAD = ("stuck", "lost_or_doubled", "left_over", "different")
KILLED = (-signal.SIGKILL, -signal.SIGPROF)


def found(folder: Path) -> dict[str, bytes]:
    """Every file by its name, with that of its content which has to be the same."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "tfevents" not in path.name:  # TensorBoard names its files by process and time
            content = b""
            if path.suffix in EXACT and path.name not in TIMED:
                content = path.read_bytes()
            elif path.suffix in MASKED:
                content = re.sub(rb"<svg.*?</svg>|[0-9.:e+-]+", b"0", path.read_bytes(), flags=re.DOTALL)
            files[str(path.relative_to(folder))] = content
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
        """Run the command once unharmed, and once more where modules had to be imported, to know its time."""
        self.verb, self.given, self.place = verb, given, place
        modules, count = place / "modules", place / "count"
        self._unharmed(modules=modules)
        import_all(modules.read_text().split())
        count.unlink(missing_ok=True)
        before = os.times()
        out = self._unharmed(count=count)
        self.seconds = sum(os.times()[2:4]) - sum(before[2:4])
        self.operations, self.reference = count.stat().st_size, found(out)

    def _unharmed(self, **options: Any) -> Path:
        out = self._fresh()
        if forked(self.verb.words(self.given, out), out, **options) != 0:
            raise SystemExit(f"{self.verb.name} fails without a kill: {self._said()}")
        return out

    def _said(self) -> str:
        return (self.place / "told.txt").read_text()[-600:]

    def _fresh(self) -> Path:
        out = self.place / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        self.verb.before(self.given, out)
        return out

    def kill(self, at: int, after_s: float | None) -> dict[str, Any]:
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
            "killed": first in KILLED,
            "stuck": int(second != 0),
            "lost_or_doubled": rows_wrong(self.reference, now) + len(absent),
            "left_over": len(left),
            "different": len(other),
            "names": " ".join([*left, *absent, *other]),
            "told": self._said() if second else "",
        }


def prepared(place: Path) -> Path:
    """The inputs of all verbs: a small simulated competition, six telescope files, and a finished run."""
    given = place / "given"
    given.mkdir(parents=True)
    for command in preparations(given):
        if forked(command, given, modules=place / "modules") != 0:
            raise SystemExit((place / "told.txt").read_text())
        import_all((place / "modules").read_text().split())
    shutil.move(given / "run" / "test.csv", given / "test.csv")
    return given


def moments(trial: Trial, n: int, rng: random.Random) -> list[tuple[int, float | None]]:
    """Half before file operations, evenly spread, half at random moments."""
    n_at = min(trial.operations, (n + 1) // 2)
    places = sorted({1 + (trial.operations - 1) * k // max(1, n_at - 1) for k in range(n_at)})
    return [(at, None) for at in places] + [(0, rng.uniform(0, trial.seconds)) for _ in range(n - len(places))]


def run(
    kills: int, names: Sequence[str], out: Path | None, seed: int = 0, *, every: bool = False, jobs: int = 1
) -> int:
    """Kill, tell and sum up; the number of kills after which something was wrong.

    Args:
        kills: How many in all.
        names: Verbs; none: all.
        out: Table to write, a row a kill.
        seed: Of the random moments.
        every: Kill before each file operation of each verb, and leave random moments out.
        jobs: Processes, each with verbs of its own.
    """
    import_all([module.name for module in pkgutil.walk_packages(abacad.__path__, "abacad.")])
    verbs = [verb for verb in VERBS if not names or verb.name in names]
    each = 0 if every else kills / sum(verb.share for verb in verbs)
    with tempfile.TemporaryDirectory() as folder:
        given = prepared(Path(folder))
        children = []
        for job in range(jobs):
            child = os.fork()
            if child == 0:
                _kill_some(verbs[job::jobs], given, Path(folder) / f"job{job}", each, seed)
                os._exit(0)
            children.append(child)
        failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
        rows = [row for part in sorted(Path(folder).glob("job*/rows.csv")) for row in read(part)]
    if out:
        written(out, rows)
    killed = sum(row["killed"] == "True" for row in rows)
    print(f"{len(rows)} commands, {killed} of them killed: {sums(rows)}")
    return failed + sum(any(int(row[key]) for key in BAD) for row in rows)


def _kill_some(verbs: Sequence[Verb], given: Path, place: Path, each: float, seed: int) -> None:
    """Kill these verbs, `each` times their share, or before every file operation where that is 0."""
    place.mkdir()
    rng, rows = random.Random(seed), []
    for verb in verbs:
        trial = Trial(verb, given, place)
        n = max(1, round(each * verb.share))
        chosen = moments(trial, n, rng) if each else [(at + 1, None) for at in range(trial.operations)]
        for moment in chosen:
            rows.append(trial.kill(*moment))
            written(place / "rows.csv", rows)
        told(trial, read(place / "rows.csv")[-len(chosen) :])


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def written(out: Path, rows: list[dict[str, Any]]) -> None:
    """The table so far, a row a kill."""
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def told(trial: Trial, rows: list[dict[str, Any]]) -> None:
    """Print the sums of one verb, and each kill that left something wrong."""
    print(f"{trial.verb.name}: {trial.operations} operations, {trial.seconds:.1f} s, {len(rows)} kills: {sums(rows)}")
    for row in rows:
        if any(int(row[key]) for key in BAD):
            print("   ", row)
    sys.stdout.flush()


def sums(rows: list[dict[str, Any]]) -> str:
    """How many were stuck, and so on."""
    return ", ".join(f"{sum(int(row[key]) > 0 for row in rows)} {key.replace('_', ' ')}" for key in BAD)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--verbs", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", action="store_true", help="Before each file operation of these verbs.")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    wrong = run(given.kills, given.verbs, given.out, given.seed, every=given.every, jobs=given.jobs)
    raise SystemExit(1 if wrong else 0)

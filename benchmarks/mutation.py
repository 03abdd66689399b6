"""Mutation testing: small faults, drawn at random from all that cosmic-ray can make, each of which a test has to see.

    pip install cosmic-ray
    python benchmarks/mutation.py --mutants 200 --out mutation.csv
    python benchmarks/mutation.py --again mutation.csv     # only what survived there, after tests were written

Each source file is tested by its own test files alone (`TESTS`). All is imported once, the tests are run once under a
tracer, and a fault is then put into a forked process, into the code of the function that holds it: so it costs the
seconds of those tests that reach it, the quickest first, and not those of importing torch. A fault outside of functions
(a constant, a field of a dataclass) would reach only what reads it later, and a function may have been called while
modules were imported; so such faults, and all that survive in a forked process, are put into the file of a copy of the
tree, whose tests run in a new process. Only what survives there has survived.

Faults in annotations, docstrings, decorators and texts of messages are not drawn: they change nothing that runs. Those
which no test could see since the program does the same (`benchmarks/equivalent_mutants.csv` says why for each) are told
apart. The draw is stratified: as many of each file as it has of all.
"""

import argparse
import csv
import importlib
import os
import pkgutil
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
from graft import function_at, graft
from made_faults import COLUMNS, ROOT, Mutant, mutant, path_of, places
from tests_reached import Reached, reached_by

from abacad.metric import wilson

TESTS = {
    "signal/cadence": "tests/signal/test_cadence.py",
    "signal/chance": "tests/signal/test_chance.py",
    "signal/drift": "tests/signal/test_drift.py",
    "signal/robust": "tests/signal/test_robust.py",
    **{
        f"represent/{name}": f"tests/represent/test_{name}.py"
        for name in ("binned", "clean", "images", "representation", "residual", "rows", "standard", "track")
    },
    "metric": "tests/test_metric.py",
    "learn/folds": "tests/learn/test_folds.py",
    "learn/fold": "tests/learn/test_fold.py tests/learn/test_holding_back.py",
    "learn/blend": "tests/learn/test_blend.py",
    "model/score": "tests/model/test_score.py",
    "data/filterbank": "tests/data/test_filterbank.py tests/data/test_sigproc.py",
    "run/predict": "tests/run/test_predict.py",
}
"""The files of the aim by their names below src/abacad, with the tests that have to see their faults."""
EQUIVALENT = ROOT / "benchmarks" / "equivalent_mutants.csv"
_WORDS = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore", "--tb=no", "-o", "addopts=")
_SLOWER = 5
"""Times the seconds of its tests after which a fault counts as one that never ends."""


def drawn(n: int, seed: int, names: list[str]) -> list[Mutant]:
    """A random sample of all mutants in random order, of each file as many as its share."""
    rng = random.Random(seed)
    every = {name: places(name) for name in names}
    total = sum(map(len, every.values()))
    print(f"{total} places in {len(names)} files", flush=True)
    chosen: list[Mutant] = []
    for name, some in every.items():
        rng.shuffle(some)
        share = max(1, round(n * len(some) / total))
        found = (one for place in some if (one := mutant(name, *place)) is not None)
        chosen += [one for one, _ in zip(found, range(share), strict=False)]
    rng.shuffle(chosen)
    return chosen


def tests_of(one: Mutant, reached: Reached) -> list[str]:
    """The tests that reach a fault, the quickest first; all of its file where it stands outside of functions."""
    holder = function_at(path_of(one.name).read_text(), one.line)
    if holder is None:  # a test may read a constant without running a line of its file
        return reached.tests(one.name)
    return reached.tests(one.name, range(holder.body[0].lineno, (holder.end_lineno or 0) + 1))


def outcome(one: Mutant, reached: Reached, place: Path) -> str:
    """`killed` or `survived`."""
    tests = tests_of(one, reached)
    if not tests:
        return "survived"
    seconds = _SLOWER * reached.seconds(tests) + 20
    if function_at(path_of(one.name).read_text(), one.line) is not None and _in_a_fork(one, tests, seconds) == 1:
        return "killed"
    return _in_a_copy(one, tests, seconds, place)


def _in_a_fork(one: Mutant, tests: list[str], seconds: float) -> int:
    """1 where a test failed."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        signal.setitimer(signal.ITIMER_PROF, seconds)  # ends what runs for ever
        code = 77
        try:
            if graft(importlib.import_module(f"abacad.{one.name.replace('/', '.')}"), one.source):
                code = int(pytest.main([*_WORDS, *tests]))
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return int(code == 1 or code < 0)


def _in_a_copy(one: Mutant, tests: list[str], seconds: float, place: Path) -> str:
    """Whether a test fails in a new process with the fault in the file of a copy of the tree."""
    path = place / path_of(one.name).relative_to(ROOT)
    path.write_text(one.source)
    environment = os.environ | {"PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_WORDS, *tests],
            cwd=place, env=environment, capture_output=True, timeout=10 * seconds + 600, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "killed"
    finally:
        path.write_text(path_of(one.name).read_text())
    return "survived" if done.returncode == 0 else "killed"


def import_all() -> None:
    """Import every module before the tests' own import hook: types are checked in other runs."""
    import abacad

    for module in pkgutil.walk_packages(abacad.__path__, "abacad."):
        importlib.import_module(module.name)
    hypothesis.settings.register_profile("unhurried", deadline=None, database=None, derandomize=True)
    hypothesis.settings.load_profile("unhurried")


def equivalent() -> dict[tuple[str, str, str], str]:
    """Faults that change nothing a program does, by file, line before and line after; the value says why."""
    with EQUIVALENT.open(newline="") as file:
        return {(row["file"], row["before"], row["after"]): row["why"] for row in csv.DictReader(file)}


def told(rows: Iterable[Mapping[str, object]]) -> float:
    """Print the share that was killed, of each file and of all; the share of all but the equivalent ones."""
    known = equivalent()
    counted = [row for row in rows if (row["file"], row["before"], row["after"]) not in known]
    print(f"{'':24} killed of drawn; equivalent ones left out: {len(list(rows)) - len(counted)}")
    share = 0.0
    for name in [*TESTS, ""]:
        some = [row["outcome"] for row in counted if row["file"] == name or not name]
        if some:
            found = wilson(some.count("killed"), len(some))
            share = found.value
            print(f"{name or 'all':24} {some.count('killed'):4} of {len(some):4}, {found.value:.0%}", end="")
            print(f" ({found.low:.0%} to {found.high:.0%})" if not name else "")
    return share


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def again(path: Path) -> tuple[list[Mutant], list[dict[str, Any]]]:
    """What survived in an earlier table, and its other rows."""
    rows = read(path)
    mutants = [mutant(row["file"], row["place"], int(row["occurrence"])) for row in rows if row["outcome"] != "killed"]
    return [one for one in mutants if one], [row for row in rows if row["outcome"] == "killed"]


def main() -> int:
    """Draw, test and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", nargs="*", default=list(TESTS))
    parser.add_argument("--again", type=Path, help="Table of an earlier run whose survivors are tried once more.")
    parser.add_argument("--least", type=float, default=0.85, help="Share that has to be killed.")
    parser.add_argument("--out", type=Path, default=Path("mutation.csv"))
    given = parser.parse_args()
    given.out = given.out.resolve()
    chosen, rows = again(given.again) if given.again else (drawn(given.mutants, given.seed, given.files), [])
    os.chdir(ROOT)
    import_all()
    names = sorted({one.name for one in chosen})
    reached = reached_by({name: TESTS[name].split() for name in names}, {name: path_of(name) for name in names})
    with tempfile.TemporaryDirectory() as folder, given.out.open("w", newline="") as file:
        for part in ("src", "tests", "pyproject.toml"):
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, Path(folder) / part)
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
        for one in chosen:
            rows.append(one.row(outcome(one, reached, Path(folder))))
            table.writerow(rows[-1])
            file.flush()
    return 0 if told(rows) >= given.least else 1


if __name__ == "__main__":
    raise SystemExit(main())

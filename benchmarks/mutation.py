"""Mutation testing: small faults, drawn at random from all that cosmic-ray can make, each of which a test has to see.

    pip install cosmic-ray
    python benchmarks/mutation.py --mutants 150 --out mutation.csv

Each source file is tested by its own test files alone. All is imported once; a mutant is put into a forked process,
into the code of functions and the values of constants that are already imported, so that it costs the seconds of its
tests and not those of importing torch. Mutants of annotations, docstrings, decorators and messages are not drawn: they
change nothing that runs. The draw is stratified by file: as many of each as it has of all.
"""

import argparse
import ast
import csv
import importlib
import inspect
import os
import pkgutil
import random
import signal
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cosmic_ray.plugins
import hypothesis
import pytest
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parents[1]
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
LEFT_OUT = ("NoOp", "RemoveDecorator", "VariableInserter", "VariableReplacer", "ExceptionReplacer")
_PLAIN = (int, float, str, bytes, tuple, list, dict, set, frozenset)
_SLOWER = 10


@dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        name: Of the source file, below src/abacad, without its suffix.
        operator: Of cosmic-ray.
        line: First line that differs.
        before: That line.
        after: What takes its place.
        source: The whole file with the fault.
    """

    name: str
    operator: str
    line: int
    before: str
    after: str
    source: str


def mutants_of(name: str) -> Iterator[Mutant]:
    """Every mutant of a file that changes what runs."""
    source = path_of(name).read_text()
    same = running(source)
    for operator in cosmic_ray.plugins.operator_names():
        if operator.rpartition("/")[2] in LEFT_OUT:
            continue
        try:
            changing = cosmic_ray.plugins.get_operator(operator)()
        except TypeError:  # one with arguments
            continue
        for occurrence in range(10_000):
            mutated = mutate_code(source, changing, occurrence)
            if mutated is None:
                break
            if running(mutated) not in (same, ""):
                pairs = zip(source.splitlines(), mutated.splitlines(), strict=False)
                line, (before, after) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
                yield Mutant(name, operator.rpartition("/")[2], line, before.strip(), after.strip(), mutated)


def running(source: str) -> str:
    """What of a file runs: its syntax without annotations, docstrings and the texts of messages; empty where broken."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(0)
        elif isinstance(node, ast.Raise | ast.JoinedStr):
            node.__dict__.update(exc=None, values=[])
    return ast.dump(tree)


def path_of(name: str) -> Path:
    """The source file of that name."""
    return ROOT / "src" / "abacad" / f"{name}.py"


def drawn(n: int, seed: int, names: list[str]) -> list[Mutant]:
    """A random sample of all mutants in random order, of each file as many as its share."""
    rng = random.Random(seed)
    every = {name: list(mutants_of(name)) for name in names}
    total = sum(map(len, every.values()))
    print(f"{total} mutants in {len(names)} files", flush=True)
    chosen = [
        mutant
        for some in every.values()
        for mutant in rng.sample(some, min(len(some), max(1, round(n * len(some) / total))))
    ]
    rng.shuffle(chosen)
    return chosen


def graft(module: types.ModuleType, source: str) -> int:
    """Put the code of a changed source into a module that others have imported from; how many parts changed."""
    fresh: dict[str, Any] = {
        "__name__": module.__name__,
        "__file__": module.__file__,
        "__package__": module.__package__,
    }
    exec(compile(source, str(module.__file__), "exec"), fresh)
    return sum(_put(module, name, vars(module)[name], new) for name, new in fresh.items() if name in vars(module))


def _put(holder: Any, name: str, old: Any, new: Any) -> int:
    if isinstance(old, type) and old.__module__ == getattr(holder, "__name__", None):
        return sum(_put(old, each, vars(old)[each], part) for each, part in vars(new).items() if each in vars(old))
    functions = _function(old), _function(new)
    if all(functions):
        return _put_code(*functions)
    if isinstance(old, _PLAIN) and not name.startswith("__") and old != new:
        _put_value(holder, name, old, new)
        return 1
    return 0


def _function(thing: Any) -> types.FunctionType | None:
    """The plain function within a method, a property or a wrapper."""
    for inner in ("__func__", "fget", "func"):
        thing = getattr(thing, inner, thing)
    found = inspect.unwrap(thing) if callable(thing) else thing
    return found if isinstance(found, types.FunctionType) and "abacad" in found.__code__.co_filename else None


def _put_code(old: types.FunctionType, new: types.FunctionType) -> int:
    defaults = (old.__defaults__, old.__kwdefaults__) != (new.__defaults__, new.__kwdefaults__)
    if old.__code__ == new.__code__ and not defaults:
        return 0
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    return 1


def _put_value(holder: Any, name: str, old: Any, new: Any) -> None:
    """A constant, where it stands and wherever it was imported under its name."""
    setattr(holder, name, new)
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)


def outcome(mutant: Mutant, seconds: float) -> str:
    """`killed`, `survived`, or `not put in`: run the tests of its file in a forked process with the fault."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        signal.setitimer(signal.ITIMER_PROF, _SLOWER * seconds + 5)  # ends what runs for ever
        code = 77
        try:
            changed = graft(module_of(mutant.name), mutant.source)
            code = int(tested(mutant.name)) if changed else 77
        except BaseException:  # a fault that not even lets the file be imported
            code = 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "survived", 77: "not put in"}.get(code, "killed")


def module_of(name: str) -> types.ModuleType:
    """The module of that name."""
    return importlib.import_module(f"abacad.{name.replace('/', '.')}")


def tested(name: str) -> int:
    """The exit status of the tests of a file."""
    words = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore", "--tb=no"]
    return int(pytest.main([*words, *TESTS[name].split()]))


def baseline(names: list[str]) -> dict[str, float]:
    """Processor seconds of the tests of each file without a fault; they have to pass."""
    found = {}
    for name in names:
        before = sum(os.times()[:2])
        if tested(name) != 0:
            raise SystemExit(f"{TESTS[name]} fails without a fault.")
        found[name] = sum(os.times()[:2]) - before
    return found


def import_all() -> None:
    """Import every module before the tests' own import hook: types are checked in other runs."""
    import abacad

    for module in pkgutil.walk_packages(abacad.__path__, "abacad."):
        importlib.import_module(module.name)
    hypothesis.settings.register_profile("unhurried", deadline=None, database=None, derandomize=True)
    hypothesis.settings.load_profile("unhurried")


def told(rows: list[Mapping[str, object]]) -> None:
    """Print the share that was killed, of each file and of all."""
    for name in [*TESTS, ""]:
        some = [row["outcome"] for row in rows if row["file"] == name or not name]
        n = sum(one != "not put in" for one in some)
        if n:
            print(f"{name or 'all':24} {some.count('killed'):4} of {n:4} killed, {some.count('killed') / n:.0%}")


def main() -> int:
    """Draw, test and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", nargs="*", default=[name for name in TESTS if path_of(name).is_file()])
    parser.add_argument("--least", type=float, default=0.85, help="Share that has to be killed.")
    parser.add_argument("--out", type=Path, default=Path("mutation.csv"))
    given = parser.parse_args()
    os.chdir(ROOT)
    chosen = drawn(given.mutants, given.seed, given.files)
    import_all()
    seconds = baseline(given.files)
    rows: list[Mapping[str, object]] = []
    with given.out.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "line", "operator", "outcome", "before", "after"))
        for one in chosen:
            found = outcome(one, seconds[one.name])
            rows.append({"file": one.name, "outcome": found})
            table.writerow((one.name, one.line, one.operator, found, one.before, one.after))
            file.flush()
    told(rows)
    counted = [row["outcome"] for row in rows if row["outcome"] != "not put in"]
    return 0 if counted.count("killed") >= given.least * len(counted) else 1


if __name__ == "__main__":
    raise SystemExit(main())

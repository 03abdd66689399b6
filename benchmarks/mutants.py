"""Faults put into the code one at a time, to see that a test fails: a suite that cannot fail tells nothing.

    python benchmarks/mutants.py [--only WORD]

Each of these once went unseen. A copy of the tree is changed, the tests named are run in it, and the fault counts as
killed when they fail. The code has to hold the text that is replaced, so that a fault which no longer applies is told.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        what: In words.
        file: Below src/abacad.
        before: Text that stands there once.
        after: Text that takes its place.
        tests: That have to fail.
        plain: Whether the tests do without the fixtures of tests/conftest.py, which take long to load.
    """

    what: str
    file: str
    before: str
    after: str
    tests: str
    plain: bool = True


LEARNER, BLEND, METRIC = "tests/learn/test_learner.py", "tests/learn/test_blend.py", "tests/test_metric.py"
MUTANTS = (
    Mutant(
        "loss without pos_weight",
        "learn/learner.py",
        'targets, pos_weight=pos_weight, reduction="none")',
        'targets, reduction="none")',
        LEARNER,
    ),
    Mutant("the cosine rises", "learn/learner.py", "(1 + math.cos(", "(1 - math.cos(", LEARNER),
    Mutant("no weight decay", "learn/learner.py", '"weight_decay": optim.weight_decay', '"weight_decay": 0.0', LEARNER),
    Mutant(
        "set_epoch not passed on",
        "learn/order.py",
        "samples.set_epoch(self.epoch)",
        "samples.set_epoch(0)",
        "tests/learn/test_order.py",
    ),
    Mutant("fitted blend: bias sign", "learn/blend.py", "expit(weights[0] + ", "expit(-weights[0] + ", BLEND),
    Mutant("fitted blend: gradient of the bias", "learn/blend.py", "[pull.sum()]", "[-pull.sum()]", BLEND),
    Mutant("OOF rows not aligned", "learn/blend.py", 'table.loc[tables[0].index, "score"]', 'table["score"]', BLEND),
    Mutant("Wilson's z²/4n²", "metric.py", "z**2 / (4 * trials**2)", "z**2 / (2 * trials**2)", METRIC),
    Mutant(
        "the bootstrap's 2.5 %",
        "metric.py",
        "np.quantile(draws, [0.025, 0.975])\n    return Interval(value,",
        "np.quantile(draws, [0.05, 0.975])\n    return Interval(value,",
        METRIC,
    ),
    Mutant(
        "common spectrum the 2nd smallest",
        "represent/clean.py",
        "kthvalue(3, -3",
        "kthvalue(2, -3",
        "tests/represent/test_clean.py",
    ),
    Mutant(
        "common spectrum the 4th smallest",
        "represent/clean.py",
        "kthvalue(3, -3",
        "kthvalue(4, -3",
        "tests/represent/test_clean.py",
    ),
    Mutant(
        "decluttering by the own class",
        "represent/clean.py",
        "for group in (OFF, ON)",
        "for group in (ON, OFF)",
        "tests/represent/test_clean.py",
    ),
    Mutant(
        "train and test share a scene",
        "simulator/plan.py",
        "first_test = -(-n_train // each)",
        "first_test = n_train // each",
        "tests/simulator/test_plan.py",
    ),
    Mutant(
        "a fold trains on what it holds back",
        "learn/fold.py",
        "np.flatnonzero(labelled.folds != number)",
        "np.flatnonzero(labelled.folds != number + 9)",
        "tests/learn/test_holding_back.py",
        plain=False,
    ),
    Mutant(
        "held-back scores without flips",
        "learn/fold.py",
        "data.recipe.inference.tta",
        '("identity",)',
        "tests/learn/test_holding_back.py",
        plain=False,
    ),
)


def killed(mutant: Mutant, place: Path) -> str:
    """`killed`, `survived`, or why it does not apply."""
    path = place / "src" / "abacad" / mutant.file
    text = path.read_text()
    if text.count(mutant.before) != 1:
        return f"does not apply: the text stands there {text.count(mutant.before)} times"
    path.write_text(text.replace(mutant.before, mutant.after))
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.tests]
    environment = os.environ | {"PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            words + ["--noconftest"] * mutant.plain,
            cwd=place,
            env=environment,
            capture_output=True,
            timeout=600,
            check=False,
        )
    finally:
        path.write_text(text)
    return {0: "survived", 1: "killed"}.get(done.returncode, f"tests broke: {done.stdout[-300:].decode()}")


def main() -> int:
    """Tell of each, then how many were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="Faults whose words hold this.")
    chosen = [mutant for mutant in MUTANTS if parser.parse_args().only in mutant.what]
    n_killed = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "tree"
        for name in ("src", "tests", "pyproject.toml"):
            whole = ROOT / name
            shutil.copytree(whole, place / name) if whole.is_dir() else shutil.copy(whole, place / name)
        for mutant in chosen:
            started = time.monotonic()
            verdict = killed(mutant, place)
            n_killed += verdict == "killed"
            print(f"{verdict:10} {time.monotonic() - started:5.0f} s  {mutant.what}", flush=True)
    print(f"{n_killed} of {len(chosen)} killed")
    return 0 if n_killed == len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main())

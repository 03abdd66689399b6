"""Before and after a change: one command timed on two revisions in turn, by its CPU time.

    python benchmarks/compare.py main~1 main -- python -c "import abacad; abacad.score('data/test')"
    python benchmarks/compare.py v0.1 HEAD --times 7 -- python benchmarks/train.py

Each revision is checked out beside the repository and comes first on PYTHONPATH. CPU time of the command and its
children (user and system) is what other programs on the machine disturb least; runs alternate, so that a machine that
warms up or throttles does so for both. A ratio below 1 is a gain.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Check out, time, print."""
    words = sys.argv[1:]
    if "--" not in words:
        raise SystemExit(__doc__)
    place = words.index("--")
    parser = argparse.ArgumentParser(usage="compare.py BEFORE AFTER [--times N] -- COMMAND …")
    parser.add_argument("revisions", nargs=2, metavar="REVISION")
    parser.add_argument("--times", type=int, default=5)
    asked, command = parser.parse_args(words[:place]), words[place + 1 :]
    command = [sys.executable if word == "python" and not at else word for at, word in enumerate(command)]
    with tempfile.TemporaryDirectory() as folder:
        trees = [
            checked_out(revision, Path(folder) / side) for revision, side in zip(asked.revisions, "ab", strict=True)
        ]
        try:
            seconds: list[list[float]] = [[], []]
            for _ in range(asked.times):
                for tree, taken in zip(trees, seconds, strict=True):
                    taken.append(cpu_seconds(command, tree))
        finally:
            for tree in trees:
                subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=True)
    for revision, taken in zip(asked.revisions, seconds, strict=True):
        print(f"{revision:>24}  {statistics.median(taken):8.2f} s CPU  ({min(taken):.2f} to {max(taken):.2f})")
    ratios = sorted(after / before for before, after in zip(*seconds, strict=True))
    print(f"{'after / before':>24}  {statistics.median(ratios):8.3f}        ({ratios[0]:.3f} to {ratios[-1]:.3f})")


def checked_out(revision: str, path: Path) -> Path:
    """A working tree of the revision."""
    subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", path, revision], check=True)
    return path


def cpu_seconds(command: list[str], tree: Path) -> float:
    """User and system time of one run, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()

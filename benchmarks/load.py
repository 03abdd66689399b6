"""60,000 cadences, links to a few files: what the bookkeeping of each verb takes beyond reading, in time and memory.

python benchmarks/load.py [--cadences 60000]
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.data.check import check_cadences
from abacad.data.competition import read_labels, read_sample
from abacad.learn.folds import make_folds, read_groups
from abacad.overlap.links import across
from abacad.run.audit import audit
from abacad.run.submit import check_submission, write_submission

N_FILES = 32


def linked(root: Path, n_train: int, n_test: int) -> None:
    """A competition folder whose cadences are links to a few files."""
    rng = np.random.default_rng(0)
    seeds = root / "seeds"
    seeds.mkdir(parents=True)
    for number in range(N_FILES):
        np.save(seeds / f"{number}.npy", rng.normal(size=(6, 16, 32)).astype(np.float16))
    for split, n in (("train", n_train), ("test", n_test)):
        ids = [f"{number:015x}" for number in rng.integers(0, 1 << 59, n)]
        for place, name in enumerate(ids):
            folder = root / split / name[0]
            folder.mkdir(parents=True, exist_ok=True)
            os.link(seeds / f"{place % N_FILES}.npy", folder / f"{name}.npy")
        table = pd.DataFrame({"id": ids, "target": (np.arange(n) % 10 == 0).astype(int)})
        name = "train_labels.csv" if split == "train" else "sample_submission.csv"
        table.to_csv(root / name, index=False)


def timed(what: str, act: Callable[[], object]) -> object:
    """Run, and tell processor seconds and the largest memory so far."""
    started = time.process_time()
    found = act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:36} {time.process_time() - started:7.1f} s {peak:8.0f} MB", flush=True)
    return found


def main() -> None:
    """Tell of each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cadences", type=int, default=60_000)
    n = parser.parse_args().cadences
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        linked(root, n, n // 2)
        timed("imports", lambda: None)
        labels = timed("labels", lambda: read_labels(root))
        timed("headers of all training cadences", lambda: check_cadences(root, "train", list(labels["id"]), full=False))
        timed("audit", lambda: audit(root, out=Path(folder) / "audit.html", progress=False))
        groups = timed("groups", lambda: read_groups("none", root, labels["id"]))
        folds = timed("folds", lambda: make_folds(labels, groups, 5, 0))
        pairs = pd.DataFrame({"id_a": labels["id"][:-1].to_numpy(), "id_b": labels["id"][1:].to_numpy()})
        timed("pairs across folds", lambda: across(folds, pairs))
        ids = timed("sample submission", lambda: read_sample(root))
        timed("submission", lambda: write_submission(Path(folder) / "s.csv", ids, np.full(len(ids), 0.5)))
        timed("submission read back", lambda: check_submission(Path(folder) / "s.csv", ids))


if __name__ == "__main__":
    main()

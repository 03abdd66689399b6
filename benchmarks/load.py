"""60,000 cadences, links to a few files: what the bookkeeping of each verb takes beyond reading, in time and memory.

    python benchmarks/load.py [--cadences 60000] [--candidates 100000]

Then the tables of as many candidates: of a search, written, read and put in order; and of `abacad score`, opened for
review.
"""

import argparse
import importlib
import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from abacad.data.check import check_cadences
from abacad.data.competition import read_labels, read_sample
from abacad.data.submission import check_submission, write_submission
from abacad.files import read_table, write_table
from abacad.learn.fold_data import FoldData
from abacad.learn.folds import make_folds, read_groups
from abacad.learn.run_folder import RunFolder
from abacad.overlap.links import across
from abacad.recipes import recipe_with
from abacad.run.audit import audit
from abacad.run.predict import _check_test
from abacad.run.train import _prepare
from abacad.searcher.classes import SignalClass
from abacad.searcher.engine import Result, joined
from abacad.searcher.store import Store
from abacad.searcher.table import columns
from abacad.show.source import open_source

N_FILES = 32


def linked(root: Path, n_train: int, n_test: int, n_files: int = N_FILES) -> None:
    """A competition folder whose cadences are links to a few files."""
    rng = np.random.default_rng(0)
    seeds = root / "seeds"
    seeds.mkdir(parents=True)
    for number in range(n_files):
        np.save(seeds / f"{number}.npy", rng.normal(size=(6, 16, 32)).astype(np.float16))
    for split, n in (("train", n_train), ("test", n_test)):
        ids = [f"{number:015x}" for number in rng.integers(0, 1 << 59, n)]
        for place, name in enumerate(ids):
            folder = root / split / name[0]
            folder.mkdir(parents=True, exist_ok=True)
            os.link(seeds / f"{place % n_files}.npy", folder / f"{name}.npy")
        table = pd.DataFrame({"id": ids, "target": (np.arange(n) % 10 == 0).astype(int)})
        name = "train_labels.csv" if split == "train" else "sample_submission.csv"
        table.to_csv(root / name, index=False)


Result_ = TypeVar("Result_")


def timed(what: str, act: Callable[[], Result_]) -> Result_:
    """Run, and tell processor seconds and the largest memory so far."""
    started = time.process_time()
    found = act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:36} {time.process_time() - started:7.1f} s {peak:8.0f} MB", flush=True)
    return found


def start_of_training(root: Path, run: Path) -> FoldData:
    """All that `train` does before the first step: check, folds, and the samples of fold 0; headers alone are read."""
    quick = {"data.check": "headers", "data.pack": "never", "data.workers": 0, "model.pretrained": False}
    recipe = recipe_with("compact", quick)
    run.mkdir()
    labelled = _prepare(root, read_labels(root), recipe, RunFolder(run))
    kept = np.flatnonzero(labelled.folds != 0)
    return FoldData(labelled, kept, np.flatnonzero(labelled.folds == 0), recipe)


def scored(root: Path, out: Path) -> None:
    """What `predict` does beside reading and scoring: ids against files, headers, and the table of five folds."""
    ids = read_sample(root)
    _check_test(root, ids, recipe_with("compact", {"data.check": "headers"}), progress=False)
    scores = np.random.default_rng(0).random((len(ids), 5))
    table = pd.DataFrame(scores, columns=[f"fold{number}" for number in range(5)], index=pd.Index(ids, name="id"))
    write_table(out, table.assign(score=table.mean(axis=1)).reset_index())
    read_table(out, {"id": str, "score": float}, "")


def found(n: int) -> pd.DataFrame:
    """Rows as a search has them, made up."""
    rng = np.random.default_rng(0)
    whole = {name: rng.random(n).round(6) for name in columns(6)}
    texts = {"source": "TARGET", "telescope": "GBT", "pattern": "ABACAD", "file": "x.h5", "excluded": ""}
    classes = np.array([str(one) for one in SignalClass])
    drawn: dict[str, Any] = {"class": classes[rng.integers(len(classes), size=n)], "coarse": rng.integers(64, size=n)}
    return pd.DataFrame(whole).assign(**texts, **drawn, hits=3)


def find_overlaps(root: Path, out: Path) -> None:
    """`abacad overlaps`, and how much of its time goes into reading and fingerprints."""
    verb: Any = importlib.import_module("abacad.run.overlaps")
    started, pairs = time.process_time(), verb._pairs

    def told(*words: Any) -> pd.DataFrame:
        print(f"    reading and fingerprints: {time.process_time() - started:.1f} s", flush=True)
        return pairs(*words)

    verb._pairs = told
    found = verb.overlaps(root, out, progress=False, workers=1)
    verb._pairs = pairs
    print(f"    {len(found.pairs):,} pairs, {found.groups['group'].nunique():,} groups")


def search_tables(n: int, place: Path) -> None:
    """Write the parts of 64 coarse channels, read them back, join them, write the tables and read them."""
    store, rows = Store(place / "found"), found(n)
    store.begin({"pattern": "ABACAD"})
    for coarse, part in rows.groupby("coarse"):
        store.keep(Result(int(str(coarse)), part, {}, None))
    events = joined([result for coarse in range(64) if (result := store.have(coarse)) is not None])
    store.write_events(events)
    read_table(store.root / "events.csv", {"class": str, "frequency_mhz": float, "snr": float}, "")
    for name in ("events.csv", "events.parquet"):
        print(f"    {name}: {len(events):,} rows, {(store.root / name).stat().st_size / 1e6:.1f} MB")


def review_table(n: int, place: Path, good: Path) -> None:
    """Open a table of scores as `abacad review` does, and read the cadences of its 200 highest."""
    path = place / "scores.csv"
    names = [f"{number}/{good}" for number in range(n)]
    write_table(path, pd.DataFrame({"file": names, "score": np.random.default_rng(0).random(n)}))
    source = open_source(path)
    print(f"    scores.csv: {len(source.entries):,} candidates, {path.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Tell of each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cadences", type=int, default=60_000)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--overlaps", action="store_true", help="Those alone.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not asked.overlaps:
            bookkeeping(asked.cadences, asked.candidates, Path(folder))
        overlapping(asked.cadences, Path(folder))


def overlapping(n: int, place: Path) -> None:
    """Overlaps where each cadence has many copies, which say nothing of a pair, and where each has ten."""
    for n_files in (N_FILES, n // 10):
        root = place / f"of{n_files}"
        linked(root, n, 0, n_files)
        timed(f"overlaps, links to {n_files:,} files", partial(find_overlaps, root, place / "tables"))


def bookkeeping(n: int, candidates: int, place: Path) -> None:
    """Everything else."""
    root = place / "data"
    linked(root, n, n // 2)
    timed("imports", lambda: None)
    labels = timed("labels", lambda: read_labels(root))
    timed("headers of all training cadences", lambda: check_cadences(root, "train", list(labels["id"]), full=False))
    timed("audit", lambda: audit(root, out=place / "audit.html", progress=False))
    groups = timed("groups", lambda: read_groups("none", root, labels["id"]))
    folds = timed("folds", lambda: make_folds(labels, groups, 5, 0))
    pairs = pd.DataFrame({"id_a": labels["id"][:-1].to_numpy(), "id_b": labels["id"][1:].to_numpy()})
    timed("pairs across folds", lambda: across(folds, pairs))
    timed("start of a training, headers too", lambda: start_of_training(root, place / "run"))
    timed("predict, headers too", lambda: scored(root, place / "test.csv"))
    ids = timed("sample submission", lambda: read_sample(root))
    timed("submission", lambda: write_submission(place / "s.csv", ids, np.full(len(ids), 0.5)))
    timed("submission read back", lambda: check_submission(place / "s.csv", ids))
    timed("tables of a search", lambda: search_tables(candidates, place))
    timed("table of a review", lambda: review_table(candidates, place, root / "seeds" / "0.npy"))


if __name__ == "__main__":
    main()

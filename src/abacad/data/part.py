"""Makes a small competition folder out of a large one, for `abacad train --limit 200`.

A recipe is tried on some hundred cadences before it runs for hours on all. Their files are links, so that the small
folder takes no space and every verb reads it as it would the large one.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.data.competition import Split, cadence_path, read_labels, read_sample
from abacad.errors import AbacadError
from abacad.files import write_table

_CARD = "simulation.json"
_PAIRS = "overlaps.csv"


def linked_part(root: Path, out: Path, n_train: int, n_test: int, least: int, seed: int = 0) -> Path:
    """Make a competition folder that holds some of the cadences of another one, as links.

    Args:
        root: The whole competition folder.
        out: The folder to make.
        n_train: Labelled cadences to take, with the whole's share of each class.
        n_test: Number of cadences to take from the top of sample_submission.csv.
        least: Smallest number of cadences of each class, which the folds have to share.
        seed: Seed of the choice.

    Raises:
        AbacadError: the folder has too few cadences of a class.
    """
    labels, sample = read_labels(root), read_sample(root)[:n_test]
    counts = labels["target"].value_counts()
    if len(counts) < 2 or counts.min() < least:
        raise AbacadError(f"{root} has fewer than {least} cadences of a class.\nAsk for fewer folds: --data.folds 2.")
    shares = counts * min(1.0, n_train / len(labels))
    rng = np.random.default_rng(seed)
    taken = [
        rng.choice(np.flatnonzero(labels["target"] == target), max(least, round(share)), replace=False)
        for target, share in shares.items()
    ]
    part = labels.iloc[np.sort(np.concatenate(taken))]
    _link_cadences(root, out, "train", list(part["id"]))
    _link_cadences(root, out, "test", sample)
    write_table(out / "sample_submission.csv", pd.DataFrame({"id": sample, "target": 0.5}))
    write_table(out / "train_labels.csv", part)
    # A simulated folder brings its axes along in its card, and overlapping pairs decide on the folds.
    if (root / _CARD).is_file():
        _link(root / _CARD, out / _CARD)
    if (root / _PAIRS).is_file():
        _copy_pairs(root / _PAIRS, out / _PAIRS, {*part["id"], *sample})
    return out


def _link_cadences(root: Path, out: Path, split: Split, ids: list[str]) -> None:
    for cadence_id in ids:
        path = cadence_path(root, split, cadence_id)
        if path.exists():  # what is missing is told by the verb that reads it
            _link(path, out / path.relative_to(root))


def _link(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(path.resolve(), place)
    except OSError:  # a system without links, or without the right to make one
        shutil.copyfile(path, place)


def _copy_pairs(path: Path, place: Path, ids: set[str]) -> None:
    """Keep the overlapping pairs of which both cadences were taken."""
    pairs = pd.read_csv(path, dtype={"id_a": str, "id_b": str})
    write_table(place, pairs[pairs["id_a"].isin(ids) & pairs["id_b"].isin(ids)])

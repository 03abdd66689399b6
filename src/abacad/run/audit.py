"""`abacad audit`: looks at a competition folder and reports what it holds and what is wrong, before hours of training.

A problem is reported and never stops the audit, unless no cadence at all can be read.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.data.check import check_cadences
from abacad.data.competition import Split, listed_files, read_labels, read_sample
from abacad.errors import AbacadError, CadenceError
from abacad.outputs import PAGE, output
from abacad.overlap.links import OVERLAPS, among, random_leak, read_overlaps
from abacad.overlap.match import components
from abacad.places import LABELS, NEVER_OPENED, SAMPLE, find_competition
from abacad.show.audit_page import Audit, audit_page

log = logging.getLogger(__name__)

_LOOKED_AT = 500
"""Cadences of each split whose values are read without `full`; headers are read of all."""
_FOLDS = 5  # of the random split whose leak is measured; the recipes have as many
# Bounds of group sizes in a table: a group over a thousand makes folds of unlike size, one of two does not matter.
_SIZES = ((1, 1), (2, 5), (6, 20), (21, 100), (101, 1000), (1001, 10**9))


def audit(
    folder: str | Path | None = None,
    *,
    full: bool = False,
    out: str | Path | None = "audit.html",
    progress: bool = True,
) -> Audit:
    """Look at a competition folder: its files, labels and cadences.

    Args:
        folder: The competition folder; none looks at its usual places.
        full: Read the values of all cadences, not of a sample.
        out: The HTML page to write; none writes none.
        progress: Show progress bars.

    Example:
        >>> audited = abacad.audit("data", out=None, progress=False)
        >>> audited.positives, audited.problems
        (14, [])

    Raises:
        AbacadError: there is no folder, no labels, or no cadence that can be used.
    """
    root = find_competition(folder)
    # A page that cannot be written is refused before 100,000 cadences are read.
    page = None if out is None else output(out, PAGE)
    # An id that is there twice is a problem to report, not a reason to stop.
    labels = read_labels(root, allow_twice=True)
    audited = Audit(root, _tree(root), labels, _sample_ids(root))
    audited.problems += _label_problems(labels)
    splits: list[tuple[Split, list[str]]] = [("train", list(labels["id"].unique())), ("test", audited.sample_ids)]
    for split, ids in splits:
        # Without a sample submission one can still train, so this is no error.
        if not ids:
            audited.problems.append(f"{SAMPLE} is absent: nothing can be submitted.")
            continue
        audited.problems += _compare_with_files(root, split, ids)
        _look(audited, split, ids, full, progress)
    if (root / OVERLAPS).is_file():
        audited.shared = _shared(audited, read_overlaps(root / OVERLAPS))
    if page is not None:
        audited.page = audit_page(audited).write(page)
        log.info("Wrote %s", out)
    return audited


def _tree(root: Path) -> list[tuple[str, str, str]]:
    rows = []
    for entry in sorted(root.iterdir()):
        # Its files are not even counted: the competition withdrew them, since they leak labels.
        if entry.name == NEVER_OPENED:
            rows.append((f"{entry.name}/", "never opened", "—"))
        elif entry.is_dir():
            files = [path for path in entry.rglob("*") if path.is_file()]
            rows.append((f"{entry.name}/", f"{len(files):,}", _bytes(sum(path.stat().st_size for path in files))))
        else:
            rows.append((entry.name, "1", _bytes(entry.stat().st_size)))
    return rows


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _sample_ids(root: Path) -> list[str]:
    return read_sample(root) if (root / SAMPLE).is_file() else []


def _label_problems(labels: pd.DataFrame) -> list[str]:
    problems = []
    twice = labels["id"][labels["id"].duplicated()]
    if len(twice):
        problems.append(f"{LABELS} names {twice.nunique()} ids more than once, {twice.iloc[0]} the first.")
    if labels["target"].nunique() < 2:
        problems.append(f"All labels are {labels['target'].iloc[0]}: nothing can be learned.")
    return problems


def _compare_with_files(root: Path, split: Split, ids: Sequence[str]) -> list[str]:
    # One listing of each folder, instead of a question to the file system for each of 100,000 ids.
    present, wanted = listed_files(root, split), set(ids)
    table = LABELS if split == "train" else SAMPLE
    problems = []
    missing = [cadence_id for cadence_id in ids if cadence_id not in present]
    if missing:
        problems.append(f"{len(missing)} ids of {table} have no file in {split}/, {missing[0]} the first.")
    strangers = [cadence_id for cadence_id in present if cadence_id not in wanted]
    if strangers:
        problems.append(f"{len(strangers)} files in {split}/ are not in {table}, {strangers[0]} the first.")
    return problems


def _look(audited: Audit, split: Split, ids: Sequence[str], full: bool, progress: bool) -> None:
    try:
        checked = check_cadences(audited.root, split, ids, full=full, progress=progress)
    except AbacadError as error:
        # an id that would leave the folder is no missing file
        if split == "train" or isinstance(error, CadenceError):
            raise
        audited.problems.append(" ".join(str(error).split()))  # one can still train
        return
    audited.looked_at[split] = len(checked.good) + len(checked.bad) if full else 0
    if not full and checked.good:
        # A fixed seed, so that two audits of a folder look at the same cadences.
        picked = np.random.default_rng(0).permutation(len(checked.good))[:_LOOKED_AT]
        closer = check_cadences(audited.root, split, [checked.good[i] for i in sorted(picked)], progress=progress)
        # Headers told shapes and types of all cadences; their values are known of the sample alone.
        checked.low, checked.high = closer.low, closer.high
        checked.bad |= closer.bad
        checked.missing |= closer.missing
        checked.good = [cadence_id for cadence_id in checked.good if cadence_id not in closer.bad]
        audited.looked_at[split] = len(picked)
    # `_compare_with_files` has reported ids without a file already.
    unusable = [reason for cadence_id, reason in checked.bad.items() if cadence_id not in checked.missing]
    if unusable:
        audited.problems.append(f"{len(unusable)} {split} files cannot be used. {' '.join(unusable[0].split())}")
    audited.checked[split] = checked


def _shared(audited: Audit, pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Group sizes of the labelled cadences, and what a random split would leak."""
    ids = audited.labels["id"].drop_duplicates().reset_index(drop=True)
    inner = among(pairs, ids)
    place = pd.Series(ids.index, ids)
    group = components(len(ids), place[inner["id_a"]].to_numpy(), place[inner["id_b"]].to_numpy())
    sizes = np.bincount(group)
    rows = [("labelled pairs that share columns", f"{len(inner):,}")]
    for low, high in _SIZES:
        members = sizes[(sizes >= low) & (sizes <= high)]
        if len(members):
            name = f"groups of {low}" if low == high else f"groups of {low} to {min(high, sizes.max())}"
            rows.append((name, f"{len(members):,}, holding {members.sum() / len(ids):.1%} of the cadences"))
    audited.leak = random_leak(ids, pairs, _FOLDS)
    rows.append((f"in {_FOLDS} folds drawn at random", audited.leak_told()))
    # What test cadences share with labelled ones leaks no label: it is what the view `residual` can gain from.
    if audited.sample_ids:
        test, train = set(audited.sample_ids), set(ids)
        a, b = pairs["id_a"], pairs["id_b"]
        reached = set(a[a.isin(test) & b.isin(train)]) | set(b[b.isin(test) & a.isin(train)])
        rows.append(("share columns with a labelled one", f"{len(reached) / len(test):.1%} of the test cadences"))
    return rows

"""`abacad audit`: what a competition folder holds, and what is wrong with it, before anything is trained."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from abacad.config import Represent
from abacad.data.axes import axes_of
from abacad.data.check import Checked, check_cadences
from abacad.data.competition import Split, cadence_path, listed_files, read_cadence, read_labels, read_sample
from abacad.errors import AbacadError
from abacad.outputs import PAGE, output
from abacad.overlap.links import OVERLAPS, among, random_leak, read_overlaps
from abacad.overlap.match import components
from abacad.places import LABELS, NEVER_OPENED, SAMPLE, find_competition
from abacad.represent.representation import represent
from abacad.show import figure
from abacad.show.page import Page, Section
from abacad.show.picture import Layout
from abacad.summary import Summary

log = logging.getLogger(__name__)

_SHARED = (
    "Cadences are windows of wider observations, and windows overlap. A detector that is judged on cadences whose "
    "background it was trained on looks better than it is; training therefore holds whole groups back together."
)
_LOOKED_AT = 500
"""Cadences of each split whose values are read when not all of them are."""
_SHOWN = 3
_FOLDS = 5
_SIZES = ((1, 1), (2, 5), (6, 20), (21, 100), (101, 1000), (1001, 10**9))


@dataclass(repr=False)
class Audit(Summary):
    """What was found.

    Attributes:
        root: The competition folder.
        tree: Rows (name, files, size in bytes) of the folder's entries.
        labels: The labels, columns id and target.
        sample_ids: Ids of sample_submission.csv; none where there is no such file.
        checked: Per split, what a look at its cadences found.
        looked_at: Per split, the number of cadences whose values were read.
        problems: What is wrong, a sentence each.
        shared: What overlaps.csv says of the labelled cadences, as rows of a table; empty where there is none.
        leak: Share of the labelled cadences that share columns with one of another fold when folds are drawn at
            random; none where overlaps were not looked for.
        page: The HTML page.
    """

    root: Path
    tree: list[tuple[str, str, str]]
    labels: pd.DataFrame
    sample_ids: list[str]
    checked: dict[Split, Checked] = field(default_factory=dict)
    looked_at: dict[Split, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    shared: list[tuple[str, str]] = field(default_factory=list)
    leak: float | None = None
    page: Path | None = None

    @property
    def positives(self) -> int:
        """Number of labels that are 1."""
        return int(self.labels["target"].sum())

    @property
    def pos_weight(self) -> float:
        """Negatives / positives, the weight of a positive in the loss."""
        return (len(self.labels) - self.positives) / max(1, self.positives)

    def title(self) -> str:
        """What it is."""
        return f"Audit of {self.root}"

    def told(self) -> list[tuple[str, str]]:
        """What was found."""
        return [("problems", str(len(self.problems))), *facts(self)[1:]]


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
        >>> found = abacad.audit("data", out=None, progress=False)
        >>> found.positives, found.problems
        (14, [])

    Raises:
        AbacadError: there is no folder, no labels, or no cadence that can be used.
    """
    root = find_competition(folder)
    page = None if out is None else output(out, PAGE)
    labels = read_labels(root, allow_twice=True)
    found = Audit(root, _tree(root), labels, _sample_ids(root))
    found.problems += _label_problems(labels)
    splits: list[tuple[Split, list[str]]] = [("train", list(labels["id"].unique())), ("test", found.sample_ids)]
    for split, ids in splits:
        if not ids:
            found.problems.append(f"{SAMPLE} is absent: nothing can be submitted.")
            continue
        found.problems += _compare_with_files(root, split, ids)
        _look(found, split, ids, full, progress)
    if (root / OVERLAPS).is_file():
        found.shared = _shared(found, read_overlaps(root / OVERLAPS))
    if page is not None:
        found.page = _page(found).write(page)
        log.info("Wrote %s", out)
    return found


def _tree(root: Path) -> list[tuple[str, str, str]]:
    rows = []
    for entry in sorted(root.iterdir()):
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


def _look(found: Audit, split: Split, ids: Sequence[str], full: bool, progress: bool) -> None:
    checked = check_cadences(found.root, split, ids, full=full, progress=progress)
    found.looked_at[split] = len(checked.good) + len(checked.bad) if full else 0
    if not full and checked.good:
        picked = np.random.default_rng(0).permutation(len(checked.good))[:_LOOKED_AT]
        closer = check_cadences(found.root, split, [checked.good[i] for i in sorted(picked)], progress=progress)
        checked.low, checked.high = closer.low, closer.high
        checked.bad |= closer.bad
        checked.missing |= closer.missing
        found.looked_at[split] = len(picked)
    # ids without a file are told where labels and files are compared
    unusable = [reason for cadence_id, reason in checked.bad.items() if cadence_id not in checked.missing]
    if unusable:
        found.problems.append(f"{len(unusable)} {split} files cannot be used. {' '.join(unusable[0].split())}")
    found.checked[split] = checked


def _shared(found: Audit, pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Group sizes of the labelled cadences, and what a random split would leak."""
    ids = found.labels["id"].drop_duplicates().reset_index(drop=True)
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
    found.leak = random_leak(ids, pairs, _FOLDS)
    rows.append((f"in {_FOLDS} folds drawn at random", _told_leak(found)))
    if found.sample_ids:
        test, train = set(found.sample_ids), set(ids)
        a, b = pairs["id_a"], pairs["id_b"]
        reached = set(a[a.isin(test) & b.isin(train)]) | set(b[b.isin(test) & a.isin(train)])
        rows.append(("share columns with a labelled one", f"{len(reached) / len(test):.1%} of the test cadences"))
    return rows


def facts(found: Audit) -> list[tuple[str, str]]:
    """What the audit found, as rows of a table for screen and page."""
    rows = [
        ("folder", str(found.root)),
        ("labels", f"{len(found.labels):,}: {found.positives:,} with a needle ({_share(found)}), "
         f"{len(found.labels) - found.positives:,} without"),
        ("pos_weight", f"{found.pos_weight:.2f}"),
        (SAMPLE, f"{len(found.sample_ids):,} ids, columns id and target" if found.sample_ids else "absent"),
    ]  # fmt: skip
    for split, checked in found.checked.items():
        dtypes = ", ".join(f"{name} ({count:,})" for name, count in checked.dtypes.items())
        rows += [
            (f"{split} cadences", f"{len(checked.good):,} usable, {len(checked.bad):,} not"),
            (f"{split} shape", f"{checked.shape} = (panel, time, frequency), {dtypes}"),
            (
                f"{split} values",
                f"{checked.low:.2f} to {checked.high:.2f}, read in {found.looked_at[split]:,} cadences",
            ),
        ]
    rows.append(("shared backgrounds", _told_leak(found)))
    return [*rows, (f"{NEVER_OPENED}/", "never opened, whatever it holds")]


def _told_leak(found: Audit) -> str:
    if found.leak is None:
        return "not looked for; `abacad overlaps` finds it, and groups them for the folds"
    return f"{found.leak:.1%} of the labelled cadences share columns with one of another fold"


def _share(found: Audit) -> str:
    return f"{found.positives / len(found.labels):.1%}"


def _page(found: Audit) -> Page:
    counts = [len(found.labels) - found.positives, found.positives]
    page = Page(
        "Audit of a competition folder",
        "What the folder holds, what is wrong with it, and how its cadences look before and after preprocessing.",
        [
            ("labelled cadences", f"{len(found.labels):,}"),
            ("with a needle", _share(found)),
            ("pos_weight", f"{found.pos_weight:.2f}"),
            ("to be scored", f"{len(found.sample_ids):,}"),
            ("problems", str(len(found.problems))),
        ],
    )
    page.sections = [
        Section("Problems", points=found.problems, text="" if found.problems else "None found."),
        Section("Facts", columns=("what", "found"), rows=facts(found)),
        Section(
            "Shared backgrounds",
            _SHARED if found.shared else "Not looked for. `abacad overlaps DATA` finds them, and then they stand here.",
            columns=("what", "found"),
            rows=found.shared,
        ),
        Section("Files", columns=("name", "files", "size"), rows=found.tree),
        Section("Classes", figures=[(figure.bars(("without needle", "with needle"), counts, "cadences"), "")]),
    ]
    for target, name in ((1, "with a needle"), (0, "without")):
        page.sections += _examples(found, target, name)
    return page


def _examples(found: Audit, target: int, name: str) -> list[Section]:
    usable = set(found.checked["train"].good)
    ids = [cadence_id for cadence_id in found.labels["id"][found.labels["target"] == target] if cadence_id in usable]
    panels, channels = [], []
    for cadence_id in ids[:_SHOWN]:
        try:
            cadence = read_cadence(cadence_path(found.root, "train", cadence_id))
        except AbacadError as error:
            log.warning("%s is not shown: %s", cadence_id, error)
            continue
        axes = axes_of(found.root, cadence.shape)
        panels.append((figure.waterfall(cadence, cadence_id, axes=axes), Layout.of(axes).told()))
        seen = represent(torch.from_numpy(cadence), Represent("difference")).numpy()
        channels.append((figure.channel_images(seen, ("ON1 − OFF1", "ON2 − OFF2", "ON3 − OFF3"), cadence_id), ""))
    return [
        Section(
            f"Cadences {name}: six panels",
            "Time runs downwards; a needle stands in the ON panels alone.",
            figures=panels,
        ),
        Section(
            f"Cadences {name}: three channels",
            "The same cadences as ON − OFF differences after log1p and z-score, −3 (blue) to 3 (red).",
            figures=channels,
        ),
    ]

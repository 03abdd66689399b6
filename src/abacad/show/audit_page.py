"""The result of an audit, as facts for the screen and as a page with pictures."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import torch

from abacad.config import Represent
from abacad.data.axes import axes_of
from abacad.data.check import Checked
from abacad.data.competition import Split, cadence_path, read_cadence
from abacad.errors import AbacadError
from abacad.places import NEVER_OPENED, SAMPLE
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
_SHOWN = 3  # cadences of each class


@dataclass(repr=False)
class Audit(Summary):
    """The contents of a competition folder, and what is wrong with them.

    Attributes:
        root: The competition folder.
        tree: Rows (name, files, size in bytes) of the folder's entries.
        labels: The labels, columns id and target.
        sample_ids: Ids of sample_submission.csv; none where there is no such file.
        checked: Per split, shape, types and range of its cadences, and which of them cannot be used.
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
        # A folder without a needle is a problem that the audit reports; it should not end in a division by zero.
        return (len(self.labels) - self.positives) / max(1, self.positives)

    def title(self) -> str:
        """What it is."""
        return f"Audit of {self.root}"

    def told(self) -> list[tuple[str, str]]:
        """The number of problems, and the facts."""
        return [("problems", str(len(self.problems))), *self.facts()[1:]]

    def facts(self) -> list[tuple[str, str]]:
        """Rows (name, fact) of a table, the same on the screen and on the page."""
        rows = [
            ("folder", str(self.root)),
            ("labels", f"{len(self.labels):,}: {self.positives:,} with a needle ({self.positive_share()}), "
             f"{len(self.labels) - self.positives:,} without"),
            ("pos_weight", f"{self.pos_weight:.2f}"),
            (SAMPLE, f"{len(self.sample_ids):,} ids, columns id and target" if self.sample_ids else "absent"),
        ]  # fmt: skip
        for split, checked in self.checked.items():
            dtypes = ", ".join(f"{name} ({count:,})" for name, count in checked.dtypes.items())
            rows += [
                (f"{split} cadences", f"{len(checked.good):,} usable, {len(checked.bad):,} not"),
                (f"{split} shape", f"{checked.shape} = (panel, time, frequency), {dtypes}"),
                (
                    f"{split} values",
                    f"{checked.low:.2f} to {checked.high:.2f}, read in {self.looked_at[split]:,} cadences",
                ),
            ]
        rows.append(("shared backgrounds", self.leak_told()))
        # Said on every page: the competition withdrew that data since it leaks labels, and a reader wants to be sure.
        return [*rows, (f"{NEVER_OPENED}/", "never opened, whatever it holds")]

    def leak_told(self) -> str:
        """A sentence on what a random split would leak."""
        if self.leak is None:
            return "not looked for; `abacad overlaps` finds it, and groups them for the folds"
        return f"{self.leak:.1%} of the labelled cadences share columns with one of another fold"

    def positive_share(self) -> str:
        """Share of the labelled cadences with a needle, in per cent."""
        return f"{self.positives / len(self.labels):.1%}"


def audit_page(audited: Audit) -> Page:
    """The page of an audit: problems, facts, files, and the first cadences of each class as pictures."""
    counts = [len(audited.labels) - audited.positives, audited.positives]
    page = Page(
        "Audit of a competition folder",
        "What the folder holds, what is wrong with it, and how its cadences look before and after preprocessing.",
        [
            ("labelled cadences", f"{len(audited.labels):,}"),
            ("with a needle", audited.positive_share()),
            ("pos_weight", f"{audited.pos_weight:.2f}"),
            ("to be scored", f"{len(audited.sample_ids):,}"),
            ("problems", str(len(audited.problems))),
        ],
    )
    page.sections = [
        Section("Problems", points=audited.problems, text="" if audited.problems else "None found."),
        # The same rows as on the screen, so that page and terminal never disagree.
        Section("Facts", columns=("what", "found"), rows=audited.facts()),
        Section(
            "Shared backgrounds",
            _SHARED
            if audited.shared
            else "Not looked for. `abacad overlaps DATA` finds them, and then they stand here.",
            columns=("what", "found"),
            rows=audited.shared,
        ),
        Section("Files", columns=("name", "files", "size"), rows=audited.tree),
        Section("Classes", figures=[(figure.bars(("without needle", "with needle"), counts, "cadences"), "")]),
    ]
    for target, name in ((1, "with a needle"), (0, "without")):
        page.sections += _examples(audited, target, name)
    return page


def _examples(audited: Audit, target: int, name: str) -> list[Section]:
    # Of the first in the table, which is in no order of difficulty: chosen by eye, examples would show the easy ones.
    usable = set(audited.checked["train"].good)
    ids = [
        cadence_id for cadence_id in audited.labels["id"][audited.labels["target"] == target] if cadence_id in usable
    ]
    panels, differences, pixels = [], [], ""
    for cadence_id in ids[:_SHOWN]:
        try:
            cadence = read_cadence(cadence_path(audited.root, "train", cadence_id))
        except AbacadError as error:
            # Headers of all cadences were read, values of a sample only: one that is damaged may show here first.
            log.warning("%s is not shown: %s", cadence_id, error)
            continue
        axes = axes_of(audited.root, cadence.shape)
        panels.append((figure.waterfall(cadence, cadence_id, axes=axes), ""))
        pixels = Layout.of(axes).told()
        # Differences are the plainest of the representations: whoever knows only his data can read them.
        seen = represent(torch.from_numpy(cadence), Represent("difference")).numpy()
        differences.append((figure.plane_images(seen, ("ON1 − OFF1", "ON2 − OFF2", "ON3 − OFF3"), cadence_id), ""))
    return [
        Section(
            f"Cadences {name}: six panels",
            f"Time runs downwards; a needle stands in the ON panels alone. {pixels}",
            figures=panels,
        ),
        Section(
            f"Cadences {name}: three differences",
            "The same cadences as ON − OFF differences after log1p and z-score, from −3 σ (blue) to +3 σ (red); rows "
            "are averaged into 64, and σ is that of their means.",
            figures=differences,
        ),
    ]

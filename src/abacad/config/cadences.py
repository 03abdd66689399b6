"""The parts of a recipe on the cadences: which are used, what a detector reads of them, how they are varied."""

from dataclasses import dataclass
from typing import Literal

from abacad.limits import require, within
from abacad.plain import refuse_unlisted

Contrast = Literal["log1p", "none"]
View = Literal["shared", "clean", "track", "residual"]

REPRESENTATIONS = {
    "difference": "abacad.represent.images:Difference",
    "on": "abacad.represent.images:OnPanels",
    "panels": "abacad.represent.images:AllPanels",
    "tall": "abacad.represent.images:Tall",
    "tall_on": "abacad.represent.images:TallOn",
    "binned": "abacad.represent.binned:Binned",
}
"""Kinds of representation, each with the class that makes it, as module:class. A new kind is one more entry.

The classes are named, not imported, so that this module stays light.
"""


@dataclass(frozen=True)
class Data:
    """Which cadences are used, and how they are split.

    Args:
        folds: Number of cross-validation folds.
        only: Train this fold alone, as `0`, or these, as `[0, 2]`; others are added later with the same command.
        groups: Cadences of one group are held back together. `auto` takes the groups of groups.csv in the data folder,
            or where there is none the part of each id before its first underscore; `none` takes that part always; or
            a CSV file with the columns id and group.
        partners: Which cadences the view `residual` subtracts from train and test cadences: those of `train`, or of
            `train+test`.
        bad: What to do with a cadence that cannot be used, a test cadence that joins the training among them: stop
            (`fail`) or leave it out (`skip`, listed in run.json).
        check: Read every cadence before training (`full`), or only the files' headers (`headers`).
        pack: Keep the represented cadences in one file in the run folder while training (float16), so that every
            epoch and fold reads them from there: `always`, `never`, or `auto`, when the file takes at most 24 GB and
            a third of the free disk.
        workers: Processes that read cadences; null: one a core, eight at most, and none for packed cadences on a CPU.
        simulated: Number of simulated cadences, new ones every epoch, that are added to each training fold.
        labelled: Train on labelled cadences; with `false` on simulated ones alone, and the labelled ones only judge.
        simulated_preset: Preset of `abacad simulate` that they are drawn from.
        pseudo: test.csv of another run with the same folds. Its test cadences join the training, and fold k takes the
            scores of that run's fold k as targets. None of them is held back.
        verdicts: What a page of `abacad review` exported (a CSV file with the columns id and verdict). A candidate is a
            needle, rfi and noise are none, unsure is left out. A verdict on a labelled cadence replaces its label; a
            test cadence with one joins the training of every fold and is never held back.
    """

    folds: int = 5
    only: int | tuple[int, ...] | None = None
    groups: str = "auto"
    partners: Literal["train", "train+test"] = "train"
    bad: Literal["fail", "skip"] = "fail"
    # every value by default: one NaN in a cadence makes the loss NaN, and with it all weights
    check: Literal["full", "headers"] = "full"
    # "never": an image network waits for its training steps, not for reading. Recipes for a CPU say auto.
    pack: Literal["auto", "always", "never"] = "never"
    workers: int | None = None
    simulated: int = 0
    labelled: bool = True
    simulated_preset: str = "kaggle"
    pseudo: str | None = None
    verdicts: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "data")
        within(self, "data", folds=(2, 100), simulated=(0, 10_000_000))
        require(self.labelled or self.simulated > 0, "Without labelled cadences data.simulated must be above 0.")
        if self.workers is not None:
            within(self, "data", workers=(0, 256))
        # an empty list would train nothing and end as if it had succeeded
        require(len(self.wanted()) > 0, "data.only names no fold; leave it out to train all of them.")
        for fold in self.wanted():
            require(0 <= fold < self.folds, f"data.only names fold {fold}; the folds are 0 to {self.folds - 1}.")

    def wanted(self) -> list[int]:
        """Numbers of the folds that are trained."""
        only = range(self.folds) if self.only is None else self.only
        return [only] if isinstance(only, int) else sorted(set(only))


@dataclass(frozen=True)
class Represent:
    """How a cadence of six panels becomes the planes that a detector reads.

    Args:
        kind: `difference` (ON1−OFF1, ON2−OFF2, ON3−OFF3), `on` (three ON panels), `panels` (six planes), `tall`
            (six panels stacked in time into one image), `tall_on` (three ON panels stacked so), or `binned` (six
            robustly normalised panels with rows averaged, for the panel network).
        contrast: `log1p` compresses bright pixels, symmetrically for negative values; `none` leaves them.
        rows: Rows that are summed into one, before the contrast is compressed; null is 7 for `binned` and 1 for the
            other kinds. 7 turns the 273 × 256 pixels of the competition's panels into 39 × 256.
        cleaned: Whether the kinds for image networks see panels cleaned of carriers, bursts and gains, as `binned`
            always does. A carrier drifts in gain from panel to panel, so that a difference alone does not remove it.
        views: What `binned` shows of a panel. `shared`: the panel less the spectrum that all panels have in common;
            `clean`: also less what the panels of the other class (OFF for ON, ON for OFF) show; `track`: the evidence
            that a narrow-band path runs through each pixel. `residual` marks channels that stand in another cadence as
            well, by the table of `abacad overlaps`; of these, `clean` and `track` then show only what differs.
    """

    # A plain text and not a `Literal`: somebody else's representation is one more entry of `REPRESENTATIONS`, and a
    # type could not know of it (docs/extending.md).
    kind: str = "difference"
    contrast: Contrast = "log1p"
    rows: int | None = None
    cleaned: bool = False
    views: tuple[View, ...] = ("shared", "clean", "track")

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "represent")
        require(
            self.kind in REPRESENTATIONS,
            f"represent.kind is '{self.kind}'; it must be one of {', '.join(REPRESENTATIONS)}.",
        )
        require(1 <= self.summed_rows <= 10_000, f"represent.rows is {self.rows}; it must lie between 1 and 10,000.")
        require(len(self.views) > 0, "represent.views is empty; `binned` needs at least one view.")
        require(len(self.views) == len(set(self.views)), "represent.views names a view twice.")

    @property
    def summed_rows(self) -> int:
        """Rows that become one: as asked, else what is usual for the kind."""
        if self.rows is not None:
            return self.rows
        # 7 of 273 rows last 7.5 s: rows of 13 were no worse for the panel network, rows of 3 worse and twice as slow
        # (docs/lab-notebook.md, section 13)
        return 7 if self.kind == "binned" else 1


@dataclass(frozen=True)
class Augment:
    """Random changes of a training cadence that leave its label true; what moves frequency moves all panels alike.

    Args:
        horizontal_flip: Probability of reversing frequency.
        vertical_flip: Probability of reversing time (the rows of each panel, and the order of the panels).
        shift: Probability of a small shift in time and frequency.
        time_shift: Largest shift in time, as a share of the panel's rows.
        freq_shift: Largest shift in frequency, as a share of the channels.
        mixup: α of the Beta distribution that two cadences are mixed with; 0 switches mixup off.
        mixup_off: Share of the epochs, at the end, that are trained without mixup.
    """

    # Nothing is rotated or scaled: a row is one moment, and the rotated line of a carrier would look like a drift.
    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    shift: float = 0.5
    time_shift: float = 0.05
    freq_shift: float = 0.1
    # off: over three seeds it gained nothing on simulated sets (docs/lab-notebook.md, section 13)
    mixup: float = 0.0
    mixup_off: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        shares = ("horizontal_flip", "vertical_flip", "shift", "time_shift", "freq_shift", "mixup_off")
        within(self, "augment", **dict.fromkeys(shares, (0.0, 1.0)), mixup=(0, 100))

"""The labelled cadences of a run, with the fold that holds back each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from torch.utils.data import Dataset

from abacad.signal.cadence import Axes

Pseudo = tuple[int, Mapping[int, np.ndarray]]
"""Position of the first cadence with a pseudo label, and these labels by fold."""


@dataclass(frozen=True)
class Labelled:
    """The labelled cadences of a run, with test cadences that join the training behind them.

    Attributes:
        source: Gives represented cadences, (plane, row, freq), by position.
        ids: Their ids.
        targets: (cadence,) 1 with a needle, 0 without, between 0 and 1 for a pseudo label.
        folds: (cadence,) number of the fold that holds it back; −1 where none does.
        shape: Shape of a cadence before it is represented, (6, time, freq).
        axes: Units of its rows and channels, and when its panels began.
        lines: Their lines (`abacad.learn.kept_lines`) by position, int8; none where the detector sums them anew.
        pseudo: Position of the first cadence with a pseudo label, and these labels by fold; none without pseudo labels.
        in_turn: Train on the cadences in their order, from bright needles to faint ones, instead of shuffling them.
    """

    source: Dataset
    ids: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    shape: tuple[int, ...]
    axes: Axes = field(default_factory=Axes)
    lines: Dataset | None = None
    pseudo: Pseudo | None = None
    in_turn: bool = False

    def for_fold(self, number: int) -> "Labelled":
        """The same cadences, with the pseudo labels that one fold may be trained on.

        They come from a detector that has not seen what this fold holds back; those of other folds would leak labels.
        """
        if self.pseudo is None:
            return self
        first, by_fold = self.pseudo
        targets = self.targets.copy()  # the same object serves all folds, one after the other
        targets[first : first + len(by_fold[number])] = by_fold[number]
        return replace(self, targets=targets)

    def name_of(self, place: int) -> str:
        """The id of the cadence at a position; positions after the labelled ones are those of simulated cadences."""
        return str(self.ids[place]) if place < len(self.ids) else f"simulated cadence {place - len(self.ids)}"

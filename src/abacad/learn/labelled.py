"""The labelled cadences of a run, with the fold that holds each back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from torch.utils.data import Dataset

from abacad.signal.cadence import Axes


@dataclass(frozen=True)
class Labelled:
    """The labelled cadences of a run.

    Attributes:
        source: Gives represented cadences by index.
        ids: Their ids.
        targets: Their targets; between 0 and 1 for pseudo labels.
        folds: The fold that holds each back; −1 where none does.
        shape: Shape of a cadence before it is represented, (6, time, freq).
        axes: Units of its rows and channels, and when its panels began.
        pseudo: The place of the first pseudo-labelled cadence, and their targets for each fold.
        in_turn: Train on them in their order, as for a curriculum, instead of in an order by chance.
    """

    source: Dataset
    ids: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    shape: tuple[int, ...]
    axes: Axes = field(default_factory=Axes)
    pseudo: tuple[int, Mapping[int, np.ndarray]] | None = None
    in_turn: bool = False

    def for_fold(self, number: int) -> "Labelled":
        """The same cadences with the targets that one fold may know."""
        if self.pseudo is None:
            return self
        first, by_fold = self.pseudo
        targets = self.targets.copy()
        targets[first : first + len(by_fold[number])] = by_fold[number]
        return replace(self, targets=targets)

    def name_of(self, place: int) -> str:
        """The id of the cadence at a place; places beyond the labelled ones are simulated."""
        return str(self.ids[place]) if place < len(self.ids) else f"simulated cadence {place - len(self.ids)}"

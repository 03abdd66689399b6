"""The labelled cadences of a run, with the fold that holds each back."""

from dataclasses import dataclass, field

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
    """

    source: Dataset
    ids: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    shape: tuple[int, ...]
    axes: Axes = field(default_factory=Axes)

    def name_of(self, place: int) -> str:
        """The id of the cadence at a place; places beyond the labelled ones are simulated."""
        return str(self.ids[place]) if place < len(self.ids) else f"simulated cadence {place - len(self.ids)}"

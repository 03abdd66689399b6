"""Lines of packed cadences, kept beside them: what the panel network sums up along lines is the same in every epoch.

The sums are a third of a training step on a CPU, and nothing in them is learned (`abacad.model.evidence`). In bytes
they add an eighth to the packed cadences. Flips turn them round; where an augmentation changes cadences otherwise, or a
GPU sums faster than a disk reads, nothing is kept.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from abacad.config import Recipe
from abacad.learn.dataset import worker_count
from abacad.learn.packed import Packed, pack, worth_packing
from abacad.model.detector import line_view
from abacad.model.device import pick_device
from abacad.model.evidence import MAX_DRIFT, Lines, as_bytes
from abacad.signal.cadence import Axes


class LinesOf(Dataset):
    """The lines of packed cadences, summed when they are asked for: (map, drift2, freq2), int8."""

    def __init__(self, packed: Packed, lines: Lines) -> None:
        """Sum those lines in the cadences of `packed`."""
        self.packed, self.lines = packed, lines

    def __len__(self) -> int:
        """Number of cadences."""
        return len(self.packed)

    def __getitem__(self, index: int) -> Tensor:
        """Lines of one cadence."""
        return self.__getitems__([index])[0]

    @torch.inference_mode()
    def __getitems__(self, indices: Sequence[int]) -> list[Tensor]:
        """Lines of several cadences, which cost less together."""
        return list(as_bytes(self.lines.in_planes(torch.stack([self.packed[index] for index in indices]))))


def lines_if_wanted(source: Dataset, path: Path, recipe: Recipe, axes: Axes) -> Packed | None:
    """Lines of the cadences of `source`, kept in the file `path`; none where they would be of no use.

    Args:
        source: The cadences; lines are kept of packed ones alone.
        path: The `.npy` file; one that holds these lines is used as it is.
        recipe: Of the training.
        axes: Of the cadences, by which lines go on from panel to panel.

    Raises:
        AbacadError: the disk has no room for them.
    """
    view = line_view(recipe.represent)
    if not isinstance(source, Packed) or view is None or not _of_use(recipe):
        return None
    lines = LinesOf(source, Lines(view, MAX_DRIFT, axes.panel_start))
    if not worth_packing(lines, len(source), path.parent, np.int8):
        return None
    workers = worker_count(recipe.data.workers)
    told, progress = "Summing along lines", recipe.trainer.progress
    return pack(lines, len(source), path, dtype=np.int8, workers=workers, progress=progress, told=told)


def _of_use(recipe: Recipe) -> bool:
    changed = recipe.augment.shift > 0 or recipe.augment.mixup > 0 or recipe.data.simulated > 0
    # A device that is asked for and not there is told by who makes the trainer, with the option's name.
    asked = recipe.trainer.accelerator
    return (
        recipe.model.name == "panel" and not changed and asked in ("auto", "cpu") and pick_device(asked).type == "cpu"
    )

"""A judge scores cadences: trained detectors together with all that they need for it.

That is the representation that they read, the flips that are averaged, the device and the precision. `score`,
`predict`, `review` and the search hold a judge and know neither run folders nor files of weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from abacad.config import Flip, Inference, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED, SHIPPED_FEW_ROWS, SHIPPED_STAMPS, Detector
from abacad.model.explain import evidence_map
from abacad.model.precision import computing_in
from abacad.model.score import score
from abacad.represent.representation import Representation, representation
from abacad.signal.cadence import Axes
from abacad.types import CadenceArray, Panels, Planes

# Rows of a panel below which the package's other weights are taken. One set was trained on panels of 273 rows, summed
# by seven, the others on 16 rows as they are; a panel of 64 rows keeps nine of the first sort.
_FEW_ROWS = 64


def shipped(n_time: int, stamps: bool = False) -> Path:
    """The file of the package's weights for panels of that many rows; of stamps along lines, or of windows."""
    if n_time >= _FEW_ROWS:
        return SHIPPED
    return SHIPPED_STAMPS if stamps else SHIPPED_FEW_ROWS


@dataclass(frozen=True)
class Judge:
    """Trained detectors, and how they are shown a cadence.

    Attributes:
        detectors: The networks, in evaluation mode and on the device; one a fold.
        represent: How a cadence becomes the planes that they read.
        flips: The flips of a cadence that each detector scores; their logits are averaged.
        device: The device that the detectors lie on.
        precision: How they compute: `32-true`, `bf16-mixed`, `16-mixed`, or `auto` for the quickest on the device.
    """

    detectors: Sequence[nn.Module]
    represent: Represent
    flips: Sequence[Flip]
    device: torch.device
    precision: str = "32-true"

    @classmethod
    def of_files(
        cls,
        paths: Sequence[Path],
        device: torch.device,
        flips: Sequence[Flip] = Inference().tta,
        folds: Sequence[int] | None = None,
    ) -> "Judge":
        """A judge of the detectors in some files of weights, which have to read the same representation.

        Args:
            paths: The files, one detector in each.
            device: Where to score.
            flips: The flips whose logits are averaged.
            folds: The fold that each file has to belong to; none: any.

        Raises:
            AbacadError: a file holds no detector, or one that reads another representation than the first.
        """
        loaded = [
            load_detector(path, device, fold=fold)
            for fold, path in zip(folds or (None,) * len(paths), paths, strict=True)
        ]
        for path, (_, represent) in zip(paths, loaded, strict=True):
            # one cadence is represented once for all detectors
            if represent != loaded[0][1]:
                raise AbacadError(f"{path} reads another representation than {paths[0]}.\nScore with one of them.")
        return cls([detector for detector, _ in loaded], loaded[0][1], flips, device)

    @property
    def seen(self) -> Representation:
        """The representation object that makes the planes that the detectors read."""
        return representation(self.represent)

    def own_axes(self, n_time: int, n_freq: int) -> Axes:
        """Axes of a cadence that says nothing of its own: panels last and begin as those that it was trained with."""
        # detectors of one run were trained with the same
        first = self.detectors[0]
        return (first.axes if isinstance(first, Detector) else Axes()).of_shape(n_time, n_freq)

    def by_detector(self, planes: Planes, axes: Axes | None = None) -> Float[Tensor, "batch detector"]:
        """Scores, in [0, 1] and on the CPU, of cadences that are represented already."""
        with computing_in(self.precision, self.device):
            return score(self.detectors, planes.to(self.device), self.flips, self.seen, axes)

    def scores(self, panels: Panels, axes: Axes | None = None) -> Float[np.ndarray, " batch"]:
        """Scores of cadences (batch, 6, time, freq), mean over the detectors.

        Args:
            panels: Cadences in any units.
            axes: When their panels began; none means the axes that each detector was trained with.
        """
        # Detectors are averaged as scores, not as logits: a fold that is far too sure has one vote like the others
        # (docs/adr/0002-folds-and-scores.md).
        return self.by_detector(self.seen.make(panels), axes).mean(1).numpy()

    def evidence(self, cadence: CadenceArray, axes: Axes | None = None) -> CadenceArray:
        """How much each pixel of a cadence (6, time, freq) speaks for a needle, in log-odds; of the same shape."""
        planes = self.seen.make(torch.from_numpy(cadence)[None]).to(self.device)
        return evidence_map(self.detectors, planes, self.seen, cadence.shape[1], axes)[0].numpy()

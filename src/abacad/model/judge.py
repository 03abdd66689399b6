"""Who judges cadences: trained detectors, with the representation that they read."""

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
from abacad.model.detector import SHIPPED, SHIPPED_FEW_ROWS
from abacad.model.explain import evidence_map
from abacad.model.precision import computing_in
from abacad.model.score import score
from abacad.represent.representation import Representation, representation
from abacad.signal.cadence import Axes
from abacad.types import CadenceArray, Panels, Planes

_FEW_ROWS = 64  # of a panel, below which other weights of the package are taken


def shipped(n_time: int) -> Path:
    """The package's weights for panels of that many rows."""
    return SHIPPED if n_time >= _FEW_ROWS else SHIPPED_FEW_ROWS


@dataclass(frozen=True)
class Judge:
    """Trained detectors and what they look at.

    Attributes:
        detectors: In evaluation mode, on the device.
        represent: How a cadence becomes the planes that they read.
        flips: Flips whose logits are averaged.
        device: Where they are.
        precision: In which they compute: `32-true`, `bf16-mixed`, `16-mixed`, or `auto` as the device is quickest.
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
        """Detectors from files of weights that share a representation.

        Args:
            paths: The files.
            device: Where to score.
            flips: Whose logits are averaged.
            folds: The fold that each has to be of; none: any.

        Raises:
            AbacadError: a file holds no detector, or one that reads another representation than the first.
        """
        loaded = [
            load_detector(path, device, fold=fold)
            for fold, path in zip(folds or (None,) * len(paths), paths, strict=True)
        ]
        for path, (_, represent) in zip(paths, loaded, strict=True):
            if represent != loaded[0][1]:
                raise AbacadError(f"{path} reads another representation than {paths[0]}.\nScore with one of them.")
        return cls([detector for detector, _ in loaded], loaded[0][1], flips, device)

    @property
    def seen(self) -> Representation:
        """What makes the planes that the detectors read."""
        return representation(self.represent)

    def by_detector(self, planes: Planes, axes: Axes | None = None) -> Float[Tensor, "batch detector"]:
        """Scores of represented cadences, in [0, 1], on the CPU."""
        with computing_in(self.precision, self.device):
            return score(self.detectors, planes.to(self.device), self.flips, self.seen, axes)

    def scores(self, panels: Panels, axes: Axes | None = None) -> Float[np.ndarray, " batch"]:
        """Scores of cadences (batch, 6, time, freq), mean over the detectors.

        Args:
            panels: Cadences in any units.
            axes: When their panels began; none means the axes that each detector was trained with.
        """
        return self.by_detector(self.seen.make(panels), axes).mean(1).numpy()

    def evidence(self, cadence: CadenceArray, axes: Axes | None = None) -> CadenceArray:
        """Where in a cadence (6, time, freq) the detectors saw their evidence, in log-odds; same shape."""
        planes = self.seen.make(torch.from_numpy(cadence)[None]).to(self.device)
        return evidence_map(self.detectors, planes, self.seen, cadence.shape[1], axes)[0].numpy()

"""Who judges cadences: the detectors of a finished run or of one file of weights, with what they look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from abacad.config import Flip, Inference, Represent
from abacad.learn.run_folder import RunFolder
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED, SHIPPED_FEW_ROWS
from abacad.model.explain import evidence_map
from abacad.model.score import score
from abacad.represent.kinds import represent
from abacad.types import CadenceArray, Channels, Panels

_FEW_ROWS = 64  # of a panel, below which other weights of the package are taken


def shipped(n_time: int) -> Path:
    """The package's weights for panels of that many rows."""
    return SHIPPED if n_time >= _FEW_ROWS else SHIPPED_FEW_ROWS


@dataclass(frozen=True)
class Judge:
    """Trained detectors and what they look at.

    Attributes:
        detectors: In evaluation mode, on the device.
        represent: How a cadence becomes the channels that they see.
        flips: Views whose logits are averaged.
        device: Where they are.
    """

    detectors: Sequence[nn.Module]
    represent: Represent
    flips: Sequence[Flip]
    device: torch.device

    @classmethod
    def of_run(cls, run: RunFolder, device: torch.device) -> "Judge":
        """All folds of a finished run, in their order.

        Raises:
            AbacadError: the run is not finished.
        """
        loaded = [load_detector(run.weights(number), device) for number in run.trained()]
        return cls([detector for detector, _ in loaded], loaded[0][1], run.recipe().inference.tta, device)

    @classmethod
    def of_path(cls, path: Path, device: torch.device) -> "Judge":
        """A run folder, or a file of weights.

        Raises:
            AbacadError: the run is not finished, or the file holds no detector.
        """
        if path.is_dir():
            return cls.of_run(RunFolder(path), device)
        detector, seen = load_detector(path, device)
        return cls([detector], seen, Inference().tta, device)

    def by_detector(self, channels: Channels) -> Float[Tensor, "batch detector"]:
        """Scores of represented cadences, in [0, 1], on the CPU."""
        return score(self.detectors, channels.to(self.device), self.flips, self.represent.kind)

    def scores(self, panels: Panels) -> Float[np.ndarray, " batch"]:
        """Scores of cadences (batch, 6, time, freq), mean over the detectors."""
        return self.by_detector(represent(panels, self.represent)).mean(1).numpy()

    def evidence(self, cadence: CadenceArray) -> CadenceArray:
        """Where in a cadence the detectors saw their evidence."""
        channels = represent(torch.from_numpy(cadence)[None], self.represent).to(self.device)
        return evidence_map(self.detectors, channels, self.represent, cadence.shape[1])[0].numpy()

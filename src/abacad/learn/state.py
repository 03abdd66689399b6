"""Where a fold stands after an epoch: all that it needs to go on as if it had never been stopped.

    weights + their average + the optimiser's moments + the best epoch so far

The order of the cadences, their random changes and the dropout of an epoch are decided by seed and epoch, so that they
need not be kept. The file holds tensors and numbers alone and is read so: nothing in it is executed.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from abacad.config import Trainer
from abacad.errors import AbacadError, brief, plain_name
from abacad.files import replacing

_KIND = "abacad: state of a fold, 1"


@dataclass(frozen=True)
class FoldState:
    """A fold after an epoch.

    Attributes:
        epochs: Epochs that are done.
        best_epoch: Which had the best validation AUC, counted from 0.
        best_auc: That AUC.
        weights: Of the detector.
        average: Their moving average, and over how many steps; empty where none is kept.
        optimizer: Moments by the number of the parameter.
        scaler: The scale of the loss in half precision.
        steps: Steps of the optimiser that are done.
        best: The epochs whose weights will be averaged, by number: {auc, weights}; empty where none are.
    """

    epochs: int = 0
    best_epoch: int = -1
    best_auc: float = -math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[int, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    best: dict[int, Any] = field(default_factory=dict)

    def is_done(self, wanted: Trainer) -> bool:
        """Whether no epoch is to come: all are done, or none was better for `patience` epochs."""
        waited = self.epochs - 1 - self.best_epoch if self.best_epoch >= 0 else 0
        return self.epochs >= wanted.max_epochs or waited >= wanted.patience

    def write(self, path: Path) -> None:
        """Write it in one step."""
        content = {"kind": _KIND} | {name: getattr(self, name) for name in self.__dataclass_fields__}
        with replacing(path) as temporary:
            torch.save(content, temporary)


def read_state(path: Path) -> FoldState:
    """The state in a file; an absent file is the state before the first epoch.

    Raises:
        AbacadError: the file holds something else, or more than plain data.
    """
    if not path.exists():
        return FoldState()
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.pop("kind", None) != _KIND:
            raise ValueError("it was written by something else, or by an earlier version")
        return FoldState(**content)
    except Exception as error:  # unpickling raises whatever it meets
        raise AbacadError(
            f"{plain_name(path)} holds no state of a fold as plain data: {brief(str(error), 100)}\n"
            "It was not opened any further. Remove it, and the fold begins anew."
        ) from error

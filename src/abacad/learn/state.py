"""Where a fold stands after an epoch: all that it needs to go on as if it had never been stopped.

    weights + their average + the optimiser's moments + the best epoch so far

The order of the cadences, their random changes and the dropout of an epoch are decided by seed and epoch, so that they
need not be kept. The file holds tensors and numbers alone and is read so: nothing in it is executed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from abacad.config import Trainer
from abacad.errors import AbacadError, brief, plain_name
from abacad.files import replacing
from abacad.model.tensors import compare

_FORMAT = "abacad: state of a fold, 1"
_AVERAGED = "module.detector."
"""Before the names of averaged weights."""
_WAY_OUT = "Remove it, and the fold begins anew."


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
        content = {"format": _FORMAT} | {name: getattr(self, name) for name in self.__dataclass_fields__}
        with replacing(path) as temporary:
            torch.save(content, temporary)


def _format(content: dict[str, Any]) -> Any:
    """The format that a file names, taken out of its content; earlier files say `kind` for it."""
    named = content.pop("format", None)
    return content.pop("kind", None) if named is None else named


def read_state(path: Path) -> FoldState:
    """The state in a file; an absent file is the state before the first epoch.

    Raises:
        AbacadError: the file holds something else, or more than plain data.
    """
    if not path.exists():
        return FoldState()
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or _format(content) != _FORMAT:
            raise ValueError("it was written by something else, or by an earlier version")
        state = FoldState(**content)
        _refuse_strange(state)
        return state
    except Exception as error:  # what is unpickled raises whatever it meets
        raise AbacadError(
            f"{plain_name(path)} holds no state of a fold as plain data: {brief(str(error), 100)}\n"
            f"It was not opened any further. {_WAY_OUT}"
        ) from error


def _refuse_strange(state: FoldState) -> None:
    """Raise a ValueError where the parts of a state cannot belong together."""
    if type(state.epochs) is not int or not 0 <= state.epochs <= 10**6:
        raise ValueError(f"epochs is {brief(repr(state.epochs), 30)}")
    if type(state.best_epoch) is not int or not -1 <= state.best_epoch < state.epochs:
        raise ValueError(f"best_epoch is {brief(repr(state.best_epoch), 30)} of {state.epochs} epochs")
    if type(state.best_auc) is not float or not (0 <= state.best_auc <= 1 or state.best_epoch < 0):
        raise ValueError(f"best_auc is {brief(repr(state.best_auc), 30)}")
    if bool(state.weights) != bool(state.epochs) or not all(
        isinstance(one, dict) for one in (state.average, state.optimizer, state.scaler)
    ):
        raise ValueError("its weights are missing or too early, or a part is of another type")
    for part in (state.weights, state.average):
        for name, tensor in part.items():
            if not isinstance(tensor, Tensor) or (tensor.is_floating_point() and not tensor.isfinite().all()):
                raise ValueError(f"{brief(str(name), 60)} is no tensor of finite numbers")


def require_fit(
    state: FoldState, path: Path, weights: Mapping[str, Tensor], parameters: Sequence[Tensor], *, averaged: bool
) -> None:
    """Refuse the state of another network before anything of it is used.

    Args:
        state: What was read; one before the first epoch fits every network.
        path: Its file.
        weights: Of the detector that goes on, by name.
        parameters: What the optimiser changes, in its order.
        averaged: Whether the training keeps an average of the weights.

    Raises:
        AbacadError: a tensor is missing, is one too many, or has another shape.
    """
    if not state.epochs:
        return
    try:
        compare(path, state.weights, weights)
        if averaged and state.average:
            average = {name.removeprefix(_AVERAGED): one for name, one in state.average.items() if name != "n_averaged"}
            compare(path, average, weights)
        _compare_moments(path, state.optimizer, parameters)
    except AbacadError as error:
        raise AbacadError(f"{error}\n{_WAY_OUT}") from error


def _compare_moments(path: Path, moments: Mapping[int, Any], parameters: Sequence[Tensor]) -> None:
    for number, found in moments.items():
        fits = isinstance(number, int) and 0 <= number < len(parameters) and isinstance(found, dict)
        for name in ("exp_avg", "exp_avg_sq") if fits else ():
            one = found.get(name)
            fits &= isinstance(one, Tensor) and one.shape == parameters[number].shape and bool(one.isfinite().all())
        if not fits or not isinstance(found.get("step"), Tensor) or found["step"].numel() != 1:
            raise AbacadError(f"{plain_name(path)} has moments of another optimiser ({brief(str(number), 20)}).")

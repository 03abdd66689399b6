"""The state of a fold after an epoch, in the file last.ckpt: all that a stopped training needs to go on.

    weights, their moving average, the optimiser's moments, the loss scale of half precision, and which epoch was best

A fold that goes on from it ends with the very weights, bit for bit, that it would have had without the stop. The order
of the cadences, their augmentation and the dropout are not stored: seed and number of the epoch decide them.

The file is a dictionary of tensors and numbers, written by `torch.save` and read with `weights_only=True`: a pickle of
anything else could run code when it is opened, and is refused.
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
"""What Lightning puts before the name of a weight in its average: the network is its `module`, ours the `detector`."""
_WAY_OUT = "Remove it, and the fold begins anew."


@dataclass(frozen=True)
class FoldState:
    """The state of a fold after an epoch; with the defaults, that before the first one.

    Attributes:
        epochs: Number of epochs that are done.
        best_epoch: The epoch with the best validation AUC, counted from 0; −1 before there is one.
        best_auc: That AUC.
        weights: The detector's weights by name.
        average: Their moving average by name, with the number of steps that it has seen; empty where none is kept.
        optimizer: AdamW's two moments of each parameter, and its count of steps, by the number of the parameter.
        scaler: The factor on the loss that keeps gradients in half precision above 0; empty in other precisions.
        steps: Number of steps of the optimiser that are done.
        best: The epochs whose weights will be averaged (`trainer.averaged`), by number: {auc, weights}.
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
        """Whether the fold has no epoch left: all were trained, or the last `patience` ones brought no better AUC."""
        waited = self.epochs - 1 - self.best_epoch if self.best_epoch >= 0 else 0
        return self.epochs >= wanted.max_epochs or waited >= wanted.patience

    def write(self, path: Path) -> None:
        """Write the file whole: a kill leaves the state of the epoch before."""
        content = {"format": _FORMAT} | {name: getattr(self, name) for name in self.__dataclass_fields__}
        with replacing(path) as temporary:
            torch.save(content, temporary)


def _format(content: dict[str, Any]) -> Any:
    """The format that a file names, taken out of its content; earlier files say `kind` for it."""
    named = content.pop("format", None)
    return content.pop("kind", None) if named is None else named


def read_state(path: Path) -> FoldState:
    """The state in a file; where there is no file, the state before the first epoch.

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
        why = str(error) or "it ends too early"  # of an empty file torch says nothing
        raise AbacadError(
            f"{plain_name(path)} holds no state of a fold as plain data: {brief(why, 100)}\n"
            f"It was not opened any further. {_WAY_OUT}"
        ) from error


def _refuse_strange(state: FoldState) -> None:
    """Raise a ValueError where a part of the state has a wrong type, or two parts contradict each other.

    `type(…) is int` and not `isinstance`, since Python takes True for an int.
    """
    # 10⁶ epochs: above any recipe's largest (10,000), and small enough to be counted without overflow
    if type(state.epochs) is not int or not 0 <= state.epochs <= 10**6:
        raise ValueError(f"epochs is {brief(repr(state.epochs), 30)}")
    if type(state.steps) is not int or not 0 <= state.steps <= 10**12 or bool(state.steps) > bool(state.epochs):
        raise ValueError(f"steps is {brief(repr(state.steps), 30)}")
    if type(state.best_epoch) is not int or not -1 <= state.best_epoch < state.epochs:
        raise ValueError(f"best_epoch is {brief(repr(state.best_epoch), 30)} of {state.epochs} epochs")
    if type(state.best_auc) is not float or not (0 <= state.best_auc <= 1 or state.best_epoch < 0):
        raise ValueError(f"best_auc is {brief(repr(state.best_auc), 30)}")
    _refuse_strange_tensors(state)


def _refuse_strange_tensors(state: FoldState) -> None:
    if bool(state.weights) != bool(state.epochs) or not all(
        isinstance(one, dict) for one in (state.weights, state.average, state.optimizer, state.scaler, state.best)
    ):
        raise ValueError("its weights are missing or too early, or a part is of another type")
    for epoch, kept in state.best.items():
        if type(epoch) is not int or not 0 <= epoch < state.epochs or not _is_kept(kept):
            raise ValueError(f"best holds {brief(repr(epoch), 30)}, which is no epoch with its AUC and weights")
    # One NaN in a weight gives every cadence the score NaN; better to train the fold anew than to go on from there.
    for part in (state.weights, state.average, *(kept["weights"] for kept in state.best.values())):
        for name, tensor in part.items():
            if not isinstance(tensor, Tensor) or (tensor.is_floating_point() and not tensor.isfinite().all()):
                raise ValueError(f"{brief(str(name), 60)} is no tensor of finite numbers")


def _is_kept(kept: object) -> bool:
    """Whether this is an epoch as `kept_epochs` keeps it: {auc, weights}."""
    if not isinstance(kept, dict) or set(kept) != {"auc", "weights"}:
        return False
    return type(kept["auc"]) is float and 0 <= kept["auc"] <= 1 and isinstance(kept["weights"], dict)


def require_fit(
    state: FoldState, path: Path, weights: Mapping[str, Tensor], parameters: Sequence[Tensor], *, averaged: bool
) -> None:
    """Refuse a state that belongs to another network, before anything of it is used.

    Args:
        state: The state that was read; the one before the first epoch fits every network.
        path: Its file, for messages.
        weights: The weights, by name, of the detector that is to go on.
        parameters: The parameters that the optimiser changes, in the optimiser's order.
        averaged: Whether the training keeps an average of the weights.

    Raises:
        AbacadError: a tensor is missing, is one too many, or has another shape.
    """
    if not state.epochs:
        return
    try:
        compare(path, state.weights, weights)
        for kept in state.best.values():
            compare(path, kept["weights"], weights)
        if averaged and state.average:
            average = {name.removeprefix(_AVERAGED): one for name, one in state.average.items() if name != "n_averaged"}
            compare(path, average, weights)
        _compare_moments(path, state.optimizer, parameters)
    except AbacadError as error:
        raise AbacadError(f"{error}\n{_WAY_OUT}") from error


def _compare_moments(path: Path, moments: Mapping[int, Any], parameters: Sequence[Tensor]) -> None:
    # AdamW looks parameters up by number, not by name: moments of another network of as many parameters would be taken
    # without a word, and mislead its first steps.
    for number, moment in moments.items():
        fits = isinstance(number, int) and 0 <= number < len(parameters) and isinstance(moment, dict)
        for name in ("exp_avg", "exp_avg_sq") if fits else ():
            one = moment.get(name)
            fits &= isinstance(one, Tensor) and one.shape == parameters[number].shape and bool(one.isfinite().all())
        if not fits or not isinstance(moment.get("step"), Tensor) or moment["step"].numel() != 1:
            raise AbacadError(f"{plain_name(path)} has moments of another optimiser ({brief(str(number), 20)}).")

"""The mean of the weights of a fold's best epochs, which often judges better than any of them.

    W = Σ Wₑ / k over the k epochs with the best validation AUC

Whole numbers, such as the count of batches that a batch normalisation has seen, are taken from the best epoch. The
means and variances of batch normalisation are averaged like weights: near the end of a schedule they hardly differ.
"""

import logging
from typing import Any

import torch
from torch import Tensor

from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.learn.run_folder import RunFolder
from abacad.learn.state import read_state
from abacad.model.checkpoint import load_detector, save_detector

log = logging.getLogger(__name__)


def kept_epochs(best: dict[int, Any], epoch: int, auc: float, weights: dict[str, Tensor], n: int) -> dict[int, Any]:
    """The n best epochs after one more, each as {auc, weights}; of equal ones the earlier."""
    every = best | {epoch: {"auc": auc, "weights": {name: value.detach().cpu() for name, value in weights.items()}}}
    order = sorted(every, key=lambda number: (-every[number]["auc"], number))[:n]
    # `detach` and `cpu` share memory with weights that already lie on the CPU, and the optimiser changes those in
    # place: an epoch that is kept has to be copied. Only kept ones are, since most epochs are dropped at once.
    return {
        number: every[number]
        if number != epoch
        else {"auc": auc, "weights": {name: value.clone() for name, value in every[epoch]["weights"].items()}}
        for number in order
    }


def average_best(run: RunFolder, number: int, recipe: Recipe) -> None:
    """Replace the detector of a fold by the mean of its best epochs, whose weights stand in its state.

    Raises:
        AbacadError: the state has lost them.
    """
    best = read_state(run.last(number)).best
    if not best:
        raise AbacadError(f"{run.last(number)} holds no epochs to average.\nTrain the fold with --trainer.averaged 1.")
    # the best epoch's file tells how the network is built; its weights are replaced
    detector, represent = load_detector(run.weights(number), fold=number)
    detector.load_state_dict(mean_of_weights([kept["weights"] for kept in best.values()]))
    save_detector(run.weights(number), detector, recipe.model, represent, fold=number)
    told = ", ".join(f"{epoch + 1} ({kept['auc']:.4f})" for epoch, kept in best.items())
    log.info("Fold %d: the mean of %d epochs is kept, by their AUC: %s", number, len(best), told)


def mean_of_weights(each: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several networks' weights; whole numbers, such as counts of batches, are taken from the first."""
    first = each[0]
    # in 64 bits, where a sum of a few 32-bit numbers is exact: equal weights have themselves for a mean
    return {
        name: torch.stack([weights[name].double() for weights in each]).mean(0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }

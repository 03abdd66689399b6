"""How a detector learns: the loss, the schedule and the decay as they are defined, and the epoch passed on."""

import math
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from abacad.config import Augment, Optim, Recipe
from abacad.learn.dataset import Sample
from abacad.learn.learner import Learner

LOGITS = torch.tensor([-1.5, 0.3, 2.0, -0.2])
TARGETS = torch.tensor([0.0, 1.0, 1.0, 0.0])


class Fixed(nn.Module):
    """A detector that always gives the same logits, with a matrix and a vector to be optimised."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix, self.vector = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(3))

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        return LOGITS + 0 * planes.flatten(1).sum(1)


def learner_of(weight: float = 1.0, **optim: float) -> Learner:
    recipe = replace(Recipe(), optim=Optim(**optim), augment=Augment(mixup=0.0))
    learner = Learner(Fixed(), recipe, weight)
    learner.log = lambda *_, **__: None  # type: ignore[method-assign]
    return learner


def loss_of(learner: Learner) -> float:
    batch = Sample(torch.arange(4), torch.zeros(4, 3, 8, 8), TARGETS)
    trainer = SimpleNamespace(current_epoch=0, global_rank=0)
    learner._trainer = trainer  # type: ignore[assignment]
    return float(learner.training_step(batch, 0))


def cross_entropy(targets: torch.Tensor, weight: float) -> float:
    p = LOGITS.sigmoid()
    return float(-(weight * targets * p.log() + (1 - targets) * (1 - p).log()).mean())


@pytest.mark.parametrize("weight", [1.0, 9.0])
def test_a_positive_counts_as_often_as_pos_weight_says(weight):
    assert loss_of(learner_of(weight)) == pytest.approx(cross_entropy(TARGETS, weight), rel=1e-5)


def test_smoothing_draws_targets_towards_one_half():
    expected = cross_entropy(torch.where(TARGETS == 1, 0.9, 0.1), 3.0)
    assert loss_of(learner_of(3.0, smoothing=0.2)) == pytest.approx(expected, rel=1e-5)


def rates(steps: int, **optim: float) -> list[float]:
    """Learning rate of each step."""
    learner = learner_of(**optim)
    trainer = SimpleNamespace(estimated_stepping_batches=steps)
    learner._trainer = trainer  # type: ignore[assignment]
    made = learner.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return [*found, optimizer.param_groups[0]["lr"]]


def test_the_rate_rises_in_the_warm_up_and_falls_as_a_cosine_to_its_last():
    found = rates(100, lr=0.01, warmup=0.1, final_lr=0.05)
    assert found[:10] == pytest.approx([0.001 * step for step in range(1, 11)])
    assert all(later < before for before, later in pairwise(found[10:]))
    middle = 0.01 * (0.05 + 0.95 * (1 + math.cos(math.pi * 0.5)) / 2)
    assert found[55] == pytest.approx(middle)
    assert found[100] == pytest.approx(0.0005)


def test_matrices_are_decayed_and_vectors_are_not():
    learner = learner_of(weight_decay=0.3)
    trainer = SimpleNamespace(estimated_stepping_batches=10)
    learner._trainer = trainer  # type: ignore[assignment]
    groups = learner.configure_optimizers()["optimizer"].param_groups
    decay = {id(value): group["weight_decay"] for group in groups for value in group["params"]}
    assert decay[id(learner.detector.matrix)] == 0.3
    assert decay[id(learner.detector.vector)] == 0.0
    assert len(decay) == 2


def test_the_samples_learn_which_epoch_it_is():
    learner, told = learner_of(), []
    loader = SimpleNamespace(dataset=SimpleNamespace(set_epoch=told.append))
    trainer = SimpleNamespace(current_epoch=7, train_dataloader=loader)
    learner._trainer = trainer  # type: ignore[assignment]
    learner.on_train_epoch_start()
    assert told == [7]

"""How a detector learns: the loss, the schedule and the decay as they are defined."""

import math
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from abacad.config import Augment, Model, Optim, Recipe, Represent, Trainer
from abacad.errors import AbacadError
from abacad.learn.dataset import Sample
from abacad.learn.learner import Learner, loss_of, parameter_groups
from abacad.model.detector import Detector, build_detector

LOGITS = torch.tensor([-1.5, 0.3, 2.0, -0.2])
TARGETS = torch.tensor([0.0, 1.0, 1.0, 0.0])


class Fixed(Detector):
    """A detector that always gives the same logits, with a matrix and a vector to be optimised."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.matrix, self.vector = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(3))

    def forward(self, planes, axes=None, evidence=None):
        return LOGITS + 0 * planes.flatten(1).sum(1)


def learner_of(weight: float = 1.0, steps: int = 10, **optim: float) -> Learner:
    recipe = replace(Recipe(), optim=Optim(**optim), augment=Augment(mixup=0.0), trainer=Trainer(max_epochs=1))
    learner = Learner(Fixed(), recipe, weight, steps)
    learner.log = lambda *_, **__: None  # type: ignore[method-assign]
    return learner


def loss_in(learner: Learner) -> float:
    batch = Sample(torch.arange(4), torch.zeros(4, 3, 8, 8), TARGETS)
    trainer = SimpleNamespace(current_epoch=0, global_rank=0)
    learner._trainer = trainer  # type: ignore[assignment]
    return float(learner.training_step(batch, 0))


def cross_entropy(targets: torch.Tensor, weight: float) -> float:
    p = LOGITS.sigmoid()
    return float(-(weight * targets * p.log() + (1 - targets) * (1 - p).log()).mean())


@pytest.mark.parametrize("weight", [1.0, 9.0])
def test_a_positive_counts_as_often_as_pos_weight_says(weight):
    assert loss_in(learner_of(weight)) == pytest.approx(cross_entropy(TARGETS, weight), rel=1e-5)


def rates(steps: int, **optim: float) -> list[float]:
    """Learning rate of each step."""
    learner = learner_of(steps=steps, **optim)
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
    groups = learner.configure_optimizers()["optimizer"].param_groups
    decay = {id(value): group["weight_decay"] for group in groups for value in group["params"]}
    assert decay[id(learner.detector.matrix)] == 0.3
    assert decay[id(learner.detector.vector)] == 0.0
    assert len(decay) == 2


@pytest.mark.parametrize(
    ("frozen", "pretrained", "kept"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_norms_keep_what_the_starting_weights_came_with(frozen, pretrained, kept):
    """Their means and spreads, that is; weights and biases learn on, and without starting weights nothing is frozen."""
    represent, model = Represent("binned"), Model(name="panel", pretrained=pretrained, width=12)
    recipe = Recipe(represent=represent, model=model, optim=Optim(frozen_norms=frozen), augment=Augment(mixup=0.0))
    learner = Learner(build_detector(model, represent), recipe, 1.0, 10)
    learner.log = lambda *_, **__: None  # type: ignore[method-assign]
    learner._trainer = SimpleNamespace(current_epoch=0, global_rank=0)  # type: ignore[assignment]
    before = {name: value.clone() for name, value in learner.detector.state_dict().items()}
    learner.train()
    learner.on_train_epoch_start()
    planes = torch.randn(4, 18, 20, 64)
    optimiser = torch.optim.SGD(learner.detector.parameters(), 0.1)
    learner.training_step(Sample(torch.arange(4), planes, TARGETS), 0).backward()
    optimiser.step()
    after = learner.detector.state_dict()
    same = {name: torch.equal(after[name], value) for name, value in before.items()}
    statistics = [name for name in same if "running_" in name]
    assert len(statistics) == 14
    assert {same[name] for name in statistics} == {kept}
    assert not any(
        same[name] for name in same if name.startswith("backbone.head.1.") and name.endswith(("weight", "bias"))
    )


def test_the_loss_is_cross_entropy_with_weighed_positives():
    logits, targets = torch.tensor([0.3, -1.0, 2.0]), torch.tensor([1.0, 0.0, 0.0])
    by_hand = (3 * math.log1p(math.exp(-0.3)) + math.log1p(math.exp(-1.0)) + math.log1p(math.exp(2.0))) / 3
    assert float(loss_of(logits, targets, torch.tensor(3.0))) == pytest.approx(by_hand, rel=1e-6)


def test_the_focal_loss_weighs_what_is_sure_less():
    one = torch.tensor(1.0)
    for logit, target in ((4.0, 1.0), (-4.0, 0.0)):
        logits, targets = torch.tensor([logit]), torch.tensor([target])
        plain = F.binary_cross_entropy_with_logits(logits, targets)
        wrong = 1 / (1 + math.exp(4.0))
        assert float(loss_of(logits, targets, one, 2.0)) == pytest.approx(float(plain) * wrong**2, rel=1e-4)
        against = float(loss_of(logits, 1 - targets, one, 2.0)) / float(loss_of(logits, 1 - targets, one))
        assert against == pytest.approx((1 - wrong) ** 2, rel=1e-4)


def test_early_layers_learn_more_slowly_when_asked():
    detector = build_detector(Model("test_efficientnet", pretrained=False), Represent("difference"))
    groups = parameter_groups(detector, Optim(lr=1.0, layer_decay=0.5))
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    parameters = dict(detector.backbone.named_parameters())
    assert set(rate) == {id(p) for p in parameters.values()}
    assert rate[id(parameters["classifier.weight"])] == 1.0
    assert rate[id(parameters["conv_stem.weight"])] <= 0.25
    assert all(group["weight_decay"] == 0 for group in groups if all(p.ndim <= 1 for p in group["params"]))
    plain = parameter_groups(detector, Optim(weight_decay=0.3))
    assert [group["weight_decay"] for group in plain] == [0.3, 0.0]
    assert all(p.ndim > 1 for p in plain[0]["params"])


def test_layers_of_the_panel_network_cannot_be_told_apart():
    detector = build_detector(Model("panel", pretrained=False), Represent("binned"))
    with pytest.raises(AbacadError, match=r"layer_decay is for timm"):
        parameter_groups(detector, Optim(layer_decay=0.5))

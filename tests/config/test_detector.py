"""The recipe's parts on the detector: bounds refused by their key, both ends allowed, NaN never."""

import pytest

from abacad.config import Inference, Model, Optim, Trainer
from abacad.errors import AbacadError

BOUNDS = [
    (Model, "model", "size", 32, 4096),
    (Model, "model", "stem_stride", 1, 8),
    (Model, "model", "drop", 0.0, 0.99),
    (Model, "model", "drop_path", 0.0, 0.99),
    (Model, "model", "width", 1, 512),
    (Optim, "optim", "weight_decay", 0.0, 10.0),
    (Optim, "optim", "batch_size", 1, 65536),
    (Optim, "optim", "warmup", 0.0, 1.0),
    (Optim, "optim", "final_lr", 0.0, 1.0),
    (Optim, "optim", "clip", 0.0, 1e6),
    (Optim, "optim", "ema", 0.0, 0.99999),
    (Optim, "optim", "focal", 0.0, 10.0),
    (Optim, "optim", "layer_decay", 0.01, 1.0),
    (Optim, "optim", "pos_weight", 1e-3, 1e6),
    (Trainer, "trainer", "max_epochs", 1, 10_000),
    (Trainer, "trainer", "patience", 1, 10_000),
    (Trainer, "trainer", "accumulate", 1, 1024),
    (Trainer, "trainer", "devices", 1, 1024),
    (Trainer, "trainer", "num_nodes", 1, 1024),
    (Trainer, "trainer", "stop_below", 0.0, 1.0),
    (Inference, "inference", "batch_size", 1, 65536),
]


@pytest.mark.parametrize(("part", "section", "name", "low", "high"), BOUNDS, ids=lambda value: str(value)[:20])
def test_both_ends_are_allowed_and_what_is_beyond_is_refused_by_its_key(part, section, name, low, high):
    for value in (low, high):
        assert getattr(part(**{name: value}), name) == value
    beyond = [low - 1, high + 1] if isinstance(low, int) else [0.99 * low or -1e-3, high * 1.01, float("nan")]
    for value in beyond:
        with pytest.raises(AbacadError, match=rf"{section}\.{name} is"):
            part(**{name: value})


@pytest.mark.parametrize("rate", [0.0, -1e-3, 10.1, float("nan"), float("inf")])
def test_a_learning_rate_is_above_nought(rate):
    with pytest.raises(AbacadError, match=r"optim\.lr is .*; it must be above 0 and at most 10"):
        Optim(lr=rate)
    assert Optim(lr=10.0).lr == 10.0


@pytest.mark.parametrize(
    ("part", "name"), [(Model, "size"), (Model, "stem_stride"), (Optim, "pos_weight"), (Trainer, "stop_below")]
)
def test_null_leaves_the_choice_to_the_program(part, name):
    assert getattr(part(**{name: None}), name) is None


def test_a_score_needs_a_flip():
    with pytest.raises(AbacadError, match=r"inference\.tta is empty; it needs at least `identity`"):
        Inference(tta=())
    assert Inference(tta=("vertical",)).tta == ("vertical",)


def test_the_parts_cannot_be_changed_once_they_are_checked():
    for part in (Model(), Optim(), Trainer(), Inference()):
        with pytest.raises(AttributeError):
            part.batch_size = -1

"""The state of a fold: whole when it is read again, done when it says so, and never executed."""

import math
import os
from pathlib import Path

import pytest
import torch

from abacad.config import Trainer
from abacad.errors import AbacadError
from abacad.learn.state import FoldState, read_state


class Bomb:
    """Opening it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def tensors(*values: float) -> dict[str, torch.Tensor]:
    return {"backbone.weight": torch.tensor(values), "n": torch.tensor(3)}


WHOLE = FoldState(
    epochs=5, best_epoch=3, best_auc=0.875, weights=tensors(1.5, -2.25), average=tensors(0.5, 1e-30),
    optimizer={0: {"step": torch.tensor(40.0), "exp_avg": torch.randn(2)}}, scaler={"scale": 65536.0},
)  # fmt: skip


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other) and one.dtype == other.dtype
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    WHOLE.write(tmp_path / "last.ckpt")
    again = read_state(tmp_path / "last.ckpt")
    assert all(same(value, getattr(again, name)) for name, value in vars(WHOLE).items())


def test_a_fold_that_an_earlier_version_left_half_trained_goes_on(tmp_path):
    """Its file says `kind` where `format` stands now."""
    torch.save({"kind": "abacad: state of a fold, 1"} | vars(WHOLE), tmp_path / "last.ckpt")
    assert read_state(tmp_path / "last.ckpt").best_auc == WHOLE.best_auc


def test_no_file_is_the_state_before_the_first_epoch(tmp_path):
    state = read_state(tmp_path / "last.ckpt")
    assert (state.epochs, state.best_epoch, state.best_auc, state.weights) == (0, -1, -math.inf, {})
    state.write(tmp_path / "last.ckpt")
    assert read_state(tmp_path / "last.ckpt") == state


@pytest.mark.parametrize(
    ("epochs", "best", "done"),
    [
        (0, -1, False),
        (1, 0, False),
        (3, 0, False),
        (4, 0, True),
        (4, 1, False),
        (9, 9, False),
        (10, 9, True),
        (6, -1, False),
    ],
)
def test_a_fold_is_done_after_all_epochs_or_when_none_was_better_for_long(epochs, best, done):
    """Patience 3: epochs 1, 2 and 3 without a better AUC than epoch 0, and the fold stops."""
    assert FoldState(epochs=epochs, best_epoch=best).is_done(Trainer(max_epochs=10, patience=3)) is done


@pytest.mark.parametrize("more_epochs", [11, 20])
def test_a_done_fold_goes_on_when_more_epochs_are_asked_for(more_epochs):
    state = FoldState(epochs=10, best_epoch=9)
    assert state.is_done(Trainer(max_epochs=10))
    assert not state.is_done(Trainer(max_epochs=more_epochs))


def test_a_state_that_would_execute_something_is_refused_by_name(tmp_path):
    torch.save({"format": "abacad: state of a fold, 1", "weights": Bomb(tmp_path / "executed")}, tmp_path / "last.ckpt")
    with pytest.raises(AbacadError, match=r"last\.ckpt holds no state of a fold as plain data"):
        read_state(tmp_path / "last.ckpt")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "content",
    [
        {"format": "abacad: state of a fold, 0", "epochs": 1},
        {"epochs": 1},
        {"format": "abacad: state of a fold, 1", "epoch": 1},
        [1, 2],
        torch.zeros(3),
    ],
)
def test_what_another_version_or_program_wrote_is_refused_with_the_way_out(content, tmp_path):
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(AbacadError, match="Remove it, and the fold begins anew") as told:
        read_state(tmp_path / "last.ckpt")
    assert len(str(told.value).splitlines()) <= 3


@pytest.mark.parametrize("content", [b"", b"rubbish" * 30, b"PK\x03\x04"])
def test_what_torch_cannot_read_is_refused(content, tmp_path):
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(AbacadError, match=r"last\.ckpt holds no state"):
        read_state(tmp_path / "last.ckpt")


def test_the_state_before_stays_when_a_new_one_cannot_be_written(tmp_path, monkeypatch):
    WHOLE.write(tmp_path / "last.ckpt")

    def broken(*_args):
        raise MemoryError

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(MemoryError):
        FoldState(epochs=6).write(tmp_path / "last.ckpt")
    monkeypatch.undo()
    assert read_state(tmp_path / "last.ckpt").epochs == 5
    assert os.listdir(tmp_path) == ["last.ckpt"]

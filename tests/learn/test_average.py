"""The mean of the best epochs' weights."""

import pytest
import torch

from abacad.learn.average import kept_epochs, mean_of_weights
from abacad.learn.packed import Packed
from abacad.run.train import train
from tests.run.made import RECIPE


def test_the_best_epochs_are_kept_as_they_were():
    best, weights = {}, {"w": torch.zeros(2), "seen": torch.tensor(0)}
    for epoch, auc in enumerate([0.5, 0.8, 0.6, 0.8, 0.7]):
        weights["w"].fill_(epoch)
        weights["seen"].fill_(epoch)
        best = kept_epochs(best, epoch, auc, weights, 3)
    assert list(best) == [1, 3, 4]  # of equal ones the earlier first
    assert [float(kept["weights"]["w"][0]) for kept in best.values()] == [1, 3, 4]
    assert [kept["auc"] for kept in best.values()] == [0.8, 0.8, 0.7]


def test_weights_are_averaged_and_counts_are_not():
    each = [
        {"w": torch.tensor([1.0, 4.0]), "seen": torch.tensor(7)},
        {"w": torch.tensor([3.0, 0.0]), "seen": torch.tensor(9)},
    ]
    mean = mean_of_weights(each)
    assert mean["w"].tolist() == [2.0, 2.0]
    assert mean["w"].dtype == torch.float32
    assert int(mean["seen"]) == 7
    same = mean_of_weights([{"w": torch.tensor([0.1])}] * 3)["w"]
    assert float(same[0]) == pytest.approx(0.1, abs=1e-8)


def test_averaging_weights_copies_no_cadences(shared_competition, tmp_path, monkeypatch):
    """The average is made from a deep copy of the learner; packed cadences in it would fill the memory: 19 GB."""
    copied = []
    monkeypatch.setattr(Packed, "__deepcopy__", lambda self, _: copied.append(self) or self, raising=False)
    first = {"data.pack": "always", "data.only": (0,), "trainer.max_epochs": 1, "optim.ema": 0.8}
    train(shared_competition, tmp_path / "run", RECIPE, **first)
    assert copied == []

"""What a fold trains on and what it holds back, as loaders: shares of processes, readers, and simulated cadences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset

from abacad.config import Augment, Data, Inference, Optim, Recipe, Represent, Trainer
from abacad.learn import fold_data
from abacad.learn.fold_data import FoldData
from abacad.learn.labelled import Labelled
from abacad.learn.packed import Packed
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS

STILL = Augment(horizontal_flip=0.0, vertical_flip=0.0, shift=0.0)
RECIPE = Recipe(
    data=Data(workers=0), represent=Represent("on"), augment=STILL, optim=Optim(batch_size=4),
    inference=Inference(batch_size=3), trainer=Trainer(devices=1),
)  # fmt: skip
KEPT, HELD = np.arange(3, 20), np.array([0, 1, 2, 20, 21])


class Marked(torch.utils.data.Dataset):
    """Cadence k, represented, holds k in every pixel."""

    def __len__(self) -> int:
        return 22

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((3, 28, 64), float(index))


def labelled(source=None, **more) -> Labelled:
    return Labelled(
        source or Marked(), np.arange(22).astype(str), np.arange(22) % 2, np.zeros(22, int), (6, 28, 64),
        Axes.usual(28, 64), **more,
    )  # fmt: skip


def data(recipe: Recipe = RECIPE, **more) -> FoldData:
    return FoldData(labelled(**more), KEPT, HELD, recipe)


def places(loader) -> list[int]:
    return [place for batch in loader for place in batch.place.tolist()]


def test_held_back_cadences_come_in_their_order_as_they_are():
    found = list(data(replace(RECIPE, augment=Augment())).held_back(0, 1))
    assert [batch.place.tolist() for batch in found] == [[0, 1, 2], [20, 21]]
    assert [float(planes.mean()) for batch in found for planes in batch.planes] == HELD.tolist()
    assert found[0].target.tolist() == [0, 1, 0]


def test_training_takes_the_others_in_another_order_each_epoch():
    epochs = [places(FoldData(labelled(), KEPT, HELD, RECIPE, first_epoch=epoch).training(0, 1)) for epoch in (0, 1, 0)]
    assert set(epochs[0]) <= set(KEPT.tolist())
    assert len(epochs[0]) == len(set(epochs[0])) == 16  # four whole batches of the seventeen
    assert epochs[0] == epochs[2]
    assert epochs[0] != epochs[1]


def test_a_curriculum_keeps_its_order():
    assert places(data(in_turn=True).training(0, 1)) == KEPT.tolist()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_processes_hold_back_all_and_train_on_shares(n):
    assert {place for k in range(n) for place in places(data().held_back(k, n))} == set(HELD.tolist())
    trained = [places(data().training(k, n)) for k in range(n)]
    assert len({len(share) for share in trained}) == 1
    assert {place for share in trained for place in share} <= set(KEPT.tolist())


@pytest.mark.parametrize(
    ("trainer", "steps"),
    [
        ({}, 4),
        ({"accumulate": 2}, 2),
        ({"accumulate": 3}, 2),
        ({"accumulate": 9}, 1),
        ({"devices": 2}, 2),
        ({"num_nodes": 2}, 2),
    ],
)
def test_steps_are_batches_of_a_process_in_twos_or_threes(trainer, steps):
    """17 cadences in batches of 4 are 4; of two processes each has 9 cadences, 2 batches."""
    assert data(replace(RECIPE, trainer=replace(RECIPE.trainer, **trainer))).steps_per_epoch == steps


def test_simulated_cadences_join_those_with_labels():
    recipe = replace(RECIPE, data=Data(workers=0, simulated=6))
    found = sorted(places(data(recipe).training(0, 1)))
    assert len(found) == 20  # of 23, in whole batches
    assert set(found) <= {*KEPT.tolist(), *range(22 + 17, 22 + 23)}
    assert any(place >= 22 for place in found)


def test_without_labels_only_simulated_cadences_train_and_the_labelled_ones_judge():
    recipe = replace(RECIPE, data=Data(workers=0, simulated=6, labelled=False))
    found = data(recipe)
    assert all(place >= 22 for place in places(found.training(0, 1)))
    assert places(found.held_back(0, 1)) == HELD.tolist()


def test_simulated_cadences_have_the_axes_of_the_data():
    recipe = replace(RECIPE, data=Data(workers=0, simulated=4, labelled=False))
    (batch,) = data(recipe).training(0, 1)
    assert batch.planes.shape == (4, 3, 28, 64)
    wide = replace(Axes.usual(28, 64), n_freq=10_000)
    assert fold_data._shaped_as(PRESETS["kaggle"], wide).scenes.n_freq >= 10_000


def packed(tmp_path) -> Packed:
    np.save(tmp_path / "packed.npy", np.zeros((22, 3, 28, 64), np.float16))
    return Packed(tmp_path / "packed.npy")


@pytest.mark.parametrize(
    ("wanted", "is_packed", "cuda", "readers"),
    [
        ({}, True, False, 0),
        ({}, True, True, 5),
        ({}, False, False, 5),
        ({"workers": 2}, True, False, 2),
        ({"simulated": 4}, True, False, 5),
    ],
)
def test_packed_cadences_need_no_readers_on_a_cpu(wanted, is_packed, cuda, readers, tmp_path, monkeypatch):
    monkeypatch.setattr(fold_data, "worker_count", lambda asked, _: 5 if asked is None else asked)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    source = ConcatDataset([packed(tmp_path)]) if is_packed else Marked()
    assert data(replace(RECIPE, data=Data(**wanted)), source=source)._readers() == readers

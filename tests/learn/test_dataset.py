"""Cadences as samples: each with its target, changed by seed, epoch and place alone, whoever reads it and when."""

import numpy as np
import pytest
import torch

from abacad.config import Augment, Represent
from abacad.data.competition import cadence_path, read_cadence, read_labels
from abacad.errors import AbacadError, CadenceError
from abacad.learn.augment import Augmentation
from abacad.learn.dataset import Cadences, Represented, Samples, WithSimulated, loader, worker_count
from abacad.learn.simulated import SimulatedCadences
from abacad.represent.representation import represent, representation
from abacad.signal.cadence import Axes
from abacad.simulator.settings import Simulation
from tests.conftest import SHAPE

SEEN = Represent("difference")


@pytest.fixture
def source(shared_competition) -> Cadences:
    return Cadences(shared_competition, "train", list(read_labels(shared_competition)["id"]), SEEN, SHAPE)


@pytest.fixture
def targets(shared_competition) -> np.ndarray:
    return read_labels(shared_competition)["target"].to_numpy()


class Counting(torch.utils.data.Dataset):
    """Cadence k holds k in every pixel."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((1, 2, 3), float(index))


def places(batches) -> list[list[int]]:
    return [batch.place.tolist() for batch in batches]


@pytest.mark.parametrize("kind", ["difference", "tall", "binned"])
def test_a_cadence_is_its_file_represented_alone_or_in_a_batch(kind, shared_competition):
    ids, recipe = list(read_labels(shared_competition)["id"][:5]), Represent(kind)
    cadences = Cadences(shared_competition, "train", ids, recipe)
    panels = [torch.from_numpy(read_cadence(path)) for path in cadences.paths]
    for index, planes in zip((3, 0, 4), cadences.__getitems__([3, 0, 4]), strict=True):
        assert torch.equal(planes, cadences[index])
        torch.testing.assert_close(planes, represent(panels[index], recipe))


def test_a_file_that_cannot_be_used_is_told_when_it_is_read(competition):
    labels = read_labels(competition)
    cadences = Cadences(competition, "train", list(labels["id"]), SEEN, SHAPE)
    np.save(cadence_path(competition, "train", labels["id"][7]), np.zeros((6, 28, 63)))
    assert cadences[6].shape == (3, 28, 64)
    with pytest.raises(CadenceError, match=r"its shape is \(6, 28, 63\), the others' is \(6, 28, 64\)"):
        cadences[7]
    with pytest.raises(CadenceError, match="no plain file name"):
        Cadences(competition, "train", ["../secret"], SEEN)


def test_cadences_of_a_simulator_are_seen_as_those_of_files():
    simulated = SimulatedCadences(Simulation(axes=Axes(n_time=28, n_freq=64)), 7, seed=3)
    seen = Represented(simulated, SEEN)
    assert len(seen) == 7
    together = seen.__getitems__(list(range(7)))
    for index in (0, 3, 4, 6):
        torch.testing.assert_close(together[index], seen[index])
        cadence, _ = simulated.__getitems__([index])[0]
        torch.testing.assert_close(seen[index], represent(torch.from_numpy(cadence).float(), SEEN))


def test_a_sample_of_unknown_target_has_none():
    (batch,) = loader(Samples(Counting(), [4, 2]), 8, 0)
    assert batch.target.isnan().all()
    assert batch.target.dtype == batch.planes.dtype == torch.float32
    assert len(Samples(Counting(), [])) == 0


def test_fractional_targets_stay_as_they_are():
    samples = Samples(Counting(), [1, 0], np.array([0.25, 0.75]))
    assert [float(samples[item].target) for item in (0, 1)] == [0.75, 0.25]


@pytest.mark.parametrize(
    ("n", "size", "sizes"), [(10, 4, [4, 4]), (10, 5, [5, 5]), (3, 4, [3]), (4, 4, [4]), (5, 4, [4])]
)
def test_in_training_the_rest_that_fills_no_batch_is_left_out(n, size, sizes):
    """Unless it is all there is: an epoch of no step would be none."""
    batches = places(loader(Samples(Counting(), range(n)), size, 0, seed=1))
    assert [len(batch) for batch in batches] == sizes


def test_without_a_seed_all_come_in_their_own_order():
    assert places(loader(Samples(Counting(), [7, 1, 3, 9, 0]), 2, 0)) == [[7, 1], [3, 9], [0]]


def test_the_order_is_that_of_seed_and_epoch_and_draws_nothing_from_torch():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = places(loader(Samples(Counting(), range(10)), 10, 0, seed=1))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert places(loader(Samples(Counting(), range(10)), 10, 0, seed=1)) == first
    assert places(loader(Samples(Counting(), range(10)), 10, 0, seed=1, first_epoch=1)) != first
    assert sorted(first[0]) == list(range(10))


def test_processes_share_the_samples():
    shares = [places(loader(Samples(Counting(), range(10)), 2, 0, process=k, processes=2)) for k in (0, 1)]
    assert sorted(place for share in shares for batch in share for place in batch) == list(range(10))


@pytest.mark.parametrize(("cores", "chosen"), [(1, 0), (2, 2), (6, 6), (64, 8)])
def test_readers_are_as_many_as_cores_up_to_eight(cores, chosen, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(cores), raising=False)
    assert worker_count(None) == chosen
    assert worker_count(3) == 3
    assert worker_count(0) == 0


@pytest.mark.parametrize("asked", [-1, 257, 10**9])
def test_more_readers_than_a_machine_can_have_are_refused(asked):
    with pytest.raises(AbacadError, match="give 0 to 256, or null"):
        worker_count(asked)


def test_a_loader_gives_each_sample_with_its_target(shared_competition):
    labels = read_labels(shared_competition)
    source = Cadences(shared_competition, "train", list(labels["id"]), Represent("difference"))
    samples = Samples(source, [5, 3, 30], labels["target"].to_numpy())
    (batch,) = loader(samples, batch_size=8, workers=0)
    assert batch.place.tolist() == [5, 3, 30]
    assert batch.target.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(batch.planes[1], source[3])


def test_random_changes_follow_seed_epoch_and_index_alone(shared_competition):
    labels = read_labels(shared_competition)
    source = Cadences(shared_competition, "train", list(labels["id"]), Represent("difference"))
    seen = representation(Represent("difference"))
    samples = Samples(source, range(40), labels["target"].to_numpy(), Augmentation(Augment(), seen), seed=1)
    first = samples[7].planes
    _ = samples[8]
    np.testing.assert_array_equal(samples[7].planes, first)
    changed = []
    for epoch in range(1, 5):
        samples.set_epoch(epoch)
        changed.append(not np.array_equal(samples[7].planes, first))
    assert any(changed)


def test_simulated_samples_are_new_each_epoch_and_blind_to_the_batch(shared_competition):
    labels = read_labels(shared_competition)
    recipe = Represent("difference")
    source = Cadences(shared_competition, "train", list(labels["id"]), recipe)
    samples = Samples(source, range(40), labels["target"].to_numpy())
    axes = Axes(n_time=28, n_freq=64)
    both = WithSimulated(samples, SimulatedCadences(Simulation(axes=axes), 8, seed=0), recipe, first=40)
    assert len(both) == 48
    together = both.__getitems__([2, 41, 7, 47])
    for item, sample in zip((2, 41, 7, 47), together, strict=True):
        assert torch.equal(sample.planes, both[item].planes)
        assert sample.place == (item if item < 40 else 40 + item)
    both.set_epoch(1)
    assert not torch.equal(both[41].planes, together[1].planes)
    assert torch.equal(both[2].planes, together[0].planes)

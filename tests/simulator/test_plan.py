"""The plan of a folder: exact shares, scenes that parts share or do not, names that tell nothing."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from abacad.signal.cadence import Axes
from abacad.simulator.plan import Plan, make_plan
from abacad.simulator.settings import Scenes, Simulation

SIMULATION = Simulation(
    axes=Axes.evenly(315.0, n_time=24, n_freq=32, dt_s=12.0), scenes=Scenes(n_freq=200), positives=0.3
)


def plan(overlap: str = "shared", n_train: int = 70, n_test: int = 31, seed: int = 5) -> Plan:
    scenes = dataclasses.replace(SIMULATION.scenes, overlap=overlap)
    return make_plan(dataclasses.replace(SIMULATION, scenes=scenes), n_train, n_test, seed)


@pytest.mark.parametrize("overlap", ["shared", "split"])
def test_both_parts_have_their_size_and_their_share_of_positives(overlap):
    made = plan(overlap)
    assert made.train.sum() == 70
    assert len(made.train) == 101
    assert made.target[made.train].sum() == round(0.3 * 70)
    assert made.target[~made.train].sum() == round(0.3 * 31)


def test_train_and_test_share_scenes_only_where_they_may():
    shared, apart = plan("shared"), plan("split")
    assert set(shared.scene[shared.train]) & set(shared.scene[~shared.train])
    assert not set(apart.scene[apart.train]) & set(apart.scene[~apart.train])
    for made in (shared, apart):
        assert (np.diff(made.scene) >= 0).all()
        assert np.bincount(made.scene).max() <= SIMULATION.windows_per_scene


def test_windows_lie_within_their_scene_anywhere():
    offset = plan(n_train=3000, n_test=0).offset
    assert offset.min() == 0
    assert offset.max() == 200 - 32


def test_the_same_arguments_give_the_same_plan_and_another_seed_another():
    one, same, other = plan(), plan(), plan(seed=6)
    assert one.ids == same.ids
    assert (one.offset == same.offset).all()
    assert not set(one.ids) & set(other.ids)
    assert (one.offset != other.offset).any()


def test_names_look_like_the_competitions_and_do_not_sort_by_target(tmp_path: Path):
    made = plan(n_train=2000, n_test=0)
    assert len(set(made.ids)) == 2000
    assert all(len(name) == 15 and int(name, 16) >= 0 for name in made.ids)
    order = np.argsort(made.ids)
    first = made.target[order][:1000].mean()
    assert first == pytest.approx(0.3, abs=0.06)
    assert made.path(tmp_path, 0) == tmp_path / "train" / made.ids[0][0] / f"{made.ids[0]}.npy"

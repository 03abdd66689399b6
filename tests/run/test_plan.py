"""The plan of a simulated set: what is cut from which scene."""

from dataclasses import replace

import pytest

from abacad.run.simulate import make_plan
from abacad.simulator.presets import PRESETS, Scenes


@pytest.mark.parametrize("n_train", [1, 23, 24, 25, 100])
def test_train_and_test_share_no_scene_where_they_are_split(n_train):
    split = replace(PRESETS["demo"], scenes=Scenes(overlap="split"))
    plan = make_plan(split, n_train, 50, seed=1)
    assert plan.train.sum() == n_train
    assert not set(plan.scene[plan.train]) & set(plan.scene[~plan.train])


def test_train_and_test_share_scenes_where_they_are_shared():
    shared = replace(PRESETS["demo"], scenes=Scenes(overlap="shared"))
    plan = make_plan(shared, 100, 50, seed=1)
    assert set(plan.scene[plan.train]) & set(plan.scene[~plan.train])

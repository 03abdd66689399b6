"""Trees as arrays: every row ends in a leaf, whose share is its own, and a file keeps them."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from abacad.ideal.forest import Forest, read_forest
from abacad.ideal.second_opinion import FOREST


def of_tree(fitted: DecisionTreeClassifier) -> Forest:
    """One tree that scikit-learn grew."""
    tree, itself = fitted.tree_, np.arange(fitted.tree_.node_count)
    leaf = tree.children_left < 0
    child = np.stack([np.where(leaf, itself, side) for side in (tree.children_left, tree.children_right)], -1)
    number = np.where(leaf, 0, tree.feature).astype(np.int16)
    return Forest(number[None], tree.threshold[None], child.astype(np.int16)[None], tree.value[None, :, 0, 1])


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    return numbers, (numbers[:, 0] * numbers[:, 1] + numbers[:, 2] > 0).astype(int)


@pytest.mark.parametrize("leaves", [2, 3, 40])
def test_a_tree_answers_as_the_one_that_it_was_made_from(drawn, leaves):
    fitted = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(*drawn)
    assert of_tree(fitted).shares(drawn[0]) == pytest.approx(fitted.predict_proba(drawn[0])[:, 1])


def test_a_forest_is_the_mean_of_its_trees_and_survives_its_file(drawn, tmp_path):
    one, two = (of_tree(DecisionTreeClassifier(max_leaf_nodes=n, random_state=0).fit(*drawn)) for n in (8, 9))
    one = Forest(*(np.pad(value, [(0, 0), (0, 2)] + [(0, 0)] * (value.ndim - 2)) for value in vars(one).values()))
    both = Forest(*(np.concatenate([vars(tree)[name] for tree in (one, two)]) for name in vars(one)))
    mean = (one.shares(drawn[0]) + two.shares(drawn[0])) / 2
    assert both.shares(drawn[0]) == pytest.approx(mean)
    both.write(tmp_path / "forest.safetensors")
    assert read_forest(tmp_path / "forest.safetensors").shares(drawn[0]) == pytest.approx(mean)


def test_in_the_package_every_path_ends_and_every_share_is_one():
    forest = read_forest(FOREST)
    child, place = forest.child.astype(int), np.arange(forest.child.shape[1])[:, None]
    itself = (child == place).all(-1)
    unused = forest.share == 0  # of a smaller tree, which no path leads to
    # a child comes after its parent, so that no path comes back
    assert ((child > place).all(-1) | itself | unused).all()
    assert (child < child.shape[1]).all()
    assert ((forest.share >= 0) & (forest.share <= 1)).all()

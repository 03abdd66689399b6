"""Labelled cadences: what one fold may know of pseudo labels, and which cadence a place is."""

from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import TensorDataset

from abacad.learn.labelled import Labelled
from abacad.signal.cadence import Axes

PLAIN = Labelled(
    TensorDataset(torch.zeros(4, 1)), np.array(["a", "b", "p", "q"]), np.array([1.0, 0.0, 0.4, 0.6]),
    np.array([0, 1, -1, -1]), (6, 28, 64),
)  # fmt: skip


def test_without_pseudo_labels_every_fold_knows_the_same():
    assert PLAIN.for_fold(1) is PLAIN


def test_a_fold_knows_the_pseudo_labels_of_its_own_number():
    by_fold = {0: np.array([0.1, 0.2]), 1: np.array([0.8, 0.9])}
    labelled = replace(PLAIN, pseudo=(2, by_fold))
    assert labelled.for_fold(0).targets.tolist() == [1.0, 0.0, 0.1, 0.2]
    assert labelled.for_fold(1).targets.tolist() == [1.0, 0.0, 0.8, 0.9]
    assert labelled.targets.tolist() == [1.0, 0.0, 0.4, 0.6]
    assert labelled.for_fold(1).source is labelled.source


def test_what_follows_pseudo_labels_keeps_its_target():
    """Cadences with a person's verdict come after them."""
    labelled = replace(PLAIN, pseudo=(1, {3: np.array([0.25, 0.75])}))
    assert labelled.for_fold(3).targets.tolist() == [1.0, 0.25, 0.75, 0.6]


def test_a_place_beyond_the_labelled_is_a_simulated_cadence():
    assert [PLAIN.name_of(place) for place in (0, 3, 4, 9)] == ["a", "q", "simulated cadence 0", "simulated cadence 5"]


def test_cadences_that_say_nothing_have_the_competitions_axes():
    assert PLAIN.axes == Axes()

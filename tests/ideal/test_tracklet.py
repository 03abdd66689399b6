"""Sums along short pieces, against sums along the path written out."""

import numpy as np
import pytest
import torch

from abacad.ideal.tracklet import ROWS, add_moved, tracklets


def test_tracklets_are_sums_along_straight_pieces():
    """Each value is its own (row, place), so that a sum tells which ones it is made of."""
    place = torch.arange(80.0).expand(1, 30, 80).clone()
    pieces = tracklets(place, 7)
    assert pieces.shape == (15, 1, 3, 80)
    for slope in (-7, -3, 0, 2, 7):
        mean = pieces[slope + 7, 0, 0, 40] / ROWS - 40
        assert mean == pytest.approx(slope / 2, abs=0.5)
    ones = tracklets(torch.ones(1, 30, 80), 7)
    assert ones[:, 0, :2, 20:60].unique().tolist() == [12.0]
    assert ones[:, 0, 2, 20:60].unique().tolist() == [6.0]  # filled up with rows that say nothing


def test_a_stair_step_of_its_own_slope_is_gathered_whole():
    """A path of 8 quarters of a channel in 12 rows, in both directions."""
    for slope in (8, -8):
        ratios = torch.zeros(1, ROWS, 80)
        for row in range(ROWS):
            ratios[0, row, 40 + round(slope * (row + 0.5) / ROWS)] = 1
        sums = tracklets(ratios, 10)[:, 0, 0]
        best = divmod(int(sums.argmax()), 80)
        assert best[0] - 10 == pytest.approx(slope, abs=1)
        assert best[1] == pytest.approx(40, abs=1)
        assert sums.max() >= 9
        assert sums[10, 38:43].max() <= 3  # a level piece meets a few rows only


@pytest.mark.parametrize(
    ("shift", "expected"), [(2, [2, 3, 0, 0]), (-1, [0, 0, 1, 2]), (4, [0, 0, 0, 0]), (6, [0, 0, 0, 0])]
)
def test_what_lies_beyond_the_window_adds_nothing(shift, expected):
    to = np.zeros(4, np.float32)
    add_moved(to, np.arange(4, dtype=np.float32), shift)
    assert to.tolist() == expected

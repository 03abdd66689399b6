"""Which paths are summed: trees of any number of rows, octaves that touch, and lines that stay on their line."""

from itertools import pairwise

import numpy as np
import pytest

from abacad.searcher.plan import Octave, lines, octaves, tree
from tests.searcher.made import written_out

START_S, N_TIME, DT_S = np.array([0.0, 212.0, 500.0]), np.array([16, 9, 13]), 10.0


@pytest.mark.parametrize("n_time", [2, 3, 7, 16, 33])
def test_a_tree_adds_each_row_once_in_as_many_stages_as_its_logarithm(n_time):
    table = tree(n_time)
    assert table.shape == (int(np.ceil(np.log2(n_time))), n_time, 3)
    assert (table[..., 2] >= 0).all()
    assert (table[..., :2] < n_time).all()
    assert (written_out(np.ones((n_time, 4 * n_time))) == n_time).all()


@pytest.mark.parametrize("octave", [Octave(1, 1, 0, 1), Octave(1, 2, 1, 1), Octave(4, 8, 1, 1)])
def test_lines_are_a_bin_apart_at_the_end_of_the_last_panel(octave):
    """500 s + 13 rows of 10 s are 63 rows: 64 lines from standing still to the unit drift, 63 in each octave above."""
    found = lines(octave, START_S, N_TIME, DT_S)
    assert len(found.drift_channels_s) == 63 + (octave.shear == 0)
    ends = found.drift_channels_s * 630.0 / octave.step
    np.testing.assert_allclose(np.diff(ends), 1.0)
    assert ends[0] == octave.shear * 63


@pytest.mark.parametrize("octave", octaves(8.0)[::2])
def test_both_ends_of_a_panel_are_within_half_a_bin_of_the_line(octave):
    found = lines(octave, START_S, N_TIME, DT_S)
    bins_a_row = found.drift_channels_s[:, None] * DT_S / octave.step
    begin = bins_a_row * START_S / DT_S
    end = bins_a_row * (START_S / DT_S + N_TIME - 1)
    assert np.abs(found.offset - begin).max() <= 0.5 + 1e-9
    assert np.abs(found.offset + found.climb + octave.shear * (N_TIME - 1) - end).max() <= 0.5 + 1e-9
    assert (found.climb >= 0).all()
    assert (found.climb < N_TIME).all()


def test_falling_lines_are_the_rising_ones_with_another_sign():
    rising, falling = (lines(Octave(2, 4, 1, sign), START_S, N_TIME, DT_S) for sign in (1, -1))
    np.testing.assert_array_equal(rising.offset, falling.offset)
    np.testing.assert_array_equal(rising.climb, falling.climb)
    np.testing.assert_array_equal(rising.drift_channels_s, -falling.drift_channels_s)


@pytest.mark.parametrize("fastest", [0.01, 1.0, 1.01, 5.0, 26.2])
def test_the_last_octave_is_needed_and_no_other_follows(fastest):
    found = octaves(fastest)
    last = found[-1]
    assert {octave.sign for octave in found} == {1, -1}
    assert (last.shear + 1) * last.step >= fastest
    assert last.shear * last.step < fastest
    assert all(octave.width == (2 * octave.step if octave.shear else 1) for octave in found)


@pytest.mark.parametrize("fastest", [0.0015, 0.3, 1.0, 1.7, 26.2])
def test_lines_end_with_the_first_that_is_as_fast_as_was_asked_for(fastest):
    """An octave of kilohertz channels reaches to 2,700 Hz/s; asked for were 4."""
    for octave in octaves(fastest):
        whole = lines(octave, START_S, N_TIME, DT_S)
        found = lines(octave, START_S, N_TIME, DT_S, fastest)
        slopes, count = np.abs(found.drift_channels_s) * DT_S, len(found.drift_channels_s)
        assert (slopes[:-1] < fastest).all()
        assert count == len(whole.drift_channels_s) or slopes[-1] >= fastest - 1e-9
        np.testing.assert_array_equal(found.offset, whole.offset[:count])
        np.testing.assert_array_equal(found.climb, whole.climb[:count])


@pytest.mark.parametrize("n_time", [1, 2, 3, 5, 8, 11, 16, 37])
def test_every_path_of_the_tree_has_one_channel_a_row_and_stays_near_its_line(n_time):
    """A ramp of powers would overflow; so each row is tried alone: it stands in one channel of each path."""
    n_freq = 2 * n_time + 4
    for row in range(n_time):
        alone = np.zeros((n_time, n_freq))
        alone[row, n_time + 1] = 1
        sums = written_out(alone)
        drift, start = np.nonzero(sums)
        assert sums[drift, start].tolist() == [1] * n_time
        assert sorted(drift) == list(range(n_time))
        climbed = n_time + 1 - start
        straight = drift * row / max(1, n_time - 1)
        assert np.abs(climbed - straight).max() <= max(1, np.log2(n_time) / 3)  # each join rounds
        if row in (0, n_time - 1):
            assert np.abs(climbed - straight).max() == 0


def test_octaves_reach_the_drift_asked_for_and_touch():
    found = octaves(26.2)
    rising = [octave for octave in found if octave.sign > 0]
    ends = [(o.shear * o.step, (o.shear + 1) * o.step) for o in rising]
    assert ends[0][0] == 0
    assert ends[-1][1] >= 26.2 > ends[-1][0]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert all(o.width >= ends[n][1] for n, o in enumerate(rising))


def test_faster_drifts_cost_no_more_than_one_octave_each():
    bins = [2 / octave.step for octave in octaves(400.0)[::2]]
    assert sum(bins) < 6

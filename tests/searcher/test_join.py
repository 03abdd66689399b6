"""The tree, the octaves and the lines through all panels, against sums written out."""

from itertools import pairwise

import numpy as np
import pytest

from abacad.searcher.join import Join
from abacad.searcher.plan import Octave, lines, octaves, tree


def written_out(rows):
    """Paths of the tree, found by summing rows that each hold a single one in another place."""
    table = tree(len(rows))
    for stage in table:
        rows = np.stack([rows[a] if b < 0 else rows[a] + np.roll(rows[b], -shift) for a, b, shift in stage])
    return rows


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


def brute(band, octave, paths, n_time):
    """The lines of an octave summed one by one, along the tree's own paths."""
    n_panels, _, n_bins = band.shape
    sums = np.zeros((len(paths.offset), n_bins))
    for panel in range(n_panels):
        rows = n_time[panel]
        path = [np.zeros((rows, 3 * rows)) for _ in range(rows)]
        climbs = np.zeros((rows, rows), int)
        for row in range(rows):
            alone = path[row]
            alone[row, rows] = 1
            drift, start = np.nonzero(written_out(alone))
            climbs[drift, row] = rows - start
        for line in range(len(sums)):
            for row in range(rows):
                moved = paths.offset[line, panel] + climbs[paths.climb[line, panel], row] + octave.shear * row
                places = np.arange(n_bins) + octave.sign * moved
                inside = (places >= 0) & (places < n_bins)
                sums[line, inside] += band[panel, row, places[inside]]
    return sums


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shear", [0, 1])
def test_joined_sums_equal_the_brute_force_sums_for_unequal_panels_and_gaps(sign, shear, monkeypatch):
    rng = np.random.default_rng(4)
    n_time = np.array([8, 5, 7])
    start_s = np.array([0.0, 21.3, 60.1])
    band = rng.normal(size=(3, 8, 333)).astype(np.float32)
    octave = Octave(1, 1 + shear, shear, sign)
    monkeypatch.setattr("abacad.searcher.join._STRETCH", 100)
    expected = brute(band, octave, lines(octave, start_s, n_time, 2.0), n_time)
    joined = Join(octave, start_s, n_time, 2.0)
    snr, line = joined.best(band)
    sigma = np.sqrt(n_time.sum() * octave.width)
    assert joined.samples(band, [0], 333) == pytest.approx(expected, abs=1e-4)
    assert snr == pytest.approx(expected.max(0) / sigma, abs=1e-5)
    assert np.take_along_axis(expected, line[None].astype(int), 0)[0] == pytest.approx(expected.max(0), abs=1e-4)


def test_octaves_reach_the_drift_asked_for_and_touch():
    found = octaves(26.2)
    rising = [octave for octave in found if octave.sign > 0]
    ends = [(o.shear * o.step, (o.shear + 1) * o.step) for o in rising]
    assert ends[0][0] == 0
    assert ends[-1][1] >= 26.2 > ends[-1][0]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert all(o.width >= ends[n][1] for n, o in enumerate(rising))

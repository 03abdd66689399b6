"""The joined sums of all panels along every line, against sums written out."""

import numpy as np
import pytest

from abacad.searcher.join import Join
from abacad.searcher.plan import Octave, lines
from tests.searcher.made import written_out


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

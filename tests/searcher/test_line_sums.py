"""The loops below `Join`: rows at the edge of the band, and which line is told where."""

import numpy as np
import pytest

from abacad.searcher.join import Join
from abacad.searcher.line_sums import _load
from abacad.searcher.plan import Octave


@pytest.mark.parametrize(("first", "move"), [(-3, 0), (2, 1), (6, 1), (1, -2), (-40, 0), (40, 0)])
def test_rows_are_moved_and_nothing_stands_beyond_the_band(first, move):
    band = np.arange(1, 25, dtype=np.float32).reshape(1, 3, 8)
    out = np.full((3, 9), np.nan, np.float32)
    _load(band, 0, 3, first, move, out, 8)
    padded = np.pad(band[0], ((0, 0), (100, 100)))
    for row in range(3):
        begin = 100 + first + move * row
        assert out[row, :8].tolist() == padded[row, begin : begin + 8].tolist()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("panels", [2, 3])
def test_a_line_is_told_at_the_best_of_every_few_bins_above_a_threshold_and_nowhere_else(sign, panels, monkeypatch):
    monkeypatch.setattr("abacad.searcher.join._STRETCH", 100)
    band = np.random.default_rng(5).normal(size=(panels, 6, 333)).astype(np.float32)
    join = Join(Octave(1, 1, 0, sign), np.array([0.0, 21.3, 60.1])[:panels], np.full(panels, 6), 2.0)
    snr, every_line = join.best(band)
    again, line = join.best(band, 2.5, 8)
    np.testing.assert_array_equal(again, snr)
    best = [low + int(snr[low : low + 8].argmax()) for low in range(0, 333, 8)]
    told = [place for place in best if snr[place] > 2.5]
    assert 5 < len(told) < len(best)
    assert np.flatnonzero(line >= 0).tolist() == told
    assert line[told].tolist() == every_line[told].tolist()

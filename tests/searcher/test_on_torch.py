"""The first look in torch, on the CPU: the same sums as the compiled loops."""

import numpy as np
import pytest

from abacad.searcher import first_look
from abacad.searcher.first_look import look
from abacad.searcher.join import Join
from abacad.searcher.on_torch import bands, best
from abacad.searcher.plan import octaves
from abacad.searcher.unit import read_unit
from tests.searcher.made import add_line, made

START_S, ROWS, DT_S = np.array([0.0, 172.0, 351.0]), np.array([5, 4, 6]), 10.0


@pytest.mark.parametrize("panels", [2, 3])
def test_every_octave_has_the_best_lines_of_the_compiled_loops(panels):
    rng = np.random.default_rng(0)
    power = rng.standard_normal((panels, 6, 700), dtype=np.float32)
    joins = [Join(octave, START_S[:panels], ROWS[:panels], DT_S) for octave in octaves(3.0)]
    for join, band in bands(power, joins, 2.5, "cpu"):
        assert band.shape[2] == 700 // join.octave.step
        join.calibrate(join.samples(band.numpy(), [100 // join.octave.step], 64))
        snr, line = join.best(np.ascontiguousarray(band.numpy()))
        top, which = best(join, band)
        np.testing.assert_allclose(top.numpy(), snr, atol=2e-5)
        assert (which.numpy() == line).mean() > 0.99  # two lines may tie to the last bit but one
    assert float(band.max()) <= 2.5 * join.octave.width


def test_the_same_places_are_looked_at_again(monkeypatch):
    unit, _ = read_unit(add_line(add_line(made(n_freq=4096), 1500, 0.13, 25), 2600, -0.7, 40), 0, 4096, 1.0)
    there = look(unit, 1.0, 5.0)
    monkeypatch.setattr(first_look, "_TORCH_PART", first_look._PART)
    places = look(unit, 1.0, 5.0, device="cpu:0")
    assert [(place.bin, place.octave) for place in places] == [(place.bin, place.octave) for place in there]
    np.testing.assert_allclose([place.snr for place in places], [place.snr for place in there], atol=2e-5)
    np.testing.assert_allclose([place.line.slope for place in places], [place.line.slope for place in there])
    assert len(places) > 10

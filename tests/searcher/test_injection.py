"""Injected needles have the SNR that they say, and are found where they are put."""

import numpy as np
import pytest

from abacad.searcher.engine import search_unit
from abacad.searcher.injection import add_needle, added, draw_needles
from abacad.searcher.path import Line, Paths
from abacad.searcher.settings import Settings
from abacad.searcher.unit import read_unit
from tests.searcher.made import made


@pytest.mark.parametrize("slope", [0.0, 0.31, -0.9, 3.3, -12.0])
def test_a_needle_adds_its_snr_to_the_line(slope):
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    paths, line = Paths(unit), Line(4000.3, slope)
    before = paths.snr(line, paths.on)
    add_needle(paths, line, 25.0)
    assert paths.snr(line, paths.on) - before == pytest.approx(25.0, abs=1e-4)


def test_needles_are_drawn_apart_within_the_asked_drifts_and_the_same_for_a_seed():
    unit, _ = read_unit(made(seed=2, n_freq=65536), 0, 65536, 4.0)
    settings = Settings(max_drift_hz_s=2.0)
    drawn = draw_needles(unit, settings, np.random.default_rng(1), 12)
    assert drawn == draw_needles(unit, settings, np.random.default_rng(1), 12)
    assert len(drawn) == 12
    assert all(unit.begin <= line.x < unit.end for line, _ in drawn)
    assert max(abs(line.slope) for line, _ in drawn) <= 2.0 / unit.unit_drift_hz_s
    assert {np.sign(line.slope) for line, _ in drawn} == {-1, 1}


def test_bright_needles_are_found_and_the_events_are_those_of_the_data_alone():
    observation = made(seed=2, n_freq=65536)
    result = search_unit(observation, 0, Settings(inject=20, judged=0, max_drift_hz_s=2.0))
    assert len(result.events) == 0
    table = result.injections
    assert len(table) == 20
    assert table.loc[table["snr"] >= 9, "found"].all()
    assert not table["dense"].any()
    error = (table["found_snr"] - table["snr"])[table["found"]]
    assert error.abs().max() < 5


def test_as_many_needles_are_injected_as_are_asked_for_though_few_fit_at_a_time():
    observation = made(seed=2, n_freq=8192)
    unit, _ = read_unit(observation, 0, 8192, 4.0)
    settings = Settings(inject=30, judged=0, max_drift_hz_s=4.0)
    assert len(draw_needles(unit, settings, np.random.default_rng(0), 30)) < 15
    table = search_unit(observation, 0, settings).injections
    assert len(table) == 30
    assert table["channel"].nunique() == 30
    assert table.loc[table["snr"] >= 10, "found"].mean() > 0.9


def test_powers_are_as_before_when_needles_are_taken_out_again():
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    unit.power[2, 3, 3900:4200] = 0
    before = unit.power.copy()
    with added(Paths(unit), [(Line(4000.0, 0.3), 20.0), (Line(4010.0, -3.0), 12.0)]):
        assert np.abs(unit.power - before).max() > 1
    np.testing.assert_allclose(unit.power, before, atol=1e-5)
    assert (unit.power[2, 3, 3900:4200] == 0).all()

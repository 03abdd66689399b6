"""The first look: standing carriers told from lines that drift, and a place for every bright path, part by part."""

import numpy as np
import pytest

from abacad.searcher import first_look
from abacad.searcher.first_look import CLIP, channel_snr, look, standing
from abacad.searcher.injection import add_needle
from abacad.searcher.path import Line, Paths
from tests.searcher.made import white


def unit_with(*needles: tuple[Line, float], **more):
    unit = white(**({"n_freq": 4096} | more))
    for line, snr in needles:
        add_needle(Paths(unit), line, snr)
    return unit


def test_a_channel_at_rest_adds_its_rows_up_over_their_root():
    unit = white(n_freq=64)
    unit.power[:] = 0.5
    assert channel_snr(unit) == pytest.approx(np.full((6, 64), 0.5 * np.sqrt(16)))


def test_rows_that_a_panel_has_not_count_neither_way():
    unit = white(n_freq=64)
    unit.n_time = (16, 16, 4, 16, 16, 16)
    unit.power[:] = 0.5
    assert channel_snr(unit)[:, 0] == pytest.approx([2, 2, 1, 2, 2, 2])


@pytest.mark.parametrize(
    ("panels", "stands"),
    [
        ((0, 1, 2, 3, 4, 5), True), ((0, 1, 2), True), ((1, 3, 5), True), ((0, 2, 4), False), ((0, 1), False),
        ((5,), False), ((), False),
    ],
)  # fmt: skip
def test_a_carrier_stands_in_half_of_the_panels_an_off_panel_among_them(panels, stands):
    at_rest = np.zeros((6, 3))
    at_rest[list(panels), 1] = 10
    assert standing(at_rest, (1, 3, 5)).tolist() == [False, stands, False]


def test_without_off_panels_nothing_is_known_to_be_of_the_ground():
    assert not standing(np.full((2, 4), 100.0), ()).any()


def test_what_is_as_bright_as_chance_may_be_stands_nowhere():
    assert not standing(np.full((6, 4), 6.0), (1, 3, 5)).any()


@pytest.mark.parametrize("slope", [0.0, 0.02, -0.4, 0.97, -2.3, 6.1])
def test_a_line_of_any_drift_has_a_place_on_it(slope):
    line = Line(2000.0, slope)
    unit = unit_with((line, 25.0 * max(1.0, abs(slope)) ** 0.25))
    places = look(unit, 8.0 * unit.unit_drift_hz_s, 9.0)
    assert places
    best = places[0].line
    rows = unit.span_s / unit.dt_s
    smear = max(2.0, 2 * abs(slope))
    assert best.x == pytest.approx(line.x, abs=2 * smear)
    assert best.at(rows) == pytest.approx(line.at(rows), abs=2 * smear)
    assert np.sign(places[0].octave.sign) == (np.sign(slope) or places[0].octave.sign)


def test_places_come_brightest_first_and_above_the_threshold():
    unit = unit_with((Line(1000.0, 0.3), 20.0), (Line(3000.0, -0.3), 40.0))
    places = look(unit, 0.2, 8.0)
    snrs = [place.snr for place in places]
    assert snrs == sorted(snrs, reverse=True)
    assert min(snrs) > 8.0
    assert places[0].line.x == pytest.approx(3000, abs=3)
    assert any(abs(place.line.x - 1000) < 3 for place in places)


def test_noise_alone_has_no_place():
    assert look(unit_with(), 0.4, 8.0) == []


def test_a_single_bright_pixel_lifts_no_path():
    unit = unit_with()
    unit.power[2, 7, 1234] = 10_000.0
    assert look(unit, 0.2, 8.0) == []
    assert CLIP / np.sqrt(48) < 1


def test_the_band_in_parts_has_the_places_of_the_whole(monkeypatch):
    """Also of lines that cross from one part into the next."""
    lines = [
        (Line(float(x), slope), 30.0) for x, slope in ((500, 0.2), (1020, 0.9), (1030, -0.9), (2047, 0.0), (3000, -0.5))
    ]
    unit = unit_with(*lines)
    whole = look(unit, 0.2, 12.0)
    monkeypatch.setattr(first_look, "_PART", 1)
    parts = look(unit, 0.2, 12.0)
    assert {(place.bin, place.octave) for place in parts} >= {
        (place.bin, place.octave) for place in whole if place.snr > 20
    }
    for line, _ in lines:
        assert any(abs(place.line.x - line.x) < 4 for place in parts)


def test_only_lines_that_start_in_the_coarse_channel_have_a_place_here():
    unit = unit_with((Line(500.0, 0.2), 30.0), (Line(2000.0, 0.2), 30.0))
    unit.begin, unit.end = 1000, 3000
    places = look(unit, 0.2, 12.0)
    assert places
    assert all(990 < place.line.x < 3010 for place in places)


def test_the_powers_stay_as_they_are():
    unit = unit_with((Line(2000.0, 0.2), 50.0))
    before = unit.power.copy()
    look(unit, 0.6, 8.0)
    np.testing.assert_array_equal(unit.power, before)

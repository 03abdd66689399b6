"""A unit: one coarse channel of all panels with what its lines cross beside it, and its times from the first ON."""

import numpy as np
import pytest

from abacad.searcher.flatten import BLOCK
from abacad.searcher.unit import Observation, halo, read_unit
from tests.searcher.made import made, white


def test_the_observation_of_the_tests_is_what_a_search_takes():
    assert isinstance(made(n_freq=64), Observation)


def test_unit_drift_is_a_channel_a_row_and_the_step_a_channel_over_all_on_panels():
    """2 Hz / 10 s, and 2 Hz over four periods of 20 rows and one panel of 16."""
    unit = white()
    assert unit.unit_drift_hz_s == pytest.approx(0.2)
    assert unit.span_s == pytest.approx((4 * 20 + 16) * 10)
    assert unit.drift_step_hz_s == pytest.approx(2.0 / 960)


@pytest.mark.parametrize(("pattern", "span_rows"), [("ABACAD", 96), ("BABABA", 96), ("BBABBB", 16), ("AAABBB", 56)])
def test_the_span_is_that_of_the_on_panels_alone(pattern, span_rows):
    assert white(pattern=pattern).span_s == pytest.approx(10 * span_rows)


@pytest.mark.parametrize("drift", [0.01, 1.0, 4.0, 40.0])
def test_a_halo_is_what_the_fastest_line_crosses_in_whole_blocks(drift):
    observation = made(n_freq=64)
    channels = halo(observation, drift)
    end_s = observation.start_s[-1] + 160.0
    assert channels % BLOCK == 0
    assert channels >= drift * end_s / 2.0
    assert channels < drift * end_s / 2.0 + 64 + BLOCK


@pytest.mark.parametrize("first", [0, 2048, 6144])
def test_a_unit_holds_its_own_columns_and_its_neighbours_as_far_as_there_are_any(first):
    observation, asked = made(n_freq=8192), set()
    read = observation.panel
    observation.panel = lambda panel, begin, n, out=None: asked.add((begin, n)) or read(panel, begin, n, out)
    unit, noise = read_unit(observation, first, 2048, 0.5)
    beside = halo(observation, 0.5)
    low, high = max(0, first - beside), min(8192, first + 2048 + beside)
    assert asked == {(low, high - low)}
    assert (unit.first, unit.begin, unit.end) == (low, first - low, first - low + 2048)
    assert unit.power.shape == (6, 16, high - low)
    assert unit.power.dtype == np.float32
    assert len(noise) == 6


@pytest.mark.parametrize("pattern", ["ABACAD", "BABACA"])
def test_times_count_from_the_first_on_panel(pattern):
    observation = made(n_freq=1024, pattern=pattern, start_s=(0, 200, 333, 560, 1213, 1400))
    unit, _ = read_unit(observation, 0, 1024, 0.1)
    first = observation.start_s[observation.on[0]]
    assert unit.start_s == tuple(start - first for start in observation.start_s)
    assert unit.start_s[unit.on[0]] == 0
    assert unit.on == observation.on
    assert unit.off == observation.off


def test_rows_that_a_short_panel_has_not_are_masked():
    unit, _ = read_unit(made(n_freq=1024, rows=(16, 16, 9, 16, 1, 16)), 0, 1024, 0.1)
    assert unit.n_time == (16, 16, 9, 16, 1, 16)
    assert (unit.power[2, 9:] == 0).all()
    assert (unit.power[4, 1:] == 0).all()
    assert (unit.power[2, :9] != 0).mean() > 0.99


def test_what_was_masked_and_how_noisy_it_is_is_told_by_panel():
    """χ² noise of 200 degrees of freedom has σ = √(2 / 200) of its level."""
    observation = made(n_freq=4096)
    observation.panels[3][2:4] = np.nan
    observation.panels[1][:, 1024:2048] = 0
    _, noise = read_unit(observation, 0, 4096, 0.1)
    assert [panel.masked for panel in noise] == [0, 0, 0, 2 * 4096, 0, 0]
    assert [panel.dead for panel in noise] == [0, 1024, 0, 0, 0, 0]
    assert [panel.relative_sigma for panel in noise] == pytest.approx([0.1] * 6, rel=0.1)


def test_the_files_own_values_stay_as_they_are():
    observation = made(n_freq=1024)
    observation.panels[0][3] = np.nan
    before = observation.panels[0].copy()
    read_unit(observation, 0, 1024, 0.1)
    np.testing.assert_array_equal(observation.panels[0], before)


def test_damage_between_two_coarse_channels_is_counted_once():
    observation = made(seed=8, n_freq=16384, piece=8192)
    observation.panels[2][3, 8100:8300] = np.nan
    masked = [read_unit(observation, low, 8192, 1.0)[1][2].masked for low in (0, 8192)]
    assert masked == [92, 108]

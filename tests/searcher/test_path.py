"""Sums along a line: the matched filter's SNR by its formula, the climb to the best line, and masks that come off."""

from dataclasses import replace

import numpy as np
import pytest

from abacad.searcher.injection import add_needle
from abacad.searcher.path import Line, Paths
from abacad.searcher.unit import read_unit
from tests.searcher.made import made, white

LINE = Line(900.3, 0.7)


def paths_of(line: Line | None = None, snr: float = 30.0, quiet: bool = False, **more) -> Paths:
    """Paths of white noise, or of next to none, with a needle."""
    unit = white(**more)
    if quiet:
        unit.power[:] = 1e-6
    paths = Paths(unit)
    if line is not None:
        add_needle(paths, line, snr)
    return paths


def test_a_line_is_where_its_slope_has_brought_it():
    assert Line(10.0, -0.5).at(0) == 10.0
    assert Line(10.0, -0.5, 3.0).at(8) == 6.0


@pytest.mark.parametrize("slope", [0.0, 0.31, -1.0, 3.3, -12.0])
def test_noise_along_any_line_has_sigma_1(slope):
    paths = paths_of()
    found = [paths.snr(Line(x, slope), paths.all) for x in np.linspace(200, 1800, 300)]
    inside = [snr for snr in found if snr != 0]
    assert np.std(inside) == pytest.approx(1, abs=0.15)
    assert abs(np.mean(inside)) < 0.25


@pytest.mark.parametrize("n_time", [4, 16, 64])
def test_the_snr_of_a_steady_line_rises_as_the_root_of_its_rows(n_time):
    unit = white(n_time=n_time, period_rows=80.0)
    unit.power[:] = 1e-6
    unit.power[list(unit.on), :, 500] = 2.0
    paths = Paths(unit)
    assert paths.snr(Line(500.0, 0.0), paths.on) == pytest.approx(2 * np.sqrt(3 * n_time), rel=1e-3)
    assert paths.each(Line(500.0, 0.0))[list(unit.on)] == pytest.approx(2 * np.sqrt(n_time), rel=1e-3)
    assert paths.each(Line(500.0, 0.0))[list(unit.off)] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("slope", [2.0, 4.0, 8.0])
def test_smear_costs_the_root_of_the_channels_and_no_more(slope):
    """A line of one power in all spreads over N channels a row: its SNR is a·√(rows / N)."""
    unit = white(n_panels=1, pattern="A", n_freq=4096)
    unit.power[:] = 1e-6
    for row in range(16):
        begin = 500 + slope * row
        unit.power[0, row, int(begin) : int(begin + slope)] = 8.0 / slope
    found = Paths(unit).snr(Line(499.5, slope), np.array([0]))
    assert found == pytest.approx(8 * np.sqrt(16 / slope), rel=0.01)


def test_the_joint_snr_is_made_of_the_panels():
    paths = paths_of(LINE)
    each = paths.each(LINE)
    assert paths.snr(LINE, paths.on) == pytest.approx(each[paths.on].sum() / np.sqrt(3), rel=0.02)
    assert np.abs(each[paths.off]).max() < 4


def test_a_masked_row_is_neither_signal_nor_noise():
    """As long as half of the rows are left, the SNR of a steady line falls by √½."""
    paths = paths_of(quiet=True)
    paths.unit.power[:, :, 700] = 3.0
    whole = paths.snr(Line(700.0, 0.0), paths.on)
    paths.unit.power[:, ::2] = 0
    assert paths.snr(Line(700.0, 0.0), paths.on) == pytest.approx(whole / np.sqrt(2), rel=1e-3)
    paths.unit.power[:] = 0
    assert paths.snr(Line(700.0, 0.0), paths.on) == 0.0


def test_beyond_the_band_there_is_nothing():
    paths = paths_of(n_freq=512)
    assert paths.snr(Line(-50.0, 0.0), paths.on) == 0
    assert paths.snr(Line(512.5, 0.0), paths.on) == 0
    partly = Line(500.0, 1.0)
    assert paths.snr(partly, paths.on) == paths.snr(partly, np.array([0]))  # it leaves the band in its first panel


def test_no_bright_pixel_counts_more_than_the_cut():
    paths = paths_of(quiet=True)
    paths.unit.power[0, 3, 700] = 1000.0
    line = Line(700.0, 0.0)
    assert paths.snr(line, paths.on) == pytest.approx(1000 / np.sqrt(48), rel=1e-3)
    assert paths.snr(line, paths.on, clip=6.0) == pytest.approx(6 / np.sqrt(48), rel=1e-3)


@pytest.mark.parametrize("line", [LINE, Line(1200.0, -0.2), Line(700.6, 6.4), Line(1000.0, 0.0)])
def test_a_climb_ends_on_the_line(line):
    paths = paths_of(line, 40.0)
    begin = Line(line.x + 1.2, line.slope + 0.6 / paths.span_rows)
    snr, found = paths.climb(begin, 0.5, 0.75 / paths.span_rows, np.inf)
    assert snr > 38
    assert snr >= paths.snr(line, paths.on) - 1.0
    smear = max(1.0, abs(line.slope))
    assert found.x == pytest.approx(line.x, abs=0.5 * smear)
    assert found.at(paths.span_rows) == pytest.approx(line.at(paths.span_rows), abs=0.5 * smear)


def test_a_climb_never_ends_below_where_it_began():
    paths = paths_of()
    for x in (300.0, 811.4, 1500.0):
        begin = Line(x, 0.3)
        assert paths.climb(begin, 0.5, 0.01, np.inf)[0] >= paths.snr(begin, paths.on)


def test_a_line_that_bends_is_found_in_its_panel():
    """Four channels off the straight line in the last ON panel."""
    paths = paths_of(LINE, 40.0)
    panel = int(paths.on[-1])
    paths.unit.power[panel] = np.roll(paths.unit.power[panel], 4, axis=1)
    assert paths.each(LINE)[panel] < 5
    snr, bent = paths.bend(LINE, panel, np.inf)
    assert snr > 15
    middle = paths.start_rows[panel] + 8
    assert bent.at(middle) - LINE.at(middle) == pytest.approx(4, abs=0.5)


def test_the_profile_has_the_line_in_its_middle():
    paths = paths_of(Line(900.0, 0.4), 40.0)
    profile = paths.profile(Line(900.0, 0.4), 20)
    assert len(profile) == 41
    assert profile.argmax() == 20
    assert np.abs(np.delete(profile, slice(17, 24))).max() < 5
    assert paths.profile(Line(896.0, 0.4), 5, step=4).argmax() == 6


def test_pixels_are_the_rows_of_the_on_panels():
    paths = paths_of(Line(900.0, 0.0), 48.0)
    pixels = paths.pixels(Line(900.0, 0.0))
    assert len(pixels) == 48
    assert pixels.mean() == pytest.approx(48 / np.sqrt(48), abs=0.6)
    paths.unit.power[0, 5] = 0
    assert len(paths.pixels(Line(900.0, 0.0))) == 47


def test_a_mask_covers_the_line_in_its_panels_and_comes_off_again():
    paths = paths_of(LINE, 40.0)
    before = paths.unit.power.copy()
    paths.blank(LINE, paths.on, 2.0)
    gone = (paths.unit.power == 0).sum((1, 2))
    assert (gone[paths.off] == 0).all()
    # 0.7 channels of drift and two on either side: five or six channels of each row
    assert ((gone[paths.on] >= 16 * 5) & (gone[paths.on] <= 16 * 6)).all()
    assert paths.snr(LINE, paths.on) == 0
    paths.blank(Line(LINE.x + 1, LINE.slope), paths.all, 3.0)
    paths.blank_channels(np.arange(2048) % 100 == 0)
    assert (paths.unit.power[:, :, ::100] == 0).all()
    paths.restore()
    np.testing.assert_array_equal(paths.unit.power, before)


def test_unequal_panels_and_gaps_are_followed_at_their_times():
    unit, _ = read_unit(
        made(seed=2, n_freq=4096, rows=(16, 16, 9, 16, 13, 16), start_s=(0, 200, 333, 560, 1213, 1400)), 0, 4096, 0.5
    )
    unit.power[unit.power != 0] = 1e-6
    line = Line(1500.0, 1.0)
    for panel in unit.on:
        for row in range(unit.n_time[panel]):
            begin = line.at(unit.start_s[panel] / unit.dt_s + row)
            low = int(np.floor(begin + 0.5))
            share = low + 0.5 - begin
            unit.power[panel, row, low : low + 2] = 5 * share, 5 * (1 - share)
    paths = Paths(unit)
    assert (paths.each(line)[paths.on] > 3.5 * np.sqrt(np.array(unit.n_time)[paths.on])).all()
    wrong = replace(unit, start_s=tuple(240.0 * panel for panel in range(6)))
    assert Paths(wrong).snr(line, paths.on) < 0.6 * paths.snr(line, paths.on)


def test_the_filter_on_a_line_has_snr_by_its_formula():
    """A line of amplitude a in σ that crosses N channels a row has SNR a·√(rows / N)."""
    unit, _ = read_unit(made(seed=8, dof=10**6), 0, 8192, 1.0)
    unit.power[:] = 1e-6
    paths, line = Paths(unit), Line(4000.2, 4.0)
    for panel in unit.on:
        for row in range(16):
            begin = line.at(unit.start_s[panel] / unit.dt_s + row)
            edges = np.arange(round(begin) - 1, round(begin) + 6) + 0.5
            share = np.clip(np.minimum(edges, begin + 4) - np.maximum(edges - 1, begin), 0, None) / 4
            unit.power[panel, row, (edges - 0.5).astype(int)] += 8.0 * share
    weight = sum(4 * (0.25) ** 2 for _ in range(48))
    assert paths.snr(line, paths.on) == pytest.approx(8 * np.sqrt(weight), rel=0.05)

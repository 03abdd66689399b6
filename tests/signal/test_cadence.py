"""The axes of a cadence: worked numbers of the competition, and unequal gaps."""

import pytest

from abacad.signal.cadence import OFF, ON, Axes

UNEQUAL = Axes(panel_start_s=(0.0, 313.0, 651.0, 944.0, 1537.0, 1851.0))


def test_on_and_off_panels_alternate_from_on():
    assert sorted(ON + OFF) == list(range(6))
    assert all(off == on + 1 for on, off in zip(ON, OFF, strict=True))


def test_worked_numbers_of_the_competition():
    axes = Axes()
    assert axes.panel_s == pytest.approx(293.1, abs=0.1)
    assert axes.panel_period_s == pytest.approx(315)
    assert axes.unit_drift_hz_s == pytest.approx(2.60, abs=0.01)
    assert axes.panel_start[:3] == pytest.approx((0, 1.0746, 2.1492), abs=1e-4)
    assert axes.evenly_spaced


def test_binned_rows_keep_the_timetable():
    """39 rows of 7.5 s last as long as 273 of 1.07 s, so that a line crosses as many channels."""
    binned = Axes.usual(39, 256)
    assert binned.panel_s == pytest.approx(Axes().panel_s)
    assert binned.panel_start == pytest.approx(Axes().panel_start, abs=1e-4)


def test_a_timetable_stays_where_rows_and_channels_are_others():
    other = UNEQUAL.of_shape(91, 64)
    assert (other.n_time, other.n_freq, other.dt_s) == (91, 64, pytest.approx(3 * UNEQUAL.dt_s))
    assert other.panel_start_s == UNEQUAL.panel_start_s
    assert other.panel_start == UNEQUAL.panel_start
    assert other.df_hz == UNEQUAL.df_hz


def test_unequal_gaps_are_seen_and_their_mean_is_the_period():
    assert not UNEQUAL.evenly_spaced
    assert UNEQUAL.panel_period_s == pytest.approx(1851 / 5)
    late = Axes(panel_start_s=tuple(start + 1e4 for start in UNEQUAL.panel_start_s))
    assert late.panel_start == UNEQUAL.panel_start  # the day does not matter, the gaps do

"""The shapes of needles: each keeps to the ranges that carry its name, whatever the rows of a product last."""

import numpy as np
import pytest

from abacad.signal.cadence import Axes
from abacad.signal.chance import Chance
from abacad.simulator.shape import (
    DASH_LENGTH,
    DASH_REACH,
    SCINTILLATION_SCALE,
    SHAPES,
    SQUIGGLE_DUTY,
    SQUIGGLE_LENGTH,
    _walk,
    dash,
    line,
    panel_time,
    pulsed,
    s_curve,
    scintillating,
    sine,
    squiggle,
    time_within,
)

AXES = Axes()
FEW_ROWS = Axes.evenly(107.4, n_time=16, dt_s=5.5)
N = 200


def chance(n: int = N) -> Chance:
    return Chance(3, np.arange(n))


def lit_span(envelope: np.ndarray) -> np.ndarray:
    """Share of a panel from the first lit row to the last."""
    lit = envelope > 0
    last = lit.shape[2] - np.argmax(lit[:, :, ::-1], axis=2)
    return (last - np.argmax(lit, axis=2)) / lit.shape[2]


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize("axes", [AXES, FEW_ROWS], ids=["273 rows", "16 rows"])
def test_each_shape_is_lit_somewhere_in_every_panel_and_finite(family, axes):
    course = SHAPES[family](np.linspace(-9, 9, N), axes, 256, chance())
    assert course.channel.shape == course.envelope.shape == (N, 6, axes.n_time)
    assert np.isfinite(course.channel).all()
    assert (course.envelope >= 0).all()
    assert (course.envelope > 0).any(axis=2).all() or family == "pulsed"  # a slow pulse may skip a panel, no cadence
    assert (course.envelope > 0).any(axis=(1, 2)).all()


def test_times_are_in_panel_periods_and_follow_the_real_starts():
    """The middle of the first row, and the same row a panel later."""
    assert panel_time(AXES)[0, 0] == pytest.approx(0.5 * 1.0737 / 315, rel=1e-3)
    assert np.diff(panel_time(AXES), axis=0) == pytest.approx(1)
    starts = (0.0, 313.0, 651.0, 944.0, 1537.0, 1851.0)
    unequal = Axes(panel_start_s=starts)
    assert panel_time(unequal)[:, 0] - time_within(unequal)[:, 0] == pytest.approx(np.array(starts) / (1851 / 5))


def test_a_line_drifts_its_channels_in_a_panel_period():
    course = line(np.array([7.0, -2.5]), AXES, 256, chance(2))
    assert np.diff(course.channel, axis=1)[0] == pytest.approx(7.0)
    assert np.diff(course.channel, axis=1)[1] == pytest.approx(-2.5)
    assert (course.envelope == 1).all()


def test_a_sine_swings_about_its_line_by_2_to_15_channels():
    drift = np.full(N, 3.0)
    swing = sine(drift, AXES, 256, chance()).channel - line(drift, AXES, 256, chance()).channel
    assert np.abs(swing).max() <= 15
    assert (np.abs(swing).max(axis=(1, 2)) > 1.5).all()
    narrow = sine(drift, AXES, 16, chance()).channel - line(drift, AXES, 16, chance()).channel
    assert np.abs(narrow).max() <= 2  # an eighth of a window of 16 channels


def test_an_s_curve_turns_in_the_direction_of_its_drift():
    for sign in (1.0, -1.0):
        channel = s_curve(np.full(N, sign * 1e-6), AXES, 4096, chance()).channel
        moved = sign * (channel[:, 5, -1] - channel[:, 0, 0])
        assert (moved > 5).all()  # from one side to the other, less what a turn at the very start or end hides
        assert (moved <= 80.001).all()


def test_a_pulse_is_lit_for_30_to_70_percent_of_its_period():
    envelope = pulsed(np.zeros(N), AXES, 256, chance()).envelope
    assert set(np.unique(envelope)) == {0.0, 1.0}
    share = envelope.mean(axis=(1, 2))
    assert share.min() > 0.2
    assert share.max() < 0.8
    assert share.mean() == pytest.approx(0.5, abs=0.05)


def test_scintillation_keeps_its_intensity_for_its_time_scale():
    """Neighbouring rows, 0.0034 panel periods apart, are alike at any scale; panels are not at most scales."""
    intensity = scintillating(np.zeros(2000), AXES, 256, chance(2000)).envelope
    assert intensity.mean() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(intensity[:, 0, 0], intensity[:, 0, 1])[0, 1] > 0.97
    far = np.corrcoef(intensity[:, 0, 0], intensity[:, 5, 0])[0, 1]
    assert abs(far) < 0.1
    assert SCINTILLATION_SCALE[0] > 5 * (time_within(AXES)[0, 1] - time_within(AXES)[0, 0])


def test_squiggles_and_dashes_last_as_long_as_their_names_say():
    for shape, (low, high) in ((squiggle, SQUIGGLE_LENGTH), (dash, DASH_LENGTH)):
        span = lit_span(shape(np.zeros(N), AXES, 256, chance()).envelope)
        assert span.max() <= high + 2 / 273
        assert span.min() >= low * 0.85  # a squiggle may begin and end in the gap between two dashes
        assert span.mean() == pytest.approx((low + high) / 2, abs=0.05)


def test_a_squiggle_is_dashed_and_a_dash_is_not():
    dashed, whole = (shape(np.zeros(N), AXES, 256, chance()).envelope for shape in (squiggle, dash))
    assert dashed.mean() / lit_span(dashed).mean() == pytest.approx(SQUIGGLE_DUTY, abs=0.03)
    assert whole.mean() / lit_span(whole).mean() == pytest.approx(1)


def test_a_walk_is_its_reach_away_at_the_end_of_a_panel():
    """And half as far, by √(1/4), after a quarter of it; the jitter is 0.29 channels."""
    walk = _walk(chance(2000), AXES, np.full((2000, 1), DASH_REACH))
    assert walk[:, :, -1].std() == pytest.approx(np.hypot(DASH_REACH, 12**-0.5), rel=0.03)
    assert walk[:, :, 68].std() == pytest.approx(DASH_REACH / 2, rel=0.04)
    assert abs(np.corrcoef(walk[:, 0, -1], walk[:, 1, -1])[0, 1]) < 0.1  # another walk in each panel


def test_half_of_the_dashes_are_level_and_each_panel_has_its_own():
    course = dash(np.zeros(N), AXES, 256, chance())
    level = np.ptp(course.channel, axis=2) == 0
    assert level.mean() == pytest.approx(0.5, abs=0.06)
    assert course.alone.all()

"""Which bright paths of ON panels go on in OFF panels."""

import numpy as np
import pytest
import torch

from abacad.ideal.blind import estimated
from abacad.ideal.tracks import brightest, follow, going_on, halves
from abacad.signal.cadence import ON, Axes

SIGMA = 0.45
AXES = Axes.usual(273, 256)
SHAPE = (6, AXES.n_time, AXES.n_freq)


def noise(seed: int = 0) -> np.ndarray:
    """Power less its mean, χ² with 10 degrees of freedom."""
    return (np.random.default_rng(seed).chisquare(10, SHAPE) / 10 - 1).astype(np.float32)


def bending(width: float = 60.0) -> np.ndarray:
    """Channel of an S-curve in each row of each panel: it turns in the middle of the second ON panel."""
    rows = np.arange(AXES.n_time) * AXES.dt_s + np.asarray(AXES.panel_start_s)[:, None]
    turn = AXES.panel_start_s[2] + AXES.panel_s / 2
    return 120 + 12 * np.tanh((rows - turn) / width)


def with_path(excess: np.ndarray, channels: np.ndarray, panels: tuple[int, ...], power: float = 2.0) -> np.ndarray:
    for panel in panels:
        excess[panel, np.arange(AXES.n_time), np.rint(channels[panel]).astype(int)] += power
    return excess


def share_left_out(seen: np.ndarray, channels: np.ndarray, panel: int) -> float:
    return float(seen[panel, np.arange(AXES.n_time), np.rint(channels[panel]).astype(int)].mean())


@pytest.mark.parametrize("off", [1, 3])  # before, and after
def test_what_bends_in_an_on_panel_and_goes_on_in_an_off_panel_is_left_out(off):
    channels = bending()
    seen = going_on(with_path(noise(), channels, (2, off)), SIGMA, AXES)
    assert share_left_out(seen, channels, 2) > 0.95
    assert share_left_out(seen, channels, off) > 0.95
    assert seen.mean() < 0.015


def test_a_needle_that_bends_is_left_and_so_is_noise():
    assert not going_on(noise(1), SIGMA, AXES).any()
    assert not going_on(with_path(noise(2), bending(), ON), SIGMA, AXES).any()


def test_a_needle_that_ends_where_a_carrier_stands_is_left():
    channels = bending(2000.0)  # a straight line in all but name
    excess = with_path(noise(3), channels, ON)
    excess[..., round(float(channels[0, -1])) + 2] += 1.5
    assert share_left_out(going_on(excess, SIGMA, AXES), channels, 2) == 0


def test_a_path_that_goes_on_does_not_hide_a_fainter_one_that_does_too():
    bright, faint = bending(), bending() + 60
    excess = with_path(with_path(noise(4), bright, (2, 3), 4.0), faint, (2, 3), 1.5)
    seen = going_on(excess, SIGMA, AXES)
    for channels in (bright, faint):
        assert share_left_out(seen, channels, 2) > 0.9


@pytest.mark.parametrize("away", [0, 11])  # where the path of the panel between leads, and as far as it may stray
def test_the_same_emitter_is_left_out_in_the_on_panel_before_too(away):
    channels = bending()
    channels[0] += away
    seen = going_on(with_path(noise(8), channels, (0, 2, 3), 3.0), SIGMA, AXES)
    assert share_left_out(seen, channels, 0) > 0.97


def test_what_follows_is_found_before_a_panel_as_it_is_after_it():
    rows = np.zeros((2, 39, 512), np.float32)
    place = 100 + 3 * np.arange(39)
    rows[0, np.arange(39), place] = rows[1, np.arange(39), place + 3 * 45] = 3
    bins = 7.0  # 38 steps within a panel and 7 to the next
    after = follow(brightest(rows[0]), rows[1], bins, True)
    before = follow(brightest(rows[1]), rows[0], bins, False)
    assert (after.place == place + 3 * 45).all()
    assert (before.place == place).all()


def test_the_brightest_path_is_the_one_that_was_put_in():
    rows = np.zeros((20, 200), np.float32)
    slope = np.array([0] * 7 + [1, 2, 3, 3, 2, 1] + [0] * 7)
    place = 40 + slope.cumsum()
    rows[np.arange(20), place] = 5
    track = brightest(rows)
    assert (track.place == place).all()
    assert track.snr == pytest.approx(5 * np.sqrt(20), abs=2)


def test_a_path_begins_near_the_place_and_slope_that_are_asked_for():
    rows = np.zeros((20, 200), np.float32)
    rows[:, 30], rows[:, 120] = 3, 1
    assert (brightest(rows, (121, 0)).place == 120).all()
    assert (brightest(rows, (31, 0)).place == 30).all()
    assert brightest(rows, (134, 0)).place[0] == 126  # as near as it may
    assert (brightest(rows, (134, 0), 2).place == 120).all()
    assert brightest(rows, (260, 0)) is None  # begins beyond the band


def test_places_between_channels_are_means():
    assert halves(np.array([[[0.0, 2.0, 6.0]]]))[0, 0].tolist() == [0, 1, 2, 4, 6, 6]


def test_an_estimate_leaves_out_a_curve_that_leaves_the_on_panel():
    """Straight lines had been left out to both sides of it, and what was between them looked like a needle."""
    channels = bending()
    given = torch.from_numpy(1 + with_path(noise(6), channels, (2, 3), 1.0))
    _, known = estimated(given, AXES)
    left = known.needle.numpy()[2, np.arange(AXES.n_time), np.rint(channels[2]).astype(int)]
    assert left.mean() < 0.05
    assert known.needle.mean() > 0.95

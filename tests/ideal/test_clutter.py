"""What is taken for interference, and what is left because it may be a needle."""

import numpy as np
import pytest

from abacad.ideal.clutter import carriers, drifting, patches, running_mean
from abacad.signal.cadence import Axes

SIGMA = 0.45
AXES = Axes.evenly(100.0, n_time=84, n_freq=128)
SHAPE = (6, AXES.n_time, AXES.n_freq)


def noise(seed: int = 0) -> np.ndarray:
    """Power less its mean, χ² with 10 degrees of freedom."""
    rng = np.random.default_rng(seed)
    return (rng.chisquare(10, SHAPE) / 10 - 1).astype(np.float32)


def along(excess: np.ndarray, panel: int, first: float, slope: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Put a line of one channel into a panel; the rows and channels that it takes."""
    rows = np.arange(AXES.n_time)
    channels = np.rint(first + slope * rows).astype(int)
    excess[panel, rows, channels] += power
    return rows, channels


def test_a_patch_is_found_with_its_edges_and_noise_is_left_alone():
    excess = noise()
    assert patches(excess, SIGMA).mean() < 0.002
    excess[2, 20:60, 40:46] += 1.0
    seen = patches(excess, SIGMA)
    assert seen[2, 20:60, 40:46].mean() > 0.98
    assert seen.sum() < 3 * 40 * 6 + 0.002 * excess.size


@pytest.mark.parametrize("slope", [0.0, 0.1])  # 0.13 channels a row are 0.35 Hz/s
def test_a_line_is_no_patch_however_bright(slope):
    excess = noise()
    rows, channels = along(excess, 2, 50.0, slope, 20.0)
    along(excess, 2, 51.0, slope, 20.0)  # two channels wide
    assert patches(excess, SIGMA)[2, rows, channels].mean() < 0.1


def test_a_carrier_of_off_panels_is_measured_and_one_of_on_panels_alone_is_left():
    excess = noise()
    excess[:, :, 30] += 0.6
    excess[[0, 2, 4], :, 90] += 0.6
    power, bright = carriers(excess, np.ones(SHAPE, dtype=bool), SIGMA)
    assert power[..., 30].mean() == pytest.approx(0.6, abs=0.1)
    assert (power[..., 90] == 0).all()
    assert not bright.any()


def test_a_carrier_too_faint_for_one_off_panel_is_measured_in_all_three():
    excess = noise()
    faint = np.arange(10, 120, 10)
    excess[..., faint] += 0.19  # 3.9 σ of a panel's mean
    power, _ = carriers(excess, np.ones(SHAPE, dtype=bool), SIGMA)
    assert (power[..., faint] > 0).any(axis=(0, 1)).mean() > 0.7


@pytest.mark.parametrize("power", [8.0, 90.0])
def test_a_line_that_drifts_through_off_panels_is_no_carrier_and_one_that_stands_is(power):
    excess = noise()
    for panel in (1, 3):
        along(excess, panel, 30.0, 6 / AXES.n_time, power)
    excess[[1, 3], :, 90] += power
    lifted, bright = carriers(excess, np.ones(SHAPE, dtype=bool), SIGMA)
    assert lifted[[1, 3], :, 90].mean() > 0.8 * power
    assert (lifted[..., 27:40] == 0).all()
    assert not bright[:, 27:40].any()


def test_where_a_carrier_of_an_off_panel_is_bright_its_channels_say_nothing_in_any_panel():
    excess = noise()
    excess[1, :, 30] += 5.0
    _, bright = carriers(excess, np.ones(SHAPE, dtype=bool), SIGMA)
    assert bright[:, 30].all()
    assert bright.mean() < 0.1


def test_a_line_of_an_off_panel_is_followed_into_the_panels_beside_it():
    excess, slope = noise(), 0.1
    middle = AXES.n_time / 2
    gap = AXES.panel_start_s[1] / AXES.dt_s
    along(excess, 1, 60.0 - slope * middle, slope, 2.0)
    seen = drifting(excess, SIGMA, AXES)
    for panel in (0, 1, 2):
        rows = np.arange(AXES.n_time)
        path = np.rint(60 + slope * (rows - middle + (panel - 1) * gap)).astype(int)
        assert seen[panel, rows, path].all()
    assert seen.mean() < 0.15


def test_a_line_of_on_panels_alone_and_noise_are_left():
    excess = noise()
    assert not drifting(excess, SIGMA, AXES).any()
    for panel in (0, 2, 4):
        along(excess, panel, 40.0, 0.2, 3.0)
    assert not drifting(excess, SIGMA, AXES).any()


def test_a_running_mean_takes_fewer_rows_at_the_ends():
    ramp = np.arange(6.0).reshape(1, 6, 1)
    assert running_mean(ramp, 3)[0, :, 0] == pytest.approx([0.5, 1, 2, 3, 4, 4.5])

"""What tests the reviewer: as many with a needle as without, and above the page's threshold where there are some."""

from dataclasses import replace

import numpy as np

from abacad.show.blind import trials
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS

SIMULATION = replace(
    PRESETS["easy"],
    axes=replace(Axes(), n_time=32, n_freq=64, dt_s=9.0),
    scenes=replace(PRESETS["easy"].scenes, n_freq=64),
)


def _brightest(panels) -> np.ndarray:
    """A stand-in for a detector: a logistic function of the brightest column mean of the ON panels."""
    return (panels[:, ::2].mean((1, 2)).amax(-1) - 1).sigmoid().numpy()


def test_half_of_them_hold_a_needle():
    made = trials(SIMULATION, 7, 0.0, _brightest, 0)
    assert [one.content for one in made] == ["needle"] * 4 + ["empty"] * 3
    assert all(one.cadence.shape == (6, 32, 64) for one in made)


def test_those_above_the_threshold_come_first():
    scores = [one.score for one in trials(SIMULATION, 40, 0.0, _brightest, 0) if one.content == "empty"]
    least = float(np.quantile(scores, 0.7))
    made = trials(SIMULATION, 10, least, _brightest, 0)
    assert all(one.score >= least for one in made if one.content == "empty")


def test_what_is_missing_is_filled_with_the_highest_scores():
    made = trials(SIMULATION, 6, 1.1, _brightest, 0)
    assert len(made) == 6
    usual = [one.score for one in trials(SIMULATION, 30, 0.0, _brightest, 0) if one.content == "empty"]
    assert min(one.score for one in made if one.content == "empty") > np.median(usual)

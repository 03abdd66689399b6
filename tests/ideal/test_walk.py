"""Random walks and dashes: the chain's constants against the simulator's draws, and paths that are found."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.ideal.walk import _kernel, level_dash_ratio, seen_walking, walk_models, walk_ratios
from abacad.signal.cadence import Axes
from abacad.signal.chance import Chance
from abacad.simulator.shape import _walk, squiggle
from tests.ideal.small import AXES, SMALL

MODELS = walk_models(SMALL)
N_STATE = 2 * AXES.n_freq


@pytest.mark.parametrize("reach", [3.0, 8.0])
def test_steps_have_the_mean_and_variance_of_the_simulators_walk(reach):
    """In half channels and over two rows; the jitter of half a channel has a variance of 1/12 a row, twice a step."""
    n, drift = 400, 5.0
    axes = Axes.evenly(315.0)
    kernel, taps = _kernel(drift, reach, axes), np.arange(-4, 5)
    walk = _walk(Chance(0, np.arange(n)), axes, np.full((n, 1), reach))
    step = 2 * (walk[:, :, 2:] - walk[:, :, :-2])
    mean = kernel @ taps
    assert mean == pytest.approx(2 * 2 * drift * axes.dt_s / axes.panel_period_s, abs=1e-3)
    jitter = 2**2 * 2 / 12
    assert kernel @ (taps - mean) ** 2 == pytest.approx(step.var() - jitter, rel=0.05)


def test_squiggles_are_lit_as_often_as_the_chain_says():
    axes = Axes.evenly(315.0)  # its dashes last many rows: in 48 rows they are rounded to whole rows
    course = squiggle(np.zeros(200), axes, 64, Chance(1, np.arange(200)))
    models = walk_models(replace(SMALL, axes=axes))
    lit = course.envelope > 0
    last = lit.shape[2] - np.argmax(lit[:, :, ::-1], axis=2)
    whole = last - np.argmax(lit, axis=2)
    assert lit.sum() / whole.sum() == pytest.approx(float(models.lit[0]), abs=0.03)


def test_probabilities_are_probabilities():
    assert MODELS.kernel.sum(1) == pytest.approx(1)
    assert MODELS.log_prior.exp().sum() == pytest.approx(1)
    assert MODELS.enter.sum(1) == pytest.approx(1)
    for part in (MODELS.kernel, MODELS.enter, MODELS.leave, MODELS.stop, MODELS.resume, MODELS.lit):
        assert ((part >= 0) & (part <= 1)).all()
    assert MODELS.lit[-1] == 1  # a wriggling dash has no gaps


def test_nothing_seen_is_a_ratio_of_one_but_for_what_leaves_the_window():
    seen = torch.ones(AXES.n_time // 2, 1, N_STATE)
    ratios = walk_ratios([seen], MODELS)[0, 0]
    assert (ratios < 1e-4).all()
    assert (ratios > -0.3).all()


def test_a_walk_is_found_by_its_own_chain_and_noise_is_not():
    """Rows that speak for a path by e^3 each, along a squiggle of the simulator."""
    course = squiggle(np.zeros(1), AXES, 64, Chance(1, np.arange(1)))
    place = np.round(4 * (32 + course.channel[0, 0] - course.channel[0, 0].mean())).astype(int)
    lit = course.envelope[0, 0] > 0
    ratios = torch.full((1, AXES.n_time, 4 * AXES.n_freq), -0.2)
    for row in np.flatnonzero(lit):
        ratios[0, row, place[row] - 2 : place[row] + 3] = 3.0
    found = walk_ratios([seen_walking(ratios)], MODELS)[0, 0, :-1]
    assert found.max() > 0.3 * 3.0 * lit.sum()
    level = walk_ratios([seen_walking(torch.full_like(ratios, -0.2))], MODELS)[0, 0]
    assert level.max() < 0


def test_a_jitter_of_half_a_channel_is_averaged_over():
    """Two rows, each lit in one quarter of a channel: the state there sees a quarter of both."""
    ratios = torch.full((1, 2, 32), -100.0)
    ratios[0, :, 16] = 1.0
    seen = seen_walking(ratios)
    assert seen.shape == (1, 1, 16)
    assert float(seen[0, 0, 8]) == pytest.approx((0.25 * np.e) ** 2, rel=1e-4)
    assert float(seen[0, 0, 7]) == pytest.approx((0.125 * np.e) ** 2, rel=1e-4)
    assert float(seen[0, 0, 6]) == pytest.approx(0, abs=1e-6)


def test_bright_rows_stay_finite():
    ratios = torch.full((1, AXES.n_time, 4 * AXES.n_freq), 40.0)
    assert walk_ratios([seen_walking(ratios)], MODELS).isfinite().all()


def test_a_level_dash_is_gathered_and_nothing_is_one():
    ratios = torch.zeros(2, AXES.n_time, 40)
    assert level_dash_ratio(ratios) == pytest.approx(0, abs=1e-5)
    ratios[1, 12:24, 7] = 2.0  # a quarter of a panel
    alone = level_dash_ratio(ratios)
    assert float(alone[0]) == pytest.approx(0, abs=1e-5)
    assert float(alone[1]) == pytest.approx(24 - np.log(40 * 7 * 5), abs=1.5)


def test_slow_and_single_drifts_have_a_prior_too():
    for drift in ((0.01, 0.02), (0.2, 0.2)):
        models = walk_models(replace(SMALL, needles=replace(SMALL.needles, drift_hz_s=drift)))
        assert models.log_prior.exp().sum() == pytest.approx(1)


def test_a_panel_is_followed_as_its_chain_is_written_down():
    """Lit and dark, entering and leaving, in 64 bits and without divisions: the compiled loop's logarithms."""
    seen = np.random.default_rng(2).random((AXES.n_time // 2, 2, N_STATE)).astype(np.float32) + 0.4
    ratios = walk_ratios([torch.from_numpy(seen)], MODELS)[0].numpy()
    for model in range(len(MODELS.kernel)):
        kernel, stop, resume, lit = (
            part[model].numpy().astype(float) for part in (MODELS.kernel, MODELS.stop, MODELS.resume, MODELS.lit)
        )
        for tone in range(2):
            on, off, done = np.zeros(N_STATE), np.zeros(N_STATE), 0.0
            for step in range(len(seen)):
                on, off = (np.convolve(state, kernel, "same") for state in (on, off))
                enter = float(MODELS.enter[model, step]) / N_STATE
                on, off = (1 - stop) * on + resume * off + enter * lit, (1 - resume) * off + stop * on
                on, off = on * seen[step, tone], off + enter * (1 - lit)
                leave = float(MODELS.leave[model, step])
                done += (on.sum() + off.sum()) * leave
                on, off = on * (1 - leave), off * (1 - leave)
            assert ratios[tone, model] == pytest.approx(np.log(done + on.sum() + off.sum()), abs=1e-4)

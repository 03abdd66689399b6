"""Smooth curves: a ratio of one where nothing is seen, and the simulator's sines found among noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.ideal.curve import (
    STEEPEST,
    _band,
    _follow,
    _mean_around,
    _over_gap,
    _weigh_and_move,
    curve_model,
    curve_ratios,
)
from abacad.signal.cadence import ON
from abacad.simulator.shape import panel_time
from tests.ideal.small import AXES

MODEL = curve_model(AXES, 0.2)
N_PLACE = 4 * AXES.n_freq


def ratios_of(panels: list[torch.Tensor]) -> torch.Tensor:
    return curve_ratios(panels, MODEL)[:, 0]


def flat(value: float) -> list[torch.Tensor]:
    return [torch.full((1, AXES.n_time, N_PLACE), value) for _ in ON]


def test_nothing_seen_is_a_ratio_of_one_but_for_what_leaves_the_window():
    ratios = ratios_of(flat(0.0))
    assert (ratios < 1e-4).all()
    assert (ratios > -0.7).all()


def test_a_sine_is_found_and_a_scattered_one_is_not():
    """Each row speaks for the path by e^3; the same rows in random order are no path."""
    rng = np.random.default_rng(0)
    place = np.round(4 * (32 + 6 * np.sin(2 * np.pi * panel_time(AXES) / 1.7))).astype(int)
    path, scattered = flat(-0.2), flat(-0.2)
    for panel, on in enumerate(ON):
        for row, where in enumerate(rng.permutation(place[on])):
            path[panel][0, row, place[on][row] - 1 : place[on][row] + 2] = 3.0
            scattered[panel][0, row, where - 1 : where + 2] = 3.0
    assert ratios_of(path).max() > 150
    assert ratios_of(path).max() > 2 * ratios_of(scattered).max()


def test_a_dark_panel_costs_a_factor_and_not_the_path():
    """A panel that speaks against the path by e^−100 is taken as dark, which has the probability `dark` = 0.1."""
    assert MODEL.dark == pytest.approx(0.1)
    panels = flat(0.0)
    panels[1] = torch.full_like(panels[1], -100.0 / AXES.n_time)
    assert (ratios_of(panels) > np.log(MODEL.dark) - 1).all()


def test_bright_pixels_stay_finite():
    assert ratios_of(flat(30.0)).isfinite().all()
    assert ratios_of(flat(-30.0)).isfinite().all()


def moved(state: np.ndarray, shift: int) -> np.ndarray:
    """The same by a slice: what leaves the window is lost."""
    out = np.zeros_like(state)
    n = len(state)
    out[max(0, shift) : n + min(0, shift)] = state[max(0, -shift) : n - max(0, shift)]
    return out


@pytest.mark.parametrize("shift", [0, 2, -3, 7, -7, 8, -8, 50, -50])
def test_places_move_by_their_slope_and_what_leaves_is_lost(shift):
    state, seen = np.random.default_rng(0).random((2, 8), np.float32)
    out = np.full(8, 9, np.float32)
    _weigh_and_move(state, seen, np.float32(2), shift, out)
    expected = moved(2 * state * seen, shift) if abs(shift) < 8 else np.zeros(8)
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_a_panel_is_followed_as_its_chain_is_written_down():
    """Weighed, moved, bent by the whole matrix, in 64 bits: the compiled loop's probabilities and logarithms."""
    rng = np.random.default_rng(1)
    n_slope, n_place = len(MODEL.slopes), 30
    start = rng.random((2, n_slope, 2, n_place)).astype(np.float32)
    seen = rng.random((n_slope, 2, 4, n_place)).astype(np.float32)
    state, bend = start.astype(float), MODEL.bend.numpy().astype(float)
    for piece in range(4):
        state = state * seen[:, :, piece]
        for slope, shift in enumerate(MODEL.slopes):
            state[:, slope] = np.apply_along_axis(moved, -1, state[:, slope], shift)
        state = np.einsum("csti,csz->czti", state, bend)
    followed = start.copy()
    logs = _follow(followed, seen, np.array(MODEL.slopes), _band(MODEL.bend.numpy()))
    assert followed.sum((1, 3)) == pytest.approx(np.ones((2, 2)), rel=1e-5)
    np.testing.assert_allclose(logs, np.log(state.sum((1, 3))), rtol=1e-5)
    np.testing.assert_allclose(followed, state / state.sum((1, 3), keepdims=True), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("half", [0, 1, 5, 12])
def test_means_around_a_place_know_nothing_beyond_the_ends(half):
    values = np.random.default_rng(3).random(12).astype(np.float32)
    out = np.empty(12, np.float32)
    _mean_around(values, half, out)
    window = np.ones(2 * half + 1) / (2 * half + 1)
    np.testing.assert_allclose(out, np.convolve(values, window)[half : half + 12], rtol=1e-5)


def test_over_a_gap_a_path_goes_straight_on_or_comes_back_nearby():
    """From one place with slope 2: blurred about where it leads, and the prior's slopes within the swing."""
    state = torch.zeros(1, len(MODEL.slopes), 1, 1000)
    state[0, STEEPEST + 2, 0, 500] = 1
    gone = _over_gap(state, replace(MODEL, bend=MODEL.bend[:1]), 10.0)[0, :, 0]
    assert gone.sum() == pytest.approx(1, rel=1e-4)
    straight = gone.clone()
    straight[:, 500 - 81 : 500 + 82] -= (0.45 * MODEL.prior / 163)[:, None]
    assert straight[STEEPEST + 2, 515:526] == pytest.approx(torch.full((11,), 0.55 / 11), rel=1e-3)
    straight[STEEPEST + 2, 515:526] = 0
    assert straight.abs().max() < 1e-7


def test_bending_keeps_probability():
    assert MODEL.prior.sum() == pytest.approx(1)
    assert MODEL.bend.sum(2) == pytest.approx(1)
    band = _band(MODEL.bend.numpy())
    # To slope 3 from slopes 1 … 5, and so on: what leaves a slope arrives somewhere.
    for chain in range(2):
        for slope in range(len(MODEL.slopes)):
            to = [(slope - step, 2 + step) for step in range(-2, 3) if 0 <= slope - step < len(MODEL.slopes)]
            assert sum(band[chain, number, place] for number, place in to) == pytest.approx(1, rel=1e-5)
    assert band[0, 20, 2] > 0.9 > band[1, 20, 2]

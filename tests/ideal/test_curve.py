"""Smooth curves: a ratio of one where nothing is seen, and the simulator's sines found among noise."""

import numpy as np
import pytest
import torch

from abacad.ideal.curve import STEEPEST, _bent, _moved, curve_model, curve_ratios
from abacad.ideal.tracklet import tracklets
from abacad.signal.cadence import ON
from abacad.simulator.shape import panel_time
from tests.ideal.small import AXES

MODEL = curve_model(AXES, 0.2)
N_PLACE = 4 * AXES.n_freq


def ratios_of(panels: list[torch.Tensor]) -> torch.Tensor:
    return curve_ratios([tracklets(panel, STEEPEST) for panel in panels], MODEL)[:, 0]


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


def test_places_move_by_their_slope_and_what_leaves_is_lost():
    state = torch.zeros(1, 3, 1, 8)
    state[0, :, 0, 6] = 1
    moved = _moved(state, [-2, 0, 2], 1)
    assert moved[0, :, 0].argmax(-1).tolist()[:2] == [4, 6]
    assert moved.sum((0, 2, 3)).tolist() == [1, 1, 0]
    assert _moved(state, [-2, 0, 2], 2)[0, 0, 0, 2] == 1


def test_bending_keeps_probability():
    assert MODEL.prior.sum() == pytest.approx(1)
    assert MODEL.bend.sum(2) == pytest.approx(1)
    state = torch.rand(2, len(MODEL.slopes), 1, 5, generator=torch.Generator().manual_seed(0))
    assert _bent(state, MODEL).sum((1, 2, 3)) == pytest.approx(state.sum((1, 2, 3)), rel=1e-5)
    steady, lively = (
        _bent(torch.eye(41)[20].view(1, 41, 1, 1).expand(2, -1, -1, -1).contiguous(), MODEL)[k, :, 0, 0]
        for k in range(2)
    )
    assert steady[20] > 0.9 > lively[20]
    assert steady[23:].sum() == 0

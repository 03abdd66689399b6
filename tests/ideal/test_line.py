"""Straight paths: the grid against the simulator's lines, priors that add up to one, a planted line that is found."""

import numpy as np
import pytest
import torch

from abacad.ideal.line import along_slopes, line_grid, line_ratios
from abacad.ideal.tracklet import tracklets
from abacad.signal.cadence import ON
from abacad.signal.drift import bins_per_panel
from abacad.simulator.shape import panel_time
from tests.ideal.small import AXES, SMALL

GRID = line_grid(SMALL)
N_PLACE = 4 * AXES.n_freq


def sums_of(ratios: dict[int, torch.Tensor]) -> list[torch.Tensor]:
    return [along_slopes(tracklets(ratios[panel], GRID.steepest), GRID) for panel in ON]


def planted(drift: float, place: float, height: float = 1.0) -> dict[int, torch.Tensor]:
    """Log ratios of `height` along a line of the simulator at channel `place` when the middle ON panel starts."""
    tau = panel_time(AXES) - AXES.panel_start_s[ON[1]] / AXES.panel_period_s
    ratios = {panel: torch.zeros(1, AXES.n_time, N_PLACE) for panel in ON}
    for panel in ON:
        at = np.round(4 * (place + drift * tau[panel])).astype(int)
        inside = (at >= 0) & (at < N_PLACE)
        ratios[panel][0, np.flatnonzero(inside), at[inside]] = height
    return ratios


def test_drifts_have_the_prior_of_the_simulator():
    low, high = (bins_per_panel(drift, AXES) for drift in SMALL.needles.drift_hz_s)
    prior = GRID.log_prior.exp().numpy()
    assert prior.sum() == pytest.approx(1)
    assert GRID.drift[::-1] == pytest.approx(-GRID.drift)
    fast = np.abs(GRID.drift) > 1.9  # cells whose edge is 1.875
    assert prior[fast].sum() == pytest.approx(np.log(high / 1.875) / np.log(high / low), abs=1e-6)


def test_nothing_seen_is_a_ratio_of_one():
    zeros = sums_of({panel: torch.zeros(1, AXES.n_time, N_PLACE) for panel in ON})
    for partial in (0.0, 0.3):
        ratio = torch.logsumexp(line_ratios(zeros, GRID, torch.zeros(1), partial).flatten(), 0)
        assert float(ratio) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("drift", "place"), [(0.5, 30.0), (-3.25, 40.5), (4.0, 20.25)])
def test_a_planted_line_is_found_where_it_is(drift, place):
    ratios = line_ratios(sums_of(planted(drift, place)), GRID, torch.zeros(1), 0.0)
    best = divmod(int(ratios.argmax()), N_PLACE)
    assert GRID.drift[best[0]] == pytest.approx(drift, abs=0.5)
    assert best[1] / 4 == pytest.approx(place, abs=0.6)


def test_a_line_that_is_absent_from_an_on_panel_counts_only_if_needles_may_be():
    """The missing panel speaks against the line; with `partial` the observer drops it."""
    ratios = planted(1.0, 30.0)
    ratios[4] = torch.full_like(ratios[4], -1.0)
    strict, lenient = (
        float(line_ratios(sums_of(ratios), GRID, torch.zeros(1), partial).max()) for partial in (0.0, 0.3)
    )
    assert lenient > strict + 20


def test_paths_lie_in_the_window_while_they_are_lit():
    drift = int(np.argmin(np.abs(GRID.drift - 6)))
    places = GRID.inside[drift].nonzero()
    for panel, place in places.tolist():
        start = place / 4 + GRID.drift[drift] * (panel - ON[1])
        end = start + GRID.drift[drift] * AXES.panel_s / AXES.panel_period_s
        assert 1.5 <= start <= AXES.n_freq - 2.5
        assert 1.5 <= end <= AXES.n_freq - 2.5
    assert len(places)

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from abacad.signal.cadence import Axes
from abacad.signal.drift import (
    aligned,
    bins_per_panel,
    bins_per_row,
    dedoppler,
    drift_grid,
)


def by_definition(panel: Tensor, drift: float) -> Tensor:
    """Σ_t panel[t, f + round(d · t)], pixel by pixel."""
    n_time, n_freq = panel.shape
    out = torch.zeros(n_freq)
    for t in range(n_time):
        shift = round(drift * t)
        for f in range(n_freq):
            if 0 <= f + shift < n_freq:
                out[f] += panel[t, f + shift]
    return out


@given(drift=st.floats(-5, 5), n_time=st.integers(1, 12), n_freq=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_dedoppler_is_the_sum_along_paths(drift: float, n_time: int, n_freq: int):
    if abs(drift * (n_time - 1) % 1 - 0.5) < 1e-6:
        return  # halves are rounded to even by both, but not at the same last digit
    panel = torch.randn(n_time, n_freq, generator=torch.Generator().manual_seed(n_time * 100 + n_freq))
    found = dedoppler(panel, torch.tensor([drift, 0.0, -drift], dtype=torch.float64))
    torch.testing.assert_close(found[0], by_definition(panel, drift), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1], panel.sum(0), atol=1e-5, rtol=1e-5)


def test_dedoppler_takes_any_batch_and_leaves_its_input():
    panels = torch.randn(2, 6, 20, 32)
    before = panels.clone()
    drifts = drift_grid(0.5, 20)
    found = dedoppler(panels, drifts)
    assert found.shape == (2, 6, len(drifts), 32)
    torch.testing.assert_close(found[1, 4], dedoppler(panels[1, 4], drifts))
    assert torch.equal(panels, before)


@pytest.mark.parametrize("drift", [-0.37, -0.02, 0.0, 0.11, 0.9])
def test_dedoppler_gathers_a_drifting_line(drift: float):
    """Every pixel of a stair-step line comes together at its drift: the sum is its number of rows."""
    panel = torch.zeros(100, 256)
    rows = torch.arange(100, dtype=torch.float64)
    panel[rows.long(), (128 + torch.round(drift * rows)).long()] = 1
    grid = drift_grid(1.0, 100)
    sums = dedoppler(panel, grid)
    best = sums.max(1).values.argmax()
    assert abs(grid[best] - drift) <= 1 / 99
    assert sums.max() >= 75
    assert dedoppler(panel, torch.tensor([drift], dtype=torch.float64))[0, 128] == 100


def test_a_grid_strays_less_than_half_a_channel():
    grid = drift_grid(0.4, 273)
    assert torch.diff(grid).max() * 272 <= 1 + 1e-4
    assert grid.min() <= -0.4 + 1e-4
    assert grid.max() >= 0.4 - 1e-4
    assert 0.0 in grid


def test_worked_numbers():
    axes = Axes()
    assert bins_per_panel(0.0621, axes) == pytest.approx(7.0, abs=0.01)
    assert bins_per_row(axes.unit_drift_hz_s, axes) == pytest.approx(1)


@given(drift=st.floats(-100, 100), dt=st.floats(0.1, 30), df=st.floats(0.1, 3000))
def test_a_panel_period_of_300_rows_is_crossed_at_300_times_the_drift_of_a_row(drift: float, dt: float, df: float):
    axes = Axes.evenly(300 * dt, dt_s=dt, df_hz=df)
    assert bins_per_panel(drift, axes) == pytest.approx(300 * bins_per_row(drift, axes), rel=1e-9, abs=1e-9)


def test_the_paths_of_one_line_meet_at_its_channel_when_the_cadence_begins_whatever_the_gaps():
    drifts, starts, at = torch.tensor([-0.5, 0.0, 0.25]), torch.tensor([0.0, 8.0, 32.0]), 20
    maps = torch.zeros(2, 3, 3, 64)
    for panel, start in enumerate(starts):
        for number, drift in enumerate(drifts):
            maps[:, panel, number, round(at + float(drift * start))] = 1
    there = torch.zeros(64)
    there[at] = 1
    torch.testing.assert_close(aligned(maps, drifts, starts), there.expand_as(maps))


def test_a_path_outside_the_window_counts_nothing():
    moved = aligned(torch.ones(1, 1, 8), torch.tensor([1.0]), torch.tensor([3.0]))
    assert moved.flatten().tolist() == [1.0] * 5 + [0.0] * 3

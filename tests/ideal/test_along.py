"""Rows along a path: whole, cut, pulsed and twinkling lines against sums written out and laws of the simulator."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch

from abacad.ideal.along import _RUNS, choose, cut_ratio, missing_rows, pulsed_ratio, rows_along, twinkling_ratio
from abacad.ideal.line import line_grid
from abacad.ideal.tones import tones_of
from abacad.signal.cadence import ON
from abacad.signal.chance import Chance
from abacad.simulator.needle import draw_lit, draw_needles
from abacad.simulator.settings import Families, Needles
from abacad.simulator.shape import panel_time
from tests.ideal.small import AXES, NEEDLES, SMALL


def test_chosen_paths_are_the_simulators_lines_row_by_row():
    grid = line_grid(SMALL)
    ratios = torch.zeros(len(grid.drift), 4 * AXES.n_freq)
    drift = int(np.argmin(np.abs(grid.drift - 2.5)))
    ratios[drift, 4 * 30] = 9.0
    chosen = choose(ratios, grid, AXES, 1)
    assert int(chosen.at[0]) == drift * ratios.shape[1] + 4 * 30
    tau = panel_time(AXES) - AXES.panel_start_s[ON[1]] / AXES.panel_period_s
    channel = 30 + grid.drift[drift] * tau
    inside = (channel >= 0.2) & (channel < AXES.n_freq - 0.2)
    place = chosen.place[0].numpy()
    assert place[inside] / 4 == pytest.approx(channel[inside], abs=0.13)
    assert (place[(channel < -0.2) | (channel >= AXES.n_freq)] == -1).all()


def test_rows_are_taken_at_their_places():
    ratios = torch.arange(2 * 3 * 10.0).view(2, 3, 10)
    rows = rows_along(ratios, torch.tensor([[4, 5, -1], [0, 9, 2]]))
    assert rows[0].tolist() == [[4, 15, 0], [0, 19, 22]]
    assert rows[1].tolist() == [[34, 45, 0], [30, 49, 52]]


def test_cut_lines_miss_the_rows_that_the_simulator_cuts():
    n, chance = 8000, Chance(4, np.arange(8000))
    needles = Needles(partial=0.0, cut=1.0, drift_hz_s=(0.001, 0.002))
    lit = draw_lit(needles, np.zeros(n, dtype=bool), chance)
    envelope = draw_needles(needles, Families.only(line=1.0), AXES, 64, lit, chance).envelope
    missing = 1 - (envelope > 0).sum((1, 2)) / (3 * AXES.n_time)
    share = missing_rows()
    assert share.sum() == pytest.approx(1)
    drawn = np.bincount(np.round(24 * missing).astype(int), minlength=25) / n
    assert drawn == pytest.approx(share, abs=0.03)
    assert drawn[8] > 0.1  # a start in the first OFF panel misses one ON panel


def test_a_cut_line_is_likelier_than_a_whole_one_where_its_end_is_dark():
    rows = {panel: torch.full((1, 1, AXES.n_time), 0.5) for panel in ON}
    whole = sum(float(panel.sum()) for panel in rows.values())
    assert float(cut_ratio(rows, missing_rows())) < whole
    rows[4] = -rows[4]
    assert float(cut_ratio(rows, missing_rows())) == pytest.approx(2 * AXES.n_time * 0.5, abs=5)
    nothing = {panel: torch.zeros(2, 3, AXES.n_time) for panel in ON}
    assert cut_ratio(nothing, missing_rows()) == pytest.approx(0, abs=1e-5)


def test_a_pulsed_line_is_the_mean_over_all_ways_of_being_lit():
    """Four rows have 16 ways; each changes state with probability 1 / run from row to row."""
    rows = torch.tensor([1.5, -1.0, 0.5, 2.0])
    found = pulsed_ratio(rows.view(1, 1, 4)).flatten()
    for run, ratio in zip(_RUNS, found.tolist(), strict=True):
        total = 0.0
        for lit in product((0, 1), repeat=4):
            changes = sum(a != b for a, b in pairwise(lit))
            probability = 0.5 * (1 / run) ** changes * (1 - 1 / run) ** (3 - changes)
            total += probability * np.exp(sum(float(rows[k]) for k in range(4) if lit[k]))
        assert ratio == pytest.approx(np.log(total), abs=1e-5)


def test_a_twinkling_line_of_one_piece_is_the_mean_over_its_levels():
    tones = tones_of(NEEDLES)
    n_tone = len(tones.amplitudes) * len(tones.widths)
    rows = torch.linspace(-0.5, 1.0, n_tone)[:, None, None].expand(-1, 1, 12).contiguous() / 12
    found = twinkling_ratio(rows, tones, AXES).view(3, len(tones.amplitudes), len(tones.widths))
    levels = rows.sum(-1)[:, 0].view(len(tones.amplitudes), len(tones.widths)).exp()
    levels = torch.cat([torch.ones(1, len(tones.widths)), levels])
    expected = (tones.exponential() @ levels).log()
    assert found == pytest.approx(expected.expand(3, -1, -1), abs=1e-5)


def test_nothing_seen_along_a_path_is_a_ratio_of_one():
    tones = tones_of(NEEDLES)
    nothing = torch.zeros(len(tones.amplitudes) * len(tones.widths), 2, AXES.n_time)
    assert pulsed_ratio(nothing) == pytest.approx(0, abs=1e-4)
    assert twinkling_ratio(nothing, tones, AXES) == pytest.approx(0, abs=1e-4)

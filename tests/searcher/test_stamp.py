"""Stamps follow a line: where it is put, at what drift, and how bright its bins are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.searcher.injection import add_needle
from abacad.searcher.path import Line, Paths
from abacad.searcher.stamp import RESIDUAL, abacad_order, scores, stamp, stamp_axes, stamps, write_stamps
from abacad.searcher.unit import read_unit
from tests.searcher.made import made


@pytest.mark.parametrize("slope", [0.9, -0.9, 0.2, -7.5, 0.0])
def test_a_line_keeps_seven_channels_a_panel_at_most_and_stays_in_the_stamp(slope):
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    unit.power[unit.power != 0] = 1e-3
    paths, line = Paths(unit), Line(4000.0, slope)
    add_needle(paths, line, 500.0)
    cut = stamp(unit, line)
    assert cut.shape == (6, 16, 256)
    bright = cut[[0, 2, 4]].argmax(axis=2)
    centres = bright.mean(axis=1)
    moved = np.diff(centres) / 2
    kept = np.sign(slope) * min(RESIDUAL, abs(slope) * 17.2)
    assert moved == pytest.approx([kept, kept], abs=0.8)
    assert abs(centres[1] - 128) < 24
    assert np.abs(np.diff(bright, axis=1)).max() <= 2
    assert cut[[1, 3, 5]].max() < 0.01


def test_noise_in_a_stamp_has_sigma_1_however_many_channels_are_added():
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    for slope in (0.1, 6.0):
        assert stamp(unit, Line(4000.0, slope)).std() == pytest.approx(1, abs=0.03)


def test_panels_are_judged_as_three_on_and_three_off_in_turn():
    assert abacad_order((0, 2, 4), (1, 3, 5)) == [0, 1, 2, 3, 4, 5]
    assert abacad_order((0, 1, 2), (3, 4, 5)) == [0, 3, 1, 4, 2, 5]
    assert abacad_order((0, 2), (1, 3)) is None
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    line = Line(4000.0, 0.1)
    assert stamps(replace(unit, off=(1, 3)), [line]) is None
    np.testing.assert_array_equal(stamps(unit, [line])[0], stamp(unit, line))


def test_stamps_in_a_file_are_those_in_memory(tmp_path):
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    lines, path = [Line(1000.0 + 500 * place, 0.1 * place) for place in range(5)], tmp_path / "coarse" / "0.cut"
    assert write_stamps(path, unit, lines)
    np.testing.assert_array_equal(np.load(path, mmap_mode="r"), stamps(unit, lines))
    assert not write_stamps(tmp_path / "none", replace(unit, off=(1, 3)), lines)
    assert not (tmp_path / "none").exists()


def test_an_observation_gives_the_axes_that_its_units_give():
    observation = made(seed=2, n_freq=1024, pattern="BABABA")
    unit, _ = read_unit(observation, 0, 1024, 1.0)
    axes = stamp_axes(observation, 16)
    assert axes == stamp_axes(unit, 16)
    assert axes.panel_start_s == (
        0.0,
        -172.0,
        344.0,
        172.0,
        688.0,
        516.0,
    )  # from the first ON panel, ON and OFF in turn


def test_scores_are_of_few_stamps_at_a_time_on_one_thread_and_in_order():
    unit, _ = read_unit(made(seed=2), 0, 8192, 4.0)
    seen = stamps(unit, [Line(1000.0 + 500 * place, 0.1) for place in range(9)])
    asked = []

    class Judge:
        """Scores a stamp by its first value."""

        def scores(self, panels, axes):
            asked.append((len(panels), axes.n_time, torch.get_num_threads()))
            return panels[:, 0, 0, 0].numpy()

    before = torch.get_num_threads()
    for threads in (1, 3):
        asked.clear()
        np.testing.assert_array_equal(np.concatenate(list(scores(unit, seen, Judge(), threads))), seen[:, 0, 0, 0])
        assert sorted(count for count, _, _ in asked) == [1, 4, 4]
    assert {(rows, threads) for _, rows, threads in asked} == {(16, 1)}
    assert torch.get_num_threads() == before

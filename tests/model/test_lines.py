"""Lines through panels: one line is one pixel, three panels add up, the best pair does without the third."""

import math

import pytest
import torch

from abacad.model.lines import (
    halved,
    in_three_two_one,
    line_maps,
    off_joint,
    off_lines,
    on_lines,
    on_places,
    paired,
    spread,
)
from abacad.signal.cadence import ON

N_TIME, N_FREQ = 39, 64
EVEN = tuple(panel * 315 / 293.13 for panel in range(6))
UNEVEN = (0.0, 1.07, 2.22, 4.24, 5.31, 6.46)
"""Starts of panels with slews of 20, 45 and 300 s, in lengths of a panel."""
BOTH = pytest.mark.parametrize("starts", [EVEN, UNEVEN], ids=["even", "uneven"])


def lines(which, f0, drift, amplitude=5.0, n_freq=N_FREQ, starts=EVEN):
    """A straight line through the panels `which` of one cadence without noise; f0 is its place in mid panel 2."""
    panels = torch.zeros(1, 6, N_TIME, n_freq)
    since = (torch.arange(N_TIME) + 0.5) / N_TIME - 0.5
    for panel in which:
        f = (f0 + drift * (since + starts[panel] - starts[2])).round().long()
        inside = (f >= 0) & (f < n_freq)
        panels[0, panel, torch.arange(N_TIME)[inside], f[inside]] = amplitude
    return panels


def white(n, n_panels, n_freq=256):
    return torch.randn(n, n_panels, N_TIME, n_freq, generator=torch.Generator().manual_seed(0))


@BOTH
@pytest.mark.parametrize("drift", [-20, -3, 0, 7, 20])
def test_one_line_is_one_pixel_in_all_panels(drift, starts):
    panels = lines(range(6), 128, drift, 1.0, n_freq=256, starts=starts)
    maps = off_lines(panels[:, 1::2], 24, starts)
    assert maps.shape == (1, 3, 49, 256)
    for one in maps[0]:
        d, f = divmod(int(one.argmax()), 256)
        assert abs(d - 24 - drift) <= 1
        assert abs(f - 128) <= 1
        assert one.max() > 0.6 * math.sqrt(N_TIME)
    for one in on_lines(panels[:, 0::2], 24, starts):
        assert one.shape == (1, 193, 512)
        # Over one panel a line's drift and its place can be exchanged for each other: the pixel is among the largest.
        assert one[0, 4 * (24 + drift), 256] > 0.9 * one.max()
        assert one.max() > 0.6 * math.sqrt(N_TIME)


@BOTH
@pytest.mark.parametrize("drift", [-20, -3.4, 0, 7.5, 22.3])
@pytest.mark.parametrize("f0", [128, 100.5])
def test_three_panels_add_up_wherever_a_line_lies_between_the_steps(drift, f0, starts):
    panels = lines(ON, f0, drift, 1.0, n_freq=256, starts=starts)
    joint, _, _ = in_three_two_one(on_lines(panels[:, 0::2], 24, starts))
    d, f = divmod(int(joint[0].argmax()), 512)
    assert abs(d / 4 - 24 - drift) <= 0.5
    assert abs(f / 2 - f0) <= 1
    assert joint.max() > 0.64 * math.sqrt(3 * N_TIME)


@BOTH
@pytest.mark.parametrize("missing", ON)
@pytest.mark.parametrize("drift", [-12.4, 0, 5.3])
def test_a_pair_of_panels_needs_no_third(drift, missing, starts):
    """A line that misses one ON panel keeps all of its two panels' SNR in the map of pairs, and two thirds of its
    power in that of three."""
    panels = lines([panel for panel in ON if panel != missing], 128, drift, 1.0, n_freq=256, starts=starts)
    joint, pair, _ = in_three_two_one(on_lines(panels[:, 0::2], 24, starts))
    assert pair.max() > 0.64 * math.sqrt(2 * N_TIME)
    assert pair.max() > 1.15 * joint.max()


def test_the_best_pair_is_the_largest_of_all_pairs():
    first, second, third = white(2, 3).unbind(1)
    joint, pair, single = in_three_two_one([first, second, third])
    pairs = torch.stack([first + second, first + third, second + third]).amax(0) / math.sqrt(2)
    torch.testing.assert_close(pair, pairs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(joint, (first + second + third) / math.sqrt(3))
    assert torch.equal(single, torch.stack([first, second, third]).amax(0))


def test_maps_keep_the_sigma_of_noise():
    inside = (..., slice(64, -64))
    assert off_lines(white(2, 3), 8, EVEN)[inside].std() == pytest.approx(1, abs=0.05)
    parts = on_lines(white(2, 3), 4, EVEN)
    for one in (*parts, in_three_two_one(parts)[0]):
        assert one[inside].std() == pytest.approx(1, abs=0.05)


def test_a_line_that_leaves_the_band_does_not_come_back_on_the_other_side():
    there, gone = (lines([panel], 60, 24, 1.0) for panel in (0, 4))
    assert gone.abs().max() == 0
    assert max(one.max() for one in on_lines(there[:, 0::2], 24, EVEN)) > 1
    # What a panel holds near its lower end is no part of a line that has left at the upper one.
    low = torch.zeros(1, 3, N_TIME, N_FREQ)
    low[0, 2, :, :4] = 1.0
    drift, f = 24 * 4 + 24 * 3, slice(2 * 40, None)  # +18 channels a panel: two panels later 38 channels higher
    assert on_lines(low, 24, EVEN)[2][0, drift, f].abs().max() < 0.2


def test_lines_beyond_the_band_hold_the_rows_that_they_spend_in_it():
    panels = torch.zeros(1, 1, N_TIME, N_FREQ)
    panels[..., : N_TIME // 2, 0] = 1.0
    maps = line_maps(panels, 8, (0.0,), 2)
    assert maps.shape == (1, 1, 17, 4 * N_FREQ)
    # A line of −8 channels a panel is in the lowest channels before it leaves: its middle lies two channels below.
    assert maps[0, 0, 0, -4] > 0.15 * maps.max()
    assert maps[0, 0, 8, -4].abs() < 0.1 * maps.max()


@pytest.mark.parametrize("since", [0.0, 2.13, -2.13, 5.5])
def test_places_are_the_same_for_either_sign_of_drift_and_of_time(since):
    (_, _, there), _ = on_places(10_000, 6, (-since, 0, 0, 0, since, 0))
    (back, _, _), _ = on_places(10_000, 6, (-since, 0, 0, 0, since, 0))
    assert [moved for _, moved in there] == [-moved for _, moved in reversed(there)]
    assert [moved for _, moved in there] == [moved for _, moved in reversed(back)]
    assert [drift for drift, _ in there] == [12 - drift for drift, _ in reversed(there)]


def test_reversed_in_frequency_maps_are_mirrored():
    panels = white(1, 3, N_FREQ)
    for one, other in zip(on_lines(panels, 6, EVEN), on_lines(panels.flip(-1), 6, EVEN), strict=True):
        mirrored = other.flip(-2, -1)
        torch.testing.assert_close(one[..., :-1], mirrored[..., 1:], atol=1e-4, rtol=1e-4)


def test_gaps_that_take_lines_out_of_a_narrow_band():
    far = tuple(20.0 * panel for panel in range(6))
    parts = on_lines(white(1, 3, 32), 12, far)
    assert parts[0][0, 0].abs().max() == 0
    assert parts[0][0, 48].abs().max() > 1  # a line that stands still is there all the same


def test_off_panels_add_up_over_a_channel_of_stray():
    maps = torch.zeros(1, 3, 1, 9)
    maps[0, 0, 0, 3] = maps[0, 1, 0, 4] = maps[0, 2, 0, 5] = 2.0
    assert off_joint(maps)[0, 0, 4] == pytest.approx(6 / math.sqrt(3))
    assert off_joint(maps).shape == (1, 1, 9)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_pairs_and_neighbours(size):
    values = torch.randn(2, size, 9)
    expected = torch.nn.functional.max_pool2d(values, 2, ceil_mode=True)
    assert torch.equal(halved(values), expected)
    assert paired(values, -1).shape == (2, size, 5)
    if size > 1:
        assert torch.equal(spread(values, -2), torch.nn.functional.max_pool2d(values, (3, 1), 1, (1, 0)))

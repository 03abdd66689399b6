"""Lines through panels: one line is one pixel, three panels add up, and nothing comes back at the other side."""

import math

import pytest
import torch

from abacad.model.lines import halved, joint, joint_lines, line_maps, paired, spread
from abacad.signal.cadence import ON
from tests.model.made import EVEN, N_FREQ, N_TIME, UNEVEN, lines


@pytest.mark.parametrize("starts", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("drift", [-20, -3, 0, 7, 20])
def test_one_line_is_one_pixel_in_all_panels(drift, starts):
    maps = line_maps(lines(range(6), 128, drift, 1.0, n_freq=256, starts=starts), 24, starts)
    assert maps.shape == (1, 6, 49, 256)
    for panel in range(6):
        d, f = divmod(int(maps[0, panel].argmax()), 256)
        assert abs(d - 24 - drift) <= 1
        assert abs(f - 128) <= 1
        assert maps[0, panel].max() > 0.6 * math.sqrt(N_TIME)


@pytest.mark.parametrize("starts", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("drift", [-20, -3.4, 0, 7.5, 22.3])
@pytest.mark.parametrize("f0", [128, 100.5])
def test_three_panels_add_up_wherever_a_line_lies_between_the_steps(drift, f0, starts):
    panels = lines(ON, f0, drift, 1.0, n_freq=256, starts=starts)
    fine = joint_lines(panels[:, 0::2], 24, starts)
    assert fine.shape == (1, 193, 512)
    d, f = divmod(int(fine[0].argmax()), 512)
    assert abs(d / 4 - 24 - drift) <= 0.5
    assert abs(f / 2 - f0) <= 1
    assert fine.max() > 0.66 * math.sqrt(3 * N_TIME)


def test_joint_lines_keep_the_sigma_of_noise():
    noise = torch.randn(2, 3, N_TIME, 256, generator=torch.Generator().manual_seed(0))
    assert joint_lines(noise, 4, EVEN)[..., 64:-64].std() == pytest.approx(1, abs=0.05)


def test_line_maps_keep_the_sigma_of_noise():
    noise = torch.randn(2, 6, N_TIME, 256, generator=torch.Generator().manual_seed(0))
    middle = line_maps(noise, 8, EVEN)[:, 2, :, 32:-32]
    assert middle.std() == pytest.approx(1, abs=0.05)


def test_a_line_that_leaves_the_band_does_not_come_back_on_the_other_side():
    maps = line_maps(lines([0], 60, 24, 1.0), 24, EVEN)
    leaving = line_maps(lines([4], 60, 24, 1.0), 24, EVEN)
    assert leaving.abs().max() == 0
    assert maps.abs().max() > 1


@pytest.mark.parametrize("starts", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_a_narrow_window_shows_what_a_wide_one_shows_of_it(starts):
    """A drift of 24 channels a panel takes a line through a window of 40 more than once, were it a circle."""
    wide = torch.zeros(1, 6, N_TIME, 256)
    wide[..., 100:140] = torch.randn(1, 6, N_TIME, 40, generator=torch.Generator().manual_seed(0))
    narrow = wide[..., 100:140]
    for whole, part in (
        (line_maps(wide, 24, starts), line_maps(narrow, 24, starts)),
        (joint_lines(wide[:, 0::2], 24, starts), joint_lines(narrow[:, 0::2], 24, starts)),
    ):
        finer = part.shape[-1] // 40
        inside = whole[..., 100 * finer : 140 * finer]
        assert (part - inside).std() < 0.05 * inside.std()  # but for what rings beyond either end


def test_reversed_in_frequency_maps_are_mirrored():
    panels = torch.randn(1, 6, N_TIME, N_FREQ, generator=torch.Generator().manual_seed(0))
    mirrored = line_maps(panels.flip(-1), 6, EVEN).flip(-2, -1)
    torch.testing.assert_close(line_maps(panels, 6, EVEN), mirrored, atol=1e-4, rtol=1e-4)


def test_off_panels_add_up_over_a_channel_of_stray():
    maps = torch.zeros(1, 3, 1, 9)
    maps[0, 0, 0, 3] = maps[0, 1, 0, 4] = maps[0, 2, 0, 5] = 2.0
    assert joint(maps)[0, 0, 4] == pytest.approx(6 / math.sqrt(3))
    assert joint(maps).shape == (1, 1, 9)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_pairs_and_neighbours(size):
    values = torch.randn(2, size, 9)
    expected = torch.nn.functional.max_pool2d(values, 2, ceil_mode=True)
    assert torch.equal(halved(values), expected)
    assert paired(values, -1).shape == (2, size, 5)
    if size > 1:
        assert torch.equal(spread(values, -2), torch.nn.functional.max_pool2d(values, (3, 1), 1, (1, 0)))

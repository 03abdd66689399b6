"""The common band of files: each file's channel at a frequency is the nearest, or the files are refused by name."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.data.grid import common_grid, telling
from abacad.data.observation import open_observation
from abacad.errors import AbacadError
from tests.data.files import STEP_MHZ, ramp, write_cadence, write_panel


def opened(folder, *headers, n_channels=64):
    return [
        open_filterbank(write_panel(folder, panel, ramp(2, n_channels, panel), **header))
        for panel, header in enumerate(headers)
    ]


def test_one_file_is_its_own_grid(tmp_path):
    (file,) = opened(tmp_path, {})
    grid = common_grid([file])
    assert (grid.low_hz, grid.df_hz, grid.n_freq, grid.first) == (file.low_hz, file.df_hz, 64, (0,))


@pytest.mark.parametrize("shift", [-7.49, -1.5001, -0.49, 0.0, 0.26, 0.4999, 3.51, 20.0])
def test_the_same_frequency_is_at_most_half_a_channel_off_in_every_file(shift, tmp_path):
    files = opened(tmp_path, {}, {"fch1": 6000.0 + shift * STEP_MHZ})
    grid = common_grid(files)
    assert grid.n_freq == 64 - abs(round(shift))
    for file, first in zip(files, grid.first, strict=True):
        assert first >= 0
        assert first + grid.n_freq <= file.n_channels
        off = file.low_hz + first * file.df_hz - grid.low_hz
        assert abs(off) <= 0.5001 * grid.df_hz


def test_the_first_files_frequencies_hold(tmp_path):
    files = opened(tmp_path, {}, {"fch1": 6000.0 + 0.3 * STEP_MHZ})
    assert common_grid(files).low_hz == files[0].low_hz
    assert common_grid(files[::-1]).low_hz == files[1].low_hz


@pytest.mark.parametrize(("apart", "fits"), [(63, True), (64, False), (-63, True), (-64, False)])
def test_one_channel_in_common_is_a_band_and_none_is_told_with_both_bands(apart, fits, tmp_path):
    files = opened(tmp_path, {}, {"fch1": 6000.0 + apart * STEP_MHZ})
    if fits:
        assert common_grid(files).n_freq == 1
    else:
        with pytest.raises(AbacadError, match=r"no frequency in common: .*\.h5 has .*; .*\.h5 has .* MHz"):
            common_grid(files)


@pytest.mark.parametrize(("share", "fits"), [(0.4 / 64, True), (0.6 / 64, False), (-0.6 / 64, False)])
def test_channels_may_differ_by_what_makes_half_a_channel_over_the_band(share, fits, tmp_path):
    one, other = opened(tmp_path, {}, {})
    wider = copy.copy(other)
    wider.header = replace(other.header, foff_mhz=other.header.foff_mhz * (1 + share))
    if fits:
        assert common_grid([one, wider]).df_hz == one.df_hz
    else:
        with pytest.raises(AbacadError, match=r"1\.h5 has channels of .* Hz, 0\.h5 of .* Hz\.\nGive files of the same"):
            common_grid([one, wider])


@pytest.mark.parametrize(
    ("one", "other", "written"),
    [
        (2.7939677, 2.7939678, ("2.7939677", "2.7939678")),
        (18.0, 19.0, ("18", "19")),
        (1.0, 1.0, ("1", "1")),
        (1e9, 1e9 + 1, ("1000000000", "1000000001")),
    ],
)
def test_numbers_are_told_with_the_digits_that_tell_them_apart(one, other, written):
    assert telling(one, other) == written


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("ulps", [1, 4])
def test_a_last_digit_of_fch1_is_no_reason_to_refuse(descending, ulps, tmp_path):
    paths = write_cadence(tmp_path, descending=descending)
    fch1 = 6000.0 + ulps * np.spacing(6000.0)
    paths[3] = write_panel(tmp_path, 3, ramp(8, 64, 3), descending=descending, fch1=fch1)
    seen = open_observation(paths)
    assert (seen.n_freq, seen.first) == (64, (0,) * 6)


@pytest.mark.parametrize("descending", [True, False])
def test_grids_are_aligned_to_their_common_band(descending, tmp_path, caplog):
    """Files that are 5 channels off, 40 % of a channel off, and wider: the same frequency comes out of each."""
    paths = write_cadence(tmp_path, descending=descending)
    step = STEP_MHZ
    paths[1] = write_panel(tmp_path, 1, ramp(8, 64, 1), descending=descending, fch1=6000.0 + 5 * step)
    paths[2] = write_panel(tmp_path, 2, ramp(8, 64, 2), descending=descending, fch1=6000.0 + 0.4 * step)
    more = 10 * step if descending else 0.0
    paths[3] = write_panel(tmp_path, 3, ramp(8, 74, 3), descending=descending, fch1=6000.0 + more)
    seen = open_observation(paths)
    assert seen.n_freq == 59
    assert seen.first == (5, 0, 5, 5, 5, 5)
    own = [ramp(8, 74 if k == 3 else 64, k) for k in range(6)]
    for panel, values in enumerate(seen.read(2, 10)):
        first = seen.first[panel] + 2
        np.testing.assert_array_equal(values, own[panel][:, first : first + 10])
    low_mhz = 6000.0 - 63 * step * descending + 5 * step
    assert seen.low_hz == pytest.approx(low_mhz * 1e6, abs=1e-3)
    assert seen.freq_hz(3) == pytest.approx(low_mhz * 1e6 + 3 * step * 1e6, abs=1e-3)
    assert "2.h5 lies 0.40 of a channel off" in caplog.text
    assert "59 are common" in caplog.text


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"foff": -2.7900001e-6 * 1.02}, r"2\.846 Hz, 0\.h5 of 2\.79"),
        ({"tsamp": 19.0}, r"rows of 19 s, 0\.h5 of 18 s"),
        ({"fch1": 8421.0}, r"no frequency in common: .* 6000\.000000 MHz; .* 8421\.000000 MHz"),
    ],
)
def test_other_products_are_refused_with_what_differs(header, said, tmp_path):
    paths = write_cadence(tmp_path)
    paths[3] = write_panel(tmp_path, 3, ramp(8, 64, 3), **header)
    with pytest.raises(AbacadError, match=said):
        open_observation(paths)


def test_channels_of_megahertz_are_refused(tmp_path):
    with pytest.raises(AbacadError, match="4 MHz"):
        open_observation(write_cadence(tmp_path, foff=-4.0))

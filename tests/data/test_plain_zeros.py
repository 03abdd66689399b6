"""Zeros where other rows have power are no values; a band that is off, and few bits, are none of these."""

import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.data.plain_zeros import empty_blocks, lost_rows
from tests.data.files import write_fil, write_h5


def noise(n_time: int = 8, n_freq: int = 3000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).chisquare(8, (n_time, n_freq)).astype(np.float32)


def found(values: np.ndarray) -> np.ndarray:
    lost = lost_rows(values, empty_blocks(values))
    return np.zeros(values.shape, dtype=bool) if lost is None else lost


@pytest.mark.parametrize("where", [np.s_[5:], np.s_[3], np.s_[2:4, 1000:2100], np.s_[0, :600], np.s_[7, 2300:]])
def test_what_was_never_recorded_is_found_to_its_ends(where):
    values = noise()
    truth = np.zeros(values.shape, dtype=bool)
    truth[where] = True
    values[truth] = 0
    np.testing.assert_array_equal(found(values), truth)


def test_a_band_that_is_off_in_all_rows_is_not_lost_and_does_not_hide_what_is():
    values = noise()
    values[:, 1024:2048] = 0
    assert not found(values).any()
    values[4] = 0
    truth = np.zeros(values.shape, dtype=bool)
    truth[4] = True
    truth[4, 1024:2048] = False
    np.testing.assert_array_equal(found(values), truth)


@pytest.mark.parametrize("n_freq", [64, 256, 3000])
@pytest.mark.parametrize("levels", [2, 4])
def test_zeros_of_few_bits_are_values(levels, n_freq):
    values = np.random.default_rng(1).integers(0, levels, (300, n_freq)).astype(np.float32)
    assert not found(values).any()


def test_a_single_row_cannot_tell_and_few_channels_do_not():
    assert not found(np.zeros((1, 1000), np.float32)).any()
    values = noise(n_freq=50)
    values[3] = 0
    assert not found(values).any()


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_a_file_gives_them_as_nan_and_counts_them(write, descending, tmp_path, caplog):
    values = noise()
    values[6:, 1200:] = 0
    file = open_filterbank(write(tmp_path / "laid_out", values, descending))
    got = file.read(0, 8, 0, 3000)
    np.testing.assert_array_equal(got, np.where(values == 0, np.nan, values))
    (entry,) = file.masked
    assert (entry.reason, entry.first, entry.last, entry.values) == ("plain zeros", 1200, 2999, 3600)
    assert "3,600 values plain zeros" in caplog.text


def test_zeros_of_one_polarisation_are_lost_in_the_sum(tmp_path):
    both = np.stack([noise(seed=2), noise(seed=3)], axis=1)
    both[3, 1, 512:1536] = 0  # of a block: half of the power would look like a dip
    got = open_filterbank(write_fil(tmp_path / "two", both)).read(0, 8, 0, 3000)
    lost = np.isnan(got)
    assert lost[3].sum() >= 512
    assert not lost[3, :512].any()
    assert not lost[3, 1536:].any()
    assert not np.delete(lost, 3, axis=0).any()

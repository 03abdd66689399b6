"""Any number of telescope files make one observation; its values tell the file, row and channel they were in."""

import shutil
from itertools import pairwise

import h5py
import numpy as np
import pytest

from abacad.data.observation import open_observation
from abacad.errors import AbacadError, CadenceError
from abacad.signal.cadence import COARSE
from tests.data.files import MJD, STEP_MHZ, ramp, write_cadence, write_fil, write_h5, write_panel


def six(folder, write=write_fil, n_channels=600, n_rows=(20, 20, 20, 20, 20, 16), marked=400):
    """Six files of noise with a bright channel in the ON files."""
    rng = np.random.default_rng(0)
    paths = []
    for panel, rows in enumerate(n_rows):
        data = rng.chisquare(20, (rows, n_channels)).astype(np.float32)
        if panel % 2 == 0:
            data[:, marked] += 200
        paths.append(write_panel(folder, panel, data, write))
    return paths


def test_the_same_file_twice_is_refused(tmp_path):
    paths = write_cadence(tmp_path)
    with pytest.raises(AbacadError, match=r"5\.h5 holds the same as .*5\.h5"):
        open_observation([*paths, tmp_path / "." / "5.h5"])
    (tmp_path / "link.h5").symlink_to(paths[0])
    with pytest.raises(AbacadError, match=r"link\.h5 holds the same as"):
        open_observation([*paths, tmp_path / "link.h5"])
    shutil.copy(paths[1], tmp_path / "copy.h5")
    with h5py.File(tmp_path / "copy.h5", "r+") as file:
        file["data"].attrs["tstart"] = MJD + 0.1
    with pytest.raises(AbacadError, match=r"copy\.h5 holds the same as .*1\.h5"):
        open_observation([*paths, tmp_path / "copy.h5"])


def test_a_short_panel_is_named_and_costs_its_own_rows_only(tmp_path, caplog):
    paths = write_cadence(tmp_path)
    paths[2] = write_panel(tmp_path, 2, ramp(5, 64, 2))
    seen = open_observation(paths)
    assert seen.n_time == (8, 8, 5, 8, 8, 8)
    assert [len(values) for values in seen.read(0, 4)] == [8, 8, 5, 8, 8, 8]
    assert "2.h5 is cut short: it has 5 rows where others have 8" in caplog.text
    window = seen.window(0, 64)
    assert window.shape == (6, 8, 64)
    np.testing.assert_array_equal(window[2, :5], ramp(5, 64, 2))
    np.testing.assert_array_equal(window[2, 5:], np.median(ramp(5, 64, 2)))
    np.testing.assert_array_equal(window[3], ramp(8, 64, 3))


def test_a_panel_of_one_row_is_refused_by_name(tmp_path):
    paths = write_cadence(tmp_path)
    paths[2] = write_panel(tmp_path, 2, ramp(1, 64, 2))
    with pytest.raises(AbacadError, match=r"2\.h5 has 1 row"):
        open_observation(paths)


def test_a_halo_beyond_the_band_is_what_each_file_has_there_or_nan(tmp_path):
    paths = write_cadence(tmp_path)
    paths[1] = write_panel(tmp_path, 1, ramp(8, 70, 1), fch1=6000.0 + 6 * STEP_MHZ)  # six channels more, above
    seen = open_observation(paths)
    values = seen.read(-3, 74)
    np.testing.assert_array_equal(values[0][:, 3:67], ramp(8, 64, 0))
    assert np.isnan(values[0][:, :3]).all()
    assert np.isnan(values[0][:, 67:]).all()
    np.testing.assert_array_equal(values[1][:, 3:73], ramp(8, 70, 1))
    assert np.isnan(values[1][:, 73:]).all()
    assert all(np.isnan(panel).all() for panel in seen.read(5000, 10))


def test_values_below_0_are_named_as_no_powers(tmp_path, caplog):
    paths = [write_panel(tmp_path, panel, ramp(8, 64, panel) - (6_032_000 if panel == 5 else 0)) for panel in range(6)]
    open_observation(paths)
    assert "Values below 0, which no power has, are taken for differences from a level: 5.h5" in caplog.text


def test_no_files_and_mixed_telescopes(tmp_path, caplog):
    with pytest.raises(AbacadError, match="No telescope files"):
        open_observation([])
    paths = write_cadence(tmp_path, telescope_id=6)
    assert open_observation(paths).telescope == "GBT"
    paths[3] = write_panel(tmp_path, 3, ramp(8, 64, 3), telescope_id=4)
    open_observation(paths)
    assert "GBT, Parkes" in caplog.text


@pytest.mark.parametrize("n_channels", [256, 257, 300, 383, 384, 600, 1000])
def test_windows_overlap_by_half_and_reach_the_last_channel(n_channels, tmp_path):
    seen = open_observation(write_cadence(tmp_path, 2, n_channels))
    starts = list(seen.starts(256))
    assert len(starts) == seen.n_windows(256)
    assert starts[0] == 0
    assert starts[-1] == n_channels - 256
    assert all(0 < after - before <= 128 for before, after in pairwise(starts))
    windows = list(seen.windows(256))
    assert [start for start, _ in windows] == starts
    for start, cadence in windows:
        for panel in range(6):
            np.testing.assert_array_equal(cadence[panel], ramp(2, n_channels, panel)[:, start : start + 256])
        np.testing.assert_array_equal(seen.window(start, 256), cadence)


def test_windows_cost_nothing_before_they_are_asked_for(tmp_path, monkeypatch):
    """2^28 channels were 2.1 million objects once."""
    seen = open_observation(write_cadence(tmp_path))
    wide = type(seen)(**{**vars(seen), "n_freq": 1 << 40})
    assert next(wide.starts(256)) == 0
    assert wide.n_windows(256) == (1 << 33) - 1


def test_what_is_masked_becomes_the_median_in_a_window(tmp_path):
    data = ramp(8, 64, 2)
    data[3, 10], data[:, 20:60] = np.inf, np.nan
    paths = write_cadence(tmp_path)
    paths[2] = write_panel(tmp_path, 2, data)
    seen = open_observation(paths)
    window = seen.window(0, 32)
    there = np.isfinite(data[:, :32])
    np.testing.assert_array_equal(window[2][there], data[:, :32][there])
    np.testing.assert_array_equal(window[2][~there], np.median(data[:, :32][there]))
    with pytest.raises(CadenceError, match=r"2\.h5 holds no values in channels 20 to 51"):
        seen.window(20, 32)
    assert [start for start, _ in seen.windows(8)] == [0, 4, 8, 12, 16, 56]
    assert {entry.file for entry in seen.masked} == {"2.h5"}


def pieces(tmp_path, n_channels, descending=True, first=0, **header):
    """Coarse pieces of an observation that claims to be wider than its files."""
    seen = open_observation(write_cadence(tmp_path, 2, 16, descending=descending, **header))
    file = seen.files[0]
    object.__setattr__(file, "header", type(file.header)(**{**vars(file.header), "n_channels": n_channels}))
    found = type(seen)(**{**vars(seen), "n_freq": n_channels - first, "first": (first,) * 6}).coarse()
    assert found[0][0] == 0
    assert sum(n for _, n in found) == n_channels - first
    assert all(a + n == b for (a, n), (b, _) in pairwise(found))
    return found


@pytest.mark.parametrize("descending", [True, False])
def test_pieces_are_the_files_coarse_channels(descending, tmp_path):
    assert pieces(tmp_path, 3 * COARSE, descending) == [(0, COARSE), (COARSE, COARSE), (2 * COARSE, COARSE)]


def test_pieces_end_where_chunks_end(tmp_path):
    """Chunks and coarse channels begin with the file's first channel, which is the highest where foff is negative."""
    assert pieces(tmp_path, COARSE + 10_000, True) == [(0, 10_000), (10_000, COARSE)]
    assert pieces(tmp_path, COARSE + 10_000, False) == [(0, COARSE), (COARSE, 10_000)]
    assert pieces(tmp_path, 2 * COARSE, True, first=10_000) == [(0, COARSE - 10_000), (COARSE - 10_000, COARSE)]


def test_remnants_go_with_their_neighbours(tmp_path):
    assert pieces(tmp_path, COARSE + 5) == [(0, COARSE + 5)]
    assert pieces(tmp_path, 100) == [(0, 100)]
    assert pieces(tmp_path, 2 * COARSE, first=10) == [(0, COARSE - 10), (COARSE - 10, COARSE)]


@pytest.mark.parametrize(
    ("n_fine", "piece"),
    [(1 << 19, COARSE), (1 << 20, COARSE), (3 << 18, 3 << 18), (1 << 22, COARSE), (3 << 20, COARSE)],
)
def test_the_header_may_say_how_wide_coarse_channels_are(n_fine, piece, tmp_path):
    """turbo_seti could not tell the number of coarse channels of some files; rawspec's header says."""
    assert {n for _, n in pieces(tmp_path, 6 << 20, nfpc=n_fine)} == {piece}


@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_a_window_holds_what_stands_at_its_frequency(write, tmp_path):
    seen = open_observation(six(tmp_path, write))
    window = seen.window(256, 256)
    assert window.shape == (6, 20, 256)
    assert window[0].mean(0).argmax() == 400 - 256
    assert window[1].mean(0).max() < 60

"""What comes out of a telescope file, whatever its format: values in their places, and NaN where there are none."""

import logging
import os
import struct

import h5py
import numpy as np
import pytest

from abacad.data import filterbank
from abacad.data.filterbank import is_telescope_file, open_filterbank
from abacad.errors import AbacadError
from tests.data.files import STEP_MHZ, ramp, word, words, write_fil, write_h5


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_files_come_out_ascending(write, descending, tmp_path):
    data = ramp(20, 64)
    file = open_filterbank(write(tmp_path / "noise", data, descending))
    assert (file.n_rows, file.n_channels, file.dt_s) == (20, 64, 18.0)
    assert file.df_hz == pytest.approx(2.79, rel=1e-9)
    np.testing.assert_array_equal(file.read(3, 5, 10, 20), data[3:8, 10:30])
    assert file.read(0, 1, 0, 64).flags.c_contiguous


@pytest.mark.parametrize("write", [write_fil, write_h5])
@pytest.mark.parametrize(("descending", "low_mhz"), [(True, 6000 - 63 * 2.79e-6), (False, 6000.0)])
def test_the_lowest_channel_has_its_frequency(write, descending, low_mhz, tmp_path):
    """With a negative step the first channel is the highest: turbo_seti was once off by the length of the band."""
    file = open_filterbank(write(tmp_path / "noise", ramp(2, 64), descending))
    assert file.low_hz == pytest.approx(low_mhz * 1e6, abs=1e-3)


@pytest.mark.parametrize("name", ["a.H5", "a.hdf5", "a", "a.fil.txt"])
def test_the_first_bytes_tell_the_format(name, tmp_path):
    path = write_h5(tmp_path / name, ramp(4, 16))
    assert is_telescope_file(path)
    np.testing.assert_array_equal(open_filterbank(path).read(0, 4, 0, 16), ramp(4, 16))
    assert not is_telescope_file(tmp_path / "none.npy")
    assert is_telescope_file(tmp_path / "none.H5")


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense" * 10, struct.pack("<i", 12) + b"HEADER_START" + b"\xff" * 40, b"\x89HDF\r\n\x1a\n" + b"\0" * 90],
)
def test_what_is_no_telescope_file_is_refused(content, tmp_path):
    path = tmp_path / "noise.fil"
    path.write_bytes(content)
    with pytest.raises(AbacadError, match=r"noise\.fil"):
        open_filterbank(path)


def test_pipes_folders_and_missing_files_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.fil")
    for name in ("pipe.fil", ".", "none.fil"):
        with pytest.raises(AbacadError):
            open_filterbank(tmp_path / name)


@pytest.mark.parametrize("write", [write_fil, write_h5])
@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"foff": 0.0}, "foff is 0"),
        ({"tsamp": 0.0}, "tsamp is 0"),
        ({"tsamp": -1.0}, "tsamp is -1"),
        ({"fch1": float("nan")}, "fch1 is nan"),
        ({"foff": float("inf")}, "foff is inf"),
        ({"foff": 1e300}, r"foff is 1e\+300"),
        ({"fch1": -1e12}, r"fch1 is -1e\+12"),
    ],
)
def test_headers_that_make_no_sense_are_refused_with_the_figure(write, header, said, tmp_path):
    path = tmp_path / "noise"
    if write is write_fil:
        says = {"nchans": 8, "nbits": 32, "fch1": 6000.0, "foff": -1.0, "tsamp": 1.0} | header
        path.write_bytes(words(**says) + bytes(64))
    else:
        write_h5(path, ramp(2, 8), **header)
    with pytest.raises(AbacadError, match=said):
        open_filterbank(path)


@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_polarisations_add_up_to_stokes_i(write, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.chisquare(8, (2, 4, 1000)).astype(np.float32)
    cross = rng.normal(0, 3, (4, 2, 1000)).astype(np.float32)
    powers = np.concatenate([x[:, None], y[:, None], cross], axis=1)
    np.testing.assert_allclose(open_filterbank(write(tmp_path / "powers", powers)).read(0, 4, 0, 1000), x + y)
    np.testing.assert_array_equal(open_filterbank(tmp_path / "powers", "first").read(0, 4, 0, 1000), x)
    two = write(tmp_path / "two", powers[:, :2])
    np.testing.assert_allclose(open_filterbank(two).read(1, 2, 10, 20), (x + y)[1:3, 10:30])


@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_stokes_parameters_are_told_by_a_q_below_zero(write, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.chisquare(8, (2, 4, 1000)).astype(np.float32)
    stokes = np.stack([x + y, x - y, x - y, x - y], axis=1)
    np.testing.assert_array_equal(open_filterbank(write(tmp_path / "stokes", stokes)).read(0, 4, 0, 1000), x + y)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_what_is_not_finite_is_masked_counted_and_named(write, descending, tmp_path, caplog):
    data = ramp(6, 100)
    data[2, 10], data[3, 10], data[4, 90] = np.nan, np.inf, -np.inf
    file = open_filterbank(write(tmp_path / "noise", data, descending))
    with caplog.at_level(logging.WARNING):
        got = file.read(0, 6, 0, 100)
    assert np.isnan(got).sum() == 3
    np.testing.assert_array_equal(got, np.where(np.isfinite(data), data, np.nan))
    (entry,) = file.masked
    assert (entry.reason, entry.first, entry.last, entry.values) == ("not finite", 10, 90, 3)
    assert "noise" in caplog.text
    assert "10 to 90" in caplog.text
    low_mhz = 6000 - 99 * STEP_MHZ * descending
    assert f"(from {low_mhz + 10 * STEP_MHZ:.6f} MHz on)" in caplog.text


def test_what_is_read_twice_is_counted_once(tmp_path):
    data = ramp(6, 100)
    data[2, 40:60] = np.nan
    file = open_filterbank(write_fil(tmp_path / "noise", data))
    file.read(0, 6, 45, 40)  # a part of it,
    file.read(0, 6, 0, 100)  # all of it,
    file.read(0, 6, 50, 10)  # and a part again
    assert [entry.values for entry in file.masked] == [20]


def test_the_upper_end_of_what_was_read_is_no_further_damage(tmp_path):
    data = ramp(6, 100)
    data[2, 40:100] = np.nan
    file = open_filterbank(write_fil(tmp_path / "noise", data))
    file.read(0, 6, 0, 100)
    file.read(0, 6, 50, 50)
    assert [entry.values for entry in file.masked] == [60]


def test_reading_outside_the_file_is_the_callers_mistake(tmp_path):
    file = open_filterbank(write_fil(tmp_path / "noise", ramp(6, 100)))
    for place in [(0, 7, 0, 1), (0, 1, 90, 11), (-1, 1, 0, 1)]:
        with pytest.raises(ValueError, match="noise"):
            file.read(*place)


def test_the_header_is_there(tmp_path):
    says = {"source_name": "HIP17147", "tstart": 57650.78, "telescope_id": 6}
    fil = open_filterbank(
        write_fil(tmp_path / "a.fil", ramp(2, 8), **says, src_raj=171003.984, src_dej=-121058.8)
    ).header
    h5 = open_filterbank(
        write_h5(tmp_path / "a.h5", ramp(2, 8), **says, src_raj="17h10m03.984s", src_dej="-12d10m58.8s")
    ).header
    for header in (fil, h5):
        assert (header.source_name, header.tstart_mjd, header.telescope) == ("HIP17147", 57650.78, "GBT")
        assert header.ra_hours == pytest.approx(17 + 10 / 60 + 3.984 / 3600)
        assert header.dec_deg == pytest.approx(-(12 + 10 / 60 + 58.8 / 3600))
    assert word("a") == b"\x01\x00\x00\x00a"


@pytest.mark.parametrize("descending", [True, False])
def test_what_is_lost_is_counted_the_same_however_many_rows_are_read_at_once(descending, tmp_path, monkeypatch):
    """Chunks that were never written stand in rows 1 and 4 to 6; a reading of many rows is made in blocks of some."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        table = file.create_dataset("data", shape=(8, 1, 64), dtype="f4", chunks=(1, 1, 16))
        table.attrs.update({"foff": -1.0 if descending else 1.0, "tsamp": 1.0, "fch1": 6000.0})
        for row in range(8):
            wanted = {1: slice(16, 64), 4: slice(0, 32), 5: slice(0, 32), 6: slice(0, 48)}.get(row, slice(0, 64))
            table[row, 0, wanted] = 7
        table[7, 0, 3] = np.nan
    found = []
    for at_once in (1 << 20, 128, 1):
        monkeypatch.setattr(filterbank, "_AT_ONCE", at_once)
        file = open_filterbank(tmp_path / "a.h5")
        found.append((np.isnan(file.read(0, 8, 0, 64)), file.masked))
    for missing, masked in found[1:]:
        np.testing.assert_array_equal(missing, found[0][0])
        assert masked == found[0][1]
    assert {one.reason: one.values for one in found[0][1]} == {
        "chunk never written": 16 + 32 + 32 + 16,
        "not finite": 1,
    }

"""A file that ends too early is opened as far as it goes; whatever else is wrong with it is told as HDF5 tells it."""

import gc
import os
from contextlib import closing

import h5py
import numpy as np
import pytest

from abacad.data.cut_short import _Longer, open_hdf5
from tests.data.files import ramp, write_h5


def test_a_whole_file_is_opened_as_it_is(tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(8, 64))
    file, length = open_hdf5(path)
    with file:
        assert length is None
        assert file["data"].shape == (8, 1, 64)


@pytest.mark.parametrize("lost", [1, 100, 64 * 4 * 3])
def test_what_is_there_can_be_read_and_its_length_is_told(lost, tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(8, 64), descending=False)
    whole = path.stat().st_size
    with h5py.File(path) as file:
        values_end = file["data"].id.get_offset() + file["data"].id.get_storage_size()
    os.truncate(path, min(whole, values_end) - lost)
    with pytest.raises(OSError, match="truncated"):
        h5py.File(path)
    file, length = open_hdf5(path)
    with file:
        assert length == path.stat().st_size
        whole_rows = 8 - -(-lost // (64 * 4))
        np.testing.assert_array_equal(file["data"][:whole_rows, 0], ramp(8, 64)[:whole_rows])


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(90)])
def test_what_is_damaged_otherwise_is_an_error_of_hdf5(content, tmp_path):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(OSError):  # noqa: PT011 — HDF5's own words
        open_hdf5(tmp_path / "a.h5")


def test_an_absent_file_is_told_as_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_hdf5(tmp_path / "gone.h5")


def test_after_the_end_stand_zeros_as_many_as_are_asked_for(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    file = _Longer(tmp_path / "a")
    assert (file.readable(), file.seekable(), file.tell()) == (True, True, 0)
    assert file.read(5) == b"abc\0\0"
    assert file.tell() == 5
    file.seek(1)
    assert file.read(1) == b"b"
    file.seek(10, os.SEEK_CUR)
    assert file.read(4) == bytes(4)
    assert file.seek(0, os.SEEK_END) > 1 << 40
    file.seek(1 << 63)  # a damaged file leads there
    assert file.read(4) == bytes(4)
    file.close()
    file.close()
    assert file.closed


def test_a_part_of_gigabytes_is_refused_before_memory_is_written_to(tmp_path, monkeypatch):
    """What a damaged length asks for: 3 kB of a file once took 8 GB, and 186 bytes took 2 GB."""
    (tmp_path / "a").write_bytes(bytes(100))
    monkeypatch.setattr("abacad.data.cut_short._MOST_BEYOND", 10)
    with closing(_Longer(tmp_path / "a")) as file:
        assert file.readinto(bytearray(110)) == 110
        for place, length in ((0, 111), (95, 16), (5000, 11)):
            untouched = bytearray(b"x" * length)
            file.seek(place)
            with pytest.raises(OSError, match=f"{length} bytes"):
                file.readinto(untouched)
            assert untouched == b"x" * length
        assert file.readinto(bytearray(10)) == 10


def test_a_file_that_could_not_be_opened_is_let_go_without_a_word(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", lambda args: told.append(args.exc_value))
    with pytest.raises(FileNotFoundError):
        _Longer(tmp_path / "gone")
    gc.collect()
    assert told == []

"""HDF5 files as a fuzzer damaged them: each is refused in words, or read with what is lost masked."""

import h5py
import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.errors import AbacadError
from tests.data.files import ramp, write_h5


@pytest.mark.parametrize("place", [1 << 40, (1 << 63) + 8])  # bytes; the latter is beyond what a system can be asked
def test_a_chunk_that_is_said_to_lie_beyond_the_file_is_masked(place, tmp_path):
    data = ramp(4, 600)
    path = write_h5(tmp_path / "a.h5", data, False, {"chunks": (1, 1, 600), "compression": "gzip"})
    with h5py.File(path) as file:
        start = file["data"].id.get_chunk_info_by_coord((2, 0, 0)).byte_offset
    content = path.read_bytes()
    path.write_bytes(content.replace(start.to_bytes(8, "little"), place.to_bytes(8, "little"), 1))
    assert path.read_bytes() != content
    got = open_filterbank(path).read(0, 4, 0, 600)
    assert np.isnan(got[2]).all()
    np.testing.assert_array_equal(got[[0, 1, 3]], data[[0, 1, 3]])


@pytest.mark.parametrize("dtype", [np.dtype([("a", "i4")]), np.dtype("V8"), h5py.vlen_dtype("i4")])
def test_a_header_word_that_is_neither_number_nor_text_is_refused(dtype, tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(2, 8), source_name=None)
    with h5py.File(path, "a") as file:
        value = np.zeros((), dtype)
        if dtype.kind == "O":
            value[()] = np.arange(3, dtype="i4")
        file["data"].attrs.create("source_name", value, (), dtype)
    with pytest.raises(AbacadError, match="source_name is neither a number nor a text"):
        open_filterbank(path)


def test_a_text_of_an_encoding_that_does_not_exist_is_refused(tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(2, 8), source_name=np.bytes_(b"HIP17147"))
    content = bytearray(path.read_bytes())
    # version and class 3 (text), then padding and encoding in a byte's halves, then the size in bytes
    place = content.index(bytes([0x13]), content.index(b"source_name"))
    content[place + 1] |= 0x40
    path.write_bytes(content)
    with pytest.raises(AbacadError, match="encoding"):
        open_filterbank(path)


def test_values_of_a_type_that_numpy_has_not_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        space = h5py.h5s.create_simple((2, 1, 8))
        table = h5py.Dataset(h5py.h5d.create(file.id, b"data", h5py.h5t.UNIX_D32LE, space))
        table.attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0})
    with pytest.raises(AbacadError, match=r"a\.h5 cannot be used"):
        open_filterbank(tmp_path / "a.h5")


def test_more_chunks_than_a_file_that_is_cut_short_can_list_are_not_looked_for(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        table = file.create_dataset("data", shape=(10**6, 1, 1), dtype="f4", chunks=(1, 1, 1))
        table.attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0})
        table[:200] = 1.0
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(AbacadError, match="too few for 1,000,000 chunks or rows"):
        open_filterbank(path)

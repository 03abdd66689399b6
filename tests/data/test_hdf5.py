"""Breakthrough Listen's HDF5: attributes as writers store them, damaged chunks, and files that mean harm."""

import pickle
import resource
import zlib

import h5py
import hdf5plugin
import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.data.hdf5 import Hdf5Store
from abacad.errors import AbacadError
from tests.data.files import ramp, write_h5

PACKED = {
    "bitshuffle": hdf5plugin.Bitshuffle(nelems=0, cname="lz4"),
    "gzip": {"compression": "gzip"},
    "shuffled gzip": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
    "lz4": hdf5plugin.LZ4(),
    "plain": {},
}


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("chunks", [(1, 1, 16), (3, 1, 50), (1, 1, 64)])
def test_every_chunking_gives_the_same_values(packed, chunks, tmp_path):
    """blimpy's writer makes chunks of a coarse channel, of 16,384 channels, or of several rows."""
    data = ramp(8, 64)
    path = write_h5(tmp_path / "a.h5", data, dataset={"chunks": chunks, **PACKED[packed]})
    np.testing.assert_array_equal(open_filterbank(path).read(1, 6, 5, 40), data[1:7, 5:45])


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "f2", "f4", "f8", ">f4"])
def test_every_type_of_number(dtype, tmp_path):
    data = (np.arange(40).reshape(4, 10) % 100).astype(dtype)
    got = open_filterbank(write_h5(tmp_path / "a.h5", data)).read(0, 4, 0, 10)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, data.astype(float))


def test_two_dimensional_data(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        table = file.create_dataset("data", data=ramp(6, 20), chunks=(2, 8))
        table.attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0, "nifs": 1})
    np.testing.assert_array_equal(open_filterbank(tmp_path / "a.h5").read(1, 4, 3, 12), ramp(6, 20)[1:5, 3:15])


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (b"HIP17147", "HIP17147"),
        (np.array([b"HIP17147"]), "HIP17147"),
        ("b'HIP17147'", "HIP17147"),
        ("B'HIP17147'", "HIP17147"),
        (h5py.Empty("S1"), ""),
    ],
)
def test_attributes_as_arrays_bytes_and_text(name, read, tmp_path):
    says = {"source_name": name, "tsamp": np.array([18.0]), "foff": b"-2.79e-6", "fch1": np.array([[6000.0]])}
    header = open_filterbank(write_h5(tmp_path / "a.h5", ramp(2, 8), **says)).header
    assert (header.source_name, header.tsamp_s, header.foff_mhz, header.fch1_mhz) == (read, 18.0, -2.79e-6, 6000.0)


def test_attributes_of_the_file_itself(tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(2, 8), foff=None, source_name=None)
    with h5py.File(path, "r+") as file:
        file.attrs.update({"foff": 1e-6, "source_name": "X"})
    header = open_filterbank(path).header
    assert (header.foff_mhz, header.source_name) == (1e-6, "X")


def test_chunks_never_written_are_masked_not_zero(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        table = file.create_dataset("data", shape=(4, 1, 64), dtype="f4", chunks=(1, 1, 16))
        table.attrs.update({"foff": -1.0, "tsamp": 1.0, "fch1": 6000.0})
        table[:3] = ramp(3, 64)[:, None, ::-1]
        table[3, 0, :16] = 7
    file = open_filterbank(tmp_path / "a.h5")
    got = file.read(0, 4, 8, 56)
    np.testing.assert_array_equal(got[:3], ramp(3, 64)[:, 8:])
    np.testing.assert_array_equal(got[3, -16:], 7)  # the highest, as the file descends
    assert np.isnan(got[3, :-16]).all()
    (entry,) = file.masked
    assert (entry.reason, entry.first, entry.last, entry.values) == ("chunk never written", 8, 47, 40)


def place_of(path, corner):
    with h5py.File(path) as file:
        info = file["data"].id.get_chunk_info_by_coord(corner)
    return info.byte_offset, info.size


@pytest.mark.parametrize("packed", ["bitshuffle", "gzip", "shuffled gzip", "lz4"])
def test_a_corrupt_chunk_costs_only_itself(packed, tmp_path):
    rng = np.random.default_rng(0)
    data = rng.chisquare(8, (4, 6000)).astype(np.float32)
    data[0, 0] = np.nan
    path = write_h5(tmp_path / "a.h5", data, False, {"chunks": (1, 1, 2000), **PACKED[packed]})
    start, size = place_of(path, (2, 0, 2000))
    with open(path, "r+b") as stream:
        stream.seek(start + 12)
        stream.write(b"\xa5" * (size // 2))
    file = open_filterbank(path)
    got = file.read(0, 4, 0, 6000)
    assert np.isnan(got[2, 2000:4000]).all()
    expected = data.copy()
    expected[2, 2000:4000] = np.nan
    np.testing.assert_array_equal(got, expected)
    found = {entry.reason: (entry.first, entry.last, entry.values) for entry in file.masked}
    assert found == {"corrupt chunk": (2000, 3999, 2000), "not finite": (0, 0, 1)}


def write_bomb(path, packed: bytes) -> None:
    with h5py.File(path, "w") as file:
        table = file.create_dataset(
            "data", shape=(2, 1, 64 * 1024), dtype="f4", chunks=(1, 1, 64 * 1024), compression="gzip"
        )
        table.attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0})
        table[1] = 1.0
        table.id.write_direct_chunk((0, 0, 0), packed)


def test_a_chunk_that_unpacks_to_more_than_it_should_is_not_unpacked(tmp_path):
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()  # 200 MB from 200 kB
    write_bomb(tmp_path / "a.h5", packed)
    file = open_filterbank(tmp_path / "a.h5")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    got = file.read(0, 2, 0, 64 * 1024)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB
    assert np.isnan(got[0]).all()
    assert (got[1] == 1).all()


@pytest.mark.parametrize(
    ("shape", "chunks", "said"),
    [
        ((16, 1, 10**12), (1, 1, 1 << 20), "1,000,000,000,000 channels"),
        ((10**12, 1, 16), (1, 1, 16), "16 channels"),
        ((2, 1, 1 << 27), (1, 1, 1 << 27), "a chunk of it"),
    ],
)
def test_more_than_the_file_can_hold_is_refused(shape, chunks, said, tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        table = file.create_dataset("data", shape=shape, dtype="f4", chunks=chunks, compression="gzip")
        table.attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0})
    if "chunk" in said:
        with open(tmp_path / "a.h5", "ab") as stream:
            stream.truncate(1 << 22)
    with pytest.raises(AbacadError, match=said):
        open_filterbank(tmp_path / "a.h5")


def test_a_dataset_without_any_value_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        table = file.create_dataset("data", shape=(4, 1, 100), dtype="f4")
        table.attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0})
    with pytest.raises(AbacadError, match="no value was ever written"):
        open_filterbank(tmp_path / "a.h5")


def external_link(file, other):
    file["data"] = h5py.ExternalLink(other, "data")


def soft_link(file, other):
    file["data"] = h5py.SoftLink("/elsewhere")


def virtual(file, other):
    layout = h5py.VirtualLayout((4, 1, 16), "f4")
    layout[:] = h5py.VirtualSource(other, "data", (4, 1, 16))
    file.create_virtual_dataset("data", layout)


def external_storage(file, other):
    file.create_dataset("data", (4, 1, 16), "f4", external=[(other, 0, 256)])


def group(file, other):
    file.create_group("data")


def words(file, other):
    file.create_dataset("data", data=np.array([[[b"a"]]]))


def vector(file, other):
    file.create_dataset("data", data=np.zeros(5))


def nothing(file, other):
    file.create_dataset("spectra", data=np.zeros(5))


def empty(file, other):
    file.create_dataset("data", shape=(0, 1, 16), dtype="f4")


@pytest.mark.parametrize(
    "make", [external_link, soft_link, virtual, external_storage, group, words, vector, nothing, empty]
)
def test_what_points_elsewhere_or_is_no_spectrum_is_refused(make, tmp_path):
    other = write_h5(tmp_path / "other.h5", ramp(4, 16))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file, str(other))
        if isinstance(file.get("data", getlink=True), h5py.HardLink):
            file["data"].attrs.update({"foff": 1.0, "tsamp": 1.0, "fch1": 6000.0})
    with pytest.raises(AbacadError, match=r"a\.h5 cannot be used"):
        open_filterbank(tmp_path / "a.h5")


def test_unknown_filters_and_double_packing_are_refused(tmp_path):
    write_h5(tmp_path / "a.h5", ramp(4, 16), dataset=dict(hdf5plugin.Blosc()))
    with pytest.raises(AbacadError, match="filter 32001"):
        open_filterbank(tmp_path / "a.h5")


@pytest.mark.parametrize(("header", "said"), [({"nchans": 17}, "nchans 17"), ({"nifs": 2}, "nifs 2")])
def test_a_header_that_contradicts_its_data_is_refused(header, said, tmp_path):
    with pytest.raises(AbacadError, match=said):
        open_filterbank(write_h5(tmp_path / "a.h5", ramp(4, 16), **header))


def test_an_attribute_of_many_values_is_refused(tmp_path):
    with pytest.raises(AbacadError, match="foff holds 3 values"):
        open_filterbank(write_h5(tmp_path / "a.h5", ramp(4, 16), foff=np.ones(3)))


def test_a_store_travels_to_another_process_as_its_path(tmp_path):
    store = Hdf5Store(write_h5(tmp_path / "a.h5", ramp(4, 16)))
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again.read(0, 4, 0, 0, 16)[0], store.read(0, 4, 0, 0, 16)[0])


def cut(path, bytes_left: int):
    with open(path, "r+b") as stream:
        stream.truncate(bytes_left)
    return path


@pytest.mark.parametrize("packed", PACKED)
def test_a_file_cut_short_on_disk_costs_the_rows_that_are_gone(packed, tmp_path, caplog):
    """HDF5 itself opens none whose end is missing: a download that broke off would cost the whole cadence."""
    data = np.random.default_rng(0).chisquare(8, (8, 600)).astype(np.float32)
    path = write_h5(tmp_path / "a.h5", data, False, {"chunks": (1, 1, 600), **PACKED[packed]})
    cut(path, place_of(path, (5, 0, 0))[0] + 100)
    file = open_filterbank(path)
    assert "cut short on disk; 5 of its 8 rows are whole" in caplog.text
    got = file.read(0, 8, 0, 600)
    np.testing.assert_array_equal(got[:5], data[:5])
    assert np.isnan(got[5:]).all()
    expected = np.where([[True], [False], [False]], data[4:7, 20:70], np.nan)
    np.testing.assert_array_equal(file.read(4, 3, 20, 50), expected)
    (entry,) = file.masked
    assert (entry.reason, entry.first, entry.last, entry.values) == ("cut off", 0, 599, 3 * 600)


@pytest.mark.parametrize("packed", ["one piece", *PACKED])
def test_a_file_cut_short_while_it_is_open_costs_the_rows_that_are_gone(packed, tmp_path):
    """HDF5 knows the length of the file from when it was opened, and shows zeros for what is no longer there."""
    data = np.random.default_rng(0).chisquare(8, (8, 600)).astype(np.float32)
    dataset = {} if packed == "one piece" else {"chunks": (1, 1, 600), **PACKED[packed]}
    path = write_h5(tmp_path / "a.h5", data, False, dataset)
    with h5py.File(path) as written:
        begin = (written["data"].id.get_offset() or 0) + 5 * 600 * 4
    file = open_filterbank(path)
    cut(path, 100 + (begin if packed == "one piece" else place_of(path, (5, 0, 0))[0]))
    got = file.read(0, 8, 0, 600)
    np.testing.assert_array_equal(got[:5], data[:5])
    assert np.isnan(got[5:]).all()
    assert [(entry.reason, entry.values) for entry in file.masked] == [("cut off", 3 * 600)]


@pytest.mark.parametrize("descending", [True, False])
def test_a_file_without_chunks_that_is_cut_short_keeps_its_whole_rows(descending, tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(8, 64), descending)
    with h5py.File(path) as file:
        start = file["data"].id.get_offset()
    got = open_filterbank(cut(path, start + 5 * 64 * 4 + 100)).read(0, 8, 3, 40)
    np.testing.assert_array_equal(got[:5], ramp(8, 64)[:5, 3:43])
    # of the sixth row the file holds its first 25 channels, and what is read is wholly there or not at all
    assert np.isnan(got[5:]).all()


def test_a_file_whose_chunks_are_all_cut_off_is_refused(tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(8, 64), dataset={"chunks": (1, 1, 64)})
    with pytest.raises(AbacadError, match=r"a\.h5 cannot be used: it is cut short: of its values nothing is left"):
        open_filterbank(cut(path, place_of(path, (0, 0, 0))[0] + 10))


def test_a_file_cut_within_its_header_is_refused_for_what_it_is(tmp_path):
    path = write_h5(tmp_path / "a.h5", ramp(8, 64), dataset={"chunks": (1, 1, 64)})
    with pytest.raises(AbacadError, match=r"a\.h5 cannot be used"):
        open_filterbank(cut(path, 300))

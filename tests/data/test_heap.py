"""Texts of an HDF5 file whose heap would be walked for ever: refused before the library reads them."""

import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.data.heap import has_endless_heap, text_too_long
from abacad.errors import AbacadError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose source has a name of any length, as most writers leave it."""
    path = tmp_path / "bad.h5"
    with h5py.File(path, "w") as whole:
        whole.attrs["CLASS"] = "FILTERBANK"
        data = whole.create_dataset("data", data=np.ones((4, 1, 64), np.float32))
        data.attrs.update({"tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6, "source_name": "VOYAGER-1"})
    return path


def heap_of(content: bytes) -> int:
    return content.index(b"GCOL")


def free_of(content: bytes) -> int:
    """Where the free rest of the heap begins."""
    place = heap_of(content) + 16
    while (found := struct.unpack_from("<HHIQ", content, place))[0]:
        place += 16 + -(-found[3] // 8) * 8
    return place


def test_a_good_heap_is_read(file):
    assert not has_endless_heap(file)
    assert open_filterbank(file).header.source_name == "VOYAGER-1"


def test_a_rest_without_size_is_refused_before_it_is_walked(file):
    content = bytearray(file.read_bytes())
    struct.pack_into("<Q", content, free_of(content) + 8, 0)
    file.write_bytes(content)
    assert has_endless_heap(file)
    with pytest.raises(AbacadError, match=r"bad\.h5"):
        open_filterbank(file)


def test_an_object_that_leads_into_zeros_is_refused(file):
    """What the fuzzer found: sizes changed so that the walk lands where nothing stands."""
    content = bytearray(file.read_bytes())
    struct.pack_into("<Q", content, heap_of(content) + 16 + 8, 160)
    file.write_bytes(content)
    assert has_endless_heap(file)


@pytest.mark.parametrize("size", [0, 8, 15, 1 << 62])
def test_a_heap_of_any_size_is_looked_at_within_the_file(file, size):
    content = bytearray(file.read_bytes())
    struct.pack_into("<Q", content, heap_of(content) + 8, size)
    file.write_bytes(content)
    assert has_endless_heap(file) in (True, False)


def test_the_end_of_a_long_file_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("abacad.data.heap._LOOKED_AT", 100)
    heap = b"GCOL\x01\x00\x00\x00" + struct.pack("<Q", 64) + bytes(48)
    (tmp_path / "a").write_bytes(bytes(500) + heap)
    assert has_endless_heap(tmp_path / "a")
    (tmp_path / "b").write_bytes(bytes(500) + heap + bytes(500))
    assert not has_endless_heap(tmp_path / "b")


def with_length(path: Path, length: int, **how: str) -> Path:
    """A file that says that the name of its source is that long."""
    with h5py.File(path, "w", **how) as whole:
        data = whole.create_dataset("data", data=np.ones((4, 1, 64), np.float32))
        data.attrs.update({"tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6, "source_name": "VOYAGER-1"})
    content = bytearray(path.read_bytes())
    place = content.index(struct.pack("<IQI", 9, heap_of(content), 1), content.index(b"source_name"))
    struct.pack_into("<I", content, place, length)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_a_text_that_says_it_has_4_gb_is_refused_before_memory_is_taken_for_it(version, tmp_path):
    path = with_length(tmp_path / "bad.h5", (1 << 32) - 1, libver=version)
    assert text_too_long(path, ["telescope_id", "source_name"]) == "source_name"
    assert text_too_long(path, ["telescope_id"]) is None
    # the latest version of the format has a checksum, which tells of the damage first
    with pytest.raises(AbacadError, match="source_name" if version == "earliest" else "checksum"):
        open_filterbank(path)


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_a_text_as_it_was_written_is_none_too_long(version, tmp_path):
    path = with_length(tmp_path / "good.h5", 9, libver=version)
    assert text_too_long(path, ["source_name"]) is None
    assert text_too_long(with_length(tmp_path / "a.h5", 1 << 17, libver=version), ["source_name"]) == "source_name"
    assert open_filterbank(path).header.source_name == "VOYAGER-1"

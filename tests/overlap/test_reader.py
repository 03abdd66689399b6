"""The quick reader reads what NumPy reads."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from abacad.errors import CadenceError
from abacad.overlap.reader import CadenceReader, read_ahead

N_TIME, N_FREQ, SCENE = 96, 64, 200


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int16])
def test_the_reader_reads_what_numpy_reads(tmp_path, dtype):
    reader, third = (CadenceReader((6, N_TIME, N_FREQ), apart) for apart in (1, 3))
    for name in ("one", "two", "three"):
        values = (100 * np.random.default_rng(len(name)).normal(size=(6, N_TIME, N_FREQ))).astype(dtype)
        np.save(tmp_path / f"{name}.npy", values)
        np.testing.assert_array_equal(reader.read(tmp_path / f"{name}.npy"), values.astype(np.float32))
        np.testing.assert_array_equal(third.read(tmp_path / f"{name}.npy"), values[:, ::3].astype(np.float32))
        part = reader.rows(tmp_path / f"{name}.npy", 7, 5)
        np.testing.assert_array_equal(part, values[:, 7:12].astype(np.float32))
    (tmp_path / "two.npy").write_bytes((tmp_path / "one.npy").read_bytes()[:-2])
    for call in (reader.read, lambda path: reader.rows(path, 0, 4)):
        with pytest.raises(CadenceError, match="truncated"):
            call(tmp_path / "two.npy")
        with pytest.raises(CadenceError, match="no file"):
            call(tmp_path / "absent.npy")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, -np.nan])
def test_the_reader_sees_what_is_not_finite_in_rows_that_it_does_not_give(tmp_path, dtype, wrong):
    reader = CadenceReader((6, N_TIME, N_FREQ), apart=3)
    values = np.full((6, N_TIME, N_FREQ), -np.finfo(np.float16).max, dtype)
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}.npy", values)
        reader.read(tmp_path / f"{name}.npy")
    values[5, N_TIME - 2, 3] = wrong
    np.save(tmp_path / "wrong.npy", values)
    with pytest.raises(CadenceError, match="wrong: 1 of its values are NaN or infinite"):
        reader.read(tmp_path / "wrong.npy")


def test_a_file_that_cannot_be_read_ahead_is_left_to_who_reads_it(tmp_path):
    """A file, a folder, nothing at all and a pipe, which must not be waited for."""
    (tmp_path / "there.npy").write_bytes(b"1234")
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for name in ("there.npy", ".", "absent.npy", "pipe"):
        read_ahead(tmp_path / name)
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before  # nothing stays open


def test_a_header_that_was_seen_is_not_parsed_again_and_another_shape_is_refused(tmp_path):
    reader = CadenceReader((6, 4, 8))
    values = np.arange(6 * 4 * 8, dtype=np.float32).reshape(6, 4, 8)
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}.npy", values)
        assert torch.equal(reader.read(tmp_path / f"{name}.npy"), torch.from_numpy(values))
    np.save(tmp_path / "other.npy", values.reshape(6, 8, 4))
    with pytest.raises(CadenceError, match="other"):
        reader.read(tmp_path / "other.npy")
    first = reader.read(tmp_path / "one.npy")
    np.save(tmp_path / "zeros.npy", np.zeros_like(values))
    assert reader.read(tmp_path / "zeros.npy") is first  # the same memory: who keeps a cadence copies it
    assert (first == 0).all()

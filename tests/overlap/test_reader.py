"""The quick reader reads what NumPy reads."""

import numpy as np
import pytest

from abacad.errors import CadenceError
from abacad.overlap.reader import CadenceReader

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

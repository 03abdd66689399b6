"""What is written as a telescope file reads the same, here and in blimpy."""

import contextlib
import io
import warnings

import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.data.header import Header
from abacad.data.telescope_writer import write_panel
from tests.data.files import ramp

HEADER = Header("TARGET", 57650.5, 18.25, 6000.0, -2.79e-6, 64, 1, 32, "GBT", 17.1678, 12.183, 64)


def write(path, header=HEADER):
    data = ramp(5, 64)
    write_panel(path, header, 5, [(0, data[:, :40]), (40, data[:, 40:])])
    return data


def test_the_reader_gets_what_was_written(tmp_path):
    data = write(tmp_path / "a.h5")
    file = open_filterbank(tmp_path / "a.h5")
    np.testing.assert_array_equal(file.read(0, 5, 0, 64), data)
    assert file.header == HEADER


def test_a_failure_leaves_nothing(tmp_path):
    def broken():
        yield 0, ramp(5, 40)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_panel(tmp_path / "a.h5", HEADER, 5, broken())
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore")
def test_blimpy_reads_it(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blimpy = pytest.importorskip("blimpy")
    data = write(tmp_path / "a.h5")
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = blimpy.Waterfall(str(tmp_path / "a.h5"))
    np.testing.assert_array_equal(theirs.data[:, 0, ::-1], data)
    assert theirs.header["source_name"] == "TARGET"
    assert (theirs.header["tstart"], theirs.header["tsamp"], theirs.header["nchans"]) == (57650.5, 18.25, 64)
    assert theirs.get_freqs()[0] == pytest.approx(6000.0, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_what_blimpy_writes_is_read(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blimpy = pytest.importorskip("blimpy")
    data = write(tmp_path / "a.h5")
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = blimpy.Waterfall(str(tmp_path / "a.h5"))
        del theirs.header["nfpc"]  # a word that its .fil writer does not know
        theirs.write_to_fil(str(tmp_path / "b.fil"))
        theirs.write_to_hdf5(str(tmp_path / "b.h5"))
    for name in ("b.fil", "b.h5"):
        file = open_filterbank(tmp_path / name)
        np.testing.assert_array_equal(file.read(0, 5, 0, 64), data)
        assert (file.header.source_name, file.header.telescope) == ("TARGET", "GBT")
        assert file.low_hz == pytest.approx((6000 - 63 * 2.79e-6) * 1e6, abs=1e-3)

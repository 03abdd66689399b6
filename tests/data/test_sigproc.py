"""SIGPROC files: all widths of values, unknown words, and headers that promise what the file does not hold."""

import logging
import struct

import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.errors import AbacadError
from tests.data.files import ramp, word, words, write_fil

HEAD = {"source_name": "NOISE", "nchans": 16, "nifs": 1, "fch1": 6000.0, "foff": 1.0, "tsamp": 1.0}


def write_bits(path, values: np.ndarray, bits: int):
    """Values of fewer than 8 bits, the first in a byte's lowest bits."""
    groups = values.astype(np.uint8).reshape(-1, 8 // bits)
    packed = (groups << np.arange(0, 8, bits, dtype=np.uint8)).sum(axis=1).astype(np.uint8)
    path.write_bytes(words(**HEAD, nbits=bits) + packed.tobytes())
    return path


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_values_of_a_few_bits(bits, tmp_path):
    """blimpy could not read 4 bits. Readings may begin and end within a byte."""
    values = np.arange(5 * 16).reshape(5, 16) * 7 % 2**bits
    file = open_filterbank(write_bits(tmp_path / "noise.fil", values, bits))
    assert file.n_rows == 5
    np.testing.assert_array_equal(file.read(0, 5, 0, 16), values)
    np.testing.assert_array_equal(file.read(1, 3, 3, 7), values[1:4, 3:10])


@pytest.mark.parametrize(
    ("bits", "signed", "dtype"),
    [(8, 0, "<u1"), (8, 1, "<i1"), (16, 0, "<u2"), (16, 1, "<i2"), (32, 0, "<f4"), (64, 0, "<f8")],
)
def test_values_of_whole_bytes(bits, signed, dtype, tmp_path):
    values = (np.arange(5 * 16).reshape(5, 16) * 3 - (100 if signed or dtype[1] == "f" else 0)).astype(dtype)
    path = tmp_path / "noise.fil"
    path.write_bytes(words(**HEAD, nbits=bits, signed=struct.pack("<b", signed)) + values.tobytes())
    np.testing.assert_array_equal(open_filterbank(path).read(0, 5, 0, 16), values.astype(float))


def test_what_float32_cannot_hold_is_masked(tmp_path):
    values = np.ones((2, 16))
    values[1, 3] = 1e300
    path = tmp_path / "noise.fil"
    path.write_bytes(words(**HEAD, nbits=64) + values.tobytes())
    assert np.isnan(open_filterbank(path).read(0, 2, 0, 16)).sum() == 1


@pytest.mark.parametrize(
    "payload", [struct.pack("<i", 7), struct.pack("<d", 0.5), word("hello"), word(""), b"\x01", b""]
)
def test_unknown_words_are_skipped_whatever_their_type(payload, tmp_path):
    path = tmp_path / "noise.fil"
    says = {"source_name": "X", "mystery": payload, "nbits": 32, "another_one": payload, **HEAD}
    path.write_bytes(words(**says) + ramp(3, 16).tobytes())
    np.testing.assert_array_equal(open_filterbank(path).read(0, 3, 0, 16), ramp(3, 16))


def test_an_unknown_word_of_no_known_length_is_named(tmp_path):
    path = tmp_path / "noise.fil"
    path.write_bytes(words(**HEAD, mystery=b"\xff" * 23, nbits=32) + ramp(3, 16).tobytes())
    with pytest.raises(AbacadError, match="mystery"):
        open_filterbank(path)


@pytest.mark.parametrize("length", [14, 40, 60, 100])
def test_a_truncated_header_is_refused(length, tmp_path):
    path = write_fil(tmp_path / "noise.fil", ramp(2, 8))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(AbacadError, match=r"noise\.fil"):
        open_filterbank(path)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"nchans": 2_000_000_000}, "2,000,000,000 channels"),
        ({"nifs": 2_000_000_000}, "channels"),
        ({"nchans": 0}, "nchans is 0"),
        ({"nchans": -5}, "nchans is -5"),
        ({"nifs": 0}, "nifs 0"),
        ({"nbits": 12}, "nbits is 12"),
        ({"nbits": 1, "nchans": 13}, "whole bytes"),
        ({"fchannel": 6000.0}, "evenly"),
    ],
)
def test_what_the_file_cannot_hold_is_refused_with_figures(header, said, tmp_path):
    path = tmp_path / "noise.fil"
    path.write_bytes(words(**(HEAD | {"nbits": 32} | header)) + ramp(3, 16).tobytes())
    with pytest.raises(AbacadError, match=said):
        open_filterbank(path)


def test_a_missing_word_is_named(tmp_path):
    path = tmp_path / "noise.fil"
    path.write_bytes(words(nchans=16, nbits=32, foff=1.0, tsamp=1.0) + ramp(3, 16).tobytes())
    with pytest.raises(AbacadError, match="lacks fch1"):
        open_filterbank(path)


def test_a_file_that_ends_within_a_row_keeps_its_whole_rows(tmp_path, caplog):
    path = write_fil(tmp_path / "noise.fil", ramp(5, 16), nsamples=9)
    path.write_bytes(path.read_bytes()[:-10])
    with caplog.at_level(logging.WARNING):
        file = open_filterbank(path)
    assert file.n_rows == 4
    assert "within a row" in caplog.text
    assert "promises 9 rows" in caplog.text
    np.testing.assert_array_equal(file.read(0, 4, 0, 16), ramp(4, 16))


def test_a_file_cut_off_after_it_was_opened_costs_the_rows_that_are_gone(tmp_path):
    path = write_fil(tmp_path / "noise.fil", ramp(5, 16))
    file = open_filterbank(path)
    os_size = path.stat().st_size
    with open(path, "r+b") as stream:
        stream.truncate(os_size - 2 * 16 * 4)
    got = file.read(0, 5, 0, 16)
    np.testing.assert_array_equal(got[:3], ramp(3, 16))
    assert np.isnan(got[3:]).all()
    assert [(entry.reason, entry.values) for entry in file.masked] == [("cut off", 32)]

"""The words of a header in the physics' units, and every word that makes no sense told with its value."""

import math

import numpy as np
import pytest

from abacad.data.header import Header, header_of

WORDS = {"fch1": 6000.0, "foff": -2.0, "tsamp": 18.25}


def made(**words) -> Header:
    return header_of(WORDS | words, 64, 1, 32)


def test_what_a_file_does_not_say_is_empty_or_not_a_number():
    header = made()
    assert (header.source_name, header.telescope, header.n_fine) == ("", "", 0)
    assert all(math.isnan(value) for value in (header.tstart_mjd, header.ra_hours, header.dec_deg))


@pytest.mark.parametrize("missing", ["fch1", "foff", "tsamp"])
def test_without_frequencies_or_times_there_is_no_header(missing):
    with pytest.raises(KeyError, match=missing):
        header_of({key: value for key, value in WORDS.items() if key != missing}, 64, 1, 32)


@pytest.mark.parametrize(("foff", "descending", "low"), [(-2.0, True, 5874.0), (2.0, False, 6000.0)])
def test_the_lowest_channel_is_the_last_where_frequencies_descend(foff, descending, low):
    header = made(foff=foff)
    assert header.descending is descending
    assert header.low_mhz == low


@pytest.mark.parametrize("number_type", [float, str, np.float32, np.float64, lambda value: np.array(value)])
def test_numbers_may_be_of_any_type_or_text(number_type):
    header = made(fch1=number_type(6000.5), tstart=number_type(57650.5))
    assert (header.fch1_mhz, header.tstart_mjd) == (6000.5, 57650.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"foff": 0}, "foff is 0: its channels have no width"),
        ({"tsamp": 0}, "tsamp is 0 s: its rows take no time"),
        ({"tsamp": -1}, "tsamp is -1 s"),
        ({"fch1": math.nan}, "fch1 is nan"),
        ({"fch1": "blue"}, "fch1 is 'blue', not a number"),
        ({"foff": None}, "foff is 'None', not a number"),
        ({"tstart": 1e12}, r"tstart is 1e\+12"),
        ({"telescope_id": -math.inf}, "telescope_id is -inf"),
        ({"nfpc": math.nan}, "nfpc is nan"),
    ],
)
def test_a_word_that_makes_no_sense_is_told_with_its_value(words, said):
    with pytest.raises(ValueError, match=said):
        made(**words)


@pytest.mark.parametrize("tstart", [0.0, -1.0])
def test_a_start_at_or_before_the_first_day_means_that_nobody_said(tstart):
    assert math.isnan(made(tstart=tstart).tstart_mjd)


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("HIP17147", "HIP17147"), (b"HIP17147", "HIP17147"), ("b'HIP17147'", "HIP17147"), ("B'HIP17147'", "HIP17147"),
        ("HIP17147\0\0", "HIP17147"), (" HIP 17147 ", "HIP 17147"), ("b'", "b'"), ("", ""), ("b", "b"),
    ],
)  # fmt: skip
def test_a_sources_name_is_freed_of_what_writers_put_around_it(stored, name):
    assert made(source_name=stored).source_name == name


@pytest.mark.parametrize(("number", "name"), [(6, "GBT"), (4.0, "Parkes"), ("64", "MeerKAT"), (777, "777")])
def test_telescopes_are_known_by_their_number(number, name):
    assert made(telescope_id=number).telescope == name


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("17h10m03.984s", 17 + 10 / 60 + 3.984 / 3600),
        ("-12d10m58.8s", -(12 + 10 / 60 + 58.8 / 3600)),
        ("-00:30:00", -0.5),
        ("+05:15:00.", 5.25),
        ("12 30 00", 12.5),
        (17.25, 17.25),
        ("-0.5", -0.5),
    ],
)
def test_angles_are_numbers_whether_written_in_sixtieths_or_not(stored, value):
    header = made(src_raj=stored, src_dej=stored)
    assert header.ra_hours == pytest.approx(value)
    assert header.dec_deg == pytest.approx(value)


@pytest.mark.parametrize("stored", ["north", "17h10m", None, b"x", []])
def test_an_angle_that_is_none_is_not_a_number_and_no_reason_to_refuse(stored):
    assert math.isnan(made(src_raj=stored).ra_hours)


@pytest.mark.parametrize(("nfpc", "n_fine"), [(1 << 20, 1 << 20), (8.0, 8), (-3, 0), (0, 0)])
def test_channels_of_a_coarse_channel(nfpc, n_fine):
    assert made(nfpc=nfpc).n_fine == n_fine

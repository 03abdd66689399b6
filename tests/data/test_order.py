"""The order of the files is the order of time, and their sources tell ON from OFF; what tells neither is refused."""

import logging

import numpy as np
import pytest

from abacad.data.filterbank import Filterbank, open_filterbank
from abacad.data.observation import open_observation
from abacad.data.order import checked_pattern, in_time_order, pattern_of, start_times
from abacad.errors import AbacadError
from tests.data.files import MJD, ramp, write_cadence, write_fil, write_h5, write_panel


def opened(folder, sources="ABACAD", starts_s=None, rows=4) -> list[Filterbank]:
    """One file a source; starts in seconds after MJD, none where the header shall not say."""
    starts = [400.0 * k for k in range(len(sources))] if starts_s is None else starts_s
    days = [None if at is None else MJD + at / 86_400 for at in starts]
    return [
        open_filterbank(write_panel(folder, k, ramp(rows, 16, k), source_name=name, tstart=day))
        for k, (name, day) in enumerate(zip(sources, days, strict=True))
    ]


def names(files) -> str:
    return "".join(file.path.name[0] for file in files)


@pytest.mark.parametrize("given", ["012345", "543210", "024135", "301542"])
def test_any_order_of_the_files_gives_the_order_of_time(given, tmp_path):
    files = opened(tmp_path)
    assert names(in_time_order([files[int(k)] for k in given])) == "012345"


def test_where_one_header_does_not_say_when_the_order_given_holds(tmp_path):
    files = opened(tmp_path, starts_s=[800.0, 0.0, None, 400.0, 1600.0, 1200.0])
    assert names(in_time_order(files)) == "012345"
    assert start_times(files) == tuple(72.0 * k for k in range(6))  # 4 rows of 18 s, without pauses


def test_start_times_are_those_of_the_headers_to_a_millisecond(tmp_path):
    """`tstart` is in days: doubles near 57,650 are 7e-12 days apart, less than a microsecond."""
    starts = [0.0, 95.5, 400.0, 1234.567, 1400.0, 2000.001]
    np.testing.assert_allclose(start_times(opened(tmp_path, starts_s=starts)), starts, atol=1e-3)


@pytest.mark.parametrize(("begin_s", "refused"), [(72.0, False), (60.0, False), (53.0, True), (0.5, True)])
def test_a_row_of_overlap_is_rounding_and_more_is_none(begin_s, refused, tmp_path):
    files = opened(tmp_path, "AB", [0.0, begin_s])
    if refused:
        with pytest.raises(AbacadError, match="they overlap"):
            start_times(files)
    else:
        assert start_times(files)[1] == pytest.approx(begin_s, abs=1e-3)


def test_a_single_file_is_at_time_nought_and_on(tmp_path):
    (file,) = opened(tmp_path, "X", [None])
    assert in_time_order([file]) == [file]
    assert start_times([file]) == (0.0,)
    assert pattern_of([file]) == "A"
    assert checked_pattern("a", [file]) == "A"


def test_more_off_sources_than_letters_end_with_z(tmp_path):
    files = opened(tmp_path, ["target", *(f"off {k}" for k in range(27)), "target"])
    assert pattern_of(files) == "ABCDEFGHIJKLMNOPQRSTUVWXYZZZA"


@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_panels_come_in_the_order_of_time_whatever_the_order_of_files(write, tmp_path, caplog):
    """turbo_seti took files in the order they were given, and called ON panels OFF."""
    a1, b, a2, c, a3, d = write_cadence(tmp_path, write=write)
    with caplog.at_level(logging.INFO):
        seen = open_observation([a1, a2, a3, b, c, d])
    assert "order of their start times: 0" in caplog.text
    assert [file.path.name[0] for file in seen.files] == list("012345")
    assert (seen.pattern, seen.on, seen.off) == ("ABACAD", (0, 2, 4), (1, 3, 5))
    assert seen.sources == ("A", "B", "A", "C", "A", "D")
    np.testing.assert_allclose(seen.start_s, np.arange(6) * 400, atol=1e-3)
    assert seen.tstart_mjd == MJD
    for panel, values in enumerate(seen.read(10, 20)):
        np.testing.assert_array_equal(values, ramp(8, 64, panel)[:, 10:30])


def test_files_in_order_say_nothing(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        open_observation(write_cadence(tmp_path))
    assert not caplog.text


@pytest.mark.parametrize(
    ("sources", "pattern", "on"),
    [
        ("ABABAB", "ABABAB", (0, 2, 4)),
        ("XYXZ", "ABAC", (0, 2)),
        ("AAABBB", "AAABBB", (0, 1, 2)),
        ("BABACADA", "BABACADA", (1, 3, 5, 7)),  # the most frequent is the target, wherever it stands
        ("A", "A", (0,)),
        ("AAB", "AAB", (0, 1)),
    ],
)
def test_other_cadences_than_abacad(sources, pattern, on, tmp_path):
    """turbo_seti crashed at any but its own ("complex cadences")."""
    paths = [write_panel(tmp_path, k, ramp(4, 16, k), source_name=name) for k, name in enumerate(sources)]
    seen = open_observation(paths)
    assert (seen.pattern, seen.on) == (pattern, on)
    assert sorted(seen.on + seen.off) == list(range(len(sources)))


@pytest.mark.parametrize(
    ("sources", "said"),
    [("AAAAAA", "looked at A"), ("ABCDEF", "No source was looked at twice"), (("A", "", "A"), "does not say")],
)
def test_sources_that_tell_nothing_need_a_pattern(sources, said, tmp_path, caplog):
    paths = [write_panel(tmp_path, k, ramp(4, 16, k), source_name=name) for k, name in enumerate(sources)]
    with pytest.raises(AbacadError, match=said):
        open_observation(paths)
    pattern = "ABACAD"[: len(sources)]
    if len(set(sources)) < 6:
        assert open_observation(paths, pattern=pattern.lower()).on == (0, 2, 4)[: len(sources) // 2 + 1]
        assert "from the pattern alone" in caplog.text


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("ABACAA", "does not fit"),
        ("BABACA", "does not fit"),
        ("ABACA", "5 panels"),
        ("BCBCBC", "A for ON"),
        ("A1A", "A for ON"),
    ],
)
def test_a_pattern_is_held_against_the_sources(pattern, said, tmp_path):
    with pytest.raises(AbacadError, match=said):
        open_observation(write_cadence(tmp_path), pattern=pattern)


def test_a_pattern_may_name_off_sources_as_it_likes(tmp_path):
    assert open_observation(write_cadence(tmp_path), pattern="ABABAB").off == (1, 3, 5)


def test_panels_that_overlap_in_time_are_refused_with_the_seconds(tmp_path):
    paths = write_cadence(tmp_path)
    paths[1] = write_panel(tmp_path, 1, ramp(8, 64, 1), tstart=MJD + 100 / 86_400)
    with pytest.raises(AbacadError, match=r"1\.h5 begins 100\.0 s after 0\.h5, which lasts 144\.0 s"):
        open_observation(paths)


@pytest.mark.parametrize(("days", "refused"), [(60.0, True), (0.2, False)])
def test_months_between_panels_are_refused_and_hours_are_said(days, refused, tmp_path, caplog):
    paths = write_cadence(tmp_path)
    paths[5] = write_panel(tmp_path, 5, ramp(8, 64, 5), tstart=MJD + days)
    if refused:
        with pytest.raises(AbacadError, match=r"60\.0 days"):
            open_observation(paths)
    else:
        open_observation(paths)
        assert "hours lie between 4.h5 and 5.h5" in caplog.text


@pytest.mark.parametrize("tstart", [None, MJD])
def test_without_start_times_the_order_given_holds_and_is_said(tstart, tmp_path, caplog):
    paths = [write_panel(tmp_path, k, ramp(8, 64, k), tstart=tstart) for k in range(6)]
    seen = open_observation(paths)
    assert "order given" in caplog.text
    np.testing.assert_allclose(seen.start_s, np.arange(6) * 8 * 18.0)

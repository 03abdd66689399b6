"""Any number of telescope files make one observation; its values tell the file, row and channel they were in."""

import logging
import shutil
from itertools import pairwise

import h5py
import numpy as np
import pytest

from abacad.data.grid import middle_channels
from abacad.data.observation import COARSE, open_observation
from abacad.errors import AbacadError, CadenceError
from tests.data.files import MJD, STEP_MHZ, ramp, write_cadence, write_fil, write_h5, write_panel


def six(folder, write=write_fil, n_channels=600, n_rows=(20, 20, 20, 20, 20, 16), marked=400):
    """Six files of noise with a bright channel in the ON files."""
    rng = np.random.default_rng(0)
    paths = []
    for panel, rows in enumerate(n_rows):
        data = rng.chisquare(20, (rows, n_channels)).astype(np.float32)
        if panel % 2 == 0:
            data[:, marked] += 200
        paths.append(write_panel(folder, panel, data, write))
    return paths


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


def test_the_same_file_twice_is_refused(tmp_path):
    paths = write_cadence(tmp_path)
    with pytest.raises(AbacadError, match=r"5\.h5 holds the same as .*5\.h5"):
        open_observation([*paths, tmp_path / "." / "5.h5"])
    (tmp_path / "link.h5").symlink_to(paths[0])
    with pytest.raises(AbacadError, match=r"link\.h5 holds the same as"):
        open_observation([*paths, tmp_path / "link.h5"])
    shutil.copy(paths[1], tmp_path / "copy.h5")
    with h5py.File(tmp_path / "copy.h5", "r+") as file:
        file["data"].attrs["tstart"] = MJD + 0.1
    with pytest.raises(AbacadError, match=r"copy\.h5 holds the same as .*1\.h5"):
        open_observation([*paths, tmp_path / "copy.h5"])


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


def test_a_short_panel_is_named_and_costs_its_own_rows_only(tmp_path, caplog):
    paths = write_cadence(tmp_path)
    paths[2] = write_panel(tmp_path, 2, ramp(5, 64, 2))
    seen = open_observation(paths)
    assert seen.n_time == (8, 8, 5, 8, 8, 8)
    assert [len(values) for values in seen.read(0, 4)] == [8, 8, 5, 8, 8, 8]
    assert "2.h5 is cut short: it has 5 rows where others have 8" in caplog.text
    window = seen.window(0, 64)
    assert window.shape == (6, 8, 64)
    np.testing.assert_array_equal(window[2, :5], ramp(5, 64, 2))
    np.testing.assert_array_equal(window[2, 5:], np.median(ramp(5, 64, 2)))
    np.testing.assert_array_equal(window[3], ramp(8, 64, 3))


def test_a_panel_of_one_row_is_refused_by_name(tmp_path):
    paths = write_cadence(tmp_path)
    paths[2] = write_panel(tmp_path, 2, ramp(1, 64, 2))
    with pytest.raises(AbacadError, match=r"2\.h5 has 1 row"):
        open_observation(paths)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("ulps", [1, 4])
def test_a_last_digit_of_fch1_is_no_reason_to_refuse(descending, ulps, tmp_path):
    paths = write_cadence(tmp_path, descending=descending)
    fch1 = 6000.0 + ulps * np.spacing(6000.0)
    paths[3] = write_panel(tmp_path, 3, ramp(8, 64, 3), descending=descending, fch1=fch1)
    seen = open_observation(paths)
    assert (seen.n_freq, seen.first) == (64, (0,) * 6)


@pytest.mark.parametrize("descending", [True, False])
def test_grids_are_aligned_to_their_common_band(descending, tmp_path, caplog):
    """Files that are 5 channels off, 40 % of a channel off, and wider: the same frequency comes out of each."""
    paths = write_cadence(tmp_path, descending=descending)
    step = STEP_MHZ
    paths[1] = write_panel(tmp_path, 1, ramp(8, 64, 1), descending=descending, fch1=6000.0 + 5 * step)
    paths[2] = write_panel(tmp_path, 2, ramp(8, 64, 2), descending=descending, fch1=6000.0 + 0.4 * step)
    more = 10 * step if descending else 0.0
    paths[3] = write_panel(tmp_path, 3, ramp(8, 74, 3), descending=descending, fch1=6000.0 + more)
    seen = open_observation(paths)
    assert seen.n_freq == 59
    assert seen.first == (5, 0, 5, 5, 5, 5)
    own = [ramp(8, 74 if k == 3 else 64, k) for k in range(6)]
    for panel, values in enumerate(seen.read(2, 10)):
        first = seen.first[panel] + 2
        np.testing.assert_array_equal(values, own[panel][:, first : first + 10])
    low_mhz = 6000.0 - 63 * step * descending + 5 * step
    assert seen.low_hz == pytest.approx(low_mhz * 1e6, abs=1e-3)
    assert seen.freq_hz(3) == pytest.approx(low_mhz * 1e6 + 3 * step * 1e6, abs=1e-3)
    assert "2.h5 lies 0.40 of a channel off" in caplog.text
    assert "59 are common" in caplog.text


def test_a_halo_beyond_the_band_is_what_each_file_has_there_or_nan(tmp_path):
    paths = write_cadence(tmp_path)
    paths[1] = write_panel(tmp_path, 1, ramp(8, 70, 1), fch1=6000.0 + 6 * STEP_MHZ)  # six channels more, above
    seen = open_observation(paths)
    values = seen.read(-3, 74)
    np.testing.assert_array_equal(values[0][:, 3:67], ramp(8, 64, 0))
    assert np.isnan(values[0][:, :3]).all()
    assert np.isnan(values[0][:, 67:]).all()
    np.testing.assert_array_equal(values[1][:, 3:73], ramp(8, 70, 1))
    assert np.isnan(values[1][:, 73:]).all()
    assert all(np.isnan(panel).all() for panel in seen.read(5000, 10))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"foff": -2.7900001e-6 * 1.02}, r"2\.846 Hz, 0\.h5 of 2\.79"),
        ({"tsamp": 19.0}, r"rows of 19 s, 0\.h5 of 18 s"),
        ({"fch1": 8421.0}, r"no frequency in common: .* 6000\.000000 MHz; .* 8421\.000000 MHz"),
    ],
)
def test_other_products_are_refused_with_what_differs(header, said, tmp_path):
    paths = write_cadence(tmp_path)
    paths[3] = write_panel(tmp_path, 3, ramp(8, 64, 3), **header)
    with pytest.raises(AbacadError, match=said):
        open_observation(paths)


def test_channels_of_megahertz_are_refused(tmp_path):
    with pytest.raises(AbacadError, match="4 MHz"):
        open_observation(write_cadence(tmp_path, foff=-4.0))


def test_no_files_and_mixed_telescopes(tmp_path, caplog):
    with pytest.raises(AbacadError, match="No telescope files"):
        open_observation([])
    paths = write_cadence(tmp_path, telescope_id=6)
    assert open_observation(paths).telescope == "GBT"
    paths[3] = write_panel(tmp_path, 3, ramp(8, 64, 3), telescope_id=4)
    open_observation(paths)
    assert "GBT, Parkes" in caplog.text


@pytest.mark.parametrize("n_channels", [256, 257, 300, 383, 384, 600, 1000])
def test_windows_overlap_by_half_and_reach_the_last_channel(n_channels, tmp_path):
    seen = open_observation(write_cadence(tmp_path, 2, n_channels))
    starts = list(seen.starts(256))
    assert len(starts) == seen.n_windows(256)
    assert starts[0] == 0
    assert starts[-1] == n_channels - 256
    assert all(0 < after - before <= 128 for before, after in pairwise(starts))
    windows = list(seen.windows(256))
    assert [start for start, _ in windows] == starts
    for start, cadence in windows:
        for panel in range(6):
            np.testing.assert_array_equal(cadence[panel], ramp(2, n_channels, panel)[:, start : start + 256])
        np.testing.assert_array_equal(seen.window(start, 256), cadence)


def test_windows_cost_nothing_before_they_are_asked_for(tmp_path, monkeypatch):
    """2^28 channels were 2.1 million objects once."""
    seen = open_observation(write_cadence(tmp_path))
    wide = type(seen)(**{**vars(seen), "n_freq": 1 << 40})
    assert next(wide.starts(256)) == 0
    assert wide.n_windows(256) == (1 << 33) - 1


def test_what_is_masked_becomes_the_median_in_a_window(tmp_path):
    data = ramp(8, 64, 2)
    data[3, 10], data[:, 20:60] = np.inf, np.nan
    paths = write_cadence(tmp_path)
    paths[2] = write_panel(tmp_path, 2, data)
    seen = open_observation(paths)
    window = seen.window(0, 32)
    there = np.isfinite(data[:, :32])
    np.testing.assert_array_equal(window[2][there], data[:, :32][there])
    np.testing.assert_array_equal(window[2][~there], np.median(data[:, :32][there]))
    with pytest.raises(CadenceError, match=r"2\.h5 holds no values in channels 20 to 51"):
        seen.window(20, 32)
    assert [start for start, _ in seen.windows(8)] == [0, 4, 8, 12, 16, 56]
    assert {entry.file for entry in seen.masked} == {"2.h5"}


def pieces(tmp_path, n_channels, descending=True, first=0, **header):
    """Coarse pieces of an observation that claims to be wider than its files."""
    seen = open_observation(write_cadence(tmp_path, 2, 16, descending=descending, **header))
    file = seen.files[0]
    object.__setattr__(file, "header", type(file.header)(**{**vars(file.header), "n_channels": n_channels}))
    found = type(seen)(**{**vars(seen), "n_freq": n_channels - first, "first": (first,) * 6}).coarse()
    assert found[0][0] == 0
    assert sum(n for _, n in found) == n_channels - first
    assert all(a + n == b for (a, n), (b, _) in pairwise(found))
    return found


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(("nfpc", "coarse"), [(8, 2), (16, 1), (10, 0), (None, 0)])
def test_the_middle_of_a_coarse_channel_is_half_its_channels_as_the_file_counts(descending, nfpc, coarse, tmp_path):
    seen = open_observation(write_cadence(tmp_path, 2, 16, descending=descending, nfpc=nfpc))
    as_the_file_counts = sorted(15 - channel if descending else channel for channel in seen.middles())
    assert as_the_file_counts == [place * (nfpc or 0) + (nfpc or 0) // 2 for place in range(coarse)]


def test_the_fine_products_coarse_channels_need_no_word_in_the_header():
    assert middle_channels(0, 2 * COARSE, 2.79, descending=True) == [COARSE // 2 - 1, COARSE + COARSE // 2 - 1]
    assert middle_channels(0, 2 * COARSE, 2860.0, descending=True) == []


@pytest.mark.parametrize("descending", [True, False])
def test_pieces_are_the_files_coarse_channels(descending, tmp_path):
    assert pieces(tmp_path, 3 * COARSE, descending) == [(0, COARSE), (COARSE, COARSE), (2 * COARSE, COARSE)]


def test_pieces_end_where_chunks_end(tmp_path):
    """Chunks and coarse channels begin with the file's first channel, which is the highest where foff is negative."""
    assert pieces(tmp_path, COARSE + 10_000, True) == [(0, 10_000), (10_000, COARSE)]
    assert pieces(tmp_path, COARSE + 10_000, False) == [(0, COARSE), (COARSE, 10_000)]
    assert pieces(tmp_path, 2 * COARSE, True, first=10_000) == [(0, COARSE - 10_000), (COARSE - 10_000, COARSE)]


def test_remnants_go_with_their_neighbours(tmp_path):
    assert pieces(tmp_path, COARSE + 5) == [(0, COARSE + 5)]
    assert pieces(tmp_path, 100) == [(0, 100)]
    assert pieces(tmp_path, 2 * COARSE, first=10) == [(0, COARSE - 10), (COARSE - 10, COARSE)]


@pytest.mark.parametrize(
    ("n_fine", "piece"),
    [(1 << 19, COARSE), (1 << 20, COARSE), (3 << 18, 3 << 18), (1 << 22, COARSE), (3 << 20, COARSE)],
)
def test_the_header_may_say_how_wide_coarse_channels_are(n_fine, piece, tmp_path):
    """turbo_seti could not tell the number of coarse channels of some files; rawspec's header says."""
    assert {n for _, n in pieces(tmp_path, 6 << 20, nfpc=n_fine)} == {piece}


@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_a_window_holds_what_stands_at_its_frequency(write, tmp_path):
    seen = open_observation(six(tmp_path, write))
    window = seen.window(256, 256)
    assert window.shape == (6, 20, 256)
    assert window[0].mean(0).argmax() == 400 - 256
    assert window[1].mean(0).max() < 60

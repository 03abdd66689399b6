"""Hits by panel: where the line is when each panel begins, and files that turboSETI's tools read."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from abacad.searcher.hits import hits_table, write_dat, write_hits
from tests.searcher.made import File, Made

OBSERVATION = Made([np.zeros((16, 4096), np.float32)] * 6, (0.0, 200.0, 400.0, 600.0, 800.0, 1000.0))


def events(**columns) -> pd.DataFrame:
    """Two signals: one in the ON panels, that drifts up, and one in all panels, that stands."""
    usual = {
        "class": ["event", "in OFF"], "frequency_mhz": [1400.001, 1400.0005], "drift_hz_s": [0.5, 0.0],
        "bandwidth_hz": [2.0, 4.0],
        **{f"snr_{p + 1}": [20.0 + p if p % 2 == 0 else 1.0, 50.0] for p in range(6)},
    }  # fmt: skip
    return pd.DataFrame(usual | columns)


HITS = hits_table(OBSERVATION, events(), 10.0)


def test_a_hit_is_a_signal_in_a_panel_that_shows_it_alone():
    assert HITS.groupby("panel")["event"].apply(list).to_dict() == {
        1: [1, 0], 2: [1], 3: [1, 0], 4: [1], 5: [1, 0], 6: [1],
    }  # fmt: skip
    assert len(hits_table(OBSERVATION, events(), 30.0)) == 6
    assert len(hits_table(OBSERVATION, events(), 20.0)) == 9  # the threshold itself is enough


def test_in_each_panel_a_line_is_where_its_drift_has_brought_it():
    """0.5 Hz/s: 200 Hz further in every ON panel, and 80 Hz within the 160 s of one."""
    of_event = HITS[HITS["event"] == 0]
    assert of_event["frequency_mhz"].tolist() == pytest.approx([1400.001, 1400.0012, 1400.0014], abs=1e-9)
    assert (of_event["end_mhz"] - of_event["frequency_mhz"]).tolist() == pytest.approx([80e-6] * 3, abs=2e-9)
    assert of_event["snr"].tolist() == [20.0, 22.0, 24.0]
    assert of_event["mjd"].tolist() == pytest.approx([60000, 60000 + 400 / 86400, 60000 + 800 / 86400], abs=1e-9)


def test_frequencies_count_from_the_first_on_panel():
    """Where an OFF panel comes first, the line was elsewhere then."""
    observation = Made(OBSERVATION.panels, OBSERVATION.start_s, "BABACA")
    hits = hits_table(observation, events(**{f"snr_{p + 1}": [20.0, 1.0] for p in range(6)}), 10.0)
    np.testing.assert_allclose(hits["frequency_mhz"], 1400.001 + 0.5e-6 * (np.arange(6) * 200.0 - 200.0), atol=1e-9)
    assert hits["letter"].tolist() == list("BABACA")
    assert hits["source"].tolist() == [f"source {letter}" for letter in "BABACA"]


def test_no_event_is_no_hit_and_the_columns_stay():
    none = hits_table(OBSERVATION, events()[:0], 10.0)
    assert len(none) == 0
    assert list(none.columns) == list(HITS.columns)


def rows_of(path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]


def test_a_dat_file_has_turbosetis_columns_brightest_first(tmp_path):
    write_dat(tmp_path / "a.dat", OBSERVATION, 0, "a.h5", HITS[HITS["panel"] == 1], 4.0)
    first, second = rows_of(tmp_path / "a.dat")
    assert [len(first), len(second)] == [13, 13]  # twelve columns, and a tab at the end as turboSETI writes it
    assert (first[0], second[0]) == ("001", "002")
    assert float(first[2]) == 50.0
    assert float(second[1]) == 0.5
    assert float(second[3]) == float(second[4]) == pytest.approx(1400.001, abs=1e-6)
    assert float(second[6]) < float(second[3]) < float(second[7])


def test_the_index_counts_down_from_the_highest_channel(tmp_path):
    """turboSETI counts as the file does, whose first channel is its highest."""
    hit = {"frequency_mhz": [1400.0, (1.4e9 + 4095 * 2.0) / 1e6], "drift_hz_s": 0.0, "snr": [9.0, 8.0]}
    write_dat(tmp_path / "a.dat", OBSERVATION, 0, "a.h5", pd.DataFrame(hit), 4.0)
    assert [int(row[5]) for row in rows_of(tmp_path / "a.dat")] == [4095, 0]


def test_the_head_tells_panel_and_place(tmp_path):
    file = SimpleNamespace(path="a.h5", header=SimpleNamespace(ra_hours=17.1677733, dec_deg=-12.183))

    class Placed(Made):
        files = (file,) * 6

    write_dat(tmp_path / "a.dat", Placed(OBSERVATION.panels, OBSERVATION.start_s), 2, "a.h5", HITS[:0], 4.0)
    head = (tmp_path / "a.dat").read_text()
    assert "# File ID: a.h5 \n" in head
    assert "# Source:source A\n" in head
    assert f"# MJD: {60000 + 400 / 86400:18.12f}\tRA: 17h10m03.984s\tDEC: -12h10m58.800s" in head
    assert "DELTAT:  10.000000\tDELTAF(Hz):  -2.000000\tmax_drift_rate:   4.000000\tobs_length: 160.000000" in head
    assert rows_of(tmp_path / "a.dat") == []


def test_a_file_a_panel_and_the_table_of_all(tmp_path):
    written = write_hits(tmp_path, OBSERVATION, HITS, 4.0)
    assert [path.name for path in written] == [f"p{p}_{'ABACAD'[p]}.dat" for p in range(6)]
    assert [len(rows_of(path)) for path in written] == [2, 1, 2, 1, 2, 1]
    assert len(pd.read_csv(tmp_path / "hits.csv")) == 9


def test_files_of_one_name_in_two_folders_do_not_overwrite_each_other(tmp_path):
    class Twins(Made):
        files = tuple(File(f"/data/{'on' if p % 2 == 0 else 'off'}/{p // 2}.h5") for p in range(6))

    written = write_hits(tmp_path, Twins(OBSERVATION.panels, OBSERVATION.start_s), HITS, 4.0)
    assert len({path.name for path in written}) == 6
    assert [len(rows_of(path)) for path in written] == [2, 1, 2, 1, 2, 1]

"""The tables of a search's page: headings with units, no empty columns, digits that mean something."""

import numpy as np
import pandas as pd
import pytest

from abacad.show import search_tables

NOTHING = {"masked_pixels": {}, "dead_channels": 0}


def events(**columns) -> pd.DataFrame:
    usual = {
        "class": ["event", "in OFF", "not in every ON"], "score": [0.99999, np.nan, np.nan], "window_score": np.nan,
        "frequency_mhz": [8420.72804, 8421.0, 8422.5], "drift_hz_s": [-0.0998008, 0.0, 0.5],
        "snr": [163.517, 50.0, 8.0], "off_snr": [-0.04, 40.0, 0.3], "bandwidth_hz": 2.794, "hits": 1, "excluded": "",
    }  # fmt: skip
    return pd.DataFrame(usual | columns)


def test_columns_have_units_and_those_that_would_be_empty_are_left_out():
    section = search_tables.signals(events(), 50, 1)
    assert "MHz" in section.columns
    assert "drift, Hz/s" in section.columns
    assert not [name for name in section.columns if "window" in name or "excluded" in name or "_" in name]
    full = search_tables.signals(events(window_score=0.5, excluded=["gps", "", ""]), 50, 1)
    assert len(full.columns) == len(section.columns) + 2


def test_interference_is_counted_and_the_rest_is_listed():
    section = search_tables.signals(events(), 50, 1)
    assert [row[0] for row in section.rows] == ["event", "not in every ON"]
    assert section.text.startswith("2 signals, 1 with pictures below. events.csv has all 3")
    assert search_tables.signals(events(), 1, 0).text.startswith("The first 1 of 2 signals. ")


def test_a_sure_score_is_told_as_log_odds_and_a_missing_one_is_empty():
    section = search_tables.signals(events(), 50, 1)
    place = section.columns.index("log-odds")
    assert [row[place] for row in section.rows] == ["+11.5", ""]


def test_no_number_is_minus_zero_and_frequencies_have_no_commas():
    rows = search_tables.signals(events(), 50, 1).rows
    assert "8420.728040" in rows[0]
    assert "−0.0998" in rows[0]
    assert "0.0" in rows[0]  # −0.04 in OFF panels


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("snr_threshold", 7.0, "Threshold: joint SNR 7."), ("snr_50_percent", 7.154, "at joint SNR 7.15."),
        ("snr_90_percent", None, "not measured"), ("flux_w_m2_slow", 4.2e-26, "4.2e-26 W/m²"),
        ("eirp_w_fastest", 1.3e12, "1.3e+12 W."),
    ],
)  # fmt: skip
def test_depth_is_told_in_words_with_units(key, value, told):
    points = search_tables.depth(NOTHING | {"depth": {key: value}}).points
    assert told in points[0]
    assert "_" not in points[0]


def test_completeness_tells_what_was_found_of_how_many():
    row = {"low": 7.0, "high": 8.0, "needles": 5, "found": 3, "share": 0.6, "share_low": 0.23, "share_high": 0.88}
    section = search_tables.completeness(pd.DataFrame([{"of": "SNR, dense"} | row, {"of": "drift"} | row]))
    assert section.rows[0] == ("joint SNR, dense", "7 – 8", "3 of 5", "60 % [23, 88]")
    assert section.rows[1][0].startswith("|drift|, Hz/s")
    assert section.figures == []  # one point is no curve

"""The table of events: where a line is, at which epoch, in an astronomer's units; and in which order they come."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from abacad.searcher.classes import SignalClass
from abacad.searcher.path import Line
from abacad.searcher.second_look import Signal
from abacad.searcher.table import CLASSES, columns, events_table, in_order
from tests.searcher.made import Made, white

OBSERVATION = Made([np.zeros((16, 4096), np.float32)] * 6, tuple(200.0 * p for p in range(6)), "BABACA")
UNIT = white(pattern="BABACA")  # begins at channel 1000; rows of 10 s, channels of 2 Hz, ON panels 1, 3 and 5
SIGNAL = Signal(
    Line(40.25, -0.5, 2.0), 12.3456, 12.0, 1.0, (0.1, 7.0, 0.2, 7.5, 0.3, 8.0), 0.01, 3.0, SignalClass.EVENT, 4
)


def table(*signals: Signal, scores=None) -> pd.DataFrame:
    found = np.full(len(signals), np.nan) if scores is None else np.array(scores)
    return in_order(events_table(OBSERVATION, UNIT, 2, signals, found, np.full(len(signals), 0.75)))


def test_a_signal_is_one_row_of_the_columns_that_are_promised():
    row = table(SIGNAL, scores=[0.25])
    assert list(row.columns) == columns(6)
    only = row.iloc[0]
    assert only["window_score"] == 0.75
    assert (only["class"], only["score"], only["coarse"], only["hits"], only["excluded"]) == ("event", 0.25, 2, 4, "")
    assert (only["snr"], only["off_snr"], only["snr_4"]) == (12.346, 1.0, 7.5)
    assert (only["source"], only["pattern"], only["file"]) == ("source A", "BABACA", "p1_A.h5")


def test_frequency_and_drift_are_those_of_the_line_at_the_first_on_panel():
    only = table(SIGNAL).iloc[0]
    at_first_on = OBSERVATION.low_hz + (1000 + 40.25) * 2.0
    assert only["frequency_mhz"] == only["start_mhz"] == pytest.approx(at_first_on / 1e6, abs=1e-9)
    assert only["epoch_mjd"] == pytest.approx(60000 + 200 / 86400, abs=1e-10)
    assert only["drift_hz_s"] == pytest.approx(-0.5 * 2.0 / 10.0)
    assert only["drift_error_hz_s"] == pytest.approx(0.01 * 2.0 / 10.0)
    assert only["channel"] == 1040


def test_the_end_is_where_the_drift_has_brought_the_line():
    """From the start of panel 1 to the end of panel 5 are 800 s and 16 rows of 10 s."""
    only = table(SIGNAL).iloc[0]
    moved_hz = (only["end_mhz"] - only["start_mhz"]) * 1e6
    assert moved_hz == pytest.approx(only["drift_hz_s"] * 960.0, abs=1e-2)


@pytest.mark.parametrize(("width", "bandwidth_hz"), [(0.0, 2.0), (1.0, 4.0), (16.0, 34.0)])
def test_a_line_is_at_least_a_channel_wide(width, bandwidth_hz):
    signal = replace(SIGNAL, line=replace(SIGNAL.line, width=width))
    assert table(signal).iloc[0]["bandwidth_hz"] == bandwidth_hz


def test_of_a_window_no_drift_is_known():
    only = table(replace(SIGNAL, class_name=SignalClass.WINDOW, line=Line(127.5, 0.0, 255.0))).iloc[0]
    assert np.isnan(only["drift_hz_s"])
    assert only["bandwidth_hz"] == 256 * 2.0


def test_no_signal_is_a_table_without_rows():
    empty = table()
    assert list(empty.columns) == columns(6)
    assert len(empty) == 0


def rows(**values) -> pd.DataFrame:
    n = len(next(iter(values.values())))
    usual = {"class": ["event"] * n, "snr": [9.0] * n, "frequency_mhz": [1.0] * n, "drift_hz_s": [0.1] * n}
    usual["score"] = [0.5] * n
    return pd.DataFrame(usual | {"excluded": [""] * n} | values).assign(was=range(n))


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ({"class": [str(name) for name in CLASSES][::-1]}, list(range(len(CLASSES)))[::-1]),
        ({"snr": [7.0, 30.0, 8.0]}, [1, 2, 0]),
        ({"class": ["in OFF", "event"], "snr": [100.0, 7.0]}, [1, 0]),
        ({"excluded": ["radar", "", None], "snr": [50.0, 8.0, 9.0]}, [2, 1, 0]),
        ({"frequency_mhz": [2.0, 1.0, 3.0]}, [1, 0, 2]),
        ({"drift_hz_s": [0.2, -0.2, 0.0]}, [1, 2, 0]),
        ({"class": ["window"] * 3, "snr": [np.nan] * 3, "score": [0.6, 0.9, 0.7]}, [1, 2, 0]),
    ],
)
def test_events_come_first_and_the_brightest_of_them_at_the_top(values, order):
    assert in_order(rows(**values))["was"].tolist() == order


def test_any_order_of_the_signals_gives_the_same_table():
    signals = [
        replace(SIGNAL, line=Line(float(x), 0.1), snr=snr) for x, snr in ((10, 9.0), (20, 8.0), (30, 9.0), (5, 7.5))
    ]
    pd.testing.assert_frame_equal(table(*signals), table(*signals[::-1]))
    assert table(*signals)["channel"].tolist() == [1010, 1030, 1020, 1005]

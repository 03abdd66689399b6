"""The demo of the search: its comparison with the truth can say no, and a small one finds what it should."""

import numpy as np
import pandas as pd
import pytest

from abacad.run.demo_search import SearchDemo, compared, demo_search
from abacad.signal.cadence import Axes
from abacad.simulator.telescope import Session

SEEN = Axes(n_time=16, n_freq=256, dt_s=18.25, df_hz=2.8)
TRUTH = pd.DataFrame(
    {
        "kind": ["needle", "standing", "carrier"], "class": ["event", "near-zero drift", "in OFF"],
        "freq_mhz": [6000.0, 6000.1, 6000.2], "drift_hz_s": [0.5, 0.0, 0.0], "snr": 20.0, "joint_snr": [20, 30, 40],
        "width_hz": 1.0,
    }
)  # fmt: skip


def said(*rows):
    return pd.DataFrame(rows, columns=["class", "frequency_mhz", "drift_hz_s", "snr"])


RIGHT = [("event", 6000.0, 0.5, 20.0), ("near-zero drift", 6000.1, 0.0, 30.0), ("in OFF", 6000.2, 0.0, 40.0)]


def counts(truth, invented):
    return SearchDemo(truth, invented, {}, 1.0).rows(), len(invented)


def test_all_right_and_nothing_invented():
    truth, invented = compared(said(*RIGHT), TRUTH, SEEN)
    assert truth["found"].tolist() == ["event", "near-zero drift", "in OFF"]
    rows, n_invented = counts(truth, invented)
    assert [row[1:] for row in rows] == [(1, 1, 0), (0, 0, 0), (1, 1, 0), (1, 1, 0)]
    assert n_invented == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ("event", 6000.0 + 20e-6, 0.5, 20.0),  # 20 Hz off: two channels and the smear are 15
        ("event", 6000.0, -0.5, 20.0),
        ("event", 6000.0, 0.52, 20.0),
    ],
)
def test_another_frequency_or_drift_is_a_miss_and_an_invention(wrong):
    truth, invented = compared(said(wrong, *RIGHT[1:]), TRUTH, SEEN)
    rows, n_invented = counts(truth, invented)
    assert rows[0][1:] == (1, 0, 1)
    assert n_invented == 1
    assert np.isnan(truth["off_hz"].iloc[0])


def test_interference_taken_for_an_event_is_wrong_and_invented():
    truth, invented = compared(said(*RIGHT[:2], ("event", 6000.2, 0.0, 40.0)), TRUTH, SEEN)
    rows, n_invented = counts(truth, invented)
    assert rows[3][1:] == (1, 0, 1)
    assert n_invented == 1


def test_a_needle_of_another_class_is_missed_but_not_invented():
    truth, invented = compared(said(("near-zero drift", 6000.0, 0.5, 20.0), *RIGHT[1:]), TRUTH, SEEN)
    rows, n_invented = counts(truth, invented)
    assert rows[0][1:] == (1, 0, 1)
    assert n_invented == 0


def test_interference_that_nothing_reports_is_no_fault():
    truth, invented = compared(said(*RIGHT[:2]), TRUTH, SEEN)
    assert counts(truth, invented)[0][3][1:] == (1, 1, 0)


def test_the_demo_finds_bright_needles_and_reuses_what_is_there(tmp_path):
    session = Session(channels=16_384, needles=2, snr=(40.0, 60.0), drift_hz_s=(0.1, 0.3))
    found = demo_search(tmp_path / "demo", seed=2, session=session, progress=False)
    assert found.rows()[0][1:] == (2, 2, 0)
    assert len(found.invented) == 0
    assert "needles, joint SNR 8 or more 2 of 2" in repr(found)
    assert "2 of 2" in found.files["page"].read_text()
    assert "<svg" in found.files["findings"].read_text()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo" / "sky").iterdir()}
    again = demo_search(tmp_path / "demo", seed=2, session=session, progress=False)
    pd.testing.assert_frame_equal(again.truth, found.truth)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "demo" / "sky").iterdir()} == files

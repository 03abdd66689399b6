"""Events of a search, cut out of the files: the line is in the cut, in its middle, and averaged when it is fast."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.errors import AbacadError
from abacad.show.events import Search, open_search
from abacad.signal.cadence import WIDTH
from tests.data.files import MJD, write_panel

STEP_HZ, ROW_S, N_FREQ = 2.79, 18.0, 2048
MIDDLE_S = (5 * 400 + 8 * ROW_S) / 2
"""Of the six panels of 8 rows, 400 s apart."""


def files(folder: Path, panels=None, **header) -> list[Path]:
    rng = np.random.default_rng(0)
    noise = [rng.normal(100, 1, (8, N_FREQ)).astype(np.float32) for _ in range(6)] if panels is None else panels
    return [write_panel(folder, panel, data, **header) for panel, data in enumerate(noise)]


def searched(folder: Path, named: list[Path], table: pd.DataFrame, **asked) -> Path:
    """A folder as `abacad search` leaves it."""
    out = folder / "found"
    out.mkdir()
    known = {"files": [{"name": path.name, "bytes": 1} for path in named], "pattern": "ABACAD"} | asked
    (out / "search.json").write_text(json.dumps({"asked": known}))
    table.to_csv(out / "events.csv", index=False)
    return out


def low_hz() -> float:
    """Frequency of channel 0 of `write_panel`, whose first channel is its highest."""
    return 6000e6 - (N_FREQ - 1) * STEP_HZ


def table_of(channel: float = 1000.0, drift: float = 0.1, **columns) -> pd.DataFrame:
    mhz = (low_hz() + channel * STEP_HZ) * 1e-6
    usual = {"class": "event", "frequency_mhz": mhz, "drift_hz_s": drift, "snr": 20.0, "score": 0.5}
    return pd.DataFrame([usual | columns])


def one_event(folder: Path, panels=None, **columns) -> Search:
    named = files(folder, panels)
    return open_search(searched(folder, named, table_of(**columns)), named)


def lit(channel: float, drift: float) -> list[np.ndarray]:
    """Six panels with a bright pixel in each row where a line of that drift is then."""
    panels = [np.full((8, N_FREQ), 100.0 + panel, np.float32) for panel in range(6)]
    for panel, data in enumerate(panels):
        for row in range(8):
            at = channel + drift * (panel * 400 + (row + 0.5) * ROW_S) / STEP_HZ
            data[row, round(at)] = 200.0
    return panels


@pytest.mark.parametrize("drift", [0.0, 0.1, -0.1, 0.9, -0.9])
def test_a_line_runs_through_the_cut_where_it_is_said_to(drift, tmp_path):
    found = one_event(tmp_path, lit(1000.0, drift), drift=drift)
    (event,) = found.events
    cut = found.cut(event)
    assert cut.shape == (6, 8, WIDTH)
    bright = cut.argmax(axis=2)
    rows = np.arange(6)[:, None] * 400 + (np.arange(8) + 0.5) * ROW_S
    expected = event.guide.channel + event.guide.drift_hz_s * rows / event.df_hz - 0.5
    assert np.abs(bright - expected).max() <= 1.01
    assert np.abs(bright.mean() - WIDTH / 2) < 3


@pytest.mark.parametrize(("drift", "each"), [(0.0, 1), (0.26, 1), (0.27, 2), (-0.6, 3), (3.0, 12)])
def test_a_fast_line_is_seen_in_wider_channels(drift, each, tmp_path):
    """It crosses drift · 2,144 s; the cut has a quarter more room than that."""
    found = one_event(tmp_path, drift=drift)
    (event,) = found.events
    crossed = abs(drift) * 2 * MIDDLE_S / STEP_HZ
    assert event.each == each == max(1, int(np.ceil(1.25 * crossed / WIDTH)))
    assert event.df_hz == pytest.approx(each * STEP_HZ)
    assert event.low_mhz == pytest.approx((low_hz() + (event.first + (each - 1) / 2) * STEP_HZ) * 1e-6)


def test_wider_channels_are_means(tmp_path):
    found = one_event(tmp_path, drift=0.6)
    (event,) = found.events
    whole = found.observation.read(event.first, event.each * WIDTH)[3]
    np.testing.assert_allclose(found.cut(event)[3, :, 10], whole[:, 30:33].mean(axis=1), rtol=1e-5)


def test_beyond_the_band_stands_the_panels_median(tmp_path):
    found = one_event(tmp_path, channel=20.0, drift=0.0)
    (event,) = found.events
    assert event.first < 0
    cut = found.cut(event)
    assert np.isfinite(cut).all()
    outside = cut[2, :, : -event.first]
    np.testing.assert_array_equal(outside, outside[0, 0])
    assert outside[0, 0] == pytest.approx(np.median(cut[2, :, -event.first :]), abs=0.2)


def test_a_panel_without_any_value_is_nought(tmp_path):
    panels = lit(1000.0, 0.0)
    panels[3][:] = np.nan
    found = one_event(tmp_path, panels, drift=0.0)
    cut = found.cut(found.events[0])
    assert (cut[3] == 0).all()
    assert (cut[2] > 0).all()


@pytest.mark.parametrize(("score", "log_odds"), [(0.5, 0.0), (0.9, np.log(9)), (np.nan, None), ("", None), ("-", None)])
def test_a_score_is_told_in_log_odds_and_none_where_there_was_none(score, log_odds, tmp_path):
    (event,) = one_event(tmp_path, score=score).events
    assert event.log_odds == (None if log_odds is None else pytest.approx(log_odds))
    assert event.family == "event"


def test_events_have_their_frequency_and_drift_for_a_name(tmp_path):
    (event,) = one_event(tmp_path, drift=-0.25).events
    assert event.name == f"{(low_hz() + 1000 * STEP_HZ) * 1e-6:.6f} MHz -0.2500 Hz/s"


def test_without_the_files_or_with_others_nothing_is_shown(tmp_path):
    named = files(tmp_path)
    folder = searched(tmp_path, named, table_of())
    with pytest.raises(AbacadError, match=r"by name alone\.\nName them: --files"):
        open_search(folder, [])
    other = named[5].rename(tmp_path / "other.h5")
    with pytest.raises(AbacadError, match=r"searched other files: 0\.h5, .*5\.h5"):
        open_search(folder, [*named[:5], other])


def test_the_files_may_come_in_any_order(tmp_path):
    named = files(tmp_path)
    folder = searched(tmp_path, named, table_of())
    assert open_search(folder, named[::-1]).events == open_search(folder, named).events


def test_panels_that_do_not_alternate_are_refused(tmp_path):
    named = [
        write_panel(tmp_path, k, np.ones((8, 64), np.float32), source_name=name, tstart=MJD + k / 100)
        for k, name in enumerate("AAABBB")
    ]
    folder = searched(tmp_path, named, table_of(), pattern="AAABBB")
    with pytest.raises(AbacadError, match="The panels are AAABBB: the page shows three ON and three OFF in turn"):
        open_search(folder, named)


def test_a_table_that_is_none_is_told_with_what_writes_it_again(tmp_path):
    named = files(tmp_path)
    folder = searched(tmp_path, named, table_of().drop(columns="drift_hz_s"))
    with pytest.raises(AbacadError, match=r"events\.csv has the columns .*\n.*abacad search"):
        open_search(folder, named)


def test_a_table_without_rows_has_no_events(tmp_path):
    named = files(tmp_path)
    assert open_search(searched(tmp_path, named, table_of()[:0]), named).events == []

"""Windows: what no line explains is found as itself, what a line explains is that line's, and carriers lift none."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from abacad.config import Represent
from abacad.model.judge import Judge
from abacad.searcher import windows
from abacad.searcher.engine import search_unit
from abacad.searcher.settings import Settings
from tests.searcher.made import add_line, made


@dataclass(frozen=True)
class Bright(Judge):
    """Says of a window what share of its ON rows hold a pixel of more than 4 σ."""

    def scores(self, panels, axes=None):
        assert axes.panel_start_s[-1] == 860  # those of the files, not the detector's own
        return (panels[:, ::2].amax(dim=3) > 4).float().mean(dim=(1, 2)).numpy()


JUDGE = Bright((), Represent(), ("identity",), torch.device("cpu"))


def squiggle(observation, channel, seed=0, pixel_snr=6.5, panels=(0, 2, 4)):
    """A needle that wanders four channels a row, and begins anew in each panel."""
    rng = np.random.default_rng(seed)
    for panel in panels:
        power = observation.panels[panel]
        path = np.round(channel + rng.normal(0, 20) + np.cumsum(rng.normal(0, 4, len(power)))).astype(int)
        power[np.arange(len(power)), path] *= 1 + 0.1 * pixel_snr
    return observation


def search(observation, count=4, **settings):
    return search_unit(observation, 0, Settings(judged=0, windows=count, max_drift_hz_s=1.0, **settings), JUDGE)


def test_what_wanders_is_a_window_of_its_own_that_says_no_more_than_it_knows():
    result = search(squiggle(made(seed=7), 3000))
    (row,) = result.events[result.events["class"] == "window"].to_dict("records")
    assert abs(row["channel"] - 3000) < 128
    assert row["score"] == row["window_score"] > 0.9
    assert np.isnan([row["drift_hz_s"], row["snr"], row["snr_1"]]).all()
    assert row["bandwidth_hz"] == 256 * 2.0
    assert result.summary["classes"]["window"] == 1


def test_a_line_takes_the_score_of_the_window_that_it_crosses_and_the_window_makes_no_row():
    events = search(add_line(made(seed=7), 4000, 0.05, 40)).events
    assert events["class"].tolist() == ["event"]
    assert events.iloc[0]["window_score"] > 0.9
    assert np.isnan(events.iloc[0]["score"])  # which is of the stamp along its drift, and was not asked for


def test_carriers_lift_no_window_and_the_powers_are_as_before():
    observation = made(seed=7)
    for channel in (1000, 1200, 5000):
        add_line(observation, channel, 0.0, 300, panels=range(6))
    assert set(search(observation).events["class"]) == {"in OFF"}


def test_the_best_come_first_up_to_the_number_asked_for_and_every_time_the_same():
    observation = made(seed=7)
    for place, channel in enumerate((1000, 3000, 5000, 7000)):
        squiggle(observation, channel, seed=place, pixel_snr=7.5 - 0.5 * place)
    every, again, one, none = (search(observation, count).events for count in (9, 9, 1, 0))
    pd.testing.assert_frame_equal(every, again)
    found = every[every["class"] == "window"]
    assert len(found) >= 2  # a line may cross enough pixels of a squiggle to be an event
    assert found["score"].is_monotonic_decreasing
    assert one[one["class"] == "window"]["channel"].tolist() == found["channel"].tolist()[:1]
    assert "window" not in set(none["class"])


@pytest.mark.parametrize("n_freq", [1000, 8192])
def test_windows_cover_a_coarse_channel_to_its_last_column(n_freq, monkeypatch):
    seen = []
    monkeypatch.setattr(windows, "_scores", lambda unit, starts, judge: seen.append(starts) or np.zeros(len(starts)))
    search(made(seed=7, n_freq=n_freq))
    (starts,) = seen
    assert starts[0] == 0
    assert starts[-1] == n_freq - 256
    assert np.diff(starts).max() <= 128


def test_without_three_on_and_three_off_panels_there_are_none():
    observation = made(rows=(16, 16), start_s=(0, 172), pattern="AB")
    assert len(search(squiggle(observation, 3000, panels=(0,))).events.query("`class` == 'window'")) == 0

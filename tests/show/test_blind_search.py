"""Trials for the reviewer of a search: cut out like its events, of the asked SNR, and away from what was found."""

import json

import numpy as np
import pandas as pd
import pytest

from abacad.show.blind_search import added, search_trials
from abacad.show.events import event_at, open_search
from abacad.show.guide import best_guide
from abacad.show.picture import Layout
from abacad.signal.cadence import OFF, ON
from tests.data.files import write_panel


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Noise, and a table that says that three signals stand in it; one crosses three windows."""
    folder, rng = tmp_path_factory.mktemp("found"), np.random.default_rng(0)
    files = [write_panel(folder, panel, rng.chisquare(200, (16, 8192)).astype(np.float32)) for panel in range(6)]
    low = open_search_low(files)
    rows = [(low + 2.79e-6 * channel, drift) for channel, drift in ((2000, 0.1), (4000, -0.9), (7000, 0.0))]
    table = pd.DataFrame(rows, columns=["frequency_mhz", "drift_hz_s"])
    table.assign(**{"class": "event", "snr": [12.0, 8.0, 30.0]}).to_csv(folder / "events.csv", index=False)
    (folder / "search.json").write_text(json.dumps({"asked": {}}))
    return open_search(folder, files)


def open_search_low(files) -> float:
    """MHz of the lowest channel."""
    from abacad.data.observation import open_observation

    return open_observation(files).low_hz * 1e-6


@pytest.fixture(scope="module")
def trials(search):
    return search_trials(search, search.events, 12, Layout.of(search.axes), seed=3)


def test_half_hold_a_needle(trials):
    assert [trial.content for trial in trials] == ["needle"] * 6 + ["empty"] * 6


def test_they_are_cut_out_like_events_and_hold_none_of_them(search, trials):
    for trial in trials:
        for event in search.events:
            assert trial.event.end <= event.first or trial.event.first >= event.end
        assert trial.cadence.shape == (6, 16, 256)
        line, axes = trial.event.guide, search.axes
        half_way_s = 0.5 * (axes.panel_start_s[-1] + axes.panel_s)
        middle = line.channel + line.drift_hz_s * half_way_s / trial.event.df_hz
        assert middle == pytest.approx(128, abs=2)
    drifts = {abs(trial.event.guide.drift_hz_s) for trial in trials if trial.content == "needle"}
    assert drifts <= {abs(event.guide.drift_hz_s) for event in search.events}


@pytest.mark.parametrize("drift", [0.0, 0.05, -0.4, 0.9])
def test_the_powers_follow_the_path_and_add_up_to_the_snr(search, drift):
    place = event_at(5000.3, drift, 0.0, search.observation, search.axes)
    powers = added(search, place, 20.0)
    assert all((powers[panel] == 0).all() for panel in OFF)
    # what a filter of the path's own shape sums, over the noise of that sum
    assert np.sqrt(sum((powers[panel] ** 2).sum() for panel in ON)) == pytest.approx(20)
    for panel in ON:
        seconds = search.axes.panel_start_s[panel] + (np.arange(16) + 0.5) * search.axes.dt_s
        centroid = (powers[panel] * (np.arange(powers[panel].shape[1]) + 0.5)).sum(1) / powers[panel].sum(1)
        channel = 5000.3 + drift * seconds / search.axes.df_hz
        np.testing.assert_allclose(place.first + centroid - 0.5, channel, atol=1.0)


def test_a_bright_needle_is_seen_where_it_was_put(search):
    layout = Layout.of(search.axes)
    place = event_at(5000.0, 0.9, 0.0, search.observation, search.axes)
    assert place.each > 1
    guide = best_guide(search.cut(place, added(search, place, 60.0)), layout)
    assert guide.drift_hz_s * place.df_hz / search.axes.df_hz == pytest.approx(0.9, abs=0.02)
    assert guide.channel == pytest.approx(place.guide.channel, abs=1.5)
    assert best_guide(search.cut(place), layout).strength < 7


def test_no_stretch_is_shown_twice(search, monkeypatch):
    """In files as short as these the strongest line of noise is found again and again."""
    monkeypatch.setattr("abacad.show.blind_search._LOOKED_AT", 2)
    made = search_trials(search, search.events, 40, Layout.of(search.axes), seed=1)
    names = [trial.event.name for trial in made]
    assert len(set(names)) == len(names)


def test_files_full_of_signals_give_fewer(search, caplog):
    from dataclasses import replace

    places = [event_at(float(at), 0.0, 9.0, search.observation, search.axes) for at in range(128, 8192, 200)]
    assert search_trials(replace(search, events=places), places, 4, Layout.of(search.axes), seed=0) == []
    assert "0 of 4 trials" in caplog.text

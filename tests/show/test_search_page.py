"""The page of a search: every signal in its table, and a picture along the whole of each line."""

import numpy as np
import pandas as pd
import pytest

from abacad.data.observation import open_observation
from abacad.show.search_page import search_page, window_along
from tests.data.files import NAMES, write_panel

STEP_HZ = 2.79


def observed(folder, names=NAMES, hole=None):
    rng = np.random.default_rng(0)
    paths = []
    for panel, name in enumerate(names):
        data = rng.chisquare(50, (8, 2048)).astype(np.float32)
        if hole is not None and panel == 2:
            data[:, hole] = np.nan
        paths.append(write_panel(folder, panel, data, source_name=name))
    return open_observation(paths)


def table(observation, channels=(300, 1000), kind="event"):
    """Signals that drift a channel in 20 s."""
    return pd.DataFrame(
        {
            "class": kind, "frequency_mhz": [observation.freq_hz(channel) * 1e-6 for channel in channels],
            "drift_hz_s": STEP_HZ / 20, "snr": 20.0, "off_snr": 0.5, "score": 0.9, "bandwidth_hz": STEP_HZ,
        }
    )  # fmt: skip


def test_signals_in_on_panels_have_a_row_and_a_picture(tmp_path):
    seen = observed(tmp_path)
    events = pd.concat([table(seen), table(seen, (1500,), "near-zero drift"), table(seen, (600,), "in OFF")])
    page = search_page(seen, events, first=(), tiles=[("needles", "2 of 3")])
    text = page.write(tmp_path / "search.html").read_text()
    assert text.count("<svg") == 3
    assert "Signals: 2 event, 1 near-zero drift, 1 in OFF" in text
    assert all(f"{seen.freq_hz(channel) * 1e-6:.6f}" in text for channel in (300, 1000, 1500))
    assert f"<td>{seen.freq_hz(600) * 1e-6:.6f}</td>" not in text
    assert text.count('type="checkbox"') == 1
    assert "2 of 3" in text


def test_no_more_pictures_than_asked_for_and_none_where_a_panel_is_empty(tmp_path):
    seen = observed(tmp_path, hole=slice(600, 1500))
    page = search_page(seen, table(seen, (200, 1000, 1800)), most=2)
    assert [section.title for section in page.sections[-2:]] == ["event: 1 of 3", "near-zero drift: 0 of 0"]


def test_other_patterns_have_a_table_alone(tmp_path):
    seen = observed(tmp_path, "ABAB")
    page = search_page(seen, table(seen))
    assert len(page.sections) == 1
    assert len(page.sections[0].rows) == 2


def test_a_search_without_signals_says_so(tmp_path):
    seen = observed(tmp_path)
    page = search_page(seen, table(seen, ()))
    assert "Signals: none" in page.lead


@pytest.mark.parametrize("drift_channels_s", [0.0, 0.05, -0.3, 0.6, 5.0])
@pytest.mark.parametrize("channel", [5.0, 1000.0, 2040.0])
def test_a_window_holds_the_line_as_far_as_the_band_does(drift_channels_s, channel, tmp_path):
    seen = observed(tmp_path)
    low, width = window_along(seen, channel, drift_channels_s * STEP_HZ)
    assert low >= 0
    assert low + width <= seen.n_freq
    ends = channel, channel + drift_channels_s * (seen.start_s[-1] + 8 * 18.0)
    inside = np.clip(ends, 0, seen.n_freq)
    if width < seen.n_freq:
        assert low <= inside.min()
        assert inside.max() <= low + width

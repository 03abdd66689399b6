"""The page beside the truth: every needle in its table, a picture of each that was missed and of each invention."""

import numpy as np
import pandas as pd
import pytest

from abacad.data.observation import open_observation
from abacad.show.truth_page import truth_page, window_along
from tests.data.files import write_panel

STEP_HZ = 2.79
ROWS = [("needles", 3, 1, 2)]


def observed(folder, hole=None):
    rng = np.random.default_rng(0)
    paths = []
    for panel in range(6):
        data = rng.chisquare(50, (8, 2048)).astype(np.float32)
        if hole is not None and panel == 2:
            data[:, hole] = np.nan
        paths.append(write_panel(folder, panel, data))
    return open_observation(paths)


def truth_of(seen, found=("event", "", "in OFF"), channels=(300, 1000, 1600)):
    """Needles that drift a channel in 20 s, and what the search calls them."""
    return pd.DataFrame(
        {
            "kind": "needle", "class": "event", "freq_mhz": [seen.freq_hz(channel) * 1e-6 for channel in channels],
            "drift_hz_s": STEP_HZ / 20, "snr": 20.0, "joint_snr": 30.0, "found": found, "off_hz": 0.5,
        }
    )  # fmt: skip


def invented_at(seen, *channels):
    mhz = [seen.freq_hz(channel) * 1e-6 for channel in channels]
    return pd.DataFrame({"class": "event", "frequency_mhz": mhz, "drift_hz_s": -0.1, "snr": 7.0})


def test_what_was_missed_or_invented_has_a_picture(tmp_path):
    seen = observed(tmp_path)
    truth = truth_of(seen)
    page = truth_page(seen, truth, invented_at(seen, 700), ROWS)
    text = page.write(tmp_path / "truth.html").read_text()
    assert text.count("<svg") == 3
    assert all(f"{mhz:.6f}" in text for mhz in truth["freq_mhz"])
    assert text.count("not found") == 1
    assert "1 of 3" in text


def test_without_mistakes_there_are_no_pictures(tmp_path):
    seen = observed(tmp_path)
    page = truth_page(seen, truth_of(seen, found="event"), invented_at(seen), ROWS)
    assert [section.text for section in page.sections[2:]] == ["None.", "None."]
    assert not any(section.figures for section in page.sections)


def test_no_more_pictures_than_asked_for_and_none_where_a_panel_is_empty(tmp_path):
    seen = observed(tmp_path, hole=slice(600, 1700))
    page = truth_page(seen, truth_of(seen, found=""), invented_at(seen, 100, 200, 300), ROWS, most=2)
    assert [len(section.figures) for section in page.sections[2:]] == [1, 2]


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

"""The page of a search: pictures of what the table says, and none where the panels are too few."""

import re

import pandas as pd
import pytest

from abacad.learn.run_folder import judge_of
from abacad.model.device import pick_device
from abacad.model.judge import shipped
from abacad.searcher.engine import search_unit
from abacad.searcher.settings import Settings
from abacad.show.findings import findings_page, pictures
from tests.searcher.made import add_line, made

FOUND = {
    "coarse_channels": [1, 1], "searched_mhz": 0.016, "on_hours": 0.13, "classes": {"event": 1}, "dead_channels": 0,
    "masked_pixels": {"a.h5": 3}, "depth": {"snr_threshold": 7.0}, "false_events_per_mhz_hour": 0.5,
    "recovered": {
        "outside": {"needles": 8, "found": 6, "share": 0.75, "share_low": 0.41, "share_high": 0.93},
        "dense": {"needles": 0, "found": 0},
    },
}  # fmt: skip


@pytest.mark.parametrize("drift", [0.1, -1.5])
def test_the_guides_of_both_pictures_stay_within_them(drift):
    observation = add_line(made(seed=7), 4000, drift, 60)
    event = search_unit(observation, 0, Settings(judged=0)).events.iloc[0].to_dict()
    drawn = pictures(observation, event)
    for svg in (drawn.drifting, drawn.along):
        dashes = re.findall(r'<line x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"[^>]*stroke-dasharray', svg)
        assert len(dashes) == 12  # two a panel
        rises = [float(x2) - float(x1) for x1, x2 in dashes]
        assert all(rise * drift > 0 for rise in rises)


def test_a_caption_says_how_many_channels_a_pixel_averages():
    """Pictures of fast drifts averaged many channels, and their captions said one."""
    slow, fast = (
        pictures(observation, search_unit(observation, 0, Settings(judged=0)).events.iloc[0].to_dict())
        for observation in (add_line(made(seed=7), 4000, drift, 60) for drift in (0.1, -3.0))
    )
    assert "one row and channel" in slow.drifting_told
    assert re.search(r"mean of [2-9]\d? channels", fast.drifting_told)


def test_what_colours_mean_is_told_once_and_each_panel_has_its_snr(tmp_path):
    observation = add_line(add_line(made(seed=7), 4000, 0.1, 30), 6000, -1.0, 60)
    events = search_unit(observation, 0, Settings(judged=0)).events
    judge = judge_of(shipped(16), pick_device("cpu"))
    text = findings_page(tmp_path / "search.html", observation, events, FOUND, None, 5, judge).read_text()
    assert len(re.findall("<h2>[^<]+Hz/s, SNR", text)) == 2
    assert text.count("a shade means the same") == text.count('class="legend"') == 1
    assert text.count(">ON</td>") == 2 * 3


def test_classes_of_which_there_are_none_have_no_tile(tmp_path):
    observation = made(seed=7)
    nothing = search_unit(observation, 0, Settings(judged=0)).events
    counts = FOUND | {"classes": {"event": 0, "in OFF": 3, "RFI zone": 0}}
    text = findings_page(tmp_path / "search.html", observation, nothing, counts, None, 5).read_text()
    tiles = re.findall(r'<div class="tile"><b>(\d+)</b><span>([^<]+)', text)
    assert tiles == [("0", "event"), ("3", "in OFF")]


def test_a_page_names_sources_masks_and_depth_and_its_guides_can_be_switched_off(tmp_path):
    observation = add_line(made(seed=7), 4000, 0.1, 30)
    events = search_unit(observation, 0, Settings(judged=0)).events
    text = findings_page(tmp_path / "search.html", observation, events, FOUND, None, 5).read_text()
    for said in ("source A", "source C", "a.h5: 3", "0.5 in a MHz and hour", 'id="show-guide"', "event"):
        assert said in text
    assert "outside dense interference: 6 of 8 found, 75 % (41 to 93 %)" in text
    assert "in dense interference: none" in text
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", text)


def test_a_window_has_one_picture_without_guides_and_near_zero_drift_comes_last(tmp_path):
    observation = add_line(add_line(made(seed=7), 4000, 0.0, 60), 6000, 0.1, 20)
    events = search_unit(observation, 0, Settings(judged=0)).events
    window = events.iloc[0].to_dict() | {"class": "window", "frequency_mhz": 1400.004, "channel": 2000, "score": 0.75}
    window |= dict.fromkeys(["drift_hz_s", "snr", "snr_1"], float("nan"))
    drawn = pictures(observation, window)
    assert drawn.along == ""
    assert "stroke-dasharray" not in drawn.drifting
    table = pd.concat([events, pd.DataFrame([window])], ignore_index=True)
    text = findings_page(tmp_path / "search.html", observation, table, FOUND, None, 5).read_text()
    titles = re.findall(r"<h2[^>]*>([^<]*MHz[^<]*)</h2>", text)
    assert [title.rsplit(": ", 1)[1] for title in titles] == ["event", "window", "near-zero drift"]
    assert "nan" not in " ".join(titles)


def test_an_observation_of_two_panels_has_a_page_without_pictures(tmp_path):
    observation = add_line(made(rows=(16, 16), start_s=(0, 172), pattern="AB"), 4000, 0.1, 30)
    events = search_unit(observation, 0, Settings(judged=0)).events
    assert len(events) == 1
    assert pictures(observation, events.iloc[0].to_dict()) is None
    assert "<svg" not in findings_page(tmp_path / "search.html", observation, events, FOUND, None, 5).read_text()

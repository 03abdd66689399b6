"""One coarse channel from powers to events: lines of every sign, smear and gap, and what must not be found."""

import numpy as np
import pytest

from abacad.data.observation import open_observation
from abacad.searcher.engine import search_unit, signals_of
from abacad.searcher.settings import Settings
from abacad.searcher.unit import read_unit
from tests.data.files import write_panel
from tests.searcher.made import add_line, made

UNIT = 0.2  # Hz/s: 2 Hz / 10 s


def found(observation, **settings):
    return search_unit(observation, 0, Settings(judged=0, **settings)).events


def events(table):
    return table[table["class"] == "event"]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("drift", [0.01, 0.1, 0.19, 0.33, 0.7, 1.9])
def test_a_line_is_one_event_at_its_frequency_and_drift(sign, drift):
    drift *= sign
    smear = max(1, abs(drift) / UNIT)
    table = found(add_line(made(seed=7), 4000, drift, 12 * np.sqrt(smear)))
    assert len(table) == 1
    event = table.iloc[0]
    assert event["class"] == "event"
    assert event["channel"] == pytest.approx(4000, abs=1.5 + 0.2 * smear)
    assert event["drift_hz_s"] == pytest.approx(drift, abs=max(1, smear) * 2.0 / 848)  # a channel over the ON panels
    assert abs(event["drift_hz_s"] - drift) < 5 * event["drift_error_hz_s"]
    assert (event["frequency_mhz"] - 1400) * 1e6 / 2 == pytest.approx(event["channel"], abs=0.51)
    assert event["end_mhz"] - event["frequency_mhz"] == pytest.approx(event["drift_hz_s"] * 848e-6, abs=1e-8)


def test_the_joint_snr_is_that_of_the_panels_times_the_root_of_their_number():
    event = found(add_line(made(seed=3), 4000, 0.1, 15)).iloc[0]
    panels = np.array([event[f"snr_{panel}"] for panel in (1, 3, 5)])
    assert event["snr"] == pytest.approx(np.sqrt(3) * panels.mean(), rel=0.03)
    assert max(abs(event[f"snr_{panel}"]) for panel in (2, 4, 6)) < 4


def test_unequal_panels_and_gaps_are_followed_at_their_real_times():
    observation = made(seed=5, rows=(16, 16, 9, 16, 13, 16), start_s=(0, 200, 333, 560, 1213, 1400))
    table = found(add_line(observation, 3000, 0.15, 20))
    assert len(table) == 1
    assert table.iloc[0]["class"] == "event"
    assert table.iloc[0]["drift_hz_s"] == pytest.approx(0.15, abs=2.0 / 1343)


@pytest.mark.parametrize("pattern", ["ABABAB", "AAABBB", "AB", "BABABA"])
def test_any_pattern_of_on_and_off_is_searched(pattern):
    n = len(pattern)
    observation = made(seed=6, rows=(16,) * n, start_s=[172 * p for p in range(n)], pattern=pattern)
    table = found(add_line(observation, 3000, 0.15, 25))
    assert table["class"].tolist() == ["event"]
    first = observation.start_s[observation.on[0]]
    assert table.iloc[0]["channel"] == pytest.approx(3000 + 0.15 * first / 2, abs=2)
    assert table.iloc[0]["epoch_mjd"] == pytest.approx(60000 + first / 86400, abs=1e-9)


def test_noise_alone_makes_no_event():
    assert len(found(made(seed=11, n_freq=65536))) == 0


def test_a_carrier_in_all_panels_is_no_event_however_bright():
    observation = made(seed=1)
    for channel, snr in ((1000, 10), (2000, 100), (3000, 10_000)):
        add_line(observation, channel, 0.0, snr, panels=range(6))
    table = found(observation)
    assert set(table["class"]) == {"in OFF"}
    assert sorted(table["channel"]) == [1000, 2000, 3000]


def test_a_carrier_of_all_panels_in_the_middle_of_a_coarse_channel_is_the_dc_spike():
    observation = made(seed=1, piece=8192)
    for channel in (2000, 4096):
        add_line(observation, channel, 0.0, 100, panels=range(6))
    result = search_unit(observation, 0, Settings(judged=0))
    assert dict(zip(result.events["channel"], result.events["class"], strict=True)) == {
        2000: "in OFF",
        4096: "DC spike",
    }
    assert result.summary["classes"]["DC spike"] == 1


@pytest.mark.parametrize(("drift", "panels"), [(0.0, (0, 2, 4)), (0.0, (0, 1, 2, 4)), (0.1, range(6))])
def test_what_drifts_or_lacks_a_panel_in_the_middle_of_a_coarse_channel_is_no_dc_spike(drift, panels):
    table = found(add_line(made(seed=1, piece=8192), 4096, drift, 30, panels=panels))
    assert len(table) == 1
    assert "DC spike" not in set(table["class"])


def test_a_drifting_line_in_all_panels_is_no_event_and_hides_no_needle():
    observation = made(seed=1)
    add_line(observation, 3000, 0.05, 300, panels=range(6))
    add_line(observation, 3012, -0.12, 12)
    table = found(observation)
    assert events(table)["channel"].tolist() == [pytest.approx(3012, abs=2)]
    assert (table["class"] == "in OFF").sum() == 1


def test_a_needle_that_crosses_carriers_in_the_off_panels_stays_an_event():
    observation = made(seed=2)
    for channel in range(4010, 4100, 16):
        add_line(observation, channel, 0.0, 400, panels=range(6))
    assert len(events(found(add_line(observation, 4000, 0.2, 25)))) == 1


@pytest.mark.parametrize("snr", [10, 25, 50, 1000])
def test_a_line_in_on_alone_that_stands_still_has_a_class_of_its_own(snr):
    table = found(add_line(made(seed=4), 5000, 0.0, snr))
    assert table["class"].tolist() == ["near-zero drift"]


def test_lines_slower_than_asked_for_are_near_zero_drift():
    """Too many pictures of them is what users of other programs complain of."""
    observation = add_line(add_line(made(seed=4), 2000, 0.05, 30), 5000, -0.2, 20)
    assert found(observation)["class"].tolist() == ["event", "event"]
    table = found(observation, min_drift_hz_s=0.1)
    assert table["class"].tolist() == ["event", "near-zero drift"]
    assert table["channel"].tolist() == [pytest.approx(5000, abs=1), pytest.approx(2000, abs=1)]


@pytest.mark.parametrize("channel", [1, 8190])
def test_the_first_and_the_last_channels_are_searched(channel):
    """Channels at the end that make no whole window are none the less looked at."""
    table = found(add_line(made(seed=4), channel, 0.0, 40))
    assert table["channel"].tolist() == [pytest.approx(channel, abs=1)]


@pytest.mark.parametrize("snr", [27, 565])
def test_the_bright_line_of_the_allen_array_is_one_event(snr):
    """Rows of 2.1 s and channels of 1.9 Hz, 143 rows: turboSETI lost such a line at -0.89 Hz/s."""
    start_s = [330.0 * panel for panel in range(6)]
    observation = made(seed=1, n_freq=2048, rows=(143,) * 6, start_s=start_s, df_hz=1.907349, dt_s=2.097152, dof=16)
    table = found(add_line(observation, 1500, -0.886, snr, dof=16), max_drift_hz_s=0.9)
    assert table["class"].tolist() == ["event"]
    assert table.iloc[0]["channel"] == pytest.approx(1500, abs=2)
    assert table.iloc[0]["drift_hz_s"] == pytest.approx(-0.886, abs=1.907349 / 1620)


def test_a_line_in_one_on_panel_is_not_taken_for_a_transmitter():
    table = found(add_line(made(seed=4), 5000, 0.1, 60, panels=[2]))
    assert len(table) >= 1
    assert set(table["class"]) == {"not in every ON"}


def test_among_many_lines_of_the_ground_an_event_is_in_a_zone():
    observation = made(seed=9)
    for channel in range(3300, 4700, 100):
        add_line(observation, channel, 0.0, 50, panels=range(6))
    assert "RFI zone" in set(found(add_line(observation, 4050, 0.13, 20))["class"])


def test_masked_rows_and_dead_channels_cost_only_themselves():
    observation = add_line(made(seed=8), 4000, 0.1, 20)
    observation.panels[2][3:6] = np.nan
    observation.panels[4][:, 1000:2500] = np.nan
    table = found(observation)
    assert table["class"].tolist() == ["event"]
    assert table.iloc[0]["snr_3"] < table.iloc[0]["snr_1"]
    summary = search_unit(observation, 0, Settings(judged=0)).summary
    assert summary["masked_pixels"] == [0, 0, 3 * 8192, 0, 16 * 1500, 0][:2] + summary["masked_pixels"][2:]
    assert summary["masked_pixels"][2] == 3 * 8192
    assert summary["masked_pixels"][4] == 16 * 1500


@pytest.mark.parametrize(("lost", "class_name"), [((4,), "event"), ((0, 4), "not in every ON"), ((1, 3), "event")])
def test_a_panel_without_values_says_nothing_for_or_against_a_line(lost, class_name):
    """What one ON panel alone shows, of three, is no event."""
    observation = add_line(made(seed=8), 4000, 0.1, 30)
    for panel in lost:
        observation.panels[panel][:, 3000:5000] = np.nan
    table = found(observation)
    assert table["class"].tolist() == [class_name]
    assert all(table.iloc[0][f"snr_{panel + 1}"] == 0 for panel in lost)


def test_each_line_belongs_to_the_coarse_channel_that_it_starts_in():
    observation = add_line(made(seed=8, n_freq=16384, piece=8192), 8150, 0.3, 40)
    tables = [search_unit(observation, coarse, Settings(judged=0)).events for coarse in (0, 1)]
    assert [len(table) for table in tables] == [1, 0]
    assert tables[0].iloc[0]["snr_5"] > 10  # though the last panel's part lies in the next coarse channel


def test_the_brightest_events_wait_for_the_detector_each_with_its_own_stamp():
    observation = made(seed=4)
    for channel, snr in ((1500, 12), (4500, 9), (6000, 20)):
        add_line(observation, channel, 0.1, snr)
    add_line(observation, 3000, 0.0, 40)  # the brightest, and of the class that comes last
    add_line(observation, 7000, 0.0, 60, panels=range(6))
    result = search_unit(observation, 0, Settings(judged=2, max_drift_hz_s=1.0))
    waiting = result.events.iloc[list(result.unscored)]
    assert waiting["channel"].tolist() == [pytest.approx(3000, abs=1), pytest.approx(6000, abs=1)]
    assert result.unscored == (3, 0)
    brightness = result.stamps[:, ::2].max(axis=-1).mean(axis=(1, 2))  # of a row: 40 σ and 20 σ over √16 rows
    assert brightness == pytest.approx([10, 5], rel=0.15)
    scored = result.scored(np.float32([0.25, 0.75]))
    assert scored.events.loc[list(result.unscored), "score"].tolist() == [0.25, 0.75]
    assert scored.events["score"].notna().sum() == 2
    assert result.events["score"].isna().all()
    assert (scored.unscored, scored.stamps) == ((), None)


def test_the_powers_are_as_before_after_a_search():
    unit, _ = read_unit(add_line(made(seed=8), 4000, 0.1, 20, panels=range(6)), 0, 8192, 1.0)
    before = unit.power.copy()
    assert signals_of(unit, Settings(max_drift_hz_s=1.0))
    assert np.array_equal(unit.power, before)


@pytest.mark.parametrize("n_freq", [64, 256, 4096])
def test_drifts_that_leave_a_narrow_band_within_a_row_are_not_searched(n_freq):
    observation = add_line(made(seed=8, n_freq=n_freq), n_freq // 2, 0.0, 40)
    table = found(observation, max_drift_hz_s=5000.0)
    assert "near-zero drift" in set(table["class"])


def test_zeros_that_were_never_recorded_make_no_events(tmp_path):
    """The end of a file that was laid out in advance; other rows would look too bright."""
    there = add_line(made(seed=8, start_s=[400.0 * panel for panel in range(6)], df_hz=2.79, dt_s=18.0), 4000, 0.1, 20)
    there.panels[2][13:] = 0
    files = [write_panel(tmp_path, number, panel) for number, panel in enumerate(there.panels)]
    result = search_unit(open_observation(files), 0, Settings(judged=0, max_drift_hz_s=1.0))
    assert result.events["class"].tolist() == ["event"]
    assert result.events.iloc[0]["snr_3"] == pytest.approx(20 * np.sqrt(13 / 16), abs=3.5)
    assert result.summary["masked_pixels"][2] == 3 * 8192

"""The second look: one signal a line, measured and told apart; carriers, DC spikes and zones of interference."""

from dataclasses import replace

import numpy as np
import pytest

from abacad.searcher.classes import SignalClass
from abacad.searcher.first_look import Place, channel_snr, look
from abacad.searcher.injection import add_needle
from abacad.searcher.path import Line, Paths
from abacad.searcher.plan import Octave
from abacad.searcher.second_look import Signal, carriers, crowded, dc_spikes, in_zones, second_look
from tests.searcher.made import white


def signal(x: float, class_name: SignalClass = SignalClass.EVENT, snr: float = 10.0, **more) -> Signal:
    panels = (20.0,) * 6 if class_name is SignalClass.IN_OFF else (20.0, 0.0, 20.0, 0.0, 20.0, 0.0)
    line = Line(x, 0.0 if class_name in {SignalClass.IN_OFF, SignalClass.NEAR_ZERO} else 0.3)
    return replace(Signal(line, snr, snr, 0.0, panels, 0.01, 1.0, class_name), **more)


def add(unit, line: Line, snr: float, panels=None) -> None:
    """A needle in other panels than the ON panels, its SNR that of three panels."""
    which = unit if panels is None else replace(unit, on=tuple(panels))
    add_needle(Paths(which), line, snr)


def found(unit, threshold: float = 7.0) -> list[Signal]:
    paths = Paths(unit)
    signals = second_look(paths, look(unit, 0.3, 0.67 * threshold), threshold)
    paths.restore()
    return signals


def class_names(signals) -> list[str]:
    return [str(one.class_name) for one in signals]


@pytest.mark.parametrize("snr", [12.0, 100.0, 3000.0])
@pytest.mark.parametrize("slope", [0.4, -0.9])
def test_one_line_is_one_signal_whatever_it_has_lifted(snr, slope):
    unit = white()
    add(unit, Line(1000.4, slope), snr)
    signals = found(unit)
    assert class_names(signals) == ["event"]
    (one,) = signals
    assert one.snr == pytest.approx(snr, abs=3.5 + 0.03 * snr)
    assert one.line.x == pytest.approx(1000.4, abs=1)
    assert abs(one.line.slope - slope) < 5 * one.slope_error + 0.5 / 96
    assert one.hits >= 1


@pytest.mark.parametrize(
    ("line", "panels", "class_name"),
    [
        (Line(1000.0, 0.4), (0, 2, 4), SignalClass.EVENT),
        (Line(1000.0, 0.0), (0, 2, 4), SignalClass.NEAR_ZERO),
        (Line(1000.0, 0.4), (0, 1, 2, 3, 4, 5), SignalClass.IN_OFF),
        (Line(1000.0, 0.4), (0, 1, 2, 4), SignalClass.IN_OFF),
        (Line(1000.0, 0.4), (0, 2), SignalClass.PART_ON),
        (Line(1000.0, 0.4), (2,), SignalClass.PART_ON),
    ],
)
def test_a_signal_is_told_by_the_panels_that_it_stands_in(line, panels, class_name):
    unit = white()
    add(unit, line, 60.0, panels)
    signals = found(unit)
    assert class_name in {one.class_name for one in signals}
    if class_name in {SignalClass.IN_OFF, SignalClass.PART_ON}:
        assert SignalClass.EVENT not in {one.class_name for one in signals}


@pytest.mark.parametrize(
    ("panel_snrs", "class_name"),
    [((565.0, 50.0, 27.0), "event"), ((27.0, 50.0, 565.0), "event"), ((525.0, 3.0, 3.0), "not in every ON")],
)
def test_what_is_bright_in_one_on_panel_is_no_event_by_the_noise_of_the_others(panel_snrs, class_name):
    """A carrier in one ON panel and an OFF one: a slow line leaves it before OFF comes, and rides on noise."""
    unit = white(seed=1)
    unit.power *= 0.01  # what stands in each panel is what is put there
    for panel, snr in zip((0, 2, 4), panel_snrs, strict=True):
        add(unit, Line(1000.0, 0.03), snr, (panel,))
    (one,) = found(unit)
    assert one.panel_snr[::2] == pytest.approx(panel_snrs, rel=0.2, abs=0.5)
    assert str(one.class_name) == class_name


def test_the_fainter_of_two_crossing_lines_is_found_too():
    unit = white()
    add(unit, Line(1000.0, 0.4), 200.0)
    add(unit, Line(1038.0, -0.4), 25.0)
    signals = found(unit)
    assert [round(one.line.x) for one in signals if one.class_name is SignalClass.EVENT] == [1000, 1038]


def test_below_the_threshold_there_is_no_signal():
    unit = white()
    add(unit, Line(1000.0, 0.4), 12.0)
    assert found(unit, threshold=18.0) == []
    assert found(white(seed=3)) == []


def test_what_was_masked_is_the_line_and_what_belongs_to_it():
    unit = white()
    line = Line(1000.0, 0.4)
    add(unit, line, 80.0)
    paths = Paths(unit)
    second_look(paths, [Place(60.0, line, Octave(1, 1, 0, 1), 1000)], 7.0)
    assert paths.snr(line, paths.on) == 0
    assert paths.snr(line, paths.off) != 0
    assert (unit.power[:, :, :900] != 0).all()


def test_a_line_that_starts_in_the_next_coarse_channel_is_left_to_it():
    unit = white()
    unit.begin, unit.end = 0, 1000
    add(unit, Line(1002.0, -0.4), 60.0)
    paths = Paths(unit)
    assert second_look(paths, [Place(60.0, Line(1002.0, -0.4), Octave(1, 1, 0, -1), 1002)], 7.0) == []


def test_neighbouring_channels_of_a_carrier_are_one_signal_of_their_width():
    unit = white()
    unit.power[:, :, 500:503] += 10
    unit.power[:, :, 501] += 10
    unit.power[:, :, 900] += 5
    at_rest = channel_snr(unit)
    masked = np.zeros(2048, bool)
    masked[[500, 501, 502, 900]] = True
    wide, narrow = carriers(unit, at_rest, masked)
    assert (wide.line.x, wide.line.width, wide.line.slope, wide.class_name) == (501.0, 2.0, 0.0, SignalClass.IN_OFF)
    assert (narrow.line.x, narrow.line.width) == (900.0, 0.0)
    assert narrow.snr == pytest.approx(5 * np.sqrt(48), abs=3)
    assert narrow.off_snr == pytest.approx(5 * np.sqrt(48), abs=3)
    assert narrow.panel_snr == pytest.approx([5 * 4] * 6, abs=4)


def test_carriers_of_the_next_coarse_channel_are_not_ours():
    unit = white()
    unit.begin, unit.end = 600, 1000
    masked = np.zeros(2048, bool)
    masked[[500, 700, 1000]] = True
    assert [one.line.x for one in carriers(unit, channel_snr(unit), masked)] == [700.0]
    assert carriers(unit, channel_snr(unit), np.zeros(2048, bool)) == []


@pytest.mark.parametrize(
    ("one", "spike"),
    [
        (signal(512.0, SignalClass.IN_OFF), True),
        (signal(511.0, SignalClass.IN_OFF), True),
        (signal(514.0, SignalClass.IN_OFF), False),
        (signal(512.0, SignalClass.EVENT), False),
        (signal(512.0, SignalClass.IN_OFF, line=Line(512.0, 0.1)), False),
        (signal(512.0, SignalClass.IN_OFF, panel_snr=(20.0, 20.0, 20.0, 20.0, 20.0, 1.0)), False),
    ],
)
def test_a_dc_spike_stands_in_all_panels_in_the_middle_of_a_coarse_channel(one, spike):
    (told,) = dc_spikes([one], [512, 1536])
    assert (told.class_name is SignalClass.DC_SPIKE) is spike
    assert replace(told, class_name=one.class_name) == one
    assert dc_spikes([one], []) == [one]


def test_a_place_is_crowded_where_many_lines_of_the_ground_lie_close():
    ground = [signal(float(x), SignalClass.IN_OFF) for x in range(1000, 1700, 100)] + [
        signal(1700.0, SignalClass.DC_SPIKE)
    ]
    dense = crowded(ground)
    assert dense(1350.0)
    assert not dense(3000.0)
    assert not crowded(ground[1:])(1350.0)
    assert not crowded([signal(float(x)) for x in range(1000, 1700, 10)])(1350.0)  # events crowd nothing
    assert crowded(ground, reach=50, many=1)(1000.0)
    assert not crowded([])(0.0)


def test_an_event_among_them_is_in_a_zone_and_the_others_stay_what_they_are():
    ground = [signal(1000.0 + 10 * k, SignalClass.IN_OFF) for k in range(8)]
    signals = [*ground, signal(1035.0), signal(9000.0), signal(1036.0, SignalClass.NEAR_ZERO)]
    assert class_names(in_zones(signals))[8:] == ["RFI zone", "event", "near-zero drift"]
    assert class_names(in_zones(signals))[:8] == ["in OFF"] * 8


def test_the_order_of_the_lines_does_not_matter():
    ground = [signal(1000.0 + 10 * k, SignalClass.IN_OFF) for k in range(8)]
    assert class_names(in_zones([signal(1035.0), *ground[::-1]]))[0] == "RFI zone"

"""What a line is taken for where panels are cut short or hold no values."""

from dataclasses import replace

import numpy as np
import pytest

from abacad.searcher.classes import SignalClass
from abacad.searcher.engine import signals_of
from abacad.searcher.injection import add_needle
from abacad.searcher.path import Line, Paths
from abacad.searcher.settings import Settings
from tests.searcher.made import white

LINE = Line(1000.0, 0.4)


def shortened(seed: int, rows: dict[int, int]):
    """Noise in which some panels have fewer rows than the others."""
    unit = white(seed)
    for panel, n in rows.items():
        unit.power[panel, n:] = 0
    return replace(unit, n_time=tuple(rows.get(panel, n) for panel, n in enumerate(unit.n_time)))


def classes(unit) -> list[str]:
    return [signal.class_name for signal in signals_of(unit, Settings(judged=0, max_drift_hz_s=0.18))]


@pytest.mark.parametrize(
    ("masked", "class_name"),
    [((), SignalClass.EVENT), ((1, 3), SignalClass.EVENT), ((1, 3, 5), SignalClass.NO_OFF)],
)
def test_a_line_that_no_off_panel_could_have_shown_is_no_event(masked, class_name):
    unit = white(3)
    add_needle(Paths(unit), LINE, 30.0)
    for panel in masked:
        unit.power[panel, :, 800:1300] = 0
    assert classes(unit) == [class_name]


def test_a_line_without_off_panels_is_one_of_the_target():
    unit = replace(white(3), off=())
    add_needle(Paths(unit), LINE, 30.0)
    assert classes(unit) == [SignalClass.EVENT]


@pytest.mark.parametrize("rows", [16, 4, 2])
def test_a_faint_line_stays_an_event_where_a_panel_is_cut_short(rows):
    """Noise hides it in a panel of two rows of sixteen, which could have shown 0.35 of the SNR of the others."""
    found = []
    for seed in range(20):
        unit = shortened(seed, {4: rows})
        add_needle(Paths(unit), LINE, 11.0)
        found += classes(unit)
    assert found.count(SignalClass.EVENT) >= 19


def test_what_one_on_panel_alone_shows_is_no_event_however_short_the_others_are():
    unit = shortened(5, {0: 2, 4: 2})
    one = Paths(unit)
    one.on = np.array([2])
    add_needle(one, LINE, 12.0)
    assert SignalClass.EVENT not in classes(unit)
    assert SignalClass.PART_ON in classes(unit)

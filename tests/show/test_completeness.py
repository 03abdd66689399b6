"""Half of the needles: where a curve crosses ½, with its interval, and nothing claimed beyond what was simulated."""

import numpy as np
import pandas as pd
import pytest

from abacad.metric import wilson
from abacad.show.completeness import Half, all_families, bin_middles, by_family, first_sentence, half, headline

EDGES = [1, 2, 4, 8, 16, 32]


def _part(shares, n: int = 100) -> pd.DataFrame:
    rows = []
    for low, high, share in zip(EDGES, EDGES[1:], shares, strict=False):
        interval = wilson(round(share * n), n)
        rows.append({"low": low, "high": high, "needles": n, "completeness": interval.value,
                     "completeness_low": interval.low, "completeness_high": interval.high})  # fmt: skip
    return pd.DataFrame(rows)


def _table(**parts) -> pd.DataFrame:
    tables = []
    for detector, part in parts.items():
        for rate in (0.1, 0.01):
            for axis in ("panel_snr", "pixel_snr", "drift_bins_per_panel"):
                for family in ("all", "line"):
                    tables.append(part.assign(detector=detector, false_alarm_rate=rate, axis=axis, family=family))
    return pd.concat(tables, ignore_index=True)


def test_half_is_where_the_curve_crosses():
    part = _part([0.0, 0.25, 0.75, 1.0, 1.0])
    found = half(part)
    assert found.value == pytest.approx(np.sqrt(bin_middles(part)[1] * bin_middles(part)[2]))
    assert found.low < found.value < found.high


def test_fewer_needles_are_less_sure():
    few, many = half(_part([0, 0.2, 0.8, 1, 1], 10)), half(_part([0, 0.2, 0.8, 1, 1], 1000))
    assert few.low < many.low < many.high < few.high


def test_nothing_is_claimed_beyond_the_simulated():
    assert str(half(_part([0.0, 0.1, 0.1, 0.2, 0.3]))) == "beyond all"
    assert str(half(_part([0.9, 0.9, 1, 1, 1]))) == "below all"
    assert "∞" in str(half(_part([0, 0, 0, 0, 0.6], 10)))
    assert str(half(_part([0.5, 1, 1, 1, 1], 2))) == "not known"


def test_one_needle_is_no_certainty():
    part = _part([0, 0, 1, 1, 1], 1)
    assert part["completeness_low"].max() < 0.3
    assert str(half(part)) != str(half(_part([0, 0, 1, 1, 1], 100)))


def test_the_page_begins_with_half_of_the_needles():
    table = _table(run=_part([0, 0.25, 0.75, 1, 1]), classical=_part([0, 0, 0, 0.5, 1]))
    first = first_sentence(table)
    assert first.startswith("Half of the needles at panel SNR 4")
    assert first.endswith("are found at a false-alarm rate of 0.01.")
    section = headline(table)
    assert len(section.rows) == 2
    assert len(section.columns) == 3


@pytest.mark.parametrize(
    ("shares", "told"),
    [([0, 0.1, 0.1, 0.2, 0.3], "Fewer than half of the needles at each panel SNR up to 32 are"),
     ([0.9, 0.9, 1, 1, 1], "More than half of the needles at each panel SNR from 1 on are")],
)  # fmt: skip
def test_where_no_half_is_seen_the_first_sentence_says_so(shares, told):
    assert first_sentence(_table(run=_part(shares))).startswith(told)


def test_the_observers_thresholds_are_told_of_where_there_is_an_observer():
    run = _part([0, 0.25, 0.75, 1, 1])
    assert "observer" not in all_families(_table(run=run)).text
    assert "observer" in all_families(_table(run=run, bound=run)).text


def test_families_are_rows_of_one_figure():
    section = by_family(_table(run=_part([0, 0.25, 0.75, 1, 1])))
    assert len(section.figures) == 1
    assert section.figures[0][0].count("line\n") <= 1
    assert [row[0] for row in section.rows] == ["line"]


def test_a_half_tells_itself():
    assert str(Half(3.4123, 3.0, 4.0)) == "3.4 [3, 4]"


def test_rows_that_know_nothing_are_left_out_and_counted():
    """A page of few cadences was mostly `not known`."""
    known, unknown = _part([0, 0.25, 0.75, 1, 1]), _part([0, 0, 1, 1, 1], 1)
    table = pd.concat([_table(run=known), _table(run=unknown).assign(family="sine")])
    section = by_family(table)
    assert "sine" not in {row[0] for row in section.rows}
    assert f"for want of needles: {1} rows" in section.text
    assert "near-ideal" not in section.text
    assert "near-ideal" in by_family(_table(run=known, bound=known)).text

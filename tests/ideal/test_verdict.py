"""An opinion's parts are bounded, and its numbers say what stands in ON and in OFF panels."""

import numpy as np
import pytest

from abacad.ideal.verdict import Opinion

FAMILIES = ("dash", "line", "pulsed", "s_curve", "scintillating", "sine", "squiggle")


def said(off: float, better: float) -> Opinion:
    """An opinion whose likeliest needle is so much better than what stands in the OFF panels."""
    needles = dict.fromkeys(FAMILIES, -9.0) | {"line": better + max(off, 0.0)}
    return Opinion(needles, off, -1.0, {"dash": [0.0] * 6, "squiggle": [0.0] * 6})


@pytest.mark.parametrize(("off", "better"), [(-2.0, 5.0), (3.0, 2.0)])
def test_a_needle_is_better_by_what_the_off_panels_hold_less(off, better):
    assert Opinion({"line": 5.0, "dash": 1.0}, off, 0.0, {}).better == better


def test_what_it_says_is_bounded_rises_with_the_needle_and_falls_with_what_is_in_off_panels():
    ratios = [said(0.0, ratio).log_odds for ratio in (-1e6, -1, 2, 5, 1e6)]
    assert (np.diff(ratios) > 0).all()
    assert np.abs(ratios).max() < 6
    ratios = [said(off, 1.0).log_odds for off in (-1.0, 1.0, 1e6)]
    assert (np.diff(ratios) < 0).all()


def test_numbers_are_sorted_within_the_panels_of_a_class_and_do_not_depend_on_their_order():
    walks = {"squiggle": [3.0, 30.0, 1.0, 10.0, 2.0, 20.0], "dash": [6.0, 60.0, 5.0, 50.0, 4.0, 40.0]}
    numbers = Opinion(dict.fromkeys(FAMILIES, 1.0), 0.5, 0.7, walks).numbers()
    assert numbers[:3].tolist() == [0.5, 0.5, 0.7]
    assert numbers[3:9].tolist() == [1.0] * 6
    assert numbers[9:21].tolist() == [4, 5, 6, 40, 50, 60, 1, 2, 3, 10, 20, 30]
    other = dict(reversed(walks.items()))
    assert (Opinion(dict.fromkeys(reversed(FAMILIES), 1.0), 0.5, 0.7, other).numbers() == numbers).all()


def test_families_are_compared_with_the_likeliest():
    """Of a bright patch and of a faint one alike: a tree asks one number at a time."""
    for height in (10.0, 200.0):
        opinion = Opinion(dict.fromkeys(FAMILIES, height / 2) | {"pulsed": height}, 0.0, height / 4, {})
        differences, shares = opinion.numbers()[9:].reshape(2, 7)
        assert differences.tolist() == [-height / 2] * 2 + [0.0] + [-height / 2] * 3 + [-height * 3 / 4]
        assert shares.tolist() == [0.5] * 2 + [1.0] + [0.5] * 3 + [0.25]


def test_where_nothing_is_likely_shares_stay_small():
    opinion = Opinion(dict.fromkeys(FAMILIES, -1.0) | {"line": 1e-6}, 0.0, -1.0, {})
    assert np.abs(opinion.numbers()).max() <= 1.1

"""Scores that all print as 1.0000 differ as log-odds."""

import math

import pytest

from abacad.show.words import log_odds, told_score


@pytest.mark.parametrize("value", [-12.0, -0.8, 0.0, 3.3, 12.0])
def test_log_odds_invert_the_logistic_function(value):
    assert log_odds(1 / (1 + math.exp(-value))) == pytest.approx(value, abs=1e-6)


def test_sure_scores_are_told_apart():
    assert len({told_score(score) for score in (0.99995, 0.99999, 0.999999)}) == 3


def test_a_score_of_one_is_told_as_a_bound():
    assert told_score(1.0) == "log-odds +16.0 or more"
    assert told_score(0.0) == "log-odds −16.0 or less"
    assert told_score(0.31) == "log-odds −0.8"

"""A network and an observer that are heard together."""

import numpy as np
import pytest

import abacad
from abacad.ideal.blind_observer import Opinion
from abacad.ideal.second_opinion import together

UNSURE = Opinion(off=0.0, better=0.0)


def test_each_of_the_two_raises_the_score():
    low, high = together(np.array([0.2, 0.8]), [UNSURE, UNSURE])
    assert low < high
    for opinion in (Opinion(0.0, 6.0), Opinion(-1.0, 2.0)):
        assert together(np.array([0.5]), [opinion]) > together(np.array([0.5]), [UNSURE])


def test_a_decoy_lowers_the_score():
    decoy, needle = [Opinion(5.0, 1.0)], [Opinion(-1.0, 6.0)]
    assert together(np.array([0.5]), decoy) < together(np.array([0.5]), needle)


def test_sure_scores_and_wild_ratios_stay_within_bounds_and_in_order():
    wild = [Opinion(1e9, -1e9), UNSURE, Opinion(-1e9, 1e9)]
    scores = together(np.array([0.0, 0.5, 1.0]), wild)
    assert ((scores > 0) & (scores < 1)).all()
    assert (np.diff(scores) > 0).all()


def test_the_order_of_a_batch_is_kept():
    opinions = [Opinion(0.0, float(value)) for value in (3, -2, 1)]
    whole = together(np.array([0.3, 0.6, 0.1]), opinions)
    alone = [
        together(np.array([score]), [opinion])[0] for score, opinion in zip((0.3, 0.6, 0.1), opinions, strict=True)
    ]
    assert whole == pytest.approx(alone)


def test_a_cadence_and_a_ranking_hear_the_observer_alike():
    panels = np.random.default_rng(1).chisquare(10, (6, 64, 64)).astype(np.float32)
    alone, both = abacad.Cadence(panels).score(), abacad.Cadence(panels).score(observer=True)
    ranked = abacad.score(panels, observer=True, progress=False)["score"][0]
    assert both == pytest.approx(ranked, abs=1e-6)
    assert both != alone

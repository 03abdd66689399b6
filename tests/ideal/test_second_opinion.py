"""A network and an observer that are heard together."""

import numpy as np
import pytest

import abacad
from abacad.errors import AbacadError
from abacad.ideal.forest import Forest
from abacad.ideal.second_opinion import together
from abacad.ideal.verdict import Opinion
from tests.ideal.test_verdict import FAMILIES, said

UNSURE = said(0.0, 0.0)


def seen(height: float, panels: tuple[int, ...]) -> Opinion:
    """What is said of a squiggle of that log ratio in each of these panels."""
    walk = [height if panel in panels else -0.5 for panel in range(6)]
    on, off = (max(0.0, max(walk[first::2])) for first in (0, 1))
    return Opinion(dict.fromkeys(FAMILIES, on - 1.0), off - 1.0, -1.0, {"dash": walk, "squiggle": walk})


def test_each_of_the_two_raises_the_score():
    low, high = together(np.array([0.2, 0.8]), [UNSURE, UNSURE])
    assert low < high
    for opinion in (said(0.0, 6.0), said(-1.0, 3.0)):
        assert together(np.array([0.5]), [opinion]) > together(np.array([0.5]), [UNSURE])


def test_a_decoy_lowers_the_score():
    decoy, needle = [seen(8.0, (0, 1, 2, 3, 4, 5))], [seen(8.0, (0, 2, 4))]
    assert together(np.array([0.5]), decoy) < together(np.array([0.5]), needle)


def test_a_surer_network_never_lowers_the_sum_that_parts_equal_leaves():
    scores = together(np.linspace(0.001, 0.999, 40), [UNSURE] * 40)
    assert len(set(scores.tolist())) == 40


def test_sure_scores_and_wild_ratios_stay_within_bounds_and_in_order():
    wild = [said(1e9, -1e9), UNSURE, said(-1e9, 1e9)]
    scores = together(np.array([0.0, 0.5, 1.0]), wild)
    assert ((scores > 0) & (scores < 1)).all()
    assert (np.diff(scores) > 0).all()


def test_the_order_of_a_batch_is_kept():
    opinions = [said(0.0, float(value)) for value in (3, -2, 1)]
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


def test_the_loudest_alone_are_weighed_and_the_others_keep_their_scores():
    panels = np.random.default_rng(2).chisquare(10, (5, 6, 64, 64)).astype(np.float32)
    alone, all_weighed, some = (
        abacad.score(panels, progress=False, **how).set_index("array")["score"]
        for how in ({}, {"observer": True}, {"observer": True, "loudest": 0.3})
    )
    loudest = alone.index[:2]  # of five, three tenths rounded up
    assert (some[loudest] == all_weighed[loudest]).all()
    others = alone.index[2:]
    assert (some[others] == alone[others]).all()
    assert (all_weighed[others] != alone[others]).all()


@pytest.mark.parametrize(("observer", "loudest"), [(False, 0.5), (True, 0.0), (True, 2.0), (True, float("nan"))])
def test_a_share_of_nothing_is_refused(observer, loudest):
    with pytest.raises(AbacadError, match=r"--observer|--loudest"):
        abacad.score(np.zeros((6, 64, 64)), observer=observer, loudest=loudest, progress=False)


def always(share: float) -> Forest:
    """A forest that says the same of all."""
    return Forest(np.zeros((1, 1), int), np.zeros((1, 1)), np.zeros((1, 1, 2), int), np.full((1, 1), share))


def test_the_forest_of_the_loudest_is_asked_about_the_loudest_alone():
    scores = np.array([0.2, 0.5, 0.9])
    needle, noise = (together(scores, [UNSURE] * 3, always(share)) for share in (1.0, 0.0))
    assert (needle[:2] == noise[:2]).all()
    assert needle[2] > noise[2] + 0.5


def test_what_stands_still_in_on_panels_alone_is_less_a_needle_than_what_drifts():
    """Carriers that are on in ON panels by chance are among the loudest cadences without a needle."""
    ratios = dict.fromkeys(FAMILIES, 20.0)
    walks = {"dash": [10.0, -0.5] * 3, "squiggle": [10.0, -0.5] * 3}
    drifts, stands = (Opinion(ratios, -2.0, still, walks) for still in (-2.0, 60.0))
    assert together(np.array([0.9]), [drifts]) > together(np.array([0.9]), [stands])

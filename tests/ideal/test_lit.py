"""Which panels are lit: the observer's probabilities against draws of the simulator."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch

from abacad.ideal.lit import needle_patterns, over_decoys, over_patterns
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.chance import Chance
from abacad.simulator.needle import draw_lit, draw_needles
from abacad.simulator.settings import Families, Needles
from tests.ideal.small import AXES

N_DRAWN = 20_000


def test_panels_of_needles_and_decoys():
    patterns = needle_patterns(0.3, 0.4)
    assert sum(share for _, share in patterns) == pytest.approx(1)
    assert all(set(lit) <= set(ON) for lit, _ in patterns)
    nothing = {panel: torch.zeros(3) for panel in range(6)}
    assert over_patterns(nothing, patterns) == pytest.approx(0, abs=1e-6)
    assert over_decoys(nothing) == pytest.approx(0, abs=1e-6)
    only_on = {panel: torch.full((1,), 20.0 if panel in ON else -20.0) for panel in range(6)}
    assert float(over_patterns(only_on, patterns)) > 55
    assert float(over_decoys(only_on)) < 45


def drawn_lit(partial: float, decoy: bool) -> list[tuple[int, ...]]:
    lit = draw_lit(Needles(partial=partial), np.full(N_DRAWN, decoy), Chance(4, np.arange(N_DRAWN)))
    return [tuple(np.flatnonzero(row).tolist()) for row in lit]


def test_needles_stand_where_the_simulator_puts_them():
    share = Counter(drawn_lit(0.4, decoy=False))
    patterns = dict(needle_patterns(0.4))
    assert share.keys() == patterns.keys()
    for lit, probability in patterns.items():
        assert share[lit] / N_DRAWN == pytest.approx(probability, abs=4 * np.sqrt(0.25 / N_DRAWN))


def test_cut_needles_lose_the_panels_that_the_simulator_cuts():
    """A late start may fall into an OFF panel: then no row of the next ON panel is lost."""
    n = 8000
    needles = Needles(partial=0.0, cut=1.0, drift_hz_s=(0.001, 0.002))
    lit = draw_lit(needles, np.zeros(n, dtype=bool), Chance(4, np.arange(n)))
    needle = draw_needles(needles, Families.only(line=1.0), AXES, 64, lit, Chance(4, np.arange(n)))
    panels = Counter(int(row.any(1).sum()) for row in needle.envelope)
    expected: Counter[int] = Counter()
    for lit_panels, probability in needle_patterns(0.0, 1.0):
        expected[len(lit_panels)] += probability
    for number in (1, 2, 3):
        assert panels[number] / n == pytest.approx(expected[number], abs=4 * np.sqrt(0.25 / n))


def test_the_ratio_of_a_decoy_is_its_mean_over_the_simulators_draws():
    ratios = torch.tensor([0.8, -0.5, 0.3, 0.4, -0.2, -0.6])
    mean = np.mean([float(ratios[list(lit)].sum().exp()) for lit in drawn_lit(0.0, decoy=True)])
    found = float(over_decoys(dict(enumerate(ratios))).exp())
    assert found == pytest.approx(mean, rel=0.02)


def test_the_mean_over_patterns_is_the_sum_written_out():
    patterns = [(lit, 0.1 * (1 + number)) for number, lit in enumerate([(0,), (0, 2), (2, 4), (0, 2, 4)])]
    for values in product((-3.0, 0.5, 4.0), repeat=3):
        panels = dict(zip(ON, torch.tensor(values), strict=True))
        direct = sum(share * np.exp(sum(float(panels[panel]) for panel in lit)) for lit, share in patterns)
        assert float(over_patterns(panels, patterns)) == pytest.approx(np.log(direct), abs=1e-5)


def test_ratios_beyond_what_an_exponential_holds_stay_finite():
    for value in (500.0, -500.0):
        panels = {panel: torch.full((2,), value) for panel in range(N_PANELS)}
        assert over_patterns(panels, [(ON, 1.0)]).isfinite().all()
        assert over_decoys(panels).isfinite().all()
    alike = {panel: torch.full((1,), 500.0 if panel in OFF else 0.0) for panel in range(N_PANELS)}
    assert float(over_decoys(alike)) == pytest.approx(1500 + np.log(0.5 + 0.25 + 0.25 * 0.6**2), abs=0.01)

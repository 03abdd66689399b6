"""All families together: never beaten by the classical search, and a likelihood ratio over noise."""

from dataclasses import replace

import numpy as np
import pytest

from abacad.errors import AbacadError
from abacad.ideal.known import noise_of, of_training
from abacad.ideal.observer import FAMILIES, Observer
from abacad.metric import auc, auc_difference
from abacad.model.classical import event_snr
from abacad.signal.cadence import Axes
from abacad.simulator.noise import chi2_noise
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate
from abacad.simulator.settings import Families, Rfi, Simulation
from tests.ideal.small import BUSY, NEEDLES, SMALL


def observed(simulation: Simulation, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, the observer's scores, and the classical search's."""
    indices = np.arange(n)
    batch, observer = generate(simulation, indices, seed), Observer(simulation)
    known = of_training(simulation, indices, seed)
    scores = [observer.judge(noise_of(batch.panels[row], known[row]), known[row]).score for row in range(n)]
    classical = event_snr(batch.panels.float(), simulation.axes, 10)
    return batch.targets.numpy(), np.array(scores), classical.numpy()


def test_the_classical_search_never_beats_it():
    target, scores, classical = observed(replace(SMALL, rfi=replace(BUSY, decoys=0.2)), 32)
    difference = auc_difference(target, scores, classical)
    assert difference.value > 0
    assert difference.high > 0.1
    assert auc(target, scores) > 0.6


def test_needles_too_faint_to_see_score_like_noise():
    faint = replace(NEEDLES, pixel_snr=(1e-3, 2e-3))
    _, scores, _ = observed(replace(SMALL, needles=faint, rfi=Rfi(decoys=0.0)), 12)
    assert np.abs(scores).max() < 0.2


@pytest.fixture(scope="module")
def over_noise() -> dict[str, np.ndarray]:
    """Likelihood ratio of each family for faint needles, in cadences of noise alone."""
    faint = replace(SMALL, needles=replace(NEEDLES, families=Families(), pixel_snr=(0.1, 0.25)))
    empty = replace(faint, rfi=Rfi(0, 0, 0, 0, 0, 0, 0, decoys=0.0))
    known, observer = of_training(empty, np.arange(1), 0)[0], Observer(empty)
    noise = [chi2_noise((6, 48, 64), known.dof, key) for key in range(16)]
    found = [observer.judge(some, known).families for some in noise]
    return {family: np.exp([ratios[family] for ratios in found]) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_over_noise_the_ratio_of_each_family_averages_to_one(family, over_noise):
    """As a likelihood ratio does; a little less where a walk or a curve may leave the window."""
    ratios = over_noise[family]
    assert ratios.mean() < 1 + 4 * ratios.std() / 4 + 0.02
    assert ratios.mean() > 1 - 4 * ratios.std() / 4 - 0.2


def test_presets_that_drift_too_fast_and_panels_at_unequal_gaps_are_refused():
    with pytest.raises(AbacadError, match="channels a row"):
        Observer(PRESETS["telescope"])
    unequal = Axes(n_time=48, n_freq=64, panel_start_s=(0.0, 55.0, 110.0, 180.0, 235.0, 290.0))
    with pytest.raises(AbacadError, match="equal gaps"):
        Observer(replace(SMALL, axes=unequal))


def test_a_bright_needle_of_many_degrees_of_freedom_has_a_finite_ratio():
    """Each row of a 20 σ needle speaks for it by e^15; several rows in one step must not overflow."""
    axes = Axes.evenly(900.0, n_time=48, n_freq=64, dt_s=18.0)
    bright = replace(NEEDLES, families=Families.only(squiggle=0.5, dash=0.5), pixel_snr=(20.0, 30.0))
    simulation = replace(
        SMALL, axes=axes, needles=replace(bright, drift_hz_s=(1e-4, 1e-3)), rfi=Rfi(0, 0, 0, 0, 0, 0, 0, decoys=0.0)
    )
    batch = generate(simulation, np.arange(8), 2)
    observer = Observer(simulation)
    for row, known in enumerate(of_training(simulation, np.arange(8), 2)):
        verdict = observer.judge(noise_of(batch.panels[row], known), known)
        assert np.isfinite(verdict.score)
        assert (verdict.score > 10) == bool(batch.targets[row])

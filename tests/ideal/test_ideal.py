"""The ideal observer: closed forms, ratios that average to 1 over noise, conditions that are made again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from abacad.errors import AbacadError
from abacad.ideal.known import noise_of, of_scene, of_training
from abacad.ideal.lit import needle_patterns, over_decoys, over_patterns
from abacad.ideal.observer import FAMILIES, Observer
from abacad.ideal.pixel import log_ratio, shares, tone_ratios
from abacad.ideal.tracklet import ROWS, tracklets
from abacad.metric import auc, auc_difference
from abacad.model.classical import event_snr
from abacad.signal.cadence import ON, Axes
from abacad.signal.chance import Chance
from abacad.simulator.noise import chi2_noise
from abacad.simulator.path import Paths, deposit, deposits
from abacad.simulator.presets import PRESETS, Families, Needles, Rfi, Scenes, Simulation
from abacad.simulator.scene import cut, draw_injected, generate, make_scene, scene_chance, window_chance

AXES = Axes.evenly(55.0, n_time=48, n_freq=64)
NEEDLES = Needles(pixel_snr=(0.3, 1.5), drift_hz_s=(0.01, 0.25), families=Families(s_curve=0.0))
BUSY = Rfi(carriers=1.0, blobs=1.0, bursts=1.0, lines=0.3, squiggles=0.3, carrier_snr=(0.3, 40.0), decoys=0.0)
SMALL = Simulation(axes=AXES, needles=NEEDLES, rfi=BUSY, scenes=Scenes(n_freq=256), positives=0.5)


def drawn(shape: tuple[int, ...], dof: float) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).chisquare(dof, shape) / dof).float()


@pytest.mark.parametrize("d_prime", [0.5, 1.0, 2.0])
def test_a_known_path_has_the_auc_of_the_closed_form(d_prime):
    """Many degrees of freedom and a faint signal: normal noise, where AUC = Φ(d′/√2)."""
    n_row, dof = 200, 20_000.0
    power = d_prime / np.sqrt(n_row) * np.sqrt(2 / dof)
    noise = drawn((4000, n_row), dof)
    noise[::2] += power
    scores = log_ratio(noise, float(power), dof).sum(1).numpy()
    target = np.arange(4000) % 2 == 0
    assert auc(target, scores) == pytest.approx(norm.cdf(d_prime / np.sqrt(2)), abs=0.02)
    assert scores[target].mean() == pytest.approx(d_prime**2 / 2, abs=0.1)


@pytest.mark.parametrize("power", [0.05, 0.3, 0.9])
def test_the_ratio_of_a_pixel_averages_to_one_over_noise(power):
    ratio = log_ratio(drawn((1_000_000,), 10.0), power, 10.0).exp()
    assert float(ratio.mean()) == pytest.approx(1, abs=5 * float(ratio.std()) / 1000)


def test_skewed_noise_tells_more_than_its_variance():
    """Along a known path of k = 10 the likelihood ratio beats the sum, as k² / 2(k − 4) beats k/2."""
    noise = drawn((4000, 100), 10.0)
    noise[::2] += 0.06
    target = np.arange(4000) % 2 == 0
    assert auc(target, log_ratio(noise, 0.06, 10.0).sum(1).numpy()) > auc(target, noise.sum(1).numpy()) + 0.03


@pytest.mark.parametrize("width", [0.3, 0.75, 1.35])
def test_shares_of_a_tone_are_those_of_the_simulator(width):
    for quarter in range(4):
        path = Paths(
            torch.tensor([0]),
            torch.full((1, 6, 2), 8 + quarter / 4),
            torch.ones(1, 6, 2),
            torch.tensor([width]),
        )
        panels = torch.zeros(1, 6, 2, 16)
        deposit(panels, deposits(path, 1, 16))
        assert shares(width)[quarter] == pytest.approx(panels[0, 0, 0, 7:10].numpy(), abs=2e-3)


def test_tracklets_are_sums_along_straight_pieces():
    """Each value is its own (row, place), so that a sum tells which ones it is made of."""
    place = torch.arange(80.0).expand(1, 30, 80).clone()
    pieces = tracklets(place, 7)
    assert pieces.shape == (15, 1, 3, 80)
    for slope in (-7, -3, 0, 2, 7):
        mean = pieces[slope + 7, 0, 0, 40] / ROWS - 40
        assert mean == pytest.approx(slope / 2, abs=0.5)
    ones = tracklets(torch.ones(1, 30, 80), 7)
    assert ones[:, 0, :2, 20:60].unique().tolist() == [12.0]
    assert ones[:, 0, 2, 20:60].unique().tolist() == [6.0]  # filled up with rows that say nothing


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


def test_conditions_are_made_again_for_training_cadences():
    plain = replace(SMALL, normalise=False, positives=0.0)
    indices = np.arange(6)
    panels = generate(plain, indices, 3).panels
    keys = Chance(3, indices).keys("noise")
    for row, known in enumerate(of_training(plain, indices, 3)):
        noise = noise_of(panels[row], known, normalised=False)
        assert noise == pytest.approx(chi2_noise(noise.shape, known.dof, int(keys[row])), abs=2e-4)


def test_conditions_are_made_again_for_windows_of_scenes():
    plain = replace(SMALL, normalise=False, positives=0.0)
    scene, whole = make_scene(plain, 4, 3), of_scene(plain, 4, 3)
    none = draw_injected(plain, NEEDLES.families, np.zeros(2, dtype=bool), window_chance(3, np.arange(2)))
    true = chi2_noise((6, 48, 256), whole.dof, int(scene_chance(3, 4).keys("noise")[0]))
    for offset, panels in zip((0, 100), cut(scene, np.array([0, 100]), none, plain), strict=True):
        known = whole.window(offset, 64)
        assert noise_of(panels, known, normalised=False) == pytest.approx(true[..., offset : offset + 64], abs=2e-4)


def test_a_normalised_panel_is_brought_back_to_units_of_its_noise():
    axes = Axes.evenly(220.0, n_time=200, n_freq=AXES.n_freq)
    loud = replace(SMALL, axes=axes, needles=replace(NEEDLES, pixel_snr=(3.0, 4.0), drift_hz_s=(0.01, 0.1)))
    indices = np.arange(8)
    batch, quiet = generate(loud, indices, 5), generate(replace(loud, positives=0.0, normalise=False), indices, 5)
    for row, known in enumerate(of_training(loud, indices, 5)):
        sigma = np.sqrt(2 / known.dof)
        error = noise_of(batch.panels[row], known) - noise_of(quiet.panels[row], known, normalised=False)
        assert float(error.median().abs()) < 0.05 * sigma


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


def test_presets_that_drift_too_fast_are_refused_and_others_are_not():
    with pytest.raises(AbacadError, match="channels a row"):
        Observer(PRESETS["telescope"])
    for name in PRESETS.keys() - {"telescope"}:
        tones = Observer(PRESETS[name]).tones
        assert tones.mass.sum() == pytest.approx(1)
        assert tones.log_prior().exp().sum() == pytest.approx(1)
        assert tones.exponential().sum(1) == pytest.approx(1)


def test_tones_beside_the_window_say_nothing():
    ratios = tone_ratios(drawn((5, 8), 10.0), [0.3], [0.3, 1.35], 10.0)
    assert ratios.shape == (2, 5, 32)
    assert ratios.isfinite().all()

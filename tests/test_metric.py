"""AUC, its interval, the ROC band and shares, against closed forms and coverage."""

import numpy as np
import pytest
from scipy.stats import norm

from abacad.metric import _Drawn, _group_draws, auc, auc_difference, auc_interval, digits_told, roc_band, wilson

RNG = np.random.default_rng(0)


TARGETS = np.repeat([0, 1], [3000, 1500])


SCORES = RNG.normal(size=4500) + 1.2 * TARGETS


def test_auc_of_two_gaussians_is_the_closed_form():
    interval = auc_interval(TARGETS, SCORES, n_draws=200)
    expected = norm.cdf(1.2 / np.sqrt(2))
    assert interval.low < expected < interval.high
    hanley_mcneil = 0.0068  # standard error of this AUC at 1500 and 3000 cadences
    assert (interval.high - interval.low) / 3.92 == pytest.approx(hanley_mcneil, rel=0.2)


@pytest.mark.parametrize(
    ("n_positive", "n_negative", "apart"), [(2, 50, 1.5), (6, 300, 2.5), (8, 8, 1.0), (20, 100, 2.9)]
)
def test_an_interval_from_few_needles_covers_the_truth(n_positive, n_negative, apart):
    expected, covered = norm.cdf(apart / np.sqrt(2)), 0
    targets = np.repeat([1, 0], [n_positive, n_negative])
    for _ in range(300):
        interval = auc_interval(targets, RNG.normal(size=len(targets)) + apart * targets)
        covered += interval.low <= expected <= interval.high
    assert covered / 300 > 0.92


@pytest.mark.parametrize("n_positive", [1, 2, 400])
def test_no_interval_is_a_certainty(n_positive):
    """A bootstrap draws the one needle that there is again and again: [1.000, 1.000]."""
    targets = np.repeat([1, 0], [n_positive, 400])
    perfect = auc_interval(targets, targets.astype(float))
    assert perfect.value == perfect.high == 1
    assert perfect.low < 1 - 1 / (2 * n_positive + 400)
    reversed_scores = auc_interval(targets, 1.0 - targets)
    assert (reversed_scores.low, reversed_scores.high) == (0, pytest.approx(1 - perfect.low, abs=0.2))


def test_constant_scores_are_chance_and_one_class_has_no_auc():
    assert auc(TARGETS, np.zeros(4500)) == 0.5
    assert np.isnan(auc(np.ones(5), np.arange(5)))


def test_a_paired_difference_is_surer_than_either():
    better = SCORES + 0.3 * TARGETS
    paired = auc_difference(TARGETS, better, SCORES, n_draws=200)
    alone = auc_interval(TARGETS, SCORES, n_draws=200)
    assert paired.low > 0
    assert paired.high - paired.low < (alone.high - alone.low) / 2


@pytest.mark.parametrize("n_positive", [1, 3, 10, 19])
@pytest.mark.parametrize(("apart", "alike"), [((0.0, 0.0), 0.0), ((2.9, 2.66), 0.8)])
def test_a_difference_of_few_needles_covers_the_truth(n_positive, apart, alike):
    """Of pure noise, and of two good scores that err alike: the bootstrap of three held the 0 of noise in 79 of 100."""
    rng, covered, targets = np.random.default_rng(n_positive), 0, np.repeat([1, 0], [n_positive, 100])
    one, other = apart
    expected = norm.cdf(one / np.sqrt(2)) - norm.cdf(other / np.sqrt(2))
    for _ in range(150):
        first, own = rng.normal(size=(2, len(targets)))
        second = alike * first + np.sqrt(1 - alike**2) * own
        found = auc_difference(targets, first + one * targets, second + other * targets, n_draws=100)
        covered += found.low <= expected <= found.high
        assert -1 <= found.low <= found.value <= found.high <= 1
    assert covered / 150 > 0.9


def test_a_difference_of_few_scenes_counts_scenes_and_not_their_cadences():
    """Six scenes of ten needles each, which a scene's level makes easy or hard: the 60 are no 60 members."""
    scenes, targets = np.repeat(np.arange(6), 20), np.tile(np.repeat([1, 0], 10), 6)
    rng, covered = np.random.default_rng(1), {"scenes": 0, "cadences": 0}
    for _ in range(100):
        first, second = (0.5 * rng.normal(size=120) + targets * rng.normal(1, 1, 6)[scenes] for _ in range(2))
        for name, groups in (("scenes", scenes), ("cadences", None)):
            found = auc_difference(targets, first, second, n_draws=100, groups=groups)
            covered[name] += found.low <= 0 <= found.high
    assert covered["scenes"] > 90
    assert covered["cadences"] < 80


@pytest.mark.parametrize("n", [3, 9, 400])
def test_two_alike_rankings_differ_by_0_and_by_no_certainty(n):
    targets = np.repeat([1, 0], n)
    for scores in (targets + 0.0, targets + np.random.default_rng(0).normal(size=2 * n)):
        same = auc_difference(targets, scores, 3 * scores, n_draws=50)
        assert same.value == 0
        assert -1 < same.low < 0 < same.high < 1
        assert same.high - same.low < (0.03 if n == 400 else 1.5)


def test_a_difference_of_one_class_is_none():
    assert np.isnan(auc_difference(np.ones(5), np.arange(5), np.arange(5), n_draws=5).value)


def test_parts_of_an_auc_have_the_variance_of_delong():
    """S₁₀/P + S₀₁/N, with the components written out pair by pair; ties count half."""
    rng = np.random.default_rng(6)
    targets, scores = rng.random(40) < 0.3, rng.integers(0, 8, 40)
    pairs = np.sign(scores[targets][:, None] - scores[~targets]) / 2 + 0.5
    expected = pairs.mean(1).var(ddof=1) / len(pairs) + pairs.mean(0).var(ddof=1) / pairs.shape[1]
    assert (_Drawn(targets, scores).parts() ** 2).sum() == pytest.approx(expected)


def test_one_needle_among_a_hundred_thousand_has_an_interval():
    """One negative lies below it: both bounds are next to the end, where the equation of the interval has no root."""
    targets, scores = np.zeros(100_001), np.arange(100_001.0)
    targets[1] = 1
    assert auc_interval(targets, scores).low == 0
    assert auc_interval(targets, -scores).high == 1


def test_the_band_holds_the_curve():
    grid = np.linspace(0, 1, 11)
    tpr, low, high = roc_band(TARGETS, SCORES, grid, n_draws=100)
    assert (low <= tpr + 1e-9).all()
    assert (tpr <= high + 1e-9).all()
    inside = (low <= norm.cdf(1.2 + norm.ppf(grid))) & (norm.cdf(1.2 + norm.ppf(grid)) <= high)
    assert inside.mean() >= 0.8


def test_wilson_covers_the_true_share():
    covered = 0
    for _ in range(400):
        interval = wilson(int(RNG.binomial(30, 0.9)), 30)
        assert 0 <= interval.low <= interval.value <= interval.high <= 1
        covered += interval.low <= 0.9 <= interval.high
    assert covered / 400 > 0.9
    assert (wilson(0, 10).low, wilson(10, 10).high) == (0.0, pytest.approx(1.0))


def test_wilson_at_no_success_is_the_closed_form():
    """z²/(n + z²): 0.278 for none of ten."""
    assert wilson(0, 10).high == pytest.approx(1.96**2 / (10 + 1.96**2))
    assert wilson(10, 10).low == pytest.approx(10 / (10 + 1.96**2))


@pytest.mark.parametrize(("successes", "trials"), [(1, 10), (7, 20), (500, 900)])
def test_wilson_solves_its_equation(successes, trials):
    """Its ends p are where the share lies 1.96 σ away, with the σ that p itself would have: √(p (1 − p) / n)."""
    found = wilson(successes, trials)
    for end in (found.low, found.high):
        away = (successes / trials - end) / np.sqrt(end * (1 - end) / trials)
        assert abs(away) == pytest.approx(1.96)


def test_both_ends_of_the_bootstrap_are_two_standard_errors_away():
    interval = auc_interval(TARGETS, SCORES, n_draws=1500)
    below, above = interval.value - interval.low, interval.high - interval.value
    assert below == pytest.approx(1.96 * 0.0068, rel=0.1)
    assert above == pytest.approx(1.96 * 0.0068, rel=0.1)


def test_an_interval_counts_observations_not_their_windows():
    """40 observations of 25 windows that share a level: the spread of the AUC is that of 40, not of 1,000."""
    rng = np.random.default_rng(4)
    observations = np.repeat(np.arange(40), 25)
    widths: dict[str, list[float]] = {"windows": [], "observations": []}
    found = []
    for _ in range(30):
        targets = rng.random(1000) < np.repeat(rng.beta(0.5, 0.5, 40), 25)
        scores = np.repeat(rng.normal(size=40), 25) + 0.5 * targets + 0.3 * rng.normal(size=1000)
        for name, groups in (("windows", None), ("observations", observations)):
            interval = auc_interval(targets, scores, n_draws=40, groups=groups)
            widths[name].append((interval.high - interval.low) / 3.92)
        found.append(interval.value)
    assert np.mean(widths["observations"]) == pytest.approx(np.std(found), rel=0.35)
    assert np.mean(widths["windows"]) < 0.6 * np.std(found)


def test_draws_have_the_auc_that_scikit_learn_computes():
    rng = np.random.default_rng(5)
    targets, scores = rng.random(300) < 0.3, rng.integers(0, 20, 300)  # many ties
    drawn = _Drawn(targets, scores)
    for _ in range(5):
        pick = rng.integers(0, 300, 250)
        assert drawn.auc(pick) == pytest.approx(auc(targets[pick], scores[pick]), abs=1e-12)


def test_groups_of_one_are_no_groups():
    few = slice(None, None, 9)
    alone = auc_interval(TARGETS[few], SCORES[few], groups=np.arange(len(TARGETS[few])))
    assert alone == auc_interval(TARGETS[few], SCORES[few])


def test_as_many_groups_are_drawn_as_asked_for_and_no_draw_lacks_a_class():
    targets, groups = np.array([True, False, False, True, False]), np.array([0, 0, 1, 2, 2])
    draws = list(_group_draws(targets, groups, 40, 0))
    assert len(draws) == 40
    assert all(0 < targets[pick].sum() < len(pick) for pick in draws)
    assert all(
        set(np.bincount(pick, minlength=5)[[0, 3]]) == set(np.bincount(pick, minlength=5)[[1, 4]]) for pick in draws
    )


@pytest.mark.parametrize("half", [1.1e-4, 3e-3, 0.02, 0.049, 0.3])
def test_half_an_interval_is_told_with_two_digits_at_most(half):
    digits = digits_told(0.8 - half, 0.8 + half)
    assert digits == 2 or 10 <= half * 10**digits < 100


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (float("nan"), 1.0), (0.0, float("inf"))])
def test_no_interval_warrants_three_digits(low, high):
    assert digits_told(low, high) == 3

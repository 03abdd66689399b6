"""ROC-AUC, shares and ROC curves, each with its uncertainty.

The AUC (area under the curve of true-positive rate against false-alarm rate) is the probability that a positive scores
above a negative, ties counted half: 0.5 by chance, 1 at best. Its uncertainty comes from the bootstrap: cadences are
drawn again with replacement, and the spread of the AUC over such draws is its 95 % interval. Draws of few members tell
little of others; intervals of few come from closed forms.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

# Members of a class below which drawing from them tells too little of others: with 20, bootstrap intervals hold an AUC
# of 0.98 in 85 of 100 trials (docs/lab-notebook.md, section 33).
_FEW_TO_DRAW = 50
# The same for a difference of two AUCs: draws of 20 hold it in 90 to 94 of 100, where the closed form is twice as wide.
_FEW_TO_DIFFER = 20
# The same of groups, which stand for many cadences each: the closed forms take a group for one, and would be too wide.
_FEW_GROUPS = 10


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """As in `0.812 [0.790, 0.833]`."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def digits_told(low: float, high: float) -> int:
    """Digits behind the point that an interval warrants: half its width is told with two, and no figure with less.

    Args:
        low: Lower bound.
        high: Upper bound.

    Example:
        >>> from abacad.metric import digits_told
        >>> digits_told(0.81, 0.84), digits_told(-0.0012, 0.0031)
        (3, 4)
    """
    half = (high - low) / 2
    # An interval without width, or without bounds, warrants nothing: three digits, as of an AUC.
    return min(max(1 - math.floor(math.log10(half)), 2), 6) if 0 < half < math.inf else 3


def auc(targets: np.ndarray, scores: np.ndarray) -> float:
    """ROC-AUC; NaN where only one class is present.

    Example:
        >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.9]))  # 3 of 4 pairs in order and one tie
        0.875
    """
    targets = np.asarray(targets)
    from sklearn.metrics import roc_auc_score  # 0.4 s and 40 MB, which the search does without

    return float(roc_auc_score(targets, scores)) if 0 < targets.sum() < len(targets) else float("nan")


def auc_interval(
    targets: np.ndarray, scores: np.ndarray, n_draws: int = 500, seed: int = 0, groups: np.ndarray | None = None
) -> Interval:
    """ROC-AUC with its bootstrap interval; each class is drawn on its own, so that no draw lacks one.

    Args:
        targets: (n,) 1 or 0.
        scores: (n,).
        n_draws: Of the bootstrap.
        seed: Of the bootstrap.
        groups: (n,) what cadences are cut from. Windows of one observation share its noise and interference and are
            no independent cadences: with groups whole groups are drawn. None, or each cadence its own, draws cadences.
    """
    targets, scores = np.asarray(targets).astype(bool), np.asarray(scores)
    value, groups = auc(targets, scores), _several(groups, len(targets))
    # Few members, or a perfect order: every draw then gives the same AUC, and the interval would have no width.
    if _are_few(targets, groups) or value in (0.0, 1.0):
        return _newcombe(value, *_members(targets, groups))
    drawn = _Drawn(targets, scores)  # sorting once instead of 500 times
    low, high = np.quantile([drawn.auc(pick) for pick in _draws(targets, groups, n_draws, seed)], [0.025, 0.975])
    return Interval(value, float(low), float(high))


class _Drawn:
    """AUC of cadences that are drawn again and again: their scores are sorted once.

    AUC = Σ over scores s of P(s)·(N(below s) + N(s)/2) / (P·N), P and N the drawn positives and negatives.
    """

    def __init__(self, targets: np.ndarray, scores: np.ndarray) -> None:
        """Find the place of each score among the different ones."""
        places, self.targets = np.unique(scores, return_inverse=True)[1], targets
        self.positive, self.negative = places[targets], places[~targets]
        self.n_places = int(places.max()) + 1

    def parts(self) -> np.ndarray:
        """(n,) What each cadence adds to the error of the AUC, whose variance is the sum of their squares.

        A positive adds the share of negatives below it, less the mean of such shares, over √(P (P − 1)); a negative the
        same of positives above it. Source: DeLong et al. (1988), Biometrics 44, 837.
        """
        parts = np.zeros(len(self.targets))
        sides = (self.targets, self.positive, self.negative), (~self.targets, -self.negative, -self.positive)
        for members, own, others in sides:
            ordered, n = np.sort(others), len(own)
            # the mean of both, so that ties count half
            shares = (np.searchsorted(ordered, own) + np.searchsorted(ordered, own, "right")) / (2 * len(others))
            parts[members] = (shares - shares.mean()) / np.sqrt(n * max(n - 1, 1))
        return parts

    def auc(self, pick: np.ndarray) -> float:
        """ROC-AUC of the cadences with these indices, any of them several times."""
        times = np.bincount(pick, minlength=len(self.targets))
        positives = np.bincount(self.positive, times[self.targets], self.n_places)
        negatives = np.bincount(self.negative, times[~self.targets], self.n_places)
        below = np.cumsum(negatives) - negatives / 2
        pairs = positives.sum() * negatives.sum()
        return float(positives @ below / pairs) if pairs else float("nan")


def _newcombe(value: float, n_positive: int, n_negative: int, z: float = 1.96) -> Interval:
    """The interval of an AUC from few members of a class, whose bootstrap draws the same ones again and again.

    Its ends θ solve |AUC − θ| = z·√V(θ) with the variance of Hanley and McNeil at the mean number N of a class:

        V(θ) = θ(1 − θ)·(1 + (N − 1)·((1 − θ)/(2 − θ) + θ/(1 + θ))) / (n₊·n₋)

    One needle above ten others: 1.000 [0.396, 1.000].
    Source: Newcombe (2006), Statistics in Medicine 25, 559, method 5.
    """
    more = (n_positive + n_negative) / 2 - 1

    def excess(theta: float) -> float:
        spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
        variance = theta * (1 - theta) * (1 + more * spread) / (n_positive * n_negative)
        return abs(value - theta) - z * float(np.sqrt(variance))

    near = 1e-9  # at θ = AUC = 1 both sides vanish, which is no end of the interval
    low = brentq(excess, near, value - near) if value > 2 * near and excess(near) > 0 else 0.0
    high = brentq(excess, value + near, 1 - near) if value < 1 - 2 * near and excess(1 - near) > 0 else 1.0
    return Interval(value, float(low), float(high))


def auc_difference(
    targets: np.ndarray,
    scores: np.ndarray,
    others: np.ndarray,
    n_draws: int = 500,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Interval:
    """AUC of `scores` minus that of `others` on the same cadences.

    Each bootstrap draw takes the same cadences for both, so that what is hard for both cancels: the interval is
    narrower than the intervals of the two AUCs suggest. With `groups` whole groups are drawn, as in `auc_interval`.
    Where members of a class are few, or all draws the same, the interval comes from those of the two AUCs (`_of_few`).
    """
    targets = np.asarray(targets).astype(bool)
    groups = _several(groups, len(targets))
    one, other = _Drawn(targets, np.asarray(scores)), _Drawn(targets, np.asarray(others))
    value, less = (drawn.auc(np.arange(len(targets))) for drawn in (one, other))
    if not _are_few(targets, groups, _FEW_TO_DIFFER):
        draws = [one.auc(pick) - other.auc(pick) for pick in _draws(targets, groups, n_draws, seed)]
        low, high = np.quantile(draws, [0.025, 0.975])
        # No width where both order the classes alike in every draw, as two perfect ones do; NaN where one class is all.
        if low != high:
            return Interval(value - less, float(low), float(high))
    return _of_few(value, less, _members(targets, groups), _correlation(one, other, groups))


def _of_few(value: float, other: float, members: tuple[int, int], correlation: float) -> Interval:
    """The interval of a difference of two AUCs a − b from few members of a class, from the intervals of a and b.

        low  = a − b − √((a − low_a)² + (high_b − b)² − 2ρ·(a − low_a)·(high_b − b)),    and high the other way round

    The intervals are Newcombe's, with Student's t of 2N + 4 degrees of freedom, N the members of the smaller class. ρ
    is the correlation of the two AUCs, which few members know badly: it is taken (N − 1)/(N + 1) times. Both were
    chosen by simulation (docs/lab-notebook.md, section 33).
    Source: Zou and Donner (2008), Statistics in Medicine 27, 1693; ρ: DeLong et al. (1988), Biometrics 44, 837.
    """
    fewer = min(members)
    z, rho = float(stdtrit(2 * fewer + 4, 0.975)), correlation * (fewer - 1) / (fewer + 1)
    one, two = _newcombe(value, *members, z), _newcombe(other, *members, z)

    def apart(first: float, second: float) -> float:
        return math.sqrt(max(0.0, first**2 + second**2 - 2 * rho * first * second))

    low = value - other - apart(value - one.low, two.high - other)
    high = value - other + apart(one.high - value, other - two.low)
    return Interval(value - other, max(-1.0, low), min(1.0, high))


def _correlation(one: _Drawn, other: _Drawn, groups: np.ndarray | None) -> float:
    """Correlation of the AUCs of two scores of the same cadences; 0 where one of them has no spread to tell it by.

    Parts of a group add up before they are squared, as its cadences are not independent of each other.
    Source: Obuchowski (1997), Biometrics 53, 567.
    """
    first, second = one.parts(), other.parts()
    if groups is not None:
        group_of = np.unique(groups, return_inverse=True)[1]
        first, second = np.bincount(group_of, first), np.bincount(group_of, second)
    spread = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / spread if spread else 0.0


def roc_band(
    targets: np.ndarray, scores: np.ndarray, false_alarm: np.ndarray, n_draws: int = 200, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True-positive rate at the given false-alarm rates, with the bounds of its 95 % bootstrap band."""
    targets, scores = np.asarray(targets).astype(bool), np.asarray(scores)
    draws = [_tpr_at(targets[pick], scores[pick], false_alarm) for pick in _stratified_draws(targets, n_draws, seed)]
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    return _tpr_at(targets, scores, false_alarm), low, high


def wilson(successes: int, trials: int) -> Interval:
    """A share with its 95 % interval by Wilson's formula, which stays within 0 and 1 and is right for few trials."""
    z, share = 1.96, successes / trials  # 95 % of a normal law lie within 1.96 σ
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Interval(share, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def _tpr_at(targets: np.ndarray, scores: np.ndarray, false_alarm: np.ndarray) -> np.ndarray:
    from sklearn.metrics import roc_curve

    # every point of the curve is kept: interpolation across dropped ones would be right only on straight pieces
    fpr, tpr, _ = roc_curve(targets, scores, drop_intermediate=False)
    return np.interp(false_alarm, fpr, tpr)


def _several(groups: np.ndarray | None, n: int) -> np.ndarray | None:
    """Groups, where there are several and some of them hold several of the n cadences; else none."""
    return np.asarray(groups) if groups is not None and 1 < len(np.unique(groups)) < n else None


def _members(targets: np.ndarray, groups: np.ndarray | None) -> tuple[int, int]:
    """Independent positives and negatives: cadences, or groups that hold some."""
    each = np.arange(len(targets)) if groups is None else groups
    return len(np.unique(each[targets])), len(np.unique(each[~targets]))


def _are_few(targets: np.ndarray, groups: np.ndarray | None, least: int = _FEW_TO_DRAW) -> bool:
    few = 0 < min(_members(targets, None)) < least
    return few or (groups is not None and 0 < min(_members(targets, groups)) < _FEW_GROUPS)


def _draws(targets: np.ndarray, groups: np.ndarray | None, n_draws: int, seed: int) -> Iterator[np.ndarray]:
    """Draws of whole groups, where there are some (`_several`); else of cadences."""
    if groups is not None:
        return _group_draws(targets, groups, n_draws, seed)
    return _stratified_draws(targets, n_draws, seed)


def _stratified_draws(targets: np.ndarray, n_draws: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(targets), np.flatnonzero(~targets)]
    for _ in range(n_draws):
        yield np.concatenate([rng.choice(members, len(members)) for members in classes if len(members)])


def _group_draws(targets: np.ndarray, groups: np.ndarray, n_draws: int, seed: int) -> Iterator[np.ndarray]:
    """Draws of whole groups; those in which a class is missing are drawn again."""
    rng = np.random.default_rng(seed)
    names, group_of = np.unique(groups, return_inverse=True)
    drawn = 0
    for _ in range(100 * n_draws):
        if drawn == n_draws:
            return
        # tens of thousands of groups: how often each was drawn, repeated for its members, needs no loop over them
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        pick = np.repeat(np.arange(len(groups)), times[group_of])
        if 0 < targets[pick].sum() < len(pick):
            drawn += 1
            yield pick

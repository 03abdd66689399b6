"""Completeness: the share of the needles that a detector recovers at a false-alarm rate, with its interval.

    completeness = share of the needles whose score exceeds the threshold
    threshold    = the score that a share of the cadences without a needle, the false-alarm rate (FAR), exceeds

A threshold comes from the scores of negatives where at least five of them lie above it. A score s that is a log
likelihood ratio, s = log p(x | needle) − log p(x | none), gives it from needles alone, since the density of the
negatives is that of the needles times exp(−s):

    FAR(t) = P(s > t | none) = mean over all needles of [exp(−s) where s > t, else 0]  ≤  exp(−t)

So a hundred needles reach rates for which a hundred thousand negatives would have to be scored. It holds as far as the
ratio is right. Source: importance sampling of tail probabilities, Siegmund (1976), Annals of Statistics 4, 673.

Intervals, 95 %, hold both uncertainties: the threshold is drawn again with the negatives (or needles) that it rests on,
and the share above it is drawn from its posterior with Jeffreys' prior, Beta(recovered + ½, missed + ½).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from abacad.metric import Interval

FEWEST = 5
"""Negatives above a threshold, or needles' worth of weight above it, from which on it is believed."""
_DRAWS = 400  # of a threshold; the ends of a 95 % interval are then the tenth draw from either end


@dataclass(frozen=True)
class Threshold:
    """A score that a share of the negatives exceeds.

    Attributes:
        value: The score itself.
        draws: (draw,) the thresholds that other draws of the same cadences give, for its uncertainty.
        rests_on: `negatives` or `needles`.
    """

    value: float
    draws: np.ndarray
    rests_on: str


def of_negatives(scores: np.ndarray, rate: float, seed: int = 0) -> Threshold | None:
    """The threshold of a false-alarm rate from the negatives' scores (n,); none where fewer than five lie above it."""
    n = len(scores)
    if rate * n < FEWEST:
        return None
    # rounded up, so that the rate is never more than the one that is asked for
    ordered = np.sort(scores)
    place = int(np.ceil((1 - rate) * (n - 1)))
    # The value at one place of n values drawn again with replacement is a value of the sample at a Beta-drawn place.
    drawn = np.random.default_rng(seed).beta(place + 1, n - place, _DRAWS)
    return Threshold(float(ordered[place]), ordered[np.minimum((drawn * n).astype(int), n - 1)], "negatives")


def of_ratios(log_ratios: np.ndarray, rate: float, seed: int = 0) -> Threshold | None:
    """The threshold of a false-alarm rate from the needles' log likelihood ratios (n,) alone.

    Returns:
        None where the needles above it have the weight of fewer than five alike ones.

    Example:
        >>> needles = np.random.default_rng(0).normal(8, 4, 10_000)  # log ratios of a Gaussian test at SNR 4
        >>> round(of_ratios(needles, 1e-4).value, 1)  # exact: 4 · 3.719 − 8 = 6.9
        6.9
    """
    ordered = np.sort(log_ratios)[::-1]
    weights = np.exp(-ordered)
    n_above = _n_above(weights, np.ones_like(weights), rate)
    above = weights[:n_above]
    # (Σw)² / Σw² is how many alike weights are worth as much: one needle with a huge weight counts as one.
    if not n_above or above.sum() ** 2 < FEWEST * (above**2).sum():
        return None
    rng = np.random.default_rng(seed)
    # Poisson numbers of mean 1 are the bootstrap's for many needles, and need no list of which ones were drawn.
    drawn = [_n_above(weights, rng.poisson(1.0, len(ordered)).astype(float), rate) for _ in range(_DRAWS)]
    values = np.append(ordered, -np.inf)
    return Threshold(float(values[n_above]), values[drawn], "needles")


def _n_above(weights: np.ndarray, times: np.ndarray, rate: float) -> int:
    """How many of the loudest needles, each drawn so many times, together stand for at most that rate."""
    return int(np.searchsorted(np.cumsum(weights * times) / max(times.sum(), 1.0), rate, side="right"))


def recovered_share(scores: np.ndarray, threshold: Threshold, seed: int = 0) -> Interval:
    """Share of the needles' scores (n,) above a threshold; its interval includes the threshold's own uncertainty."""
    n, ordered = len(scores), np.sort(scores)
    value = float((scores > threshold.value).mean())
    # of all drawn thresholds at once: a sorted list answers how many lie above each
    recovered = n - np.searchsorted(ordered, threshold.draws, side="right")
    drawn = np.random.default_rng(seed).beta(recovered + 0.5, n - recovered + 0.5)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, min(float(low), value), max(float(high), value))


def completeness(
    scored: pd.DataFrame,
    rates: Sequence[float],
    detectors: Sequence[str],
    bins: Mapping[str, Sequence[float]],
    ratios: Sequence[str] = (),
) -> pd.DataFrame:
    """Share of needles recovered, by detector, false-alarm rate, family and bin.

    Args:
        scored: Columns of the truth table (target, family, those of `bins`), and a score a detector; NaN where a
            detector has none.
        rates: False-alarm rates.
        detectors: Columns of scores.
        bins: Edges of the bins of each column of the truth table.
        ratios: Detectors whose score is a log likelihood ratio: theirs reach rates that no negatives support.

    Returns:
        Columns detector, false_alarm_rate, threshold, threshold_from (negatives or needles), family, axis, low, high,
        needles, recovered, completeness, completeness_low, completeness_high. Bins without needles are left out.
    """
    rows = []
    for detector in detectors:
        # a bound is computed for some of the cadences only, as it takes a second each
        judged = scored[scored[detector].notna()]
        needles = judged[judged["target"] == 1]
        groups = [("all", needles), *needles.groupby("family")]
        for rate in rates:
            threshold = of_negatives(judged.loc[judged["target"] == 0, detector].to_numpy(), rate)
            if threshold is None and detector in ratios:
                threshold = of_ratios(needles[detector].to_numpy(), rate)
            if threshold is None:
                continue
            head = {"detector": detector, "false_alarm_rate": rate, "threshold": threshold.value}
            head["threshold_from"] = threshold.rests_on
            for family, members in groups:
                for axis, edges in bins.items():
                    rows += [
                        head | {"family": family, "axis": axis} | binned
                        for binned in _by_bin(members[axis], edges, members[detector].to_numpy(), threshold)
                    ]
    return pd.DataFrame(rows)


def _by_bin(
    values: pd.Series, edges: Sequence[float], scores: np.ndarray, threshold: Threshold
) -> Iterator[dict[str, Any]]:
    sizes = values.astype(float).abs().to_numpy()
    for low, high in pairwise(edges):
        inside = scores[(sizes >= low) & (sizes < high)]
        if len(inside):
            share = recovered_share(inside, threshold)
            above = int((inside > threshold.value).sum())
            yield {"low": low, "high": high, "needles": len(inside), "recovered": above, "completeness": share.value,
                   "completeness_low": share.low, "completeness_high": share.high}  # fmt: skip

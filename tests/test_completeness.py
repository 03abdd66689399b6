"""Completeness: thresholds of a Gaussian test, whose false-alarm rates are known, and intervals that cover."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from abacad.completeness import completeness, of_negatives, of_ratios, recovered_share

SNR = 4.0  # log ratio of N(SNR, 1) against N(0, 1): SNR·x − SNR²/2, so N(∓SNR²/2, SNR²) without and with a needle


def log_ratios(n: int, needle: bool, seed: int, snr: float = SNR) -> np.ndarray:
    x = np.random.default_rng(seed).normal(snr if needle else 0.0, 1.0, n)
    return snr * x - snr**2 / 2


@pytest.mark.parametrize("rate", [1e-2, 1e-3, 1e-4])
def test_needles_alone_give_the_threshold_that_a_million_negatives_give(rate):
    exact = SNR * norm.isf(rate) - SNR**2 / 2
    of_needles = of_ratios(log_ratios(3000, True, 0), rate)
    assert of_needles.rests_on == "needles"
    assert of_needles.value == pytest.approx(exact, abs=0.35)
    assert of_negatives(log_ratios(1_000_000, False, 1), rate).value == pytest.approx(exact, abs=0.35)
    low, high = np.quantile(of_needles.draws, [0.005, 0.995])
    assert low < exact < high
    assert of_needles.value > 0
    assert rate <= np.exp(-of_needles.value) * 1.2  # FAR(t) ≤ exp(−t)


def test_a_threshold_that_too_few_support_is_none():
    assert of_negatives(np.arange(499.0), 1e-2) is None
    assert of_negatives(np.arange(500.0), 1e-2).value == 495.0
    assert of_ratios(np.array([9.0, 9.1, 9.2]), 1e-3) is None  # three needles are no five
    assert of_ratios(np.full(3, -5.0), 1e-3) is None  # none of them is so sure


def test_intervals_cover_the_truth_and_know_that_a_threshold_is_uncertain():
    snr, covered, wider = 2.3, 0, 0  # half of the needles lie above the threshold, where its place matters most
    truth = float(norm.sf(norm.isf(1e-2) - snr))
    known = of_negatives(log_ratios(200_000, False, 5, snr), 1e-2)
    for seed in range(60):
        needles = log_ratios(100, True, 1000 + seed, snr)
        share = recovered_share(needles, of_negatives(log_ratios(800, False, seed, snr), 1e-2))
        covered += share.low <= truth <= share.high
        fixed = recovered_share(needles, known)
        wider += share.high - share.low > fixed.high - fixed.low
    assert covered >= 52  # 95 % of 60 are 57; 51 and fewer have a chance of 1 in 60
    assert wider >= 45


def test_one_needle_leaves_all_open():
    threshold = of_negatives(np.arange(1000.0), 1e-1)
    one = recovered_share(np.array([2000.0]), threshold)
    assert one.value == one.high == 1.0
    assert one.low < 0.3


def test_only_ratios_go_beyond_the_negatives():
    negatives, needles = log_ratios(400, False, 2), log_ratios(400, True, 3)
    found = pd.DataFrame({"target": np.repeat([0, 1], 400), "family": np.repeat(["", "line"], 400), "snr": SNR})
    found["bound"] = found["run"] = np.concatenate([negatives, needles])
    table = completeness(found, (1e-1, 1e-2, 1e-4), ("run", "bound"), {"snr": (1, 10)}, ratios=("bound",))
    whole = table[table["family"] == "all"].set_index(["detector", "false_alarm_rate"])
    assert set(whole.loc["run"].index) == {1e-1}
    assert whole.loc["bound"]["threshold_from"].to_dict() == {1e-1: "negatives", 1e-2: "needles", 1e-4: "needles"}
    row = whole.loc[("bound", 1e-4)]
    assert row["completeness_low"] < norm.sf(norm.isf(1e-4) - SNR) < row["completeness_high"]

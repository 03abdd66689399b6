"""Sums of logarithms are logarithms of sums, and end nowhere in infinity."""

import numpy as np
import pytest
import torch

from abacad.ideal.logs import log_of, mean_of, total_of, without


def test_sums_and_weighted_means():
    assert np.exp(total_of(np.log([1.0, 2.0, 4.0]).tolist())) == pytest.approx(7)
    assert np.exp(mean_of({"a": np.log(2.0), "b": np.log(6.0), "c": 9.0}, {"a": 0.75, "b": 0.25})) == pytest.approx(3)
    assert total_of([2000.0, 0.0]) == pytest.approx(2000)


def test_what_is_left_of_a_sum():
    terms = torch.tensor([1.0, 2.0, 4.0]).log()
    total = float(torch.logsumexp(terms, 0))
    assert np.exp(without(total, terms[:2])) == pytest.approx(4, rel=1e-5)
    assert without(total, terms) < total - 15
    assert np.isfinite(without(total, terms + 1))


def test_the_logarithm_of_no_share_is_finite():
    assert -100 < log_of(0.0) < -50
    assert log_of(0.5) == pytest.approx(np.log(0.5))

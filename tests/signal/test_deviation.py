"""From the median absolute deviation of normal noise to its σ."""

import pytest
from scipy.stats import norm

from abacad.signal.deviation import MAD_TO_SIGMA


def test_three_quarters_of_a_normal_distribution_lie_below_one_median_deviation():
    assert norm.cdf(1 / MAD_TO_SIGMA) == pytest.approx(0.75, abs=1e-5)

"""What no search can mean is refused by the option's name, with a value that can be meant."""

import pytest

from abacad.errors import AbacadError
from abacad.searcher.settings import Settings


@pytest.mark.parametrize("rate", [0.0, -1.0, 10_000.0, float("nan"), float("inf")])
def test_a_drift_range_has_to_be_one(rate):
    with pytest.raises(AbacadError, match=r"max_drift is .* Hz/s\.\nGive a rate above 0"):
        Settings(max_drift_hz_s=rate)


@pytest.mark.parametrize("snr", [4.99, 0.0, -7.0, float("nan")])
def test_a_threshold_within_the_noise_is_refused(snr):
    with pytest.raises(AbacadError, match=r"snr is .*\nGive 5 or more"):
        Settings(snr=snr)


@pytest.mark.parametrize("name", ["judged", "inject", "windows", "seed"])
def test_numbers_of_things_are_neither_negative_nor_without_end(name):
    for value in (-1, 10**20):
        with pytest.raises(AbacadError, match=name):
            Settings(**{name: value})
    assert getattr(Settings(**{name: 0}), name) == 0


def test_the_bounds_themselves_are_allowed():
    assert Settings(max_drift_hz_s=9999.0, snr=5.0).snr == 5.0
    assert Settings(max_drift_hz_s=1e-3).max_drift_hz_s == 1e-3


def test_the_first_look_goes_below_the_threshold_by_what_a_staircase_loses():
    """A path of whole channels has three quarters of its line's SNR; one at the threshold has to be seen."""
    for snr in (5.0, 7.0, 25.0):
        assert 0.6 * snr < Settings(snr=snr).first_snr <= 0.75 * snr


@pytest.mark.parametrize("slow", [-0.1, 4.0, 5.0, float("nan")])
def test_the_slowest_drift_is_below_the_fastest(slow):
    with pytest.raises(AbacadError, match=r"min_drift is .* Hz/s, max_drift 4\.\nGive a smaller rate"):
        Settings(min_drift_hz_s=slow)
    assert Settings(min_drift_hz_s=0.0).min_drift_hz_s == 0.0

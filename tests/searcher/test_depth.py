"""Fluxes by their formula, completeness by counting, and the SNR at which nine in ten are found."""

import json

import numpy as np
import pandas as pd
import pytest

from abacad.searcher.depth import completeness, depth, flux_w_m2, power_w, recovered, snr_found
from abacad.searcher.settings import Settings
from tests.searcher.made import made


def injected(snr, found, dense=False, drift=1.0):
    return pd.DataFrame({"snr": snr, "found": found, "dense": dense, "drift_hz_s": drift})


def test_the_flux_is_that_of_the_radiometer():
    """Four times the time, or four polarisations, halve it; four channels of smear double it."""
    once = flux_w_m2(10, 10, 1, 2.0, 200, n_pol=2)
    assert once == pytest.approx(10 * 10e-26 * np.sqrt(2 / 400))
    assert flux_w_m2(10, 10, 1, 2.0, 800, n_pol=2) == pytest.approx(once / 2)
    assert flux_w_m2(10, 10, 4, 2.0, 200, n_pol=2) == pytest.approx(2 * once)
    assert power_w(once, 20.0) == pytest.approx(4 * power_w(once, 10.0))


def test_completeness_counts_each_needle_once_and_apart_from_dense_interference():
    table = pd.concat([
        injected([8.5] * 4, [True, True, True, False]),
        injected([11.0] * 6, True, drift=0.5),
        injected([11.0] * 2, False, dense=True),
    ])  # fmt: skip
    shares = completeness(table)
    outside = shares[shares["of"] == "SNR, outside"]
    assert outside["needles"].tolist() == [4, 6]
    assert outside["share"].tolist() == [0.75, 1.0]
    assert shares[shares["of"] == "SNR, dense"]["found"].tolist() == [0]
    assert shares[shares["of"] == "drift"]["needles"].sum() == 6
    assert ((shares["share_low"] <= shares["share"] + 1e-9) & (shares["share"] <= shares["share_high"] + 1e-9)).all()


def test_bright_needles_are_counted_outside_and_within_dense_interference():
    table = pd.concat([
        injected([12.0] * 8 + [9.9], [True] * 7 + [False] * 2),
        injected([10.0, 30.0], [True, False], dense=True),
    ])  # fmt: skip
    said = recovered(table)
    assert (said["outside"]["found"], said["outside"]["needles"]) == (7, 8)
    assert (said["dense"]["found"], said["dense"]["needles"]) == (1, 2)
    assert 0 < said["dense"]["share_low"] < said["dense"]["share"] == 0.5 < said["dense"]["share_high"] < 1
    assert recovered(table[~table["dense"]])["dense"] == {"needles": 0, "found": 0}


def test_the_snr_of_a_share_is_that_of_the_curve_that_made_the_needles():
    rng = np.random.default_rng(0)
    snr = np.exp(rng.uniform(np.log(4), np.log(20), 20_000))
    found = rng.random(len(snr)) < 1 / (1 + (snr / 8.0) ** -12)
    assert snr_found(injected(snr, found), 0.5) == pytest.approx(8.0, rel=0.02)
    assert snr_found(injected(snr, found), 0.9) == pytest.approx(8.0 * 9 ** (1 / 12), rel=0.02)
    assert np.isnan(snr_found(injected(snr, True), 0.9))


def test_a_power_is_told_only_where_the_distance_is_known():
    observation = made()
    assert set(depth(observation, Settings(), None, None, None)) == {"snr_threshold"}
    with_flux = depth(observation, Settings(), None, 10.0, None)
    assert with_flux["flux_w_m2_slow"] == pytest.approx(flux_w_m2(7.0, 10.0, 1, 2.0, 480.0), rel=1e-3)
    assert with_flux["flux_w_m2_fastest"] == pytest.approx(np.sqrt(20) * with_flux["flux_w_m2_slow"], rel=1e-3)
    assert "eirp_w_slow" in depth(observation, Settings(), None, 10.0, 5.0)
    observation.n_pol = 1  # the first polarisation alone
    alone = depth(observation, Settings(), None, 10.0, None)
    assert alone["flux_w_m2_slow"] == pytest.approx(np.sqrt(2) * with_flux["flux_w_m2_slow"], rel=1e-3)


def test_what_could_not_be_measured_is_null_and_the_fluxes_say_which_snr_is_theirs():
    few = depth(made(), Settings(snr=8.0), injected([12.0] * 5, True), 10.0, None)
    assert (few["snr_90_percent"], few["flux_snr"]) == (None, 8.0)
    assert json.loads(json.dumps(few, allow_nan=False)) == few
    snr = np.geomspace(5, 15, 60)
    many = depth(made(), Settings(), injected(snr, snr > 7.5 + np.sin(40 * snr)), 10.0, None)
    assert many["flux_snr"] == many["snr_90_percent"] > 7

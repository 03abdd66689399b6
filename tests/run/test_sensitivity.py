"""Completeness: a perfect score finds all, chance finds the false-alarm rate, and the page says it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.completeness import completeness
from abacad.outputs import COMPLETENESS, PAGE
from abacad.run.sensitivity import BINS, FALSE_ALARM_RATES, _bound, _detectors
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from tests.data.test_observation import six


def scored(n: int = 20_000) -> pd.DataFrame:
    """Half of the cadences with a needle; the run's score sees pixel SNR, the classical one is chance."""
    rng = np.random.default_rng(0)
    target = np.arange(n) % 2
    snr = np.where(target == 1, np.exp(rng.uniform(np.log(0.11), np.log(19), n)), np.nan)
    run = rng.normal(size=n) + np.where(target == 1, 2 * np.nan_to_num(snr), 0)
    truth = {"target": target, "family": np.where(target == 1, "line", ""), "pixel_snr": snr, "panel_snr": 10 * snr,
             "drift_bins_per_panel": rng.uniform(-30, 30, n)}  # fmt: skip
    return pd.DataFrame({**truth, "run": run, "classical": rng.normal(size=n)})


def test_completeness_is_the_rate_for_chance_and_one_for_the_bright():
    found = scored()
    table = completeness(found, FALSE_ALARM_RATES, _detectors(found), BINS)
    assert set(table["false_alarm_rate"]) == {1e-1, 1e-2, 1e-3}
    everything = table[(table["family"] == "all") & (table["axis"] == "pixel_snr")]
    assert everything.groupby(["detector", "false_alarm_rate"])["needles"].sum().tolist() == [10_000] * 6
    chance = everything[(everything["detector"] == "classical") & (everything["false_alarm_rate"] == 1e-2)]
    assert chance["recovered"].sum() / 10_000 == pytest.approx(1e-2, abs=4e-3)
    run = everything[(everything["detector"] == "run") & (everything["false_alarm_rate"] == 1e-2)]
    assert run["completeness"].iloc[-1] == 1.0
    assert run["completeness"].is_monotonic_increasing
    negatives = found[found["target"] == 0]["run"]
    assert (negatives > run["threshold"].iloc[0]).mean() <= 1e-2


def test_the_bound_counts_only_where_it_scored():
    found = scored()
    found["bound"] = np.where(np.arange(len(found)) < 400, found["run"], np.nan)
    table = completeness(found, FALSE_ALARM_RATES, _detectors(found), BINS)
    mine = table[table["detector"] == "bound"]
    assert set(mine["false_alarm_rate"]) == {1e-1}  # 200 negatives support no rarer ones
    assert mine[(mine["family"] == "all") & (mine["axis"] == "pixel_snr")]["needles"].sum() == 200


@pytest.fixture
def small(monkeypatch):
    """The preset easy, cropped so that the test is quick, and false-alarm rates believed from one negative on."""
    monkeypatch.setattr("abacad.run.sensitivity.FEWEST", 1)
    monkeypatch.setattr("abacad.completeness.FEWEST", 1)
    easy = PRESETS["easy"]
    axes = Axes.evenly(32.0, n_time=28, n_freq=64)
    needles = replace(easy.needles, drift_hz_s=(0.01, 0.2))
    monkeypatch.setitem(PRESETS, "easy", replace(easy, axes=axes, needles=needles))


def test_the_verb_writes_page_and_table(trained_run, small):
    words = ["sensitivity", str(trained_run), "--cadences", "200", "--preset", "easy", "--progress", "false"]
    assert main([*words, "--bound", "30"]) == 0
    table = pd.read_csv(trained_run / "sensitivity.csv")
    assert set(table["detector"]) == {"run", "classical", "unlearned", "bound"}
    page = (trained_run / "sensitivity.html").read_text()
    assert page.count("<svg") == 2  # all families, and each: aligned rows instead of a figure a curve
    lead = page[page.index("<header>") : page.index("</header>")]
    first = lead.split("<p>")[1].split(" Measured on ")[0]
    assert "of the needles at" in first or "The needles are too few" in first
    assert "a false-alarm rate of" in first
    assert page.index("</header>") < page.index("<svg") < page.index("Area under the ROC curve")
    assert "on 30 cadences" in page


def test_the_weights_of_the_package_are_measured_where_no_run_is_named(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--cadences", "170", "--positives", "0.2", "--preset", "easy", "--bound", "0", "--progress", "false"]
    assert main(["sensitivity", *words]) == 0
    assert "Sensitivity of the package" in (tmp_path / "sensitivity.html").read_text()
    table = pd.read_csv(tmp_path / "sensitivity.csv")
    assert set(table["detector"]) == {"run", "classical", "unlearned"}
    one = table[(table["family"] == "all") & (table["axis"] == "panel_snr") & (table["false_alarm_rate"] == 0.1)]
    n_needles = one.groupby("detector")["needles"].sum().max()
    assert n_needles == pytest.approx(34, abs=16)  # the preset's own share would be 85
    # a table with a new column once counted as a stranger's, so that the same command could not be repeated
    assert COMPLETENESS.wrote(tmp_path / "sensitivity.csv")
    assert PAGE.wrote(tmp_path / "sensitivity.html")


def test_needles_that_drift_too_fast_have_no_bound():
    assert np.isnan(_bound(PRESETS["telescope"], 2, 5, 0, False)).tolist() == [True] * 5


def test_too_few_cadences_and_unknown_presets_are_refused(trained_run, capsys):
    assert main(["sensitivity", str(trained_run), "--cadences", "100"]) == 2
    assert main(["sensitivity", str(trained_run), "--preset", "moon"]) == 2
    assert main(["sensitivity", str(trained_run), "--positives", "1"]) == 2
    told = capsys.readouterr().err
    assert "needs 667 to" in told
    assert "kaggle" in told


def test_needles_in_ones_own_noise(trained_run, small, tmp_path, caplog):
    files = [str(path) for path in six(tmp_path, n_channels=64 * 64)]
    words = ["sensitivity", str(trained_run), "--cadences", "200", "--preset", "easy", "--progress", "false"]
    page = tmp_path / "page.html"
    assert main([*words, "--background", *files, "--out", str(page)]) == 0
    table = pd.read_csv(page.with_suffix(".csv"))
    assert set(table["detector"]) == {
        "run",
        "classical",
        "unlearned",
    }  # the observer knows simulated noise alone
    assert "in the noise of 0.fil" in page.read_text()


def test_a_background_too_short_for_any_rate_is_refused(trained_run, tmp_path, capsys):
    files = [str(path) for path in six(tmp_path, n_channels=600)]
    assert main(["sensitivity", str(trained_run), "--background", *files, "--out", str(tmp_path / "page.html")]) == 2
    assert "2 cadences of 256 channels" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()

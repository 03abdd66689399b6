"""Completeness: a perfect score finds all, chance finds the false-alarm rate, and the page says it."""

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.run.sensitivity import completeness


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
    table = completeness(found)
    assert set(table["false_alarm_rate"]) == {1e-2, 1e-3}
    everything = table[(table["family"] == "all") & (table["axis"] == "pixel_snr")]
    assert everything.groupby(["detector", "false_alarm_rate"])["needles"].sum().tolist() == [10_000] * 4
    chance = everything[(everything["detector"] == "classical") & (everything["false_alarm_rate"] == 1e-2)]
    assert chance["recovered"].sum() / 10_000 == pytest.approx(1e-2, abs=4e-3)
    run = everything[(everything["detector"] == "run") & (everything["false_alarm_rate"] == 1e-2)]
    assert run["completeness"].iloc[-1] == 1.0
    assert run["completeness"].is_monotonic_increasing
    negatives = found[found["target"] == 0]["run"]
    assert (negatives > run["threshold"].iloc[0]).mean() <= 1e-2


def test_the_verb_writes_page_and_table(trained_run, monkeypatch):
    monkeypatch.setattr("abacad.run.sensitivity.generate", small)
    words = ["sensitivity", str(trained_run), "--cadences", "1000", "--preset", "easy", "--progress", "false"]
    assert main(words) == 0
    table = pd.read_csv(trained_run / "sensitivity.csv")
    assert set(table["detector"]) == {"run", "classical"}
    page = (trained_run / "sensitivity.html").read_text()
    assert page.count("<svg") >= 4
    assert "Completeness against pixel SNR" in page


def small(simulation, indices, seed):
    """Cadences of the simulator, cropped so that the test is quick."""
    from dataclasses import replace

    from abacad.signal.scene import generate

    axes = replace(simulation.axes, n_time=28, n_freq=64)
    return generate(replace(simulation, axes=axes), indices, seed)


def test_too_few_cadences_and_unknown_presets_are_refused(trained_run, capsys):
    assert main(["sensitivity", str(trained_run), "--cadences", "100"]) == 2
    assert main(["sensitivity", str(trained_run), "--preset", "moon"]) == 2
    told = capsys.readouterr().err
    assert "1000 or more" in told
    assert "kaggle" in told

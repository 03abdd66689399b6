import dataclasses

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from abacad.signal.cadence import OFF, ON, Axes
from abacad.signal.chance import Chance
from abacad.simulator.needle import NeedleBatch, draw_lit, draw_needles
from abacad.simulator.path import deposit, deposits
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Families, Needles
from abacad.simulator.shape import SHAPES

FINE = PRESETS["telescope"].axes
SHORT = dataclasses.replace(Axes(), n_time=64, dt_s=4.578)


def only(family: str) -> Families:
    return Families.only(**{family: 1.0})


def drawn(needles: Needles, family: str, axes: Axes, n: int = 200, decoy: bool = False) -> NeedleBatch:
    chance = Chance(3, np.arange(n))
    lit = draw_lit(needles, np.full(n, decoy), chance)
    return draw_needles(needles, only(family), axes, axes.n_freq, lit, chance)


def pixels(batch: NeedleBatch, axes: Axes, sigma: float = 1.0) -> Tensor:
    """Noiseless cadences (batch, panel, time, freq)."""
    n = len(batch.snr)
    panels = torch.zeros(n, 6, axes.n_time, axes.n_freq)
    deposit(panels, deposits(batch.paths(np.arange(n), np.full(n, sigma), "cpu"), n, axes.n_freq))
    return panels


@pytest.mark.parametrize("axes", [Axes(), FINE], ids=["medium", "fine"])
@pytest.mark.parametrize("family", list(SHAPES))
def test_needles_stand_in_the_window_and_in_on_panels_alone(family: str, axes: Axes):
    fastest = 4.0 if axes is FINE else 0.35
    needles = Needles(drift_hz_s=(0.005, fastest), partial=0.5, cut=0.5)
    panels = pixels(drawn(needles, family, axes, n=60), axes)
    power = panels.sum((2, 3))
    assert (power[:, list(ON)].sum(1) > 0).all()
    assert (power[:, list(OFF)] == 0).all()


@pytest.mark.parametrize("family", list(SHAPES))
def test_decoys_stand_in_off_panels(family: str):
    needles = Needles(partial=0.0, cut=0.0, drift_hz_s=(0.01, 0.05))
    power = pixels(drawn(needles, family, Axes(), n=60, decoy=True), Axes()).sum((2, 3))
    assert (power[:, list(OFF)].sum(1) > 0).all()
    assert 0.3 < (power[:, list(ON)].sum(1) > 0).float().mean() < 0.95


def test_partial_needles_stand_in_one_or_two_on_panels():
    lit = draw_lit(Needles(partial=1.0), np.zeros(500, dtype=bool), Chance(1, np.arange(500)))
    assert set(lit[:, list(ON)].sum(1)) == {1, 2}
    whole = draw_lit(Needles(partial=0.0), np.zeros(500, dtype=bool), Chance(1, np.arange(500)))
    assert (whole[:, list(ON)]).all()
    assert not whole[:, list(OFF)].any()


@pytest.mark.parametrize("axes", [Axes(), Axes.evenly(400.0)], ids=["22 s", "107 s"])
def test_a_line_goes_on_through_off_panels_and_slews(axes: Axes):
    """Its channel in the third ON panel is where start, drift and elapsed time say."""
    batch = drawn(Needles(partial=0.0, cut=0.0, width=(0.1, 0.1), drift_hz_s=(0.02, 0.05)), "line", axes)
    truth = batch.truth(axes)
    panels = pixels(batch, axes)
    for row in (0, 100):
        seen = panels[:, :, row].argmax(-1).double().numpy()
        elapsed_s = 4 * axes.panel_period_s
        expected = seen[:, 0] + truth["drift_hz_s"] * elapsed_s / axes.df_hz
        assert np.abs(seen[:, 4] - expected).max() <= 1  # both ends are rounded to a channel
        assert np.abs(np.mean(seen[:, 4] - expected)) < 0.15
    middle_s = 0.5 * axes.dt_s
    np.testing.assert_allclose(truth["channel"], batch.channel[:, 0, 0], atol=1e-9)
    at_start = truth["channel"] - truth["drift_hz_s"] * middle_s / axes.df_hz
    at_last = at_start + truth["drift_hz_s"] * (5 * axes.panel_period_s + (axes.n_time - 0.5) * axes.dt_s) / axes.df_hz
    np.testing.assert_allclose(batch.channel[:, 5, -1], at_last, atol=1e-6)


def test_panel_snr_is_what_a_perfect_dedoppler_collects():
    """Sum along the path over σ√n, noiseless: pixel SNR · √n for one channel."""
    axes = Axes()
    batch = drawn(Needles(partial=0.0, cut=0.0, width=(0.1, 0.1), drift_hz_s=(0.02, 0.06)), "line", axes, n=40)
    truth = batch.truth(axes)
    sigma = 0.4
    panels = pixels(batch, axes, sigma)
    on_path = torch.from_numpy(np.floor(batch.channel[:, 0] + 0.5)).long()
    collected = panels[:, 0].gather(-1, on_path[..., None]).sum((1, 2)).numpy() / (sigma * np.sqrt(axes.n_time))
    # all but the share of a row that lies across an edge when the line changes channels
    assert (collected <= truth["panel_snr"] * 1.0001).all()
    assert (collected >= truth["panel_snr"] * 0.93).all()
    np.testing.assert_allclose(truth["panel_snr"], truth["pixel_snr"] * np.sqrt(axes.n_time))


def test_truth_tells_the_smearing_loss():
    batch = drawn(Needles(partial=0.0, cut=0.0, width=(0.1, 0.1), drift_hz_s=(0.6, 4.0)), "line", FINE)
    truth = batch.truth(FINE)
    n = np.abs(truth["drift_hz_s"]) / FINE.unit_drift_hz_s
    np.testing.assert_allclose(truth["smear"], np.maximum(n, 1), rtol=1e-6)
    np.testing.assert_allclose(truth["pixel_snr"] * truth["smear"], batch.snr)
    peak = pixels(batch, FINE).amax((1, 2, 3)).numpy()
    np.testing.assert_allclose(peak, truth["pixel_snr"], rtol=0.02)


def test_truth_counts_the_rows_in_the_window():
    """Fast needles leave the window: rows beyond its edge count for nothing."""
    batch = drawn(Needles(partial=0.0, cut=0.0, drift_hz_s=(3.9, 4.0), width=(0.1, 0.1)), "line", FINE)
    truth = batch.truth(FINE)
    rows = (truth["panel_snr"] / truth["pixel_snr"]) ** 2
    assert rows.max() <= 256 / (3.9 / FINE.unit_drift_hz_s) + 1
    assert rows.min() >= 1
    power = pixels(batch, FINE).sum((2, 3)).numpy()
    lit = [" ".join(map(str, np.flatnonzero(row > 0.6 * snr))) for row, snr in zip(power, batch.snr, strict=True)]
    assert np.mean(lit == truth["panels_lit"]) > 0.95


def test_drifts_widths_and_snrs_fill_their_ranges():
    needles = Needles(pixel_snr=(0.1, 10.0), drift_hz_s=(0.01, 0.3), width=(0.5, 4.0))
    truth = drawn(needles, "line", SHORT, n=3000).truth(SHORT)
    assert abs((truth["drift_hz_s"] > 0).mean() - 0.5) < 0.05
    for values, low, high in (
        (truth["pixel_snr"], 0.1, 10.0),
        (np.abs(truth["drift_hz_s"]), 0.01, 0.3),
        (truth["width"], 0.5, 4.0),
    ):
        assert scipy.stats.kstest(np.log(values / low) / np.log(high / low), "uniform").pvalue > 1e-4


def test_scintillation_is_exponential_with_a_gaussian_autocorrelation():
    batch = drawn(Needles(partial=0.0, cut=0.0), "scintillating", SHORT, n=1500)
    intensity = batch.envelope[:, 0]
    assert scipy.stats.kstest(intensity[:, 30], "expon").statistic < 0.05
    assert intensity.mean() == pytest.approx(1, abs=0.03)
    centred = intensity - 1
    correlation = (centred[:, :1] * centred).mean(0) / (centred[:, 0] ** 2).mean()
    assert correlation[1] > 0.9
    assert abs(correlation[-1]) < 0.35


def test_late_starts_and_early_ends():
    batch = drawn(Needles(partial=0.0, cut=1.0), "line", Axes(), n=300)
    lit = batch.envelope.reshape(300, 6, 273)[:, list(ON)].reshape(300, -1) > 0
    assert lit.any(1).all()
    late, early = ~lit[:, 0], ~lit[:, -1]
    assert (late ^ early).mean() > 0.95
    assert abs(late.mean() - 0.5) < 0.12
    # what is left is one stretch
    assert (np.abs(np.diff(lit.astype(int), axis=1)).sum(1) <= 1).all()


def test_s_curves_change_lanes_and_sines_come_back():
    curve = drawn(Needles(drift_hz_s=(1e-6, 2e-6)), "s_curve", Axes(), n=50).channel.reshape(50, -1)
    assert (np.abs(curve[:, -1] - curve[:, 0]) > 8).mean() > 0.9
    wave = drawn(Needles(drift_hz_s=(1e-6, 2e-6)), "sine", Axes(), n=50).channel.reshape(50, -1)
    assert (np.ptp(wave, axis=1) > 3).all()
    assert (np.ptp(wave, axis=1) < 31).all()


def test_squiggles_differ_from_panel_to_panel():
    batch = drawn(Needles(partial=0.0), "squiggle", Axes(), n=50)
    shape = batch.channel - batch.channel[:, :, :1]
    assert (np.abs(shape[:, 0] - shape[:, 2]).max(1) > 2).all()
    rows = (batch.envelope[:, list(ON)] > 0).sum(2)
    assert 80 < np.median(rows[rows > 0]) < 160

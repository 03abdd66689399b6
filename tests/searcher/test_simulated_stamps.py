"""Simulated stamps: a needle as bright whatever its drift, what stands still askew, the same whatever the batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.searcher.simulated_stamps import SimulatedStamps, _line
from abacad.searcher.stamp import RESIDUAL
from abacad.signal.cadence import OFF, ON
from abacad.simulator.needle import NeedleBatch
from abacad.simulator.noise import Noise
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Families, Needles, Rfi, Simulation

TELESCOPE = PRESETS["telescope"]
QUIET = Rfi(carriers=0, blobs=0, bursts=0, lines=0, squiggles=0, combs=0, dc_spike=0, decoys=0)
STEADY = Noise(bandpass_ripple=0, channel_gain=0, panel_level=0, slow_gain=0, fast_gain=0)


def lines(drift: float, snr: float = 8.0, **changed: object) -> Simulation:
    """Whole lines of one drift and one brightness, in noise alone, in units of σ."""
    needles = Needles(
        Families.only(line=1.0), None, (snr, snr * 1.001), (drift, drift * 1.001), (0.1, 0.1001), partial=0, cut=0
    )
    whole = replace(TELESCOPE, noise=STEADY, rfi=QUIET, needles=needles, positives=1.0, normalise=False)
    return replace(whole, **changed)


@pytest.mark.parametrize("drift", [0.02, 0.1, 0.4, 3.0])
def test_a_needle_keeps_its_brightness_and_drifts_slowly_whatever_its_drift(drift):
    panels = SimulatedStamps(lines(drift, 20.0), 20, seed=2).batch(range(8)).panels.numpy()
    assert panels.shape == (8, 6, 16, 256)
    on, off = panels[:, list(ON)], panels[:, list(OFF)]
    # In its row a needle lies in one bin, or in two.
    two = np.maximum(on, 0)[..., :-1] + np.maximum(on, 0)[..., 1:]
    power = two.max(axis=-1).mean(axis=(1, 2))
    # A smeared needle covers a channel more than a bin adds up, and lies across two bins as a rule.
    assert np.all(power > 0.7 * 20)
    assert np.all(power < 1.2 * 20)
    assert off.max() < 6.5  # of 100,000 pixels
    assert (panels != 0).any(axis=2).all()  # a bin beyond the band would be exactly 0 in all rows
    place = two.argmax(axis=-1).mean(axis=-1)
    moved = np.abs(np.diff(place, axis=1)) / 2
    natural = drift * TELESCOPE.axes.panel_period_s / TELESCOPE.axes.df_hz
    assert moved == pytest.approx(np.full(moved.shape, min(RESIDUAL, natural)), abs=1.0)
    # in the middle of the stamp half-way through the observation, which is in the second ON panel
    assert place[:, 1] == pytest.approx(np.full(8, 128), abs=1.5)


def test_a_stamp_lies_along_what_is_lit_in_on_panels():
    """A bright line in ON panels, of which half is dark; whatever stands elsewhere, or would be there, is no matter."""
    axes = TELESCOPE.axes
    rows = (np.asarray(axes.panel_start_s) / axes.dt_s)[:, None] + np.arange(16) + 0.5
    envelope = np.ones((6, 16))
    envelope[::2, 8:] = 0
    channel = np.where((envelope > 0) & (np.arange(6) % 2 == 0)[:, None], 10 + 0.5 * rows, 200.0)
    one = np.ones(1)
    needles = NeedleBatch(channel[None], envelope[None], one, one, np.zeros(1, int), one, 256)
    line = _line(needles, axes)
    assert (line.x, line.slope) == pytest.approx((10, 0.5))
    off_alone = replace(needles, envelope=np.where(np.arange(6) % 2, 1.0, 0.0)[None, :, None] * np.ones((1, 6, 16)))
    assert (_line(off_alone, axes).x, _line(off_alone, axes).slope) == pytest.approx((200, 0))


def test_the_truth_is_that_of_bins():
    slow, fast = (SimulatedStamps(lines(drift), 20, seed=2).batch(range(8)).truth for drift in (0.05, 3.0))
    for truth in (slow, fast):
        assert np.all(np.abs(truth["pixel_snr"] / 8.0 - 1) < 0.2)
        assert truth["panel_snr"] == pytest.approx(4 * truth["pixel_snr"])
        assert np.all(np.abs(np.abs(truth["drift_hz_s"]) / (3.0 if truth is fast else 0.05) - 1) < 0.01)


def test_what_stands_still_runs_askew_in_the_stamp_of_a_fast_line():
    # Brighter than any needle, and narrow.
    rfi = replace(QUIET, carriers=1.0, carrier_snr=(400.0, 401.0))
    stamps = SimulatedStamps(lines(0.3, 0.01, rfi=rfi, positives=0.0), 40, seed=3)
    batch, axes = stamps.batch(range(40)), TELESCOPE.axes
    assert set(batch.targets.tolist()) == {0}
    slope = 0.3 * axes.dt_s / axes.df_hz  # channels a row; two bins are added up from a slope of 2 on
    keep = RESIDUAL * axes.dt_s / axes.panel_period_s
    expected = slope / int(slope + 0.1) - keep
    seen = []
    for panel in batch.panels[:, 0].numpy():
        place = panel.argmax(axis=1)
        if panel.max() > 100 and np.abs(np.diff(place)).max() <= 3:
            seen.append(abs(np.polyfit(np.arange(16), place, 1)[0]))
    assert len(seen) > 5
    assert np.median(seen) == pytest.approx(expected, abs=0.1)


def test_the_bandpass_is_flat_as_the_search_makes_it():
    """Means of bins over a panel, of fast lines: ripples of 10 % of the level would be 20 σ of such a mean."""
    rippled = replace(STEADY, bandpass_ripple=0.1)
    panels = SimulatedStamps(lines(3.0, 0.01, noise=rippled, positives=0.0), 20, seed=2).batch(range(6)).panels
    quiet = panels.numpy()[:, list(ON)].mean(axis=2) * 4
    assert np.quantile(np.abs(quiet), 0.95) < 2.5


def test_a_stamp_is_the_same_alone_and_in_a_batch_and_its_target_is_known_beforehand():
    stamps = SimulatedStamps(replace(TELESCOPE, positives=0.5), 30, seed=1)
    batch = stamps.batch(range(30))
    assert torch.equal(batch.panels[7], stamps.batch([7]).panels[0])
    np.testing.assert_array_equal(batch.panels[11].numpy(), stamps[11][0])
    assert batch.targets.tolist() == stamps.targets().tolist() == batch.truth["target"].tolist()
    assert 5 < batch.targets.sum() < 25
    assert not torch.equal(batch.panels[7], SimulatedStamps(stamps.simulation, 30, seed=2).batch([7]).panels[0])
    assert batch.panels.dtype == torch.float16
    assert batch.panels.float().mean((-2, -1)).abs().max() < 0.01
    assert (batch.panels.float().std((-2, -1)) - 1).abs().max() < 0.01


def test_a_third_of_the_lines_without_a_needle_stand_in_off_panels_too():
    stamps = SimulatedStamps(lines(0.5, 8.0, positives=0.0), 200, seed=1)
    batch = stamps.batch(range(200))
    decoys = batch.truth["kind"] == "decoy"
    assert 45 < decoys.sum() < 90
    bright = batch.panels[:, list(OFF)].amax((1, 2, 3)).numpy()
    assert (bright[decoys] > 6.5).mean() > 0.9
    assert (bright[~decoys] > 6.5).mean() < 0.1


def test_an_index_beyond_the_end_is_refused():
    with pytest.raises(IndexError):
        SimulatedStamps(TELESCOPE, 4).batch([4])

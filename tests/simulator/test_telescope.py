"""Simulated telescope files: needles are where their drift says at the true start times, and as bright as said."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.errors import AbacadError
from abacad.signal.cadence import OFF, ON
from abacad.simulator import telescope
from abacad.simulator.telescope import Emissions, Session, draw_emissions, polyphase_band, power

SMALL = Session(channels=8192, needles=0)


def one_needle(drift: float, snr: float, channel: float = 3000.0, lit=ON) -> Emissions:
    starts = telescope.draw_start_s(SMALL, 3)
    return Emissions(
        np.array(["needle"], dtype=object), np.array([channel]), np.array([drift]), np.array([snr]), np.array([0.5]),
        np.isin(np.arange(6), lit)[None], starts,
    )  # fmt: skip


def added(emissions: Emissions, panel: int, session: Session = SMALL) -> np.ndarray:
    """What emissions add to a panel, in σ of a pixel."""
    nothing = replace(emissions, snr=emissions.snr * 0)
    with_noise, noise = (power(session, some, 3, panel, 0, session.channels) for some in (emissions, nothing))
    time, freq = telescope.gains(session.simulation.noise, session.axes, 3)
    gain = time[panel][:, None] * freq * telescope._LEVEL * telescope._sigma(session, 3)
    return (with_noise - noise).numpy() / gain


@pytest.mark.parametrize("drift", [0.0, 0.06, -0.5, 4.0, -4.0])
def test_a_needle_is_where_its_drift_has_taken_it_since_the_first_panel_began(drift):
    emissions, axes = one_needle(drift, 3000.0), SMALL.axes
    for panel in ON:
        rows = added(emissions, panel)
        middle = (rows * np.arange(SMALL.channels)).sum(axis=1) / rows.sum(axis=1)
        at = emissions.start_s[panel] + (np.arange(16) + 0.5) * axes.dt_s
        np.testing.assert_allclose(middle, 3000 + drift * at / axes.df_hz, atol=0.3)


@pytest.mark.parametrize("drift", [0.0, 0.5, 4.0])
def test_its_power_is_its_snr_and_smearing_spreads_it(drift):
    emissions, axes = one_needle(drift, 3000.0), SMALL.axes
    rows = added(emissions, 2)
    np.testing.assert_allclose(rows.sum(axis=1) / 4, 3000 / 16, rtol=0.02)  # Σ over 16 rows / √16 = snr
    smear = max(1.0, abs(drift) * axes.dt_s / axes.df_hz)
    assert emissions.smear(axes) == pytest.approx(smear)
    assert rows.max() <= 1.02 * 3000 / 4 / smear
    assert emissions.joint_snr(axes) == pytest.approx(3000 * np.sqrt(3 / smear))
    for panel in OFF:
        assert np.abs(added(emissions, panel)).max() < 1e-3


def test_the_band_falls_to_half_at_its_edges_and_is_flat_within():
    band = polyphase_band(4096)
    np.testing.assert_allclose(band, band[::-1], rtol=1e-6)
    assert band[0] == pytest.approx(0.5, abs=0.01)
    assert np.ptp(band[600:-600]) < 0.03


def test_the_dc_spike_stands_in_the_middle_channel_of_the_file():
    session = Session(channels=8192, needles=0)
    values = power(session, draw_emissions(session, 1), 1, 0, 0, 8192).numpy()
    stored = values[:, ::-1]  # highest channel first
    assert np.median(stored[:, 4096]) > 100 * np.median(stored)


def test_pieces_of_a_wide_band_join(monkeypatch):
    """A needle that crosses from one coarse channel to the next is whole."""
    monkeypatch.setattr(telescope, "COARSE", 4096)
    session = Session(channels=8192, needles=0)
    emissions = one_needle(4.0, 3000.0, channel=3950.0)
    nothing = replace(emissions, snr=emissions.snr * 0)
    parts = [
        (power(session, emissions, 3, 0, first, n) - power(session, nothing, 3, 0, first, n)).numpy()
        for first, n in telescope.pieces(8192)
    ]
    whole = np.concatenate(parts, axis=1)
    time, freq = telescope.gains(session.simulation.noise, session.axes, 3)
    rows = whole / (time[0][:, None] * freq * telescope._LEVEL * telescope._sigma(session, 3))
    np.testing.assert_allclose(rows.sum(axis=1), 3000 / 4, rtol=0.02)
    assert len(parts) == 2
    assert all((part != 0).any() for part in parts)


def test_the_seed_decides_everything():
    session = Session(channels=8192, needles=2)

    def made(seed: int) -> torch.Tensor:
        return power(session, draw_emissions(session, seed), seed, 1, 0, 8192)

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))


def test_emissions_keep_apart_and_inside(monkeypatch):
    session = Session()
    found = draw_emissions(session, 5)
    last = found.start_s[-1] + session.axes.panel_s
    ends = np.sort(np.stack([found.channel, found.channel + found.drift_hz_s * last / session.axes.df_hz]), axis=0)
    order = np.argsort(ends[0])
    assert (ends[0][order][1:] - ends[1][order][:-1]).min() > 100
    assert ends.min() > 100
    assert ends.max() < session.channels - 100
    needle = found.emitter == "needle"
    assert needle.sum() == 20
    assert (np.abs(found.drift_hz_s[needle]) <= 4).all()
    assert not found.lit[needle][:, list(OFF)].any()
    assert found.lit[~needle & (found.emitter != "standing")][:, list(OFF)].any(axis=1).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"channels": 1000}, "1,000 channels"),
        ({"channels": 4097}, "4,097"),
        ({"channels": (1 << 20) + 2}, "multiple"),
        ({"needles": -1}, "-1 needles"),
        ({"needles": 10**20}, "needles: give 0 or more"),
    ],
)
def test_bands_that_hold_nothing_are_refused(asked, said):
    with pytest.raises(AbacadError, match=said):
        Session(**asked)


def test_too_many_needles_for_the_band_are_refused(monkeypatch):
    monkeypatch.setattr(telescope, "_TRIES", 50)
    with pytest.raises(AbacadError, match="fewer needles"):
        draw_emissions(Session(channels=4096, needles=50), 0)

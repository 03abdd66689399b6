"""Interference: how often it comes, where it stands, and how it acts on the noise."""

import numpy as np
import pytest
import torch

from abacad.signal.cadence import OFF, Axes
from abacad.signal.chance import Chance
from abacad.simulator.rfi import Interference, _drifting, _how_many, _panels, draw_interference
from abacad.simulator.settings import Rfi, Simulation

AXES = Axes.evenly(315.0, n_time=24, n_freq=64, dt_s=12.0)
NONE = dict.fromkeys(("carriers", "blobs", "bursts", "lines", "squiggles", "combs", "dc_spike", "decoys"), 0.0)


def drawn(n: int, n_freq: int = 64, **rates: float) -> Interference:
    simulation = Simulation(axes=AXES, rfi=Rfi(**(NONE | {"carrier_snr": (5.0, 50.0)} | rates)))
    return draw_interference(simulation, n_freq, np.full(n, 0.1), Chance(2, np.arange(n)), "cpu")


def added_to(interference: Interference, n: int, power: float = 0.0, n_freq: int = 64) -> torch.Tensor:
    panels = torch.full((n, 6, 24, n_freq), power)
    interference.add(panels)
    return panels


def test_no_interference_changes_nothing():
    nothing = drawn(5)
    assert (added_to(nothing, 5, 1.0) == 1).all()
    assert (nothing.bursts == 1).all()


@pytest.mark.parametrize("mean", [0.2, 1.5, 12.0])
def test_emitters_come_in_poisson_numbers(mean):
    counts = np.bincount(_how_many("any", mean, Chance(1, np.arange(5000))).owner, minlength=5000)
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 5000))
    assert counts.var() == pytest.approx(mean, rel=0.1)


def test_a_scene_of_ten_windows_has_ten_times_as_much():
    narrow, wide = (added_to(drawn(40, n, carriers=1.0), 40, n_freq=n) for n in (64, 640))
    count = [int((panels.sum((1, 2)) > 0).sum()) for panels in (narrow, wide)]
    assert count[1] == pytest.approx(10 * count[0], rel=0.4)


def test_a_carrier_keeps_its_channel_in_all_rows():
    panels = added_to(drawn(30, carriers=0.5, carrier_level=0.0), 30)
    lit = panels > 0
    assert lit.any()
    # lit in a panel means lit in every row of it
    assert torch.equal(lit.any(2), lit.all(2))
    assert panels.max() <= 0.1 * 50 * 4 / 3 * 2  # SNR 50 at σ 0.1, swing of a third, two that meet


def test_carriers_stand_in_all_panels_in_all_but_one_or_in_some():
    rng = np.random.default_rng(0)
    lit = _panels(rng.uniform(size=(20_000, 3)), rng.uniform(size=(20_000, 6)))
    number = np.bincount(lit.sum(1), minlength=7) / len(lit)
    assert number[6] == pytest.approx(0.70 + 0.15 / 64, abs=0.02)
    assert number[5] == pytest.approx(0.15 + 0.15 * 6 / 64, abs=0.02)


def test_blobs_multiply_the_noise_and_carriers_lift_it():
    blobs, carriers = drawn(20, blobs=2.0), drawn(20, carriers=2.0)
    assert (added_to(blobs, 20, 0.0) == 0).all()
    one, three = added_to(blobs, 20, 1.0), added_to(blobs, 20, 3.0)
    assert one.max() > 1
    torch.testing.assert_close(three, 3 * one)
    torch.testing.assert_close(added_to(carriers, 20, 3.0) - 3, added_to(carriers, 20, 0.0), atol=1e-4, rtol=1e-4)


def test_a_burst_lifts_whole_rows_of_one_panel():
    bursts = drawn(400, bursts=0.3).bursts
    hit = bursts > 1
    assert 0.15 < hit.any((1, 2)).mean() < 0.4
    single = hit[(hit.any(2).sum(1) == 1)]
    assert len(single)
    assert (hit.sum(2) <= 2 * 7).all()  # a burst lasts a quarter of the panel's 24 rows at most


def test_drifting_interference_stands_in_an_off_panel():
    """Or nobody could tell it from a needle."""
    simulation = Simulation(axes=AXES, rfi=Rfi(**(NONE | {"lines": 1.0})))
    for emissions in _drifting(simulation, "lines", 1.0, 64, Chance(2, np.arange(200))):
        lit = emissions.intensity > 0
        off_lit = lit[:, list(OFF)].any((1, 2))
        assert off_lit.mean() > 0.95  # a pulse or a cut may leave the OFF panels dark


def test_an_observation_has_the_same_interference_in_any_batch():
    simulation = Simulation(axes=AXES, rfi=Rfi(carriers=2.0, blobs=1.0, lines=1.0, squiggles=1.0, bursts=1.0))
    many = draw_interference(simulation, 64, np.full(9, 0.1), Chance(2, np.arange(9)), "cpu")
    alone = draw_interference(simulation, 64, np.full(1, 0.1), Chance(2, np.array([7])), "cpu")
    torch.testing.assert_close(added_to(alone, 1, 1.0)[0], added_to(many, 9, 1.0)[7], rtol=1e-5, atol=1e-6)
    assert (alone.bursts[0] == many.bursts[7]).all()


def test_the_dc_spike_is_in_the_middle_of_a_wide_scene():
    panels = added_to(drawn(20, 640, dc_spike=0.05), 20, n_freq=640)
    channels = set(panels.sum((0, 1, 2)).nonzero().view(-1).tolist())
    assert channels == {320}

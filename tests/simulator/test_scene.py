import dataclasses
from typing import get_args

import numpy as np
import pytest
import torch

from abacad.signal.cadence import OFF, ON, Axes
from abacad.signal.chance import Chance
from abacad.simulator.presets import PRESETS
from abacad.simulator.receiver import normalised
from abacad.simulator.scene import (
    Purpose,
    cut,
    draw_injected,
    generate,
    make_scene,
    numbers_for,
    scene_chance,
    window_chance,
)
from abacad.simulator.settings import Needles, Rfi, Scenes, Simulation

SMALL = Axes.evenly(315.0, n_time=24, n_freq=32, dt_s=12.0)
SIMULATION = Simulation(axes=SMALL, scenes=Scenes(n_freq=200), positives=0.5)
QUIET = Rfi(carriers=0.0, blobs=0.0, bursts=0.0, lines=0.0, squiggles=0.0, combs=0.0, dc_spike=0.0, decoys=0.0)


@pytest.mark.parametrize("name", PRESETS)
def test_a_cadence_is_the_same_in_any_batch(name: str):
    preset = PRESETS[name]
    alone = generate(preset, np.array([5]), seed=1)
    together = generate(preset, np.array([9, 5, 2]), seed=1)
    assert torch.equal(alone.panels[0], together.panels[1])
    assert alone.targets[0] == together.targets[1]
    for column, values in alone.truth.items():
        np.testing.assert_equal(values[0], together.truth[column][1])


def test_seeds_and_indices_give_other_noise():
    a = generate(SIMULATION, np.arange(40), seed=1).panels.double().flatten(1)
    b = generate(SIMULATION, np.arange(40), seed=2).panels.double().flatten(1)
    quiet = dataclasses.replace(SIMULATION, rfi=QUIET, positives=0.0)
    c = generate(quiet, np.arange(40), seed=1).panels.double().flatten(1)
    error = 6 / np.sqrt(c.shape[1])
    correlation = (c @ c.T) / c.shape[1] - torch.eye(40)
    assert correlation.abs().max() < error + 0.1  # the gains' slow shapes are alike by chance
    assert not torch.equal(a, b)


def test_panels_are_normalised_and_finite():
    panels = generate(PRESETS["kaggle"], np.arange(20), seed=3).panels
    assert panels.dtype == torch.float16
    assert panels.shape == (20, 6, 273, 256)
    flat = panels.double().flatten(2)
    assert flat.isfinite().all()
    assert flat.mean(2).abs().max() < 1e-3
    assert (flat.std(2) - 1).abs().max() < 1e-3


def test_raw_power_is_positive_and_keeps_the_levels():
    raw = dataclasses.replace(SIMULATION, normalise=False)
    panels = generate(raw, np.arange(30), seed=1).panels
    assert panels.dtype == torch.float32
    assert (panels > 0).all()
    assert panels.mean((2, 3)).std() > 0.05
    whole = generate(SIMULATION, np.arange(30), seed=1).panels
    torch.testing.assert_close(normalised(panels), whole, atol=2e-3, rtol=2e-3)


def test_a_panel_without_variation_becomes_zero():
    assert (normalised(torch.ones(1, 6, 4, 8)) == 0).all()


def test_normalising_leaves_its_input():
    power = torch.rand(2, 6, 4, 8)
    before = power.clone()
    normalised(power)
    assert torch.equal(power, before)


def test_overlapping_windows_hold_the_same_values_up_to_an_affine_map():
    scene = make_scene(SIMULATION, 0, seed=1)
    offsets = np.array([40, 53, 57])
    targets = np.array([False, True, False])
    quiet = dataclasses.replace(SIMULATION, rfi=dataclasses.replace(SIMULATION.rfi, decoys=0.0))
    injected = draw_injected(quiet, quiet.needles.families, targets, window_chance(1, np.arange(3)))
    first, needle, last = (window.double() for window in cut(scene, offsets, injected, quiet))
    left, right = first[..., 17:], last[..., :15]
    assert _residual(left, right) < 2e-3
    # the window with a needle agrees where the needle is not: in OFF panels everywhere
    assert _residual(first[list(OFF), :, 13:], needle[list(OFF), :, :19]) < 2e-3
    assert _residual(first[list(ON), :, 13:], needle[list(ON), :, :19]) > 0 or injected.needles.snr[0] < 0.1
    assert _residual(first[..., :15], last[..., 17:]) > 0.5


def test_a_window_without_needles_is_its_part_of_the_scene_received_and_normalised():
    scene = make_scene(SIMULATION, 3, seed=1)
    quiet = dataclasses.replace(SIMULATION, rfi=dataclasses.replace(SIMULATION.rfi, decoys=0.0))
    none = draw_injected(quiet, quiet.needles.families, np.array([False, False]), window_chance(1, np.arange(2)))
    received = scene.power.double() * scene.gain_time[..., None] * scene.gain_freq
    raw = dataclasses.replace(quiet, normalise=False)
    for offset, power, panels in zip(
        (7, 90), cut(scene, np.array([7, 90]), none, raw), cut(scene, np.array([7, 90]), none, quiet), strict=True
    ):
        expected = received[..., offset : offset + 32]
        torch.testing.assert_close(power.double(), expected, rtol=1e-6, atol=0)
        expected = (expected - expected.mean((1, 2), keepdim=True)) / expected.std((1, 2), correction=0, keepdim=True)
        torch.testing.assert_close(panels.double(), expected, rtol=2**-10, atol=1e-5)


def _residual(a: torch.Tensor, b: torch.Tensor) -> float:
    """What is left of b after the best affine map of a, panel by panel, over b's scatter."""
    worst = 0.0
    for x, y in zip(a.flatten(1), b.flatten(1), strict=True):
        slope, offset = np.polyfit(x.numpy(), y.numpy(), 1)
        worst = max(worst, float((y - slope * x - offset).abs().max() / y.std()))
    return worst


def test_positives_and_negatives_come_as_often_as_asked():
    targets = generate(dataclasses.replace(SIMULATION, positives=0.3), np.arange(2000), seed=1).targets
    assert targets.double().mean() == pytest.approx(0.3, abs=0.04)


def test_truth_names_every_injection():
    batch = generate(SIMULATION, np.arange(300), seed=1)
    role = batch.truth["kind"]
    assert ((role == "needle") == batch.targets.bool().numpy()).all()
    assert set(role) == {"needle", "decoy", "none"}
    lit = batch.truth["panels_lit"]
    assert all(set(panels.split()) <= {"0", "2", "4"} for panels in lit[role == "needle"])
    assert all(set(panels.split()) & {"1", "3", "5"} for panels in lit[role == "decoy"])
    assert (np.isnan(batch.truth["pixel_snr"]) == (role == "none")).all()


def test_a_bright_needle_is_where_the_truth_says():
    bright = Simulation(
        axes=SMALL, rfi=QUIET, positives=1.0, needles=Needles(pixel_snr=(50.0, 60.0), partial=0.0, cut=0.0)
    )
    batch = generate(bright, np.arange(50), seed=1)
    for panels, channel, lit in zip(batch.panels, batch.truth["channel"], batch.truth["panels_lit"], strict=True):
        first = int(lit.split()[0])
        rows = panels[first].float().amax(1)
        row = int((rows > 0.3 * rows.max()).int().argmax())
        assert abs(int(panels[first, row].argmax()) - channel) < 3


def test_no_purpose_draws_a_cadence_of_another():
    """One seed for all: training, validation, judging and the sets that `simulate` writes share no panel of noise."""
    small = Simulation(axes=Axes.evenly(315.0, n_time=4, n_freq=16, dt_s=60.0), scenes=Scenes(n_freq=64))
    seen: list[bytes] = []
    keys: list[int] = []
    for purpose in get_args(Purpose):
        numbers = numbers_for(purpose, np.arange(40))
        keys += Chance(0, numbers).keys("noise").tolist()
        seen += [panels.numpy().tobytes() for panels in generate(small, numbers, 0).panels]
    keys += [int(scene_chance(0, number).keys("noise")[0]) for number in range(40)]
    keys += window_chance(0, np.arange(40)).keys("noise").tolist()
    assert len(set(seen)) == len(seen) == 200
    assert len(set(keys)) == len(keys) == 280

"""Conditions of a cadence that are made again, and a cadence brought back to units of its noise."""

from dataclasses import replace

import numpy as np
import pytest

from abacad.ideal.known import _averages, noise_of, of_scene, of_training
from abacad.signal.cadence import Axes
from abacad.signal.chance import Chance
from abacad.simulator.noise import chi2_noise
from abacad.simulator.scene import cut, draw_injected, generate, make_scene, scene_chance, window_chance
from tests.ideal.small import AXES, NEEDLES, SMALL, drawn


def test_conditions_are_made_again_for_training_cadences():
    plain = replace(SMALL, normalise=False, positives=0.0)
    indices = np.arange(6)
    panels = generate(plain, indices, 3).panels
    keys = Chance(3, indices).keys("noise")
    for row, known in enumerate(of_training(plain, indices, 3)):
        noise = noise_of(panels[row], known, normalised=False)
        assert noise == pytest.approx(chi2_noise(noise.shape, known.dof, int(keys[row])), abs=2e-4)


def test_conditions_are_made_again_for_windows_of_scenes():
    plain = replace(SMALL, normalise=False, positives=0.0)
    scene, whole = make_scene(plain, 4, 3), of_scene(plain, 4, 3)
    none = draw_injected(plain, NEEDLES.families, np.zeros(2, dtype=bool), window_chance(3, np.arange(2)))
    true = chi2_noise((6, 48, 256), whole.dof, int(scene_chance(3, 4).keys("noise")[0]))
    for offset, panels in zip((0, 100), cut(scene, np.array([0, 100]), none, plain), strict=True):
        known = whole.window(offset, 64)
        assert noise_of(panels, known, normalised=False) == pytest.approx(true[..., offset : offset + 64], abs=2e-4)


def test_a_normalised_panel_is_brought_back_to_units_of_its_noise():
    axes = Axes.evenly(220.0, n_time=200, n_freq=AXES.n_freq)
    loud = replace(SMALL, axes=axes, needles=replace(NEEDLES, pixel_snr=(3.0, 4.0), drift_hz_s=(0.01, 0.1)))
    indices = np.arange(8)
    batch, quiet = generate(loud, indices, 5), generate(replace(loud, positives=0.0, normalise=False), indices, 5)
    for row, known in enumerate(of_training(loud, indices, 5)):
        sigma = np.sqrt(2 / known.dof)
        error = noise_of(batch.panels[row], known) - noise_of(quiet.panels[row], known, normalised=False)
        assert float(error.median().abs()) < 0.05 * sigma


@pytest.mark.parametrize("dof", [4.0, 10.0, 200.0])  # at 4 the bounds hold back 2 and 4 % of the pixels
def test_expected_averages_are_those_of_noise(dof):
    noise = drawn((1_000_000,), dof)
    low, high = _averages(dof)
    assert float((1 / noise.clamp(min=0.1)).mean()) == pytest.approx(low, abs=4e-3)
    assert float(noise.clamp(max=2.5).mean()) == pytest.approx(high, abs=4e-3)


def test_interference_adds_multiplies_or_does_both():
    """`added` is 0 and `multiplied` 1 where no interference stands; carriers add, blobs multiply."""
    known = of_training(SMALL, np.arange(12), 3)
    for one in known:
        assert (one.multiplied >= 1 - 1e-3).all()
        assert (one.added >= 0).all()
        assert (one.needle == 1).all()  # the generator adds a needle before interference can multiply it
    assert any(bool((one.multiplied > 1.01).any()) for one in known)
    assert any(bool((one.added > 0.1).any()) for one in known)
    part = known[0].window(10, 20)
    assert part.gain.shape[-1] == 20
    assert part.added.equal(known[0].added[..., 10:30])

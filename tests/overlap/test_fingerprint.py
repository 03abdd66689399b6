"""Fingerprints of columns know neither gain nor offset."""

import numpy as np
import torch

from abacad.overlap.fingerprint import PROJECTIONS, STEPS_PER_SIGMA, fingerprints, rows_apart, steps, weights
from tests.overlap.made import N_FREQ, N_TIME, codes_of, noise, snippet


def test_weights_add_up_to_nothing():
    assert weights(273).shape == (PROJECTIONS, 273)
    torch.testing.assert_close(weights(273).sum(1), torch.zeros(PROJECTIONS))


def test_codes_know_neither_gain_nor_offset():
    scene = noise(0)
    codes = codes_of([snippet(scene, 0), snippet(7 * scene + 30, 0), snippet(noise(1), 0)]).astype(float)
    length = PROJECTIONS * STEPS_PER_SIGMA**2
    same, other = (np.square(codes[0] - codes[place]).sum(-1) / (2 * length) for place in (1, 2))
    assert same.max() < 0.001
    assert other.min() > 0.01


def test_what_holds_nothing_has_no_code():
    panels = noise(0, N_FREQ)
    panels[0] = 0
    panels[1, :, 3] = 65504
    panels[2, 5, 4] = torch.nan
    codes = fingerprints(panels, weights(N_TIME))
    dead = (codes == 0).all(-1).T
    assert dead[0].all()
    assert dead[1].nonzero().flatten().tolist() == [3]
    assert dead[2].nonzero().flatten().tolist() == [4]
    assert not dead[3:].any()


def test_steps_of_a_switch_do_not_count():
    panels = noise(0, N_FREQ)
    panels[0, :, 0] = 1
    panels[0, 40:, 0] = 9
    panels[0, :, 1] = 2
    unit = steps(panels).square().sum(-1)
    assert unit[:2, 0].tolist() == [0, 0]
    torch.testing.assert_close(unit[2:, 0], torch.ones(N_FREQ - 2))


def test_the_rows_projected_are_ninety_where_there_are_as_many():
    assert [len(range(0, n, rows_apart(n))) for n in (16, 90, 179, 273, 1000)] == [16, 90, 179, 91, 91]

"""Fingerprints of columns know neither gain nor offset."""

import numpy as np
import torch

from abacad.overlap.fingerprint import (
    PROJECTIONS,
    STEPS_PER_SIGMA,
    fingerprints,
    rows_apart,
    steps,
    weights,
)

N_TIME, N_FREQ, SCENE = 96, 64, 200


def noise(seed: int, n_freq: int = SCENE) -> torch.Tensor:
    return torch.randn(6, N_TIME, n_freq, generator=torch.Generator().manual_seed(seed)) + 5


def snippet(scene: torch.Tensor, first: int, needle: torch.Tensor | None = None) -> np.ndarray:
    """A window as the competition has it: a needle, each panel at mean 0 and std 1, float16."""
    window = scene[..., first : first + N_FREQ].clone()
    if needle is not None:
        window += needle
    window -= window.mean((1, 2), keepdim=True)
    window /= window.std((1, 2), keepdim=True).clamp_min(1e-9)
    return window.half().numpy()


def codes_of(cadences: list[np.ndarray]) -> np.ndarray:
    projections = weights(N_TIME)
    return np.stack([fingerprints(torch.from_numpy(one).float(), projections).numpy() for one in cadences])


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

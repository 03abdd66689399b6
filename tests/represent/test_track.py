"""The evidence of a path, against the recursion written out."""

import numpy as np
import pytest
import torch

from abacad.represent.track import track_evidence


def test_track_evidence_matches_the_recursion_by_hand():
    """Two rows and one channel, whose neighbours hold `begin`: α₂ = hop·2b + stay·max(L₁ α₁, b)."""
    amplitude, stay, begin = 1.2, 0.6, 1e-3
    values = np.array([2.0, 0.5])
    ratio = np.exp(amplitude * values - amplitude**2 / 2)
    first = begin
    second = (1 - stay) * begin + stay * max(ratio[0] * first, begin)
    back = (1 - stay) * begin + stay * max(ratio[1] * first, begin)
    expected = np.log([first * ratio[0] * back / begin**2, second * ratio[1] * first / begin**2])
    clean = torch.tensor(values, dtype=torch.float32).view(1, 2, 1)
    assert track_evidence(clean, amplitude, stay, begin)[0, :, 0].numpy() == pytest.approx(expected, abs=1e-4)


def test_a_random_walk_leaves_a_track():
    generator = torch.Generator().manual_seed(3)
    steps = torch.randint(-1, 2, (273,), generator=generator)
    path = (32 + steps.cumsum(0) - steps.cumsum(0)[136]).clamp(4, 59)
    clean = torch.randn(6, 273, 64, generator=generator)
    clean[2, torch.arange(273), path] += 2.0
    evidence = track_evidence(clean)
    assert evidence[2, torch.arange(273), path].median() > evidence[[0, 1, 3, 4, 5]].amax(-1).median() + 5
    assert (evidence[2].argmax(-1) - path).abs().median() <= 1


def test_noise_has_no_evidence_and_the_two_directions_of_time_agree():
    clean = torch.randn(2, 6, 100, 48, generator=torch.Generator().manual_seed(1))
    evidence = track_evidence(clean)
    assert evidence.median() == pytest.approx(0, abs=2)
    torch.testing.assert_close(track_evidence(clean.flip(-2)).flip(-2), evidence, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(track_evidence(clean.flip(-1)).flip(-1), evidence, atol=1e-3, rtol=1e-3)


def test_a_certain_path_throws_no_longer_shadow_than_the_ceiling():
    clean = torch.zeros(1, 200, 16)
    clean[0, 80:120, 8] = 6.0
    evidence = track_evidence(clean)[0, :, 8]
    assert evidence.isfinite().all()
    assert evidence[100] > 20
    assert evidence[[10, 190]].abs().max() < evidence[100] / 2

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

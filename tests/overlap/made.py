"""Snippets of noise with a shared background, and their codes."""

import numpy as np
import torch

from abacad.overlap.fingerprint import fingerprints, weights

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

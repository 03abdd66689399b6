"""Noise, and a straight line in it."""

import torch

N_TIME, N_FREQ = 84, 64


def noise(seed=0, n_time=N_TIME, n_freq=N_FREQ, batch=()):
    return torch.randn(*batch, 6, n_time, n_freq, generator=torch.Generator().manual_seed(seed))


def add_line(panels, which, f0, drift_per_panel, amplitude):
    """A straight line one channel wide that carries on from panel to panel."""
    panels = panels.clone()
    n_time, n_freq = panels.shape[-2:]
    for panel in which:
        f = f0 + drift_per_panel * (panel - 2 + (torch.arange(n_time) + 0.5) / n_time - 0.5)
        panels[..., panel, :, :] += amplitude * torch.exp(-2 * (torch.arange(n_freq) - f[:, None]) ** 2)
    return panels

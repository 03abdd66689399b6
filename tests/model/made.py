"""Lines drawn into panels without noise, and the timetables of the cadences that hold them."""

import torch

N_TIME, N_FREQ = 39, 64
EVEN = tuple(panel * 315 / 293.13 for panel in range(6))
UNEVEN = (0.0, 1.07, 2.22, 4.24, 5.31, 6.46)
"""Starts of panels with slews of 20, 45 and 300 s, in lengths of a panel."""


def lines(which, f0, drift, amplitude=5.0, n_freq=N_FREQ, starts=EVEN):
    """A straight line through the panels `which` of one cadence; f0 is its place in mid panel 2."""
    panels = torch.zeros(1, 6, N_TIME, n_freq)
    since = (torch.arange(N_TIME) + 0.5) / N_TIME - 0.5
    for panel in which:
        f = (f0 + drift * (since + starts[panel] - starts[2])).round().long()
        inside = (f >= 0) & (f < n_freq)
        panels[0, panel, torch.arange(N_TIME)[inside], f[inside]] = amplitude
    return panels

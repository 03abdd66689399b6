"""Observations made in memory: χ² noise under a bandpass, and lines whose channels are written out one by one."""

from dataclasses import dataclass

import numpy as np

from abacad.searcher.plan import tree
from abacad.searcher.unit import Unit


@dataclass
class File:
    path: str


@dataclass
class Made:
    """An observation as the search takes it; `panels` are raw powers."""

    panels: list
    start_s: tuple
    pattern: str = "ABACAD"
    df_hz: float = 2.0
    dt_s: float = 10.0
    low_hz: float = 1.4e9
    tstart_mjd: float = 60000.0
    telescope: str = "GBT"
    n_pol: int = 2
    piece: int = 1 << 20

    @property
    def files(self):
        return [File(f"/data/p{panel}_{letter}.h5") for panel, letter in enumerate(self.pattern)]

    @property
    def sources(self):
        return [f"source {letter}" for letter in self.pattern]

    @property
    def on(self):
        return tuple(panel for panel, letter in enumerate(self.pattern) if letter == "A")

    @property
    def off(self):
        return tuple(panel for panel, letter in enumerate(self.pattern) if letter != "A")

    @property
    def n_freq(self):
        return self.panels[0].shape[1]

    @property
    def n_time(self):
        return tuple(len(panel) for panel in self.panels)

    def coarse(self):
        return [(low, min(self.piece, self.n_freq - low)) for low in range(0, self.n_freq, self.piece)]

    def middles(self):
        return [low + self.piece // 2 for low in range(0, self.n_freq, self.piece)]

    def panel(self, number, channel, n_channels, out=None):
        values = self.panels[number][:, channel : channel + n_channels]
        if out is None:
            return values.copy()
        out[:] = values
        return out


def made(seed=0, n_freq=8192, rows=(16,) * 6, start_s=(0, 172, 344, 516, 688, 860), pattern="ABACAD", dof=200, **more):
    """Noise alone: χ² under a bandpass that falls to a third at the edges, each panel with a gain of its own."""
    rng = np.random.default_rng(seed)
    band = 1 - 0.67 * np.abs(np.linspace(-1, 1, n_freq)) ** 2
    panels = [
        (1e6 * (1 + 0.1 * panel) * band * rng.chisquare(dof, (n, n_freq)) / dof).astype(np.float32)
        for panel, n in enumerate(rows)
    ]
    return Made(panels, tuple(map(float, start_s)), pattern, **more)


def add_line(made, channel, drift_hz_s, snr, panels=None, dof=200, fine=64):
    """A line whose SNR in each panel of sixteen rows is `snr` before smearing; it spreads over what it crosses."""
    for panel in made.on if panels is None else panels:
        power = made.panels[panel]
        level = np.median(power, axis=0, keepdims=True)[0]
        amplitude = snr * np.sqrt(2 / dof) / np.sqrt(len(power))
        for row in range(len(power)):
            t = made.start_s[panel] + (row + (np.arange(fine) + 0.5) / fine) * made.dt_s
            at = np.floor(channel + drift_hz_s * t / made.df_hz + 0.5).astype(int)
            at = at[(at >= 0) & (at < made.n_freq)]
            np.add.at(power[row], at, level[at] * amplitude / fine)
    return made


def white(seed=0, n_panels=6, n_time=16, n_freq=2048, pattern="ABACAD", period_rows=20.0, dt_s=10.0, df_hz=2.0):
    """A unit of noise that is flat already: mean 0 and σ 1 in every pixel; panels begin `period_rows` rows apart."""
    power = np.random.default_rng(seed).normal(size=(n_panels, n_time, n_freq)).astype(np.float32)
    on = tuple(panel for panel in range(n_panels) if pattern[panel] == "A")
    off = tuple(panel for panel in range(n_panels) if pattern[panel] != "A")
    start_s = tuple((panel - on[0]) * period_rows * dt_s for panel in range(n_panels))
    return Unit(power, 1000, 0, n_freq, on, off, (n_time,) * n_panels, start_s, dt_s, df_hz)


def written_out(rows):
    """Paths of the tree, found by summing rows that each hold a single one in another place."""
    table = tree(len(rows))
    for stage in table:
        rows = np.stack([rows[a] if b < 0 else rows[a] + np.roll(rows[b], -shift) for a, b, shift in stage])
    return rows

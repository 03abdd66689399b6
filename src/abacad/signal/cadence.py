"""The ABACAD cadence: six panels of one observation, and the axes that give its rows and channels units.

A cadence visits the target A three times (ON) and three other places B, C, D in between (OFF). A transmitter at the
target stands in the ON panels alone; interference from the ground stands in both.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

N_PANELS = 6
ON = (0, 2, 4)
OFF = (1, 3, 5)

LEAST = (2, 8)
"""Rows and channels of the smallest cadence: noise is measured between two rows, and beside a channel stand others."""

COARSE = 1 << 20
"""Channels of a coarse channel in Breakthrough Listen's fine product: 2^20 × 2.79 Hz = 2.93 MHz."""

WIDTH = 256
"""Channels that a detector is shown at once: of a window, as it stands in the files, or of a stamp, along a drift."""

_USUAL_PERIOD_S = 315.0  # a panel of 293 s and 22 s for the slew and the start of the next scan


@dataclass(frozen=True)
class Axes:
    """Units of a cadence's rows and channels, and when its panels began.

    The defaults are Breakthrough Listen's medium-resolution product as the competition cut it: 273 rows of 1.07 s in
    a 293 s panel, 256 channels of 2.79 Hz, panels 315 s apart, which leaves 22 s for the slew between two targets.
    A telescope's own gaps differ from slew to slew, so every panel has its own start.

    Args:
        n_time: Rows of a panel.
        n_freq: Channels.
        dt_s: Seconds from one row to the next.
        df_hz: Hertz from one channel to the next; frequency ascends.
        panel_start_s: Seconds from the start of the cadence to the start of each of its six panels.
    """

    n_time: int = 273
    n_freq: int = 256
    dt_s: float = 1.0737418
    df_hz: float = 2.7939677
    panel_start_s: tuple[float, ...] = tuple(panel * _USUAL_PERIOD_S for panel in range(N_PANELS))

    @classmethod
    def evenly(cls, panel_period_s: float, **others: Any) -> "Axes":
        """Axes of panels that begin `panel_period_s` after one another, slew included: `Axes.evenly(75, n_time=64)`."""
        return cls(panel_start_s=tuple(panel * panel_period_s for panel in range(N_PANELS)), **others)

    @classmethod
    def usual(cls, n_time: int, n_freq: int) -> "Axes":
        """Axes of a cadence that says nothing of its own: panels that last and begin as the competition's.

        The rows share the 293 s of a panel, so that panels whose rows were binned keep their timetable.
        """
        return cls().of_shape(n_time, n_freq)

    def of_shape(self, n_time: int, n_freq: int) -> "Axes":
        """The same timetable for other rows and channels: panels begin at the same times and last as long."""
        return replace(self, n_time=n_time, n_freq=n_freq, dt_s=self.panel_s / n_time)

    @property
    def panel_s(self) -> float:
        """Seconds that one panel lasts: 273 rows × 1.0737 s = 293 s."""
        return self.n_time * self.dt_s

    @property
    def panel_period_s(self) -> float:
        """Mean time from the start of one panel to the start of the next, slew included."""
        return (self.panel_start_s[-1] - self.panel_start_s[0]) / (len(self.panel_start_s) - 1)

    @property
    def evenly_spaced(self) -> bool:
        """Whether all panels begin the same time after the one before, to a thousandth of it."""
        period = self.panel_period_s
        gaps = [later - start for start, later in pairwise(self.panel_start_s)]
        return all(abs(gap - period) < 1e-3 * period for gap in gaps)

    @property
    def panel_start(self) -> tuple[float, ...]:
        """The start of each panel in lengths of a panel, since the start of the first: 0, 1.0746, 2.1492, …"""
        first = self.panel_start_s[0]
        # rounded to 3 ms: equal timetables give equal tuples, under which the network's phases are cached
        return tuple(round((start - first) / self.panel_s, 5) for start in self.panel_start_s)

    @property
    def unit_drift_hz_s(self) -> float:
        """Drift of one channel a row: 2.79 Hz / 1.07 s = 2.60 Hz/s. A faster needle smears within a row."""
        return self.df_hz / self.dt_s

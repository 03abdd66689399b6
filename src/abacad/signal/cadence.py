"""The ABACAD cadence: six panels of one observation, and the axes that give its rows and channels units.

A cadence visits the target A three times (ON) and three other places B, C, D in between (OFF). A transmitter at the
target stands in the ON panels alone; interference from the ground stands in both.
"""

from dataclasses import dataclass

N_PANELS = 6
ON = (0, 2, 4)
OFF = (1, 3, 5)


@dataclass(frozen=True)
class Axes:
    """Units of a cadence's rows and channels, and when its panels began.

    The defaults are Breakthrough Listen's medium-resolution product as the competition cut it: 273 rows of 1.07 s in
    a 293 s panel, 256 channels of 2.79 Hz, panels 315 s apart, which leaves 22 s for the slew between two targets.

    Args:
        n_time: Rows of a panel.
        n_freq: Channels.
        dt_s: Seconds from one row to the next.
        df_hz: Hertz from one channel to the next; frequency ascends.
        panel_period_s: Seconds from the start of one panel to the start of the next, slew included.
    """

    n_time: int = 273
    n_freq: int = 256
    dt_s: float = 1.0737418
    df_hz: float = 2.7939677
    panel_period_s: float = 315.0

    @property
    def panel_s(self) -> float:
        """Seconds that one panel lasts: 273 rows × 1.0737 s = 293 s."""
        return self.n_time * self.dt_s

    @property
    def panel_start_s(self) -> tuple[float, ...]:
        """Seconds from the start of the cadence to the start of each panel."""
        return tuple(panel * self.panel_period_s for panel in range(N_PANELS))

    @property
    def unit_drift_hz_s(self) -> float:
        """Drift of one channel a row: 2.79 Hz / 1.07 s = 2.60 Hz/s. A faster needle smears within a row."""
        return self.df_hz / self.dt_s

"""Six telescope files as one cadence: windows of it, each like a cadence of the competition."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from abacad.data.filterbank import Filterbank, open_filterbank
from abacad.errors import AbacadError, CadenceError
from abacad.signal.cadence import N_PANELS
from abacad.types import CadenceArray

SUFFIXES = (".fil", ".h5")


@dataclass(frozen=True)
class TelescopeCadence:
    """Six open files in the order A B A C A D.

    Attributes:
        panels: One file a panel.
        n_time: Rows that all six have.
    """

    panels: tuple[Filterbank, ...]
    n_time: int

    def starts(self, width: int) -> range:
        """First channels of windows that overlap by half; what is left at the upper end is less than half a window."""
        return range(0, self.panels[0].n_channels - width + 1, width // 2)

    def freq_mhz(self, channel: int) -> float:
        """Frequency of a channel, counted upwards."""
        return self.panels[0].low_mhz + channel * self.panels[0].df_hz * 1e-6

    def window(self, channel: int, width: int) -> CadenceArray:
        """The cadence (6, time, width) from that channel on, float32.

        Raises:
            CadenceError: a value is not finite.
        """
        cadence = np.stack([panel.read(0, self.n_time, channel, width) for panel in self.panels]).astype(np.float32)
        if not np.isfinite(cadence).all():
            raise CadenceError(f"Channels {channel} to {channel + width - 1} hold NaN or infinite values.")
        return cadence


def open_telescope_cadence(paths: Sequence[Path]) -> TelescopeCadence:
    """Open six files of one observation.

    Raises:
        AbacadError: there are not six, or they do not fit together.
    """
    if len(paths) != N_PANELS:
        raise AbacadError(
            f"{len(paths)} telescope files make no cadence.\nGive six, in the order they were observed: A B A C A D."
        )
    panels = tuple(open_filterbank(path) for path in paths)
    for panel in panels[1:]:
        if (panel.n_channels, panel.df_hz, panel.dt_s, panel.low_mhz) != (
            panels[0].n_channels, panels[0].df_hz, panels[0].dt_s, panels[0].low_mhz,
        ):  # fmt: skip
            raise AbacadError(
                f"{panel.path.name} has other channels or rows than {panels[0].path.name}: "
                f"{panel.n_channels} of {panel.df_hz:.4g} Hz from {panel.low_mhz:.6f} MHz, {panel.dt_s:.4g} s a row.\n"
                "Give six files of the same product and band."
            )
    return TelescopeCadence(panels, min(panel.n_rows for panel in panels))

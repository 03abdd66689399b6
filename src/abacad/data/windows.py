"""The cadences that are scored, read one after the other: arrays, `.npy` files, or windows of telescope files.

A *window* is as many neighbouring channels of all six panels as the detector reads at once, 256. An observation has
millions of them, so nothing is kept for each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Int

from abacad.data.arrays import Arrays
from abacad.data.competition import read_cadence
from abacad.data.filterbank import is_telescope_file
from abacad.data.listing import cadence_files
from abacad.data.observation import Observation, open_six_panels
from abacad.errors import AbacadError
from abacad.signal.cadence import WIDTH, Axes
from abacad.types import CadenceArray


@dataclass(frozen=True)
class Window:
    """A cadence to be scored.

    Attributes:
        place: Its place among all of them.
        read: Gives it, (6, time, freq).
    """

    place: int
    read: Callable[[], CadenceArray]


@runtime_checkable
class Windows(Protocol):
    """A sequence of cadences to be scored, each read when it is asked for; millions of them take no memory."""

    @property
    def axes(self) -> Axes | None:
        """Their units, and when their panels began; none where no file says."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[Window]:
        """Each of them, but for those that hold no values."""

    def __getitem__(self, place: int) -> Window:
        """One of them."""

    def table(self, places: Sequence[int]) -> pd.DataFrame:
        """Their columns of the table: file, and for telescope files the first channel and its frequency."""


def windows_of(arrays: Sequence[np.ndarray] | None, files: Sequence[Path], pattern: str | None = None) -> Windows:
    """The cadences of arrays, of `.npy` files and folders of them, or of the telescope files of one observation.

    Args:
        arrays: Arrays (6, time, freq); where there are some, files are not looked at.
        files: Files and folders.
        pattern: One letter a panel of telescope files in the order of time, A for ON; none asks their headers.

    Raises:
        AbacadError: there are none, `.npy` and telescope files are named together, or the telescope files make
            no observation.
    """
    if arrays:
        return _OfArrays(arrays)
    if not files:
        raise AbacadError("No files were named.\nName .npy cadences, folders of them, or six .fil or .h5 files.")
    telescope = [file for file in files if is_telescope_file(file)]
    if telescope and len(telescope) < len(files):
        raise AbacadError("Telescope files and .npy cadences do not go together.\nScore them with two commands.")
    if telescope:
        return _OfTelescope(open_six_panels(telescope, WIDTH, pattern))
    paths = cadence_files(files)
    if not paths:
        raise AbacadError(f"There is no .npy file in {', '.join(map(str, files))}.")
    return _OfFiles(paths)


class _OfArrays(Arrays):
    """Arrays in memory."""

    axes = None

    def __getitem__(self, place: int) -> Window:
        return Window(place, partial(self.read, place))

    def __iter__(self) -> Iterator[Window]:
        return map(self.__getitem__, range(len(self)))


@dataclass(frozen=True)
class _OfFiles:
    """Cadences of a file each."""

    paths: Sequence[Path]
    axes: None = None

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Window:
        return Window(place, partial(read_cadence, self.paths[place]))

    def __iter__(self) -> Iterator[Window]:
        return map(self.__getitem__, range(len(self)))

    def table(self, places: Sequence[int]) -> pd.DataFrame:
        return pd.DataFrame({"file": [str(self.paths[place]) for place in places]})


@dataclass(frozen=True)
class _OfTelescope:
    """Windows of an observation, each half a window after the one before, and the last at the end of the band."""

    observation: Observation

    @property
    def axes(self) -> Axes:
        return self.observation.axes(WIDTH)

    def __len__(self) -> int:
        return self.observation.n_windows(WIDTH)

    # Read anew each time: it is asked for the best few of millions only, to be drawn.
    def __getitem__(self, place: int) -> Window:
        return Window(place, partial(self.observation.window, int(self._channels([place])[0]), WIDTH))

    def __iter__(self) -> Iterator[Window]:
        for channel, cadence in self.observation.windows(WIDTH):
            # Rounded up for the last window alone, which ends with the band and need not begin at a half.
            yield Window(-(-channel // (WIDTH // 2)), partial(_the_same, cadence))

    def _channels(self, places: Sequence[int]) -> Int[np.ndarray, " place"]:
        return np.minimum(np.asarray(places).astype(np.int64) * (WIDTH // 2), self.observation.n_freq - WIDTH)

    def table(self, places: Sequence[int]) -> pd.DataFrame:
        # to 1 Hz, which six decimals of a MHz are: channels of the fine product are 2.8 Hz apart
        channels = self._channels(places)
        freq_mhz = ((self.observation.low_hz + channels * self.observation.df_hz) * 1e-6).round(6)
        return pd.DataFrame({"file": self.observation.files[0].path.name, "channel": channels, "freq_mhz": freq_mhz})


def _the_same(cadence: CadenceArray) -> CadenceArray:
    return cadence

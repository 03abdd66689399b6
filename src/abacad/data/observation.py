"""The files of one observation as one cadence: any number of panels, in the order of time, on one grid of channels."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from abacad.data.coarse import middle_channels, pieces
from abacad.data.filterbank import Filterbank, Polarisation, open_filterbank
from abacad.data.grid import common_grid
from abacad.data.loss import Masked
from abacad.data.order import checked_pattern, in_time_order, pattern_of, start_times
from abacad.errors import AbacadError, CadenceError, plain_name
from abacad.signal.cadence import N_PANELS, ON, Axes
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

_BLOCK = 1 << 24  # values of a panel that windows are cut from: 64 MB
_SAMPLE = 1 << 12  # channels that tell whether two files hold the same


@dataclass(frozen=True)
class Observation:
    """Open files as one cadence. Nothing but what is read comes into memory.

    Attributes:
        files: One a panel, in the order of time.
        pattern: One letter a panel; A is ON, all others are OFF.
        low_hz: Middle of the lowest channel that all files have; channels count upwards from it.
        df_hz: From one channel to the next, positive.
        dt_s: Seconds from one row to the next.
        n_freq: Channels that all files have.
        start_s: Seconds from the start of the first panel to the start of each.
        n_time: Rows of each panel.
        first: Each file's own channel at `low_hz`, counted upwards in frequency.
    """

    files: tuple[Filterbank, ...]
    pattern: str
    low_hz: float
    df_hz: float
    dt_s: float
    n_freq: int
    start_s: tuple[float, ...]
    n_time: tuple[int, ...]
    first: tuple[int, ...]

    @property
    def on(self) -> tuple[int, ...]:
        """Numbers of the panels on the target."""
        return tuple(panel for panel, letter in enumerate(self.pattern) if letter == "A")

    @property
    def off(self) -> tuple[int, ...]:
        """Numbers of the panels off the target."""
        return tuple(panel for panel, letter in enumerate(self.pattern) if letter != "A")

    @property
    def sources(self) -> tuple[str, ...]:
        """What each panel looked at; empty where its header does not say."""
        return tuple(file.header.source_name for file in self.files)

    @property
    def tstart_mjd(self) -> float:
        """When the first panel began (MJD, days); NaN where its header does not say."""
        return self.files[0].header.tstart_mjd

    @property
    def telescope(self) -> str:
        """Name of the telescope; empty where no header says."""
        return next((file.header.telescope for file in self.files if file.header.telescope), "")

    @property
    def n_pol(self) -> int:
        """Polarisations whose powers are added up in the values; of files that differ the fewest."""
        return min(file.n_pol for file in self.files)

    @property
    def masked(self) -> list[Masked]:
        """What was read so far and is NaN, by file."""
        return [entry for file in self.files for entry in file.masked]

    @property
    def rows(self) -> int:
        """Rows that most panels have; the larger number where two are as common."""
        # items are (rows, how often); turned round, the commoner is larger, and of two as common the longer
        return max(Counter(self.n_time).items(), key=lambda item: item[::-1])[0]

    def axes(self, width: int) -> Axes:
        """Axes of windows of `width` channels: the files' own steps, and the real start of each of six panels."""
        return Axes(self.rows, width, self.dt_s, self.df_hz, self.start_s)

    def freq_hz(self, channel: float) -> float:
        """Frequency of a channel."""
        return self.low_hz + channel * self.df_hz

    def coarse(self) -> list[tuple[int, int]]:
        """Pieces (first channel, channels) of at most 2^20 channels that cover all once; see `abacad.data.coarse`."""
        file = self.files[0]
        rows = sum(self.n_time)
        return pieces(file.header.n_fine, file.n_channels, self.first[0], self.n_freq, file.header.descending, rows)

    def middles(self) -> list[int]:
        """The middle channel of each coarse channel, where the spectrometer's DC spike stands, if known."""
        file = self.files[0]
        of_file = middle_channels(file.header.n_fine, file.n_channels, self.df_hz, file.header.descending)
        return [channel - self.first[0] for channel in of_file]

    def read(self, channel: int, n_channels: int) -> list[Float[np.ndarray, "time freq"]]:
        """All rows of each panel in these channels, float32, ascending; NaN where masked or outside a file.

        Args:
            channel: First channel; may be negative, as that of a halo is.
            n_channels: How many.
        """
        return [self.panel(number, channel, n_channels) for number in range(len(self.files))]

    def panel(
        self, number: int, channel: int, n_channels: int, out: Float[np.ndarray, "time freq"] | None = None
    ) -> Float[np.ndarray, "time freq"]:
        """All rows of one panel in these channels, as `read` gives them; in `out`, which is returned, if given."""
        file, first = self.files[number], self.first[number] + channel
        out = np.empty((file.n_rows, n_channels), np.float32) if out is None else out
        # what lies outside this file is NaN, as a search's halo at the end of the band is
        low = min(max(first, 0), file.n_channels)
        high = max(min(first + n_channels, file.n_channels), low)
        out[:, : low - first] = np.nan
        out[:, high - first :] = np.nan
        file.read(0, file.n_rows, low, high - low, out[:, low - first : high - first])
        return out

    def starts(self, width: int) -> Iterator[int]:
        """First channels of windows that overlap by half; the last window ends with the last channel."""
        # By half a window, so that a line at the edge of one stands in the middle of the next.
        last = self.n_freq - width
        yield from range(0, last + 1, width // 2)
        if last > 0 and last % (width // 2):
            yield last

    def n_windows(self, width: int) -> int:
        """Number of windows that `starts` gives: 1,000 channels hold 7 of 256."""
        last = self.n_freq - width
        return 0 if last < 0 else -(-last // (width // 2)) + 1

    def windows(self, width: int) -> Iterator[tuple[int, CadenceArray]]:
        """Each window's first channel, and its cadence as `window` gives it; windows without values are left out."""
        # Many windows are cut from each block: one by one, a chunk would be unpacked for each window in it.
        block = max(4 * width, _BLOCK // self.rows)
        begin, end, panels = 0, 0, []
        for start in self.starts(width):
            if start + width > end:
                begin, end = start, min(start + block, self.n_freq)
                panels = self.read(begin, end - begin)
            cut = [panel[:, start - begin : start - begin + width] for panel in panels]
            if all(_seen(panel) for panel in cut):
                yield start, np.stack([whole(panel, self.rows) for panel in cut])

    def window(self, channel: int, width: int) -> CadenceArray:
        """The cadence (panel, time, width) from that channel on, float32, for a detector of whole windows.

        All panels get the rows that most have: longer ones are cut, and what shorter ones lack, as what is masked, gets
        the panel's median.

        Raises:
            CadenceError: a panel holds no value there.
        """
        panels = self.read(channel, width)
        for panel, file in zip(panels, self.files, strict=True):
            if not _seen(panel):
                raise CadenceError(f"{file.path.name} holds no values in channels {channel} to {channel + width - 1}.")
        return np.stack([whole(panel, self.rows) for panel in panels])


def open_observation(
    paths: Sequence[str | Path], *, pattern: str | None = None, pol: Polarisation = "I"
) -> Observation:
    """Open the files of one observation, in whatever order they are given.

    Args:
        paths: `.fil` or `.h5` files, one a panel.
        pattern: One letter a panel in the order of time, A for ON; none takes ON and OFF from the headers' sources.
        pol: Total intensity, or the first polarisation.

    Raises:
        AbacadError: there are none, one cannot be used, or they do not make one observation; with the figures.
    """
    if not paths:
        raise AbacadError("No telescope files were named.\nName the .fil or .h5 files of a cadence, one a panel.")
    files = [open_filterbank(Path(path), pol) for path in paths]
    _check_twice(files)
    for file in files:
        if file.n_rows < 2:
            raise AbacadError(f"{file.path} has 1 row: no signal can drift in it.\nGive a file of a whole panel.")
    files = in_time_order(files)
    grid = common_grid(files)  # before the times: files of other products differ in both, and this tells more
    start_s = start_times(files)
    letters = pattern_of(files) if pattern is None else checked_pattern(pattern, files)
    observation = Observation(
        files=tuple(files),
        pattern=letters,
        low_hz=grid.low_hz,
        df_hz=grid.df_hz,
        dt_s=files[0].dt_s,
        n_freq=grid.n_freq,
        start_s=start_s,
        n_time=tuple(file.n_rows for file in files),
        first=grid.first,
    )
    _say(observation)
    return observation


def open_six_panels(paths: Sequence[str | Path], width: int, pattern: str | None = None) -> Observation:
    """Open an observation as the detectors are trained on: ABACAD, `width` channels at least.

    Raises:
        AbacadError: it has another pattern or fewer channels, or as `open_observation` says.
    """
    observation = open_observation(paths, pattern=pattern)
    if len(observation.files) != N_PANELS or observation.on != ON:
        raise AbacadError(
            f"The detector takes six panels with the target in every other one, as ABACAD; here are "
            f"{len(observation.files)}, {observation.pattern}.\nGive such files."
        )
    if observation.n_freq < width:
        narrow = min(observation.files, key=lambda file: file.n_channels)
        raise AbacadError(
            f"The files share {observation.n_freq} channels, a window has {width}; {plain_name(narrow.path)} has "
            f"{narrow.n_channels}.\nGive a wider band of channels."
        )
    return observation


def _say(observation: Observation) -> None:
    for file, n_time in zip(observation.files, observation.n_time, strict=True):
        if n_time < observation.rows:
            log.warning(
                "%s is cut short: it has %d rows where others have %d; only its own are missing",
                file.path.name, n_time, observation.rows,
            )  # fmt: skip
    below = [file.path.name for file in observation.files if (_middle(file) < 0).mean() > 0.01]
    if below:
        log.warning("Values below 0, which no power has, are taken for differences from a level: %s", " ".join(below))
    telescopes = sorted({file.header.telescope for file in observation.files} - {""})
    if len(telescopes) > 1:
        log.warning("The headers name several telescopes: %s", ", ".join(telescopes))


def _middle(file: Filterbank) -> Float[np.ndarray, "1 freq"]:
    """Some channels of a row in the middle of a file."""
    n = min(_SAMPLE, file.n_channels)
    return file.read(file.n_rows // 2, 1, (file.n_channels - n) // 2, n)


def _check_twice(files: Sequence[Filterbank]) -> None:
    """Refuse one file under two names, and two files with the same values."""
    seen: dict[tuple[int, int] | bytes, Filterbank] = {}
    for file in files:
        # device and inode: the same file, whatever it is called
        where = os.stat(file.path)
        sample = _middle(file)
        keys: list[tuple[int, int] | bytes] = [(where.st_dev, where.st_ino)]
        # a constant row, as of a band that is switched off, is the same in different files
        if np.unique(sample[np.isfinite(sample)]).size > 1:
            keys.append(sample.tobytes())
        for key in keys:
            if key in seen:
                raise AbacadError(
                    f"{file.path} holds the same as {seen[key].path}.\nGive each file of the cadence once."
                )
            seen[key] = file


def _seen(panel: Float[np.ndarray, "time freq"]) -> bool:
    return bool(np.isfinite(panel).any())


def whole(panel: Float[np.ndarray, "time freq"], rows: int) -> Float[np.ndarray, "rows freq"]:
    """A panel with so many rows and without NaN: longer ones are cut, what is missing gets the panel's median."""
    # the median is the level of the noise, so that a masked stretch is neither a line nor a hole to a detector
    values = np.full((rows, panel.shape[1]), np.nan, np.float32)
    values[: len(panel)] = panel[:rows]
    missing = np.isnan(values)
    if missing.any():
        values[missing] = np.nanmedian(panel)
    return values

"""The input of the search: an observation, of which it works on one coarse channel of all panels at a time.

An `Observation` is any object with these attributes; `abacad.data.observation` makes them of telescope files. A `Unit`
is what comes into memory at once: one coarse channel, and the channels beside it that its fastest lines cross.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from abacad.searcher.flatten import BLOCK, flatten


@runtime_checkable
class Observation(Protocol):
    """Files of one observation on a common grid of channels, counted upwards in frequency from 0.

    Attributes:
        files: one a panel, in the order of time, each with a `path`.
        pattern: a letter a panel; A is the target, ON.
        on, off: panels with the target, panels without.
        n_freq: channels.
        df_hz: width of a channel.
        dt_s: seconds a row.
        low_hz: middle of the lowest channel.
        start_s: start of each panel, seconds from the start of the first.
        n_time: rows of each panel.
        sources: what each panel was pointed at.
        tstart_mjd: start of the first panel, modified Julian date.
        telescope: its name.
        n_pol: polarisations whose powers are added up in the values.
    """

    @property
    def files(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def pattern(self) -> str: ...  # noqa: D102
    @property
    def on(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def off(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def n_freq(self) -> int: ...  # noqa: D102
    @property
    def df_hz(self) -> float: ...  # noqa: D102
    @property
    def dt_s(self) -> float: ...  # noqa: D102
    @property
    def low_hz(self) -> float: ...  # noqa: D102
    @property
    def start_s(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def n_time(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def sources(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def tstart_mjd(self) -> float: ...  # noqa: D102
    @property
    def telescope(self) -> str: ...  # noqa: D102
    @property
    def n_pol(self) -> int: ...  # noqa: D102

    def middles(self) -> list[int]:
        """Middle channels of the spectrometer's coarse channels, where a DC spike stands; none where not known."""
        ...

    def coarse(self) -> list[tuple[int, int]]:
        """Coarse channels: first channel and number of channels of each."""
        ...

    def panel(
        self, number: int, channel: int, n_channels: int, out: Float[np.ndarray, "time freq"] | None = None
    ) -> Float[np.ndarray, "time freq"]:
        """Powers of a panel, float32, ascending, NaN where the file holds no sound value; in `out`, if given."""
        ...


@runtime_checkable
class Judge(Protocol):
    """A detector that scores stamps: `abacad.model.judge.Judge`, or any object with this method."""

    def scores(self, panels: Any, axes: Any) -> Any:
        """Scores of cadences (batch, 6, time, freq) of torch with these axes, one each."""
        ...


@dataclass
class Unit:
    """One coarse channel of every panel, flattened, with the channels beside it that its lines cross.

    Attributes:
        power: (panel, time, freq) in units of the noise σ of one pixel, mean 0; exactly 0 where masked. Rows beyond a
            panel's own are 0.
        first: channel of the observation that column 0 is.
        begin, end: columns whose lines belong to this coarse channel: those that start here in the first ON panel.
        on, off: panels.
        n_time: rows of each panel.
        start_s: start of each panel, from the start of the first ON panel.
        dt_s, df_hz: duration of a row, width of a channel.
    """

    power: Float[np.ndarray, "panel time freq"]
    first: int
    begin: int
    end: int
    on: tuple[int, ...]
    off: tuple[int, ...]
    n_time: tuple[int, ...]
    start_s: tuple[float, ...]
    dt_s: float
    df_hz: float

    @property
    def unit_drift_hz_s(self) -> float:
        """Drift of one channel a row; a faster line smears within a row."""
        return self.df_hz / self.dt_s

    @property
    def span_s(self) -> float:
        """From the start of the first ON panel to the end of the last."""
        return max(self.start_s[p] + self.n_time[p] * self.dt_s for p in self.on) - self.start_s[self.on[0]]

    @property
    def drift_step_hz_s(self) -> float:
        """Drift that moves a line by one channel over all ON panels: 2.79 Hz / 1509 s = 0.0019 Hz/s."""
        return self.df_hz / self.span_s


@dataclass(frozen=True)
class Noise:
    """Damage and noise of one panel of a unit, as flattening counts and measures them.

    Attributes:
        masked: pixels without a sound value.
        dead: channels without power.
        relative_sigma: σ of a pixel over its level: √(2 / k) of χ² noise with k degrees of freedom.
    """

    masked: int
    dead: int
    relative_sigma: float


def read_unit(
    observation: Observation,
    first: int,
    n_channels: int,
    max_drift_hz_s: float,
) -> tuple[Unit, list[Noise]]:
    """Read and flatten one coarse channel, with the channels beside it that its fastest line crosses.

    Args:
        observation: open files.
        first: first channel of the coarse channel.
        n_channels: its channels.
        max_drift_hz_s: largest drift rate, Hz/s, of both signs.
    """
    beside = halo(observation, max_drift_hz_s)
    low, high = max(0, first - beside), min(observation.n_freq, first + n_channels + beside)
    shape = (len(observation.files), max(observation.n_time), high - low)
    power = np.empty(shape, np.float32)
    noise = []
    # What lies beside it is counted with the coarse channel that it belongs to.
    own = slice(first - low, first - low + n_channels)
    for number, n_time in enumerate(observation.n_time):
        # Read and flattened in place, one panel after the other: a copy of all panels would double the memory.
        panel = observation.panel(number, low, high - low, power[number, :n_time])
        noise.append(Noise(*flatten(panel, panel, own)))
        power[number, n_time:] = 0
    start_s = np.array(observation.start_s) - observation.start_s[observation.on[0]]
    unit = Unit(
        power=power,
        first=low,
        begin=first - low,
        end=first - low + n_channels,
        on=tuple(observation.on),
        off=tuple(observation.off),
        n_time=tuple(observation.n_time),
        start_s=tuple(map(float, start_s)),
        dt_s=observation.dt_s,
        df_hz=observation.df_hz,
    )
    return unit, noise


def halo(observation: Observation, max_drift_hz_s: float) -> int:
    """Channels beside a coarse channel that its fastest line crosses, in whole blocks of the bandpass."""
    ends = [s + n * observation.dt_s for s, n in zip(observation.start_s, observation.n_time, strict=True)]
    crossed = max_drift_hz_s * max(ends) / observation.df_hz
    # 64 channels more for the wings of a line; whole blocks, so that the bandpass of a coarse channel is measured on
    # the same blocks whatever drift is asked for.
    return BLOCK * ceil((crossed + 64) / BLOCK)


def unit_bytes(observation: Observation, max_drift_hz_s: float) -> float:
    """Memory that the search of the largest coarse channel takes at most, beside the program.

    Its powers in 32 bits, a panel's worth of means and masks, and 100 MB for the part that is searched.
    """
    channels = max(size for _, size in observation.coarse()) + 2 * halo(observation, max_drift_hz_s)
    return 4.0 * max(observation.n_time) * (len(observation.files) + 1) * channels + 1e8

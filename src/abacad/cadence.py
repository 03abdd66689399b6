"""A cadence for use in Python and in notebooks: six panels with their axes, which can be scored and drawn.

It stands above the rooms, since it joins reading, detector and pictures; no room imports it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from abacad.data.arrays import as_cadence
from abacad.data.competition import read_cadence
from abacad.data.filterbank import is_telescope_file
from abacad.data.observation import Observation, open_observation
from abacad.errors import AbacadError
from abacad.learn.run_folder import judge_of
from abacad.model.device import pick_device
from abacad.model.judge import Judge, shipped
from abacad.outputs import Content, output
from abacad.places import paths_of
from abacad.show.waterfall import waterfall
from abacad.signal.cadence import N_PANELS, ON, Axes
from abacad.types import CadenceArray

# No other program's picture begins so: `save` replaces pictures of its own and nothing else.
_SVG = Content("picture of abacad's", "<svg class=", first=True)


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture that a notebook shows.

    Attributes:
        svg: The picture itself.
    """

    svg: str

    def save(self, path: str | Path) -> Path:
        """Write it as an SVG file.

        Raises:
            AbacadError: something else is there.
        """
        from abacad.files import write_text

        target = output(path, _SVG)
        write_text(target, self.svg)
        return target

    def __repr__(self) -> str:
        """The size of the picture, and how to save it."""
        return f"<Picture: {len(self.svg) / 1000:.0f} kB of SVG; .save('cadence.svg') writes it>"

    def _repr_html_(self) -> str:
        # on white: the axes are black, and a notebook's page may be dark
        return f'<div style="background: white; display: inline-block">{self.svg}</div>'


class Cadence:
    """Six panels in the order A B A C A D, with the units of their rows and channels.

    Example:
        >>> cadence = Cadence(np.zeros((6, 273, 64)), name="nothing")
        >>> cadence
        <Cadence nothing: 6 panels of 273 rows of 1.074 s, 64 channels of 2.794 Hz>
        >>> cadence.panels.shape
        (6, 273, 64)
    """

    def __init__(
        self, panels: np.ndarray, axes: Axes | None = None, *, low_mhz: float | None = None, name: str = "cadence"
    ) -> None:
        """Take an array.

        Args:
            panels: (6, time, freq), frequency ascending; kept as a float32 copy.
            axes: Units of rows and channels, and starts of the panels; none takes those of the competition's panels.
            low_mhz: Frequency of its first channel, MHz; none where it is not known.
            name: Stands above its picture.

        Raises:
            CadenceError: it is no cadence, or holds NaN or infinite values.
            AbacadError: the axes have another number of rows or channels than the array.
        """
        # A copy: a user who goes on changing his array would otherwise change what was scored and drawn.
        self.panels: CadenceArray = as_cadence(np.asarray(panels), name)
        _, n_time, n_freq = self.panels.shape
        self.axes = axes or Axes.usual(n_time, n_freq)
        # As `abacad.score` does: what says nothing of its own is read by the axes that the detector was trained with.
        self._told = axes
        if (self.axes.n_time, self.axes.n_freq) != (n_time, n_freq):
            raise AbacadError(
                f"The axes tell of {self.axes.n_time} rows and {self.axes.n_freq} channels, the array has {n_time} and "
                f"{n_freq}.\nGive axes of the same shape."
            )
        self.low_mhz, self.name = low_mhz, name

    @classmethod
    def read(
        cls,
        files: str | Path | Sequence[str | Path],
        *,
        channel: int = 0,
        width: int = 256,
        pattern: str | None = None,
    ) -> "Cadence":
        """Read a `.npy` file, or a window of six telescope files.

        Args:
            files: One `.npy` file (6, time, freq), or the six `.fil` or `.h5` files of an observation in any order.
            channel: First channel of the window, counted upwards from the lowest that all files have.
            width: Channels of the window.
            pattern: Which of the telescope files are ON (A), in the order of time; none asks their headers.

        Raises:
            AbacadError: a file cannot be used, or the files make no cadence.

        Example:
            >>> Cadence.read("data/0a1b2c3d4e5f607.npy")
            <Cadence 0a1b2c3d4e5f607: 6 panels of 28 rows of 10.469 s, 64 channels of 2.794 Hz>
        """
        paths = paths_of(files)
        if not any(is_telescope_file(path) for path in paths):
            if len(paths) != 1:
                raise AbacadError(f"{len(paths)} files make no cadence.\nGive one .npy file, or six telescope files.")
            return cls(read_cadence(paths[0]), name=paths[0].stem)
        observation = open_observation(paths, pattern=pattern)
        if observation.on != ON or len(observation.files) != N_PANELS:
            raise AbacadError(f"The files are {observation.pattern}; a cadence is ABACAD.\nGive six such files.")
        return cls._window(observation, channel, width)

    @classmethod
    def _window(cls, observation: Observation, channel: int, width: int) -> "Cadence":
        last = observation.n_freq - width
        if not 0 <= channel <= last:
            raise AbacadError(f"The files have no {width} channels from {channel} on.\nThe last such window is {last}.")
        axes = observation.axes(width)
        low_mhz = observation.freq_hz(channel) * 1e-6
        name = f"{observation.files[0].path.name}, {low_mhz:.4f} MHz"
        return cls(observation.window(channel, width), axes, low_mhz=low_mhz, name=name)

    def score(self, weights: str | Path | None = None, *, observer: bool = False) -> float:
        """Score of a detector, from 0 (no needle) to 1.

        Args:
            weights: A run folder or a file of weights; none takes those of the package.
            observer: Take it together with the near-ideal observer's opinion, as `abacad.score` does.

        Example:
            >>> 0 < Cadence(np.random.default_rng(0).normal(size=(6, 28, 64))).score() < 1
            True
        """
        import torch  # here, as reading and drawing need none of it, and it takes seconds to import

        panels, judge = torch.from_numpy(self.panels[None]), self._judge(weights)
        scores = judge.scores(panels, self._told)
        if observer:
            from abacad.ideal.second_opinion import with_observer

            scores = with_observer(scores, panels, self._told or judge.own_axes(*self.panels.shape[1:]))
        return float(scores[0])

    def evidence(self, weights: str | Path | None = None) -> CadenceArray:
        """How much each pixel speaks for a needle (positive) or against one, in log-odds; shaped as the panels.

        Args:
            weights: A run folder or a file of weights; none takes those of the package.

        Example:
            >>> Cadence(np.random.default_rng(0).normal(size=(6, 28, 64))).evidence().shape
            (6, 28, 64)
        """
        return self._judge(weights).evidence(self.panels, self._told)

    def plot(self, *, evidence: bool = False, weights: str | Path | None = None) -> Picture:
        """Draw the six panels, time downwards; a notebook shows the picture.

        Args:
            evidence: Also draw how much each pixel raised or lowered the detector's score.
            weights: Run folder or file of weights of that detector; none takes the package's.

        Example:
            >>> Cadence(np.zeros((6, 28, 64))).plot().save("cadence.svg")
            PosixPath('cadence.svg')
        """
        seen = self.evidence(weights) if evidence else None
        return Picture(waterfall(self.panels, self.name, seen, axes=self.axes, low_mhz=self.low_mhz))

    def _judge(self, weights: str | Path | None) -> Judge:
        # not kept between calls: a run folder may have been trained on since
        path = shipped(self.panels.shape[1]) if weights is None else Path(weights)
        return judge_of(path, pick_device())

    def __repr__(self) -> str:
        """Its shape and units."""
        axes = self.axes
        return (
            f"<Cadence {self.name}: 6 panels of {axes.n_time} rows of {axes.dt_s:.3f} s, {axes.n_freq} channels of "
            f"{axes.df_hz:.3f} Hz>"
        )

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

"""Real noise for simulated cadences: telescope files (`.fil`, `.h5`), or a table of real levels (`.npy`).

A file of at least six panels' rows gives cadences of consecutive panels, with whatever interference stands in it. A
shorter one is cut into tiles of (n_time, n_freq), and the panels of a scene are different tiles of it: real noise
without a history.

Six files of one observation give its own cadences, interference and all: windows of the middle coarse channel.

A table has rows of (mean, standard deviation, …) of real sub-frames: its noise is χ² with the degrees of freedom
k = 2 · (mean / standard deviation)² and the levels of these sub-frames.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.data.filterbank import Filterbank, open_filterbank
from abacad.data.observation import open_six_panels, whole
from abacad.errors import AbacadError
from abacad.signal.cadence import N_PANELS, Axes
from abacad.signal.chance import Chance
from abacad.simulator.noise import chi2_noise

_TRIES = 64  # places looked at for one where no panel is masked; a file that is masked nearly everywhere is refused


@dataclass(frozen=True)
class FileBackground:
    """Noise cut out of a telescope file.

    Attributes:
        file: where from.
        axes: rows and channels of the panels, in the file's own units.
        n_freq: channels of a scene.
        columns: how many scenes lie side by side in the file.
        blocks: how many panels follow one another in it.
    """

    file: Filterbank
    axes: Axes
    n_freq: int
    columns: int
    blocks: int

    @property
    def cadences(self) -> int:
        """Cadences that share no value."""
        return max(1, self.columns * self.blocks // N_PANELS)

    def panels(self, chance: Chance, n_freq: int) -> Float[Tensor, "panel time freq"]:
        """Six panels of power in units of their mean; `chance` is that of one scene."""
        u = chance.uniform("background", 3 + self.columns * self.blocks)[0]
        n_time = self.axes.n_time
        spare_rows = self.file.n_rows - self.blocks * n_time
        spare_channels = self.file.n_channels - self.columns * self.n_freq
        row = int(u[0] * (spare_rows + 1))
        channel = int(u[1] * (spare_channels + 1))
        if self.blocks >= N_PANELS:
            first = int(u[2] * (self.blocks - N_PANELS + 1))
            column = int(u[3] * self.columns)
            tiles = [(first + panel, column) for panel in range(N_PANELS)]
        else:
            order = np.argsort(u[3:])[:N_PANELS]  # six different tiles: no telescope gives the same noise twice
            tiles = [(int(place) // self.columns, int(place) % self.columns) for place in order]
        rows = [row + block * n_time for block, _ in tiles]
        channels = [channel + column * self.n_freq for _, column in tiles]
        values = [self.file.read(at, n_time, f, n_freq) for at, f in zip(rows, channels, strict=True)]
        power = np.stack(values).astype(np.float64)
        # Each panel over its own mean: needles and interference are added in units of the noise.
        mean = power.mean(axis=(1, 2), keepdims=True)
        if not np.isfinite(power).all() or not (mean > 0).all():
            raise AbacadError(
                f"{self.file.path} holds rows without power, or values that are no numbers.\n"
                "Give another file as the background."
            )
        return torch.from_numpy((power / mean).astype(np.float32))


@dataclass(frozen=True)
class LevelBackground:
    """χ² noise with the degrees of freedom and the levels of real sub-frames.

    Attributes:
        levels: (sub-frame,) means.
        dof: (sub-frame,) degrees of freedom.
        axes: rows and channels of the panels.
        n_freq: channels of a scene.
    """

    levels: Float[np.ndarray, " frame"]
    dof: Float[np.ndarray, " frame"]
    axes: Axes
    n_freq: int
    cadences: int = 1 << 62  # without end, as each is made anew

    def panels(self, chance: Chance, n_freq: int) -> Float[Tensor, "panel time freq"]:
        """Six panels whose levels and degrees of freedom are those of a real sub-frame each."""
        picks = (chance.uniform("background", N_PANELS)[0] * len(self.levels)).astype(int)
        scale = self.levels / self.levels.mean()
        shape = (self.axes.n_time, n_freq)
        noise = [
            float(scale[pick]) * chi2_noise(shape, _rounded(self.dof[pick]), int(chance.keys(f"background {panel}")[0]))
            for panel, pick in enumerate(picks)
        ]
        return torch.stack(noise)


@dataclass(frozen=True)
class ObservationBackground:
    """Cadences of a real observation.

    Attributes:
        values: a coarse channel of each panel in memory, (time, freq), NaN where masked.
        axes: rows and channels of a cadence, in the observation's own units, and when its panels began.
    """

    values: tuple[Float[np.ndarray, "_ _"], ...]
    axes: Axes

    @property
    def n_freq(self) -> int:
        """Channels of a cadence."""
        return self.axes.n_freq

    @property
    def cadences(self) -> int:
        """Cadences that share no value."""
        return self.values[0].shape[1] // self.n_freq

    def panels(self, chance: Chance, n_freq: int) -> Float[Tensor, "panel time freq"]:
        """Six panels of power in units of their median, from where no panel is without values."""
        for u in chance.uniform("background", _TRIES)[0]:
            first = int(u * (self.values[0].shape[1] - n_freq + 1))
            cut = [panel[:, first : first + n_freq] for panel in self.values]
            levels = [float(np.nanmedian(panel)) if np.isfinite(panel).any() else 0.0 for panel in cut]
            if min(levels) > 0:
                # the median and not the mean, as an observation's own interference would lift the mean
                filled = [whole(panel, self.axes.n_time) / level for panel, level in zip(cut, levels, strict=True)]
                return torch.from_numpy(np.stack(filled))
        raise AbacadError("The background holds hardly a channel with power in all six panels.\nGive other files.")


Noise = FileBackground | LevelBackground | ObservationBackground
"""Whatever noise comes from."""


def open_backgrounds(paths: Sequence[Path], axes: Axes) -> Noise:
    """A background for single cadences: of one file, or of the six files of an observation.

    Raises:
        AbacadError: they cannot be used.
    """
    if len(paths) == 1:
        return open_background(paths[0], axes, axes.n_freq)
    observation = open_six_panels(paths, axes.n_freq)
    pieces = [piece for piece in observation.coarse() if piece[1] >= axes.n_freq]
    # the middle one: a receiver's band falls off towards both ends
    values = observation.read(*pieces[len(pieces) // 2])
    return ObservationBackground(tuple(values), observation.axes(axes.n_freq))


def _rounded(dof: float) -> float:
    """Rounded to steps of 2 %: a table of 65,536 quantiles is made and kept for each number of degrees of freedom."""
    return float(np.exp(np.round(np.log(dof) / 0.02) * 0.02))


def open_background(path: Path, axes: Axes, n_freq: int) -> FileBackground | LevelBackground:
    """A background for scenes of up to `n_freq` channels.

    Its axes have the file's time and frequency steps, and the slews of the ones given.

    Raises:
        AbacadError: there is no such file, it is of none of these formats, or too small for six panels.
    """
    path = Path(path)
    if not path.is_file():
        raise AbacadError(f"There is no background file {path}.\nGive a .fil, .h5 or .npy file.")
    if path.suffix == ".npy":
        return _open_levels(path, axes, n_freq)
    file = open_filterbank(path)
    if file.n_rows < axes.n_time:
        raise AbacadError(
            f"{path} has {file.n_rows} rows of {file.n_channels} channels; a panel has {axes.n_time} rows.\n"
            f"Set axes.n_time to {file.n_rows} or less."
        )
    blocks = file.n_rows // axes.n_time
    columns = max(1, file.n_channels // n_freq)
    # A file that is too short for six panels one after the other gives them side by side, from narrower columns.
    if blocks < N_PANELS:
        columns = max(columns, -(-N_PANELS // blocks))
    n_freq = min(n_freq, file.n_channels // columns)
    if n_freq < axes.n_freq:
        raise AbacadError(
            f"{path} has {file.n_rows} rows of {file.n_channels} channels: too few for six panels of {axes.n_time} "
            f"rows and {axes.n_freq} channels.\n"
            f"Set axes.n_freq to {max(1, n_freq)} or less, or axes.n_time to less."
        )
    longer_s = axes.n_time * (file.dt_s - axes.dt_s)  # of a panel than in the axes given; the slews stay as they are
    starts = tuple(start + panel * longer_s for panel, start in enumerate(axes.panel_start_s))
    own = Axes(axes.n_time, axes.n_freq, file.dt_s, file.df_hz, starts)
    return FileBackground(file, own, n_freq, columns, blocks)


def _open_levels(path: Path, axes: Axes, n_freq: int) -> LevelBackground:
    try:
        table = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        table = np.zeros(0)
    if table.ndim != 2 or table.shape[1] < 2 or not len(table) or not (table[:, :2] > 0).all():
        raise AbacadError(
            f"{path} is no table of noise levels.\nIt should hold rows of mean and standard deviation, both positive."
        )
    mean, std = table[:, 0].astype(np.float64), table[:, 1].astype(np.float64)
    # k of χ² from mean and deviation: a sum of k squares has (mean / σ)² = k / 2. Below 2 it is no radiometer's noise,
    # above 10⁴ a normal distribution.
    return LevelBackground(mean, np.clip(2 * (mean / std) ** 2, 2.0, 1e4), axes, n_freq)


def fingerprint(path: Path) -> dict[str, Any]:
    """What tells a background file from another: name, size, and a digest of its first 64 MiB."""
    path = Path(path)
    # not of all of it: a file of the fine product has tens of GB, and two of them differ from the first noise on
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read(1 << 26)).hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}

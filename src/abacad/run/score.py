"""`abacad score`: cadences in, a ranking out, with the weights that come with the package; nothing is trained."""

import logging
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from rich.progress import track

from abacad.data.arrays import OfArrays, arrays_of
from abacad.data.competition import read_cadence
from abacad.data.filterbank import is_telescope_file
from abacad.data.listing import cadence_files
from abacad.data.observation import Observation, open_six_panels
from abacad.errors import AbacadError, CadenceError
from abacad.files import write_table
from abacad.learn.run_folder import judge_of
from abacad.model.device import pick_device
from abacad.model.judge import Judge, shipped
from abacad.outputs import PAGE, SCORES, STDOUT, SUBMISSION, output
from abacad.places import paths_of
from abacad.run.predict import UNKNOWN
from abacad.run.submit import asked_for, write_submission
from abacad.show import figure
from abacad.show.line import best_line
from abacad.show.page import Page, Section
from abacad.show.picture import Layout, evidence_legend
from abacad.show.words import EVIDENCE_TOLD, GUIDE_TOLD, told_score
from abacad.signal.cadence import Axes
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

_MOST_SHOWN = 10_000

_BATCH = 16
_WIDTH = 256  # channels of a window of telescope files


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
    """Cadences to be scored, one after the other; none is kept, and where there are millions nothing is for each."""

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


def score(
    files: str | Path | np.ndarray | Sequence[str | Path | np.ndarray],
    *,
    pattern: str | None = None,
    weights: str | Path | None = None,
    out: str | Path | None = None,
    page: str | Path | None = None,
    submission: str | Path | None = None,
    shown: int = 12,
    accelerator: str = "auto",
    bad: Literal["fail", "skip"] = "fail",
    progress: bool = True,
) -> pd.DataFrame:
    """Rank cadences by how sure a detector is of a needle.

    Args:
        files: One or several: `.npy` cadences (6, time, freq); folders of them; or the six `.fil` or `.h5` files of an
            observation in any order, which are cut into windows of 256 channels that overlap by half.
            Or one array (6, time, freq) or several, a batch (cadence, 6, time, freq) too.
        pattern: Which of the telescope files are ON (A), in the order of time: ABACAD; none asks their headers.
        weights: A run folder, whose folds are averaged, or a file of weights; none takes those of the package, of which
            there are two: for panels of fewer than 64 rows, and for others.
        out: A CSV file to write the ranking into; none writes none.
        page: An HTML page to write with the highest scores' pictures and where their evidence lies; none writes none.
        submission: A CSV file to write as the competition's submission; `files` is then its test folder, or the
            competition folder itself. None writes none.
        shown: Cadences on the page.
        accelerator: Device; `auto` takes CUDA, else MPS, else the CPU.
        bad: Stop at a cadence that cannot be used, or leave it out with a warning.
        progress: Show progress bars.

    Returns:
        Columns file, channel and freq_mhz (of telescope files), score in [0, 1]; highest score first.

    Example:
        >>> abacad.score("data/test", out="scores.csv", progress=False).columns.tolist()
        ['file', 'score']
        >>> len(abacad.score(np.random.default_rng(0).normal(size=(3, 6, 28, 64)), progress=False))
        3

    Raises:
        AbacadError: there are no cadences, one cannot be used, or the weights cannot.
    """
    if not 0 <= shown <= _MOST_SHOWN:
        raise AbacadError(f"{shown:.6g} cadences to show: ask for 0 to {_MOST_SHOWN:,} (--shown).")
    arrays = arrays_of(files)
    named = [] if arrays else paths_of(files)  # type: ignore[arg-type]
    _check_outputs(named, out, page, submission)
    asked = asked_for(named) if submission is not None else []
    windows = _InMemory(arrays) if arrays else _windows(named, pattern)
    judges = _Judges(weights, pick_device(accelerator))
    places, scores = array("q"), array("d")
    n_batches = -(-len(windows) // _BATCH)
    for some, cadences in track(_batches(windows, bad), "Scoring", n_batches, disable=not progress, transient=True):
        panels = torch.from_numpy(np.stack(cadences))
        scores.extend(judges.of(cadences[0]).scores(panels, windows.axes).tolist())
        places.extend(some)
    if not scores:
        raise AbacadError("None of the cadences could be used; the warnings say why.")
    if bad == "fail" and len(scores) < len(windows):
        log.warning("%d windows hold no values in one of the panels: left out", len(windows) - len(scores))
    table = windows.table(places).assign(score=np.asarray(scores)).sort_values("score", ascending=False, kind="stable")
    if out is not None:
        write_table(Path(out), table)
    if page is not None:
        best = [windows[places[row]] for row in table.index[:shown]]
        _page(judges, table, best, windows.axes).write(Path(page))
    if submission is not None:
        by_id = {Path(file).stem: value for file, value in zip(table["file"], table["score"], strict=True)}
        write_submission(Path(submission), asked, np.array([by_id.get(name, UNKNOWN) for name in asked]))
    return table.reset_index(drop=True)


def _check_outputs(files: Sequence[Path], *outs: str | Path | None) -> None:
    for out, content in zip(outs, (SCORES, PAGE, SUBMISSION), strict=True):
        if out is not None:
            output(out, content, files)
    if sum(out is not None and Path(out) == STDOUT for out in outs) > 1:
        raise AbacadError("Standard output takes one file only.\nName files for the others.")


class _Judges:
    """Who judges a cadence: always the same where weights were named, by its rows where not."""

    def __init__(self, weights: str | Path | None, device: torch.device) -> None:
        self.weights, self.device = weights, device
        self.known: dict[Path, Judge] = {}
        if weights is not None:
            self.known[Path(weights)] = judge_of(Path(weights), device)  # weights that cannot be used are told at once

    def of(self, cadence: CadenceArray) -> Judge:
        """The judge of that cadence."""
        path = shipped(cadence.shape[1]) if self.weights is None else Path(self.weights)
        if path not in self.known:
            self.known[path] = judge_of(path, self.device)
        return self.known[path]


def _windows(files: Sequence[Path], pattern: str | None) -> Windows:
    if not files:
        raise AbacadError("No files were named.\nName .npy cadences, folders of them, or six .fil or .h5 files.")
    telescope = [file for file in files if is_telescope_file(file)]
    if telescope and len(telescope) < len(files):
        raise AbacadError("Telescope files and .npy cadences do not go together.\nScore them with two commands.")
    if telescope:
        return _OfTelescope(open_six_panels(telescope, _WIDTH, pattern))
    paths = cadence_files(files)
    if not paths:
        raise AbacadError(f"There is no .npy file in {', '.join(map(str, files))}.")
    return _OfFiles(paths)


class _InMemory(OfArrays):
    """Arrays as windows."""

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
    """Windows of an observation, half a window apart but for the last."""

    observation: Observation

    @property
    def axes(self) -> Axes:
        return self.observation.axes(_WIDTH)

    def __len__(self) -> int:
        return self.observation.n_windows(_WIDTH)

    def __getitem__(self, place: int) -> Window:
        return Window(place, partial(self.observation.window, int(self._channels([place])[0]), _WIDTH))

    def __iter__(self) -> Iterator[Window]:
        for channel, cadence in self.observation.windows(_WIDTH):
            yield Window(-(-channel // (_WIDTH // 2)), partial(_the_same, cadence))

    def _channels(self, places: Sequence[int]) -> Int[np.ndarray, " place"]:
        return np.minimum(np.asarray(places).astype(np.int64) * (_WIDTH // 2), self.observation.n_freq - _WIDTH)

    def table(self, places: Sequence[int]) -> pd.DataFrame:
        channels = self._channels(places)
        freq_mhz = ((self.observation.low_hz + channels * self.observation.df_hz) * 1e-6).round(6)
        return pd.DataFrame({"file": self.observation.files[0].path.name, "channel": channels, "freq_mhz": freq_mhz})


def _the_same(cadence: CadenceArray) -> CadenceArray:
    return cadence


def _batches(windows: Windows, bad: Literal["fail", "skip"]) -> Iterator[tuple[list[int], list[CadenceArray]]]:
    """Places and cadences, up to 16 of one shape at a time."""
    places: list[int] = []
    cadences: list[CadenceArray] = []
    for window in windows:
        try:
            cadence = window.read()
        except CadenceError as error:
            if bad == "fail":
                raise
            log.warning("Left out: %s", error)
            continue
        if cadences and (len(cadences) == _BATCH or cadence.shape != cadences[0].shape):
            yield places, cadences
            places, cadences = [], []
        places.append(window.place)
        cadences.append(cadence)
    if cadences:
        yield places, cadences


def _page(judges: _Judges, table: pd.DataFrame, best: Sequence[Window], axes: Axes | None) -> Page:
    pictures, told = [], ""
    for window, row in zip(best, table.to_dict("records"), strict=False):
        cadence, low_mhz = window.read(), row.get("freq_mhz")
        layout = Layout.of(axes or Axes.usual(*cadence.shape[1:]))
        line, evidence, told = best_line(cadence, layout), judges.of(cadence).evidence(cadence, axes), layout.told()
        name = Path(row["file"]).stem if low_mhz is None else f"{low_mhz:.6f} MHz"
        drawn = figure.waterfall(cadence, name, evidence, axes=layout.axes, low_mhz=low_mhz, line=line.or_none)
        pictures.append((drawn, f"{told_score(row['score'])}; {line.family}"))
    return Page(
        "Scores",
        f"{len(table):,} cadences, the highest scores first. {EVIDENCE_TOLD}",
        sections=[Section("Highest scores", f"{told} {GUIDE_TOLD}", figures=pictures, legend=evidence_legend())],
    )

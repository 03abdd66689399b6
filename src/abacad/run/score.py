"""`abacad score`: cadences in, a ranking out, with the weights that come with the package; nothing is trained."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from rich.progress import track

from abacad.data.competition import read_cadence
from abacad.data.observation import SUFFIXES, TelescopeCadence, open_telescope_cadence
from abacad.errors import AbacadError, CadenceError
from abacad.files import write_table
from abacad.learn.judge import Judge, shipped
from abacad.model.detector import pick_device
from abacad.show import figure
from abacad.show.page import Page, Section
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

_BATCH = 16
_WIDTH = 256  # channels of a window of telescope files


@dataclass(frozen=True)
class Candidate:
    """A cadence to be scored.

    Attributes:
        about: Its columns of the table: file, and for telescope files the channel and frequency of its first channel.
        read: Gives it, (6, time, freq).
    """

    about: dict[str, Any]
    read: Callable[[], CadenceArray]


def score(
    files: Sequence[str | Path],
    *,
    weights: str | Path | None = None,
    out: str | Path | None = None,
    page: str | Path | None = None,
    shown: int = 12,
    accelerator: str = "auto",
    bad: Literal["fail", "skip"] = "fail",
    progress: bool = True,
) -> pd.DataFrame:
    """Rank cadences by how sure a detector is of a needle.

    Args:
        files: `.npy` cadences (6, time, freq); folders of them; or six `.fil` or `.h5` files in the order A B A C A D,
            which are cut into windows of 256 channels that overlap by half.
        weights: A run folder, whose folds are averaged, or a file of weights; none takes those of the package, of which
            there are two: for panels of fewer than 64 rows, and for others.
        out: A CSV file to write the ranking into; none writes none.
        page: An HTML page to write with the highest scores' pictures and where their evidence lies; none writes none.
        shown: Cadences on the page.
        accelerator: Device; `auto` takes CUDA, else MPS, else the CPU.
        bad: Stop at a cadence that cannot be used, or leave it out with a warning.
        progress: Show progress bars.

    Returns:
        Columns file, channel and freq_mhz (of telescope files), score in [0, 1]; highest score first.

    Raises:
        AbacadError: there are no cadences, one cannot be used, or the weights cannot.
    """
    judges = _Judges(weights, pick_device(accelerator))
    candidates = _candidates([Path(file) for file in files])
    found: dict[int, float] = {}
    n_batches = -(-len(candidates) // _BATCH)
    batches = _batches(candidates, bad)
    for places, cadences in track(batches, "Scoring", n_batches, disable=not progress, transient=True):
        scores = judges.of(cadences[0]).scores(torch.from_numpy(np.stack(cadences)))
        found |= zip(places, scores.tolist(), strict=True)
    if not found:
        raise AbacadError("None of the cadences could be used; the warnings say why.")
    rows = {place: candidates[place].about | {"score": value} for place, value in found.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("score", ascending=False, kind="stable")
    if out is not None:
        write_table(Path(out), table)
    if page is not None:
        best = [candidates[place] for place in table.index[:shown]]
        _page(judges, table, best).write(Path(page))
    return table.reset_index(drop=True)


class _Judges:
    """Who judges a cadence: always the same where weights were named, by its rows where not."""

    def __init__(self, weights: str | Path | None, device: torch.device) -> None:
        self.weights, self.device = weights, device
        self.known: dict[Path, Judge] = {}
        if weights is not None:
            self.known[Path(weights)] = Judge.of_path(
                Path(weights), device
            )  # weights that cannot be used are told at once

    def of(self, cadence: CadenceArray) -> Judge:
        """The judge of that cadence."""
        path = shipped(cadence.shape[1]) if self.weights is None else Path(self.weights)
        if path not in self.known:
            self.known[path] = Judge.of_path(path, self.device)
        return self.known[path]


def _candidates(files: Sequence[Path]) -> list[Candidate]:
    if not files:
        raise AbacadError("No files were named.\nName .npy cadences, folders of them, or six .fil or .h5 files.")
    telescope = [file for file in files if file.suffix in SUFFIXES]
    if telescope and len(telescope) < len(files):
        raise AbacadError("Telescope files and .npy cadences do not go together.\nScore them with two commands.")
    if telescope:
        return _windows(open_telescope_cadence(telescope), telescope[0].name)
    paths = [path for file in files for path in (sorted(file.rglob("*.npy")) if file.is_dir() else [file])]
    if not paths:
        raise AbacadError(f"There is no .npy file in {', '.join(map(str, files))}.")
    return [Candidate({"file": str(path)}, partial(read_cadence, path)) for path in paths]


def _windows(cadence: TelescopeCadence, name: str) -> list[Candidate]:
    starts = cadence.starts(_WIDTH)
    if not len(starts):
        raise AbacadError(
            f"{name} has {cadence.panels[0].n_channels} channels, a window {_WIDTH}.\nGive a wider band of channels."
        )
    return [
        Candidate(
            {"file": name, "channel": start, "freq_mhz": round(cadence.freq_mhz(start), 6)},
            partial(cadence.window, start, _WIDTH),
        )
        for start in starts
    ]


def _batches(
    candidates: Sequence[Candidate], bad: Literal["fail", "skip"]
) -> Iterator[tuple[list[int], list[CadenceArray]]]:
    """Places and cadences, up to 16 of one shape at a time."""
    places: list[int] = []
    cadences: list[CadenceArray] = []
    for place, candidate in enumerate(candidates):
        try:
            cadence = candidate.read()
        except CadenceError as error:
            if bad == "fail":
                raise
            log.warning("Left out: %s", error)
            continue
        if cadences and (len(cadences) == _BATCH or cadence.shape != cadences[0].shape):
            yield places, cadences
            places, cadences = [], []
        places.append(place)
        cadences.append(cadence)
    if cadences:
        yield places, cadences


def _page(judges: _Judges, table: pd.DataFrame, best: Sequence[Candidate]) -> Page:
    pictures = []
    for candidate, value in zip(best, table["score"], strict=False):
        cadence = candidate.read()
        name = " ".join(str(part) for key, part in candidate.about.items() if key != "channel")
        pictures.append(
            (figure.waterfall(cadence, Path(name).name, judges.of(cadence).evidence(cadence)), f"score {value:.4f}")
        )
    return Page(
        "Scores",
        f"{len(table):,} cadences, the highest scores first. Red: where the detector saw its evidence.",
        sections=[Section("Highest scores", figures=pictures)],
    )

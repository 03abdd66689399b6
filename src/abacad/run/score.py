"""`abacad score`: rank cadences by the score of a detector: of a run, of a file of weights, or of the package's own.

Cadences are read and scored in batches and not kept. Only the place and the score of each stay in memory, 16 bytes,
since a telescope file has millions of windows.
"""

import logging
import math
from array import array
from collections.abc import Iterator, MutableSequence, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from rich.progress import track

from abacad.data.arrays import arrays_of
from abacad.data.submission import UNKNOWN, asked_for, write_submission
from abacad.data.windows import Window, Windows, windows_of
from abacad.errors import AbacadError, CadenceError
from abacad.files import write_table
from abacad.learn.run_folder import judge_of
from abacad.model.device import pick_device
from abacad.model.judge import Judge, shipped
from abacad.outputs import PAGE, SCORES, STDOUT, SUBMISSION, output
from abacad.parallel import side_by_side
from abacad.places import paths_of
from abacad.show.guide import best_guide
from abacad.show.page import Page, Section
from abacad.show.picture import Layout, evidence_legend
from abacad.show.words import EVIDENCE_TOLD, GUIDE_TOLD, told_score
from abacad.signal.cadence import Axes
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

_MOST_SHOWN = 10_000  # pictures on a page; of 40 kB each, so many make 400 MB, which browsers open slowly if at all

_BATCH = 16  # cadences of 1.7 MB each in 32 bits; docs/benchmarks.md times this number
_AHEAD = 8
"""Batches that are read before their scores are asked for: enough for the cores of a desk, some 200 MB of cadences."""


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
    observer: bool = False,
    loudest: float = 1.0,
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
            competition folder itself, of which the test cadences are scored. None writes none.
        shown: Cadences on the page.
        accelerator: Device; `auto` takes CUDA, else MPS, else the CPU.
        bad: Stop at a cadence that cannot be used, or leave it out with a warning.
        observer: Weigh cadences with the near-ideal observer as well, blind (docs/bound.md): it sees fainter needles,
            and takes 0.7 s of a core for each cadence. For panels of 64 rows and more.
        loudest: Share of the cadences that the observer weighs, those with the highest scores; the others keep theirs.
            Figures at low false-alarm rates were measured with 0.02.
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
    _check_options(shown, observer, loudest)
    # What can be refused is refused in this order: wrong options, wrong files, wrong weights; then reading begins.
    arrays = arrays_of(files)
    named = [] if arrays else paths_of(files)  # type: ignore[arg-type]
    _check_outputs(named, out, page, submission)
    asked = asked_for(named) if submission is not None else {}
    windows = windows_of(arrays, list(asked.values()) or named, pattern)
    if observer:
        _check_observer(windows.axes)
    judges = _Judges(weights, pick_device(accelerator))
    places, scores = _judged(judges, windows, bad, observer, progress)
    if not scores:
        raise AbacadError("None of the cadences could be used; the warnings say why.")
    if observer:
        _observed(judges, windows, places, scores, loudest, bad, progress)
    if bad == "fail" and len(scores) < len(windows):
        log.warning("%d windows hold no values in one of the panels: left out", len(windows) - len(scores))
    table = windows.table(places).assign(score=np.asarray(scores)).sort_values("score", ascending=False, kind="stable")
    if out is not None:
        write_table(Path(out), table)
    # Read again for the page: kept from before, they would fill the memory until the best are known.
    if page is not None:
        best = [windows[places[row]] for row in table.index[:shown]]
        _page(judges, table, best, windows.axes, bad).write(Path(page))
    if submission is not None:
        # Cadences that could not be read have no row; they get the middle score.
        by_file = dict(zip(table["file"], table["score"], strict=True))
        values = [by_file.get(str(path), UNKNOWN) for path in asked.values()]
        write_submission(Path(submission), list(asked), np.array(values))
    return table.reset_index(drop=True)


def _check_options(shown: int, observer: bool, loudest: float) -> None:
    if not 0 <= shown <= _MOST_SHOWN:
        raise AbacadError(f"{shown:.6g} cadences to show: ask for 0 to {_MOST_SHOWN:,} (--shown).")
    if not 0 < loudest <= 1:
        raise AbacadError(f"A share of {loudest:.6g} for the observer: ask for more than 0 and at most 1 (--loudest).")
    if loudest < 1 and not observer:
        raise AbacadError("The loudest cadences are those that the observer weighs.\nAsk for it: --observer.")


def _check_observer(axes: Axes | None) -> None:
    """Refuse axes that the observer is not worked out for: a file may take hours before its turn comes."""
    from abacad.ideal.blind_observer import blind_observer

    if axes is not None:
        blind_observer(axes)


def _check_outputs(files: Sequence[Path], *outs: str | Path | None) -> None:
    for out, content in zip(outs, (SCORES, PAGE, SUBMISSION), strict=True):
        if out is not None:
            output(out, content, files)
    if sum(out is not None and Path(out) == STDOUT for out in outs) > 1:
        raise AbacadError("Standard output takes one file only.\nName files for the others.")


class _Judges:
    """The detector of each cadence: the one that was named, else the package's for that number of rows in a panel."""

    def __init__(self, weights: str | Path | None, device: torch.device) -> None:
        self.weights, self.device = weights, device
        self.known: dict[Path, Judge] = {}
        if weights is not None:
            self.known[Path(weights)] = judge_of(
                Path(weights), device
            )  # loaded at once, so that a wrong file ends here and not after minutes

    def of(self, cadence: CadenceArray) -> Judge:
        """The judge of that cadence."""
        path = shipped(cadence.shape[1]) if self.weights is None else Path(self.weights)
        if path not in self.known:
            self.known[path] = judge_of(path, self.device)
        return self.known[path]

    def own_axes(self, cadence: CadenceArray) -> Axes:
        """Axes of that cadence by the timetable of its detector, for those that bring none."""
        _, n_time, n_freq = cadence.shape
        return self.of(cadence).own_axes(n_time, n_freq)


def _judged(
    judges: _Judges, windows: Windows, bad: Literal["fail", "skip"], observer: bool, progress: bool
) -> tuple[MutableSequence[int], MutableSequence[float]]:
    """Place and score of each window that can be used, on all cores of a CPU."""

    def scored(batch: tuple[list[int], list[CadenceArray], Judge]) -> tuple[list[int], list[float]]:
        some, cadences, judge = batch
        return some, [float(value) for value in judge.scores(torch.from_numpy(np.stack(cadences)), windows.axes)]

    places, scores = array("q"), array("d")
    # Who judges a batch is found in this thread, so that weights are loaded once. The size of a batch does not depend
    # on the number of cores, so that neither do the scores.
    batches = ((some, cadences, judges.of(cadences[0])) for some, cadences in _batches(judges, windows, bad, observer))
    # A device other than the CPU is busy with one batch.
    done = side_by_side(scored, batches, None if judges.device.type == "cpu" else 1, _AHEAD)
    # For the bar alone: windows without values make fewer.
    n_batches = -(-len(windows) // _BATCH)
    for some, values in track(done, "Scoring", n_batches, disable=not progress, transient=True):
        scores.extend(values)
        places.extend(some)
    return places, scores


def _observed(
    judges: _Judges,
    windows: Windows,
    places: Sequence[int],
    scores: MutableSequence[float],
    loudest: float,
    bad: Literal["fail", "skip"],
    progress: bool,
) -> None:
    """Put the scores of the loudest share with the observer in the place of theirs, on all cores."""
    # SciPy's laws, which the observer's need, take a second that a ranking without it does not wait for.
    from abacad.ideal.second_opinion import with_observer

    def weighed(given: tuple[int, CadenceArray]) -> tuple[int, float]:
        row, cadence = given
        axes = windows.axes or judges.own_axes(cadence)
        return row, float(with_observer(np.array([scores[row]]), torch.from_numpy(cadence[None]), axes)[0])

    n = math.ceil(loudest * len(scores))
    # in the order of the file, and read again: kept from before, they would fill the memory until the loudest are known
    chosen = np.sort(np.argsort(-np.asarray(scores), kind="stable")[:n]).tolist()
    again = ((row, _read(windows[places[row]], bad, "Not weighed")) for row in chosen)
    cadences = ((row, cadence) for row, cadence in again if cadence is not None)
    for row, value in track(
        side_by_side(weighed, cadences, None, _AHEAD), "Observing", n, disable=not progress, transient=True
    ):  # fmt: skip
        scores[row] = value


def _read(window: Window, bad: Literal["fail", "skip"], told: str) -> CadenceArray | None:
    """The cadence of a window; none, with a warning, where it cannot be used and such are skipped."""
    try:
        return window.read()
    except CadenceError as error:
        if bad == "fail":
            raise
        log.warning("%s: %s", told, error)
        return None


def _batches(
    judges: _Judges, windows: Windows, bad: Literal["fail", "skip"], observer: bool
) -> Iterator[tuple[list[int], list[CadenceArray]]]:
    """Places and cadences in batches with the same shape, which a tensor needs, and which an observer can weigh."""
    places: list[int] = []
    cadences: list[CadenceArray] = []
    for window in windows:
        cadence = _read(window, bad, "Left out")
        if cadence is None:
            continue
        # Files of several telescopes may be named at once, so a batch also ends where the shape changes.
        if cadences and (len(cadences) == _BATCH or cadence.shape != cadences[0].shape):
            yield places, cadences
            places, cadences = [], []
        if observer and not cadences and windows.axes is None:
            _check_observer(judges.own_axes(cadence))  # now, and not when all others have been scored
        places.append(window.place)
        cadences.append(cadence)
    if cadences:
        yield places, cadences


def _page(
    judges: _Judges, table: pd.DataFrame, best: Sequence[Window], axes: Axes | None, bad: Literal["fail", "skip"]
) -> Page:
    from abacad.show import figure  # Matplotlib takes a second, which a ranking does without

    pictures, told = [], ""
    for window, row in zip(best, table.to_dict("records"), strict=False):
        cadence, low_mhz = _read(window, bad, "Not shown"), row.get("freq_mhz")
        if cadence is None:
            continue
        layout = Layout.of(axes or Axes.usual(*cadence.shape[1:]))
        guide, evidence, told = best_guide(cadence, layout), judges.of(cadence).evidence(cadence, axes), layout.told()
        told_file = Path(row["file"]).stem if "file" in row else f"array {row['array']}"
        name = told_file if low_mhz is None else f"{low_mhz:.6f} MHz"
        drawn = figure.waterfall(cadence, name, evidence, axes=layout.axes, low_mhz=low_mhz, guide=guide.or_none)
        pictures.append((drawn, f"{told_score(row['score'])}; {guide.family}"))
    return Page(
        "Scores",
        f"{len(table):,} cadences, the highest scores first. {EVIDENCE_TOLD}",
        sections=[Section("Highest scores", f"{told} {GUIDE_TOLD}", figures=pictures, legend=evidence_legend())],
    )

"""`abacad review`: makes a page with the waterfalls of the highest scores, on which a person gives verdicts.

Pictures, guides and evidence are drawn into the page, so that it needs neither the data nor the detector.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from rich.progress import track

from abacad.errors import AbacadError
from abacad.learn.dataset import Cadences
from abacad.learn.run_folder import judge_of
from abacad.model.device import pick_device
from abacad.model.explain import evidence_map
from abacad.model.judge import Judge, shipped
from abacad.outputs import PAGE, STDOUT, output
from abacad.overlap.partners import partners_for
from abacad.run.truth import TruePaths
from abacad.show.blind import Trial, trials
from abacad.show.blind_search import SearchTrial, search_trials
from abacad.show.guide import Guide, best_guide
from abacad.show.picture import Layout
from abacad.show.review import MOST_WITHIN, Candidate, ReviewPage, candidate
from abacad.show.server import Address, ReviewServer
from abacad.show.shelf import Shelf
from abacad.show.source import Entry, Source, open_source
from abacad.show.words import log_odds
from abacad.signal.cadence import Axes
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

# A picture that averages has to say so, since what it shows of a narrow line is then not what the files hold.
_WIDER = " Where a line crosses more channels than a picture has, several are averaged into one."


def review(
    source: str | Path,
    *,
    out: str | Path = "review.html",
    listen: Address | None = None,
    shown: int = 200,
    of: Literal["auto", "test", "oof"] = "auto",
    data: str | Path | None = None,
    files: Sequence[str | Path] = (),
    weights: str | Path | None = None,
    evidence: bool = True,
    blind: float = 0.0,
    seed: int = 0,
    accelerator: str = "auto",
    progress: bool = True,
) -> Path:
    """Write a page on which a person reviews the highest scores, or serve it to several people at once.

    A page that is written needs no server and no network.

    Args:
        source: A run folder, a table that `score` wrote, or a folder that `search` wrote.
        out: The page to write; of more than 2,000 candidates the pictures go into a folder beside it.
        listen: Serve the page at this address until interrupted instead of writing it. Verdicts go into an SQLite file
            beside `out` and named like it: review.sqlite.
        shown: Candidates on the page.
        of: Scores of a run: `test`, `oof`, or those of the test set where there are some.
        data: The data folder; none takes the one that the run was made with.
        files: The telescope files, for a table that scores windows of them and for a search.
        weights: For a table, the run folder or file of weights that shows its evidence; none takes the package's.
        evidence: Also draw where the detector saw its evidence, half a second of a core for each candidate and fold. A
            run scores its test set with the detectors of all folds.
        blind: Share of simulated cadences to mix in unmarked, half of them with a needle: in the end the page tells
            what the reviewer finds and what he invents. In a search these are needles added to the very files, and
            stretches where it found nothing.
        seed: Decides these, and the order of a page that has some.
        accelerator: Device; `auto` takes CUDA, else MPS, else the CPU.
        progress: Show a progress bar.

    Returns:
        The page, or the file of verdicts.

    Example:
        >>> abacad.review("runs/compact", of="oof", shown=4, evidence=False, progress=False)
        PosixPath('review.html')

    Raises:
        AbacadError: there are no scores, a cadence cannot be read, or the share makes no page; or nothing can listen
            at the address.
    """
    target = Path(out) if listen else output(out, PAGE, [source, *files])
    if target == STDOUT and shown > MOST_WITHIN * (1 - blind):
        raise AbacadError(
            f"The pictures of more than {MOST_WITHIN:,} candidates lie in a folder beside the page.\n"
            f"Name a file: --out review.html, or show fewer: --shown {int(MOST_WITHIN * (1 - blind))}."
        )
    _require_page(shown, blind, seed)
    path = Path(source)
    scored = open_source(path, of, None if data is None else Path(data), [Path(file) for file in files])
    chosen = scored.entries[:shown]
    n_trials = _trials_beside(len(chosen), blind)
    drawer = _Drawer(scored, None if weights is None else Path(weights), pick_device(accelerator), evidence, blind > 0)
    made = list(track(drawer.all(chosen), "Drawing", len(chosen), disable=not progress, transient=True))
    if blind > 0:
        made = _mixed(made, drawer.trials(chosen, n_trials, seed), seed)
    wider = any(one.df_hz is not None and one.df_hz > drawer.axes.df_hz * 1.01 for one in made)
    about = f"{len(chosen):,} highest of {scored.about}.{_WIDER if wider else ''}"
    page = ReviewPage(f"Review of {path.resolve().name}", about, drawer.layout, made)
    if listen:
        return _serve(page, target, listen)
    written = page.write(target)
    log.info("Wrote %s with %d candidates", written, len(page.candidates))
    return written


def _require_page(shown: int, blind: float, seed: int) -> None:
    """Refuse numbers that make no page."""
    if not 0 <= blind < 1:
        raise AbacadError(f"A share of {blind:g} leaves no candidates.\nGive one from 0 to below 1: --blind 0.1.")
    if shown < 1:
        raise AbacadError(f"{shown} candidates make no page.\nGive 1 or more: --shown 200.")
    if seed < 0:
        raise AbacadError(f"The seed is {seed}, below 0.\nGive another: --seed 0.")


def _trials_beside(n_candidates: int, blind: float) -> int:
    """Simulated cadences that make the share `blind` of the whole page: trials / (candidates + trials)."""
    n_trials = max(2, round(n_candidates * blind / (1 - blind)))
    if n_trials > MOST_WITHIN:
        raise AbacadError(
            f"A share of {blind:g} beside {n_candidates} candidates makes {n_trials:,} simulated ones.\n"
            f"Ask for {MOST_WITHIN:,} at most: a smaller --blind."
        )
    return n_trials


def _serve(page: ReviewPage, out: Path, address: Address) -> Path:
    """Answer readers until interrupted; returns the file of verdicts, which is named like the page."""
    # The digest of the page goes along: verdicts of another page, with other candidates, are not shown on this one.
    shelf = Shelf(out.with_suffix(".sqlite"), page.digest)
    with ReviewServer(page, shelf, address) as server:
        # The address stands last in its line: a terminal would take a sign behind it for a part of the token.
        log.info("Verdicts go into %s; Ctrl-C ends the server. Open", shelf.path)
        log.info("%s", server.url)
        try:
            server.serve_forever()
        except Exception:
            raise
        # Ctrl-C is how a server ends, and no fault; the command line makes an exception of its own of it.
        except BaseException:
            log.info("Ended; %d verdicts are in %s", len(shelf.latest()), shelf.path)
    return shelf.path


def _mixed(made: list[Candidate], tried: list[Candidate], seed: int) -> list[Candidate]:
    # In the order of the scores the tests would stand together.
    both = made + tried
    return [both[place] for place in np.random.default_rng(seed).permutation(len(both))]


class _Drawer:
    """Draws the candidates of a source, and what tests the reviewer."""

    def __init__(self, source: Source, weights: Path | None, device: torch.device, evidence: bool, blind: bool) -> None:
        self.source, self.weights, self.device = source, weights, device
        self.evidence, self.blind = evidence and source.judged, blind
        # One layout for the whole page: pictures of unlike height would jump under the reader's eyes.
        first = source.entries[0].read()
        self.axes = source.axes or Axes.usual(*first.shape[1:])
        self.layout = Layout.of(self.axes)
        self.truth = TruePaths.of(source.root)
        self.judge = cache(self._judge)  # loaded at the first use: a search's page needs no detector
        self.partners = (
            None if source.run is None or source.root is None else partners_for(source.root, source.run.recipe())
        )

    def all(self, entries: Sequence[Entry]) -> Iterator[Candidate]:
        """The candidates one by one."""
        for entry in entries:
            cadence = entry.read()
            self._check(entry, cadence)
            seen = self._evidence(entry, cadence) if self.evidence else None
            guide = self._guide(cadence, entry.df_hz)
            # what a search knows would tell it from what was simulated
            known = None if self.blind else entry.guide
            yield candidate(
                entry.name, entry.log_odds, cadence, self.layout, seen, self.truth.path(entry.name),
                low_mhz=entry.low_mhz, df_hz=entry.df_hz, guide=known or guide.or_none,
                family=(not self.blind and entry.family) or guide.family, label=entry.label,
            )  # fmt: skip

    def _guide(self, cadence: CadenceArray, df_hz: float | None) -> Guide:
        """Its guide, with the drift in Hz/s of its own channels, which may be wider than those of the others."""
        guide = best_guide(cadence, self.layout)
        return replace(guide, drift_hz_s=guide.drift_hz_s * (df_hz or self.axes.df_hz) / self.axes.df_hz)

    def trials(self, entries: Sequence[Entry], n_trials: int, seed: int) -> list[Candidate]:
        """Cadences that test the reviewer, to be mixed with these entries."""
        # Files of a search have their own noise and interference, which no preset resembles as well as they do.
        if self.source.search is not None:
            shown = self.source.search.events[: len(entries)]
            made = search_trials(self.source.search, shown, n_trials, self.layout, seed)
            return [self._search_trial(one) for one in made]
        least = min((1 / (1 + np.exp(-entry.log_odds)) for entry in entries if entry.log_odds is not None), default=0.0)
        judge = self.judge(None)
        simulated = trials(
            self.source.simulation(self.axes), n_trials, float(least), partial(judge.scores, axes=self.axes), seed
        )
        short = sum(one.score < least for one in simulated)
        if short:
            log.warning("%d of %d simulated cadences score below the page's lowest, %.4g", short, n_trials, least)
        # Each test gets the frequency of a real candidate, or a missing one would give it away.
        places = np.random.default_rng(seed).choice(len(entries), len(simulated))
        return [self._trial(one, entries[place], f"{seed}/{number}") for number, (one, place) in
                enumerate(zip(simulated, places, strict=True))]  # fmt: skip

    def _trial(self, trial: Trial, like: Entry, name: str) -> Candidate:
        guide = best_guide(trial.cadence, self.layout)
        seen = self.judge(None).evidence(trial.cadence, self.axes) if self.evidence else None
        # Its name has 15 hexadecimal letters, as the competition's ids have, so that it does not give it away.
        return candidate(
            hashlib.blake2b(name.encode()).hexdigest()[:15], log_odds(trial.score), trial.cadence, self.layout, seen,
            low_mhz=like.low_mhz, guide=guide.or_none, family=guide.family, blind=trial.content,
        )  # fmt: skip

    def _search_trial(self, trial: SearchTrial) -> Candidate:
        guide, cut = self._guide(trial.cadence, trial.event.df_hz), trial.event
        return candidate(
            cut.name, None, trial.cadence, self.layout, low_mhz=cut.low_mhz, df_hz=cut.df_hz, guide=guide.or_none,
            family=guide.family, blind=trial.content,
        )  # fmt: skip

    def _check(self, entry: Entry, cadence: CadenceArray) -> None:
        if cadence.shape[1:] != (self.axes.n_time, self.axes.n_freq):
            raise AbacadError(
                f"{entry.name} has the shape {cadence.shape}, others {(6, self.axes.n_time, self.axes.n_freq)}.\n"
                "Review cadences of one shape at a time."
            )

    def _judge(self, fold: int | None) -> Judge:
        run = self.source.run
        if run is None:
            return judge_of(self.weights or shipped(self.axes.n_time), self.device)
        return judge_of(run.path if fold is None else run.weights(fold), self.device)

    def _evidence(self, entry: Entry, cadence: CadenceArray) -> CadenceArray:
        judge, root = self.judge(entry.fold), self.source.root
        if root is None:
            return judge.evidence(cadence, self.source.axes)  # none: by the timetable that scored it
        # the detectors of a run may look at the overlaps with other cadences, too
        planes = Cadences(root, self.source.split, [entry.name], judge.represent, partners=self.partners)[0][None]
        n_time, axes = cadence.shape[1], self.source.axes
        return evidence_map(judge.detectors, planes.to(judge.device), judge.seen, n_time, axes)[0].numpy()

"""The search of one observation from its files to its tables, whoever searches its coarse channels."""

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from abacad import __version__
from abacad.data.filterbank import Polarisation
from abacad.data.observation import Observation, open_observation
from abacad.files import write_table
from abacad.limits import require, within
from abacad.run.apart import apart
from abacad.run.search_bar import search_bar
from abacad.searcher.classes import SignalClass
from abacad.searcher.depth import completeness, depth, recovered
from abacad.searcher.engine import Result, joined
from abacad.searcher.exclude import excluded, read_bands
from abacad.searcher.hits import hits_table, write_hits
from abacad.searcher.late import LateJudge
from abacad.searcher.settings import Settings
from abacad.searcher.stamp import scores
from abacad.searcher.store import Store
from abacad.searcher.task import Outcome, Plan, Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What a search is asked for; the fields are options of `abacad.search`, with its defaults."""

    max_drift: float = 4.0
    min_drift: float = 0.0
    snr: float = 7.0
    windows: int = 0
    pattern: str | None = None
    pol: Polarisation = "I"
    hit_snr: float = 10.0
    judged: int = 32
    weights: str | Path | None = None
    inject: int = 0
    seed: int = 0
    exclude: str | Path | None = None
    shown: int = 12
    sefd: float | None = None
    distance: float | None = None
    accelerator: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what would be told wrongly after hours, such as the flux of a receiver of −1 Jy."""
        within(self, "", hit_snr=(1, 1e6), shown=(0, 10_000))
        for name, unit in (("sefd", "Jy"), ("distance", "parsec")):
            value = getattr(self, name)
            require(value is None or 0 < value < 1e12, f"{name} is {value} {unit}.\nGive a number above 0, or none.")


@dataclass
class Job:
    """The search of one observation.

    Attributes:
        store: folder of the search.
        observation: open files.
        plan: what all coarse channels share, which goes to each worker once.
        judge: detector that scores stamps of events; none where nothing is scored. The plan has that of windows.
        wanted: what was asked for.
        bands: excluded frequency ranges, whose signals come last and are not counted; none excludes none.
        results: results of the coarse channels that are done, by number.
    """

    store: Store
    observation: Observation
    plan: Plan
    judge: LateJudge | None
    wanted: Wanted
    bands: pd.DataFrame | None
    results: dict[int, Result] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Coarse channels."""
        return len(self.observation.coarse())

    @property
    def complete(self) -> bool:
        """Whether all coarse channels are done."""
        return len(self.results) == self.total

    def tasks(self) -> list[Task]:
        """The coarse channels that are still to be searched."""
        return [Task(self.plan, coarse) for coarse in range(self.total) if coarse not in self.results]

    def take(self, outcome: Outcome) -> None:
        """Store what a coarse channel gave.

        Raises:
            AbacadError, OSError: its files could not be read.
            Exception: the search has a fault.
        """
        # Raised here, in the process that talks to the user; the worker has gone on to the next coarse channel.
        if outcome.result is None:
            raise outcome.error or RuntimeError("an outcome without result and error")
        self.store.keep(outcome.result)
        # Stamps stay in the folder: those of 64 coarse channels have 0.2 GB.
        self.results[outcome.result.coarse] = replace(outcome.result, stamps=None)

    @property
    def takes_torch(self) -> bool:
        """Whether `write` loads torch: for the detector's scores, or for the page."""
        return bool(self.wanted.shown or self._waiting())

    def score(self, threads: int, progress: bool) -> None:
        """Score the stamps that wait for the detector; the scores of each coarse channel are stored at once."""
        # As they lie in the folder: another process may have scored some before it was stopped.
        self.results |= {coarse: self.store.have(coarse) or self.results[coarse] for coarse in self._waiting()}
        waiting = self._waiting()
        if waiting and self.judge is not None:
            threads = threads if self.judge.judge.device.type == "cpu" else 1
            with search_bar(progress) as bar:
                # Counted event by event: a file may have one coarse channel, with thousands of them.
                shown_as = bar.add_task("Scores", total=sum(len(self.results[coarse].unscored) for coarse in waiting))
                for coarse in waiting:
                    parts = scores(self.observation, self.store.stamps(coarse), self.judge, threads)
                    found = []
                    for part in parts:
                        found += part.tolist()
                        bar.advance(shown_as, len(part))
                    self.results[coarse] = self.results[coarse].scored(np.array(found))
                    self.store.keep(self.results[coarse])
        self.store.sweep()

    def _waiting(self) -> list[int]:
        return [coarse for coarse, result in sorted(self.results.items()) if result.unscored]

    def write(self, threads: int = 1, progress: bool = False) -> pd.DataFrame:
        """Score what waits for it, and write all tables and the page from the coarse channels that are done, in order.

        Args:
            threads: threads that score, each other events.
            progress: show a bar while events are scored.

        Returns:
            The table of events.
        """
        if not self.results:
            return pd.DataFrame()
        # A second Ctrl-C ends the process at once: by then the tables are there, only without the scores.
        if self._waiting():
            self._tables()
        # Only now: torch and powers of a coarse channel are never in memory together, but for windows.
        try:
            self.score(threads, progress)
        finally:
            # Also where the user stops the scores: what was found is in the tables, with the scores that are there.
            events, counts, shares = self._tables()
        if self.wanted.shown:
            # Imported here: a search without a page needs no pictures.
            from abacad.show.findings import findings_page

            page = self.store.root / "search.html"
            judge = self.judge.judge if self.judge is not None and len(events) else None
            findings_page(page, self.observation, events, counts, shares, self.wanted.shown, judge)
        return events

    def _tables(self) -> tuple[pd.DataFrame, dict[str, Any], pd.DataFrame | None]:
        """Write all tables; gives the events, the counts, and the shares of injected needles that were found."""
        observation, wanted = self.observation, self.wanted
        results = [self.results[coarse] for coarse in sorted(self.results)]
        events = joined(results) if self.bands is None else excluded(joined(results), self.bands)
        self.store.write_events(events)
        hits = hits_table(observation, events, wanted.hit_snr)
        write_hits(self.store.root, observation, hits, self.plan.settings.max_drift_hz_s)
        injections, shares = _injections(self.store, results)
        counts = _counts(observation, results, events, len(hits))
        counts["depth"] = depth(observation, self.plan.settings, injections, wanted.sefd, wanted.distance)
        if injections is not None:
            counts["recovered"] = recovered(injections)
        self.store.finish(counts)
        return events, counts, shares


def begin(files: Sequence[str | Path], out: Path, wanted: Wanted) -> Job:
    """Open the files and the folder; what an earlier run has finished is there.

    Raises:
        AbacadError: files do not make one observation, an option makes no sense, or `out` holds something else.
    """
    settings = Settings(
        max_drift_hz_s=wanted.max_drift, min_drift_hz_s=wanted.min_drift, snr=wanted.snr, windows=wanted.windows,
        judged=wanted.judged, inject=wanted.inject, seed=wanted.seed,
    )  # fmt: skip
    bands = read_bands(wanted.exclude) if wanted.exclude is not None else None
    observation = open_observation(files, pattern=wanted.pattern, pol=wanted.pol)
    _say_too_fast(observation, settings)
    store = Store(out)
    # After the files are open: what the same search is depends on their headers, and a wrong file leaves no folder.
    store.begin(_asked(observation, settings, wanted.weights, wanted.pol))
    judge = _judge(observation, wanted.weights, wanted.accelerator) if wanted.judged or wanted.windows else None
    of_windows = replace(judge, stamps=False) if judge is not None and wanted.windows else None
    plan = Plan.of(observation, settings, of_windows, _first_look(wanted.accelerator), store.coarse)
    job = Job(store, observation, plan, judge, wanted, bands)
    # Also of coarse channels that another engine, or another machine, has searched.
    there = ((coarse, store.have(coarse)) for coarse in range(job.total))
    job.results.update({coarse: result for coarse, result in there if result is not None})
    return job


def _say_too_fast(observation: Observation, settings: Settings) -> None:
    fastest = observation.n_freq * observation.df_hz / (2 * observation.dt_s)
    if settings.max_drift_hz_s > fastest:
        log.warning(
            "--max_drift %g: lines faster than %.3g Hz/s cross the band of %.4g kHz in two rows and cannot be found",
            settings.max_drift_hz_s, fastest, observation.n_freq * observation.df_hz / 1e3,
        )  # fmt: skip


def _asked(observation: Observation, settings: Settings, weights: str | Path | None, pol: str) -> dict[str, Any]:
    """The facts by which the folder of a search is recognised: two searches with the same facts are one."""
    # Files by name and size: they may lie elsewhere the next time, and to read terabytes for a digest takes hours.
    # Without bands, pages and thresholds of hits, which only the tables depend on: these are made anew each time.
    return {
        "files": [{"name": f.path.name, "bytes": f.path.stat().st_size} for f in observation.files],
        "pattern": observation.pattern,
        "pol": pol,
        "low_hz": observation.low_hz,
        "df_hz": observation.df_hz,
        "dt_s": observation.dt_s,
        "start_s": list(observation.start_s),
        "n_time": list(observation.n_time),
        "settings": dataclasses.asdict(settings),
        "weights": str(weights) if weights else None,
        "version": __version__,
    }


def _first_look(accelerator: str) -> str:
    """Device of the first look: a GPU only where it is asked for by name, since its speed was never measured."""
    if accelerator.split(":")[0] != "cuda":
        return "cpu"
    from abacad.model.device import pick_device

    return str(pick_device(accelerator))


def _judge(observation: Observation, weights: str | Path | None, accelerator: str) -> LateJudge:
    judge = LateJudge(Path(weights) if weights else None, min(observation.n_time), accelerator)
    if weights or accelerator not in ("auto", "cpu"):
        apart(_refused, judge)  # before the search, and not after it
    return judge


def _refused(judge: LateJudge) -> None:
    """Refuse weights or an accelerator that the user named and that are not there."""
    _ = judge.judge


def _injections(store: Store, results: list[Result]) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """The injected needles of all coarse channels, and the shares of them that were found; None without any."""
    tables = [result.injections for result in results if result.injections is not None]
    if not tables:
        return None, None
    injections = pd.concat(tables, ignore_index=True)
    shares = completeness(injections)
    write_table(store.root / "injections.csv", injections)
    write_table(store.root / "completeness.csv", shares)
    return injections, shares


def _counts(observation: Observation, results: list[Result], events: pd.DataFrame, n_hits: int) -> dict[str, Any]:
    """Numbers for search.json and the page: how much was searched and masked, and how many signals of each class."""
    summaries = [result.summary for result in results]
    headline = events["excluded"] == ""
    masked = np.sum([summary["masked_pixels"] for summary in summaries], axis=0)
    said = {
        "coarse_channels": [len(results), len(observation.coarse())],
        "searched_mhz": round(sum(summary["searched_mhz"] for summary in summaries), 6),
        "on_hours": round(summaries[0]["hours"], 6),  # of one coarse channel: all of them were observed at once
        "masked_pixels": {file.path.name: int(count) for file, count in zip(observation.files, masked, strict=True)},
        "dead_channels": int(np.max([summary["dead_channels"] for summary in summaries], axis=1).sum()),
        "classes": {str(name): int((headline & (events["class"] == str(name))).sum()) for name in SignalClass},
        "excluded": int((~headline).sum()),
        "hits": n_hits,
    }
    # A rate, since the number alone grows with the band; over the OFF panels, whose events are the false ones.
    if any("false_events" in summary for summary in summaries):
        mhz_hours = sum(summary["searched_mhz"] * summary["off_hours"] for summary in summaries)
        said["false_events"] = sum(summary.get("false_events", 0) for summary in summaries)
        said["false_events_per_mhz_hour"] = round(said["false_events"] / mhz_hours, 4)
    return said

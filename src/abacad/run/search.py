"""`abacad search`: from the files of an observation to one row a signal, one coarse channel at a time."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import Progress

from abacad import __version__
from abacad.data.filterbank import Polarisation
from abacad.data.observation import Observation, open_observation
from abacad.files import write_table
from abacad.learn.run_folder import judge_of
from abacad.model.device import pick_device
from abacad.model.judge import Judge, shipped
from abacad.searcher.depth import completeness, depth
from abacad.searcher.engine import Result, joined, search_all
from abacad.searcher.exclude import excluded, read_bands
from abacad.searcher.hits import hits_table, write_hits
from abacad.searcher.second_look import Kind
from abacad.searcher.settings import Settings
from abacad.searcher.store import Store
from abacad.show.findings import findings_page

log = logging.getLogger(__name__)


def search(
    files: Sequence[str | Path],
    *,
    out: str | Path,
    max_drift: float = 4.0,
    min_drift: float = 0.0,
    snr: float = 7.0,
    windows: int = 0,
    pattern: str | None = None,
    pol: Polarisation = "I",
    hit_snr: float = 10.0,
    judged: int = 32,
    weights: str | Path | None = None,
    inject: int = 0,
    seed: int = 0,
    exclude: str | Path | None = None,
    shown: int = 12,
    sefd: float | None = None,
    distance: float | None = None,
    accelerator: str = "auto",
    progress: bool = True,
) -> pd.DataFrame:
    """Search an observation for drifting lines that stand in its ON panels alone.

    One coarse channel of all files is in memory at a time. Each is stored when it is done, so that the same call goes
    on after an interruption; on Ctrl-C the tables are made of what was found so far.

    Args:
        files: `.h5` or `.fil` files of one observation, in any order.
        out: Folder to write.
        max_drift: Fastest drift, Hz/s, of both signs.
        min_drift: Slower lines are of the class near-zero drift, whose pictures come last.
        windows: Score every window of 256 channels as it is, too, and report so many a coarse channel that hold what no
            line explains: squiggles, dashes. It takes thirty times as long as the rest; 0 does not.
        snr: Of a line through all ON panels together, from which on it is reported.
        pattern: A letter a panel in the order of time, A for ON; none takes it from the headers' sources.
        pol: Total intensity, or the first polarisation.
        hit_snr: SNR of one panel alone, from which on it stands in `hits.csv` and the `.dat` files.
        judged: Events of each coarse channel, the brightest, that the detector scores.
        weights: A run folder or a file of weights; none takes those of the package.
        inject: Needles added in memory to each coarse channel, which is then searched again, to measure how many of
            them are found.
        seed: Of these.
        exclude: Bands whose signals are kept, but out of the headline: a CSV file with the columns start_mhz, end_mhz
            and name, or `gbt`, the packaged list.
        shown: Events on the page `search.html`, the brightest, with pictures; 0: no page.
        sefd: System equivalent flux density, Jy; with it the smallest flux is told.
        distance: Of the target, parsec; with it the smallest power of a transmitter, too.
        accelerator: `auto`, `cuda`, `mps` or `cpu`, for the detector.
        progress: Show a bar with the time left.

    Returns:
        One row a signal, events first; the columns are those of `abacad.searcher.table.columns`.

    Raises:
        AbacadError: files do not make one observation, an option makes no sense, or `out` holds something else.

    Example:
        >>> from abacad.simulator.telescope import Session
        >>> files = abacad.simulate_telescope("sky", Session(channels=2**13, needles=0), progress=False)
        >>> rows = abacad.search(files, out="found", progress=False)
        >>> {"class", "frequency_mhz", "drift_hz_s", "snr"} <= set(rows.columns)
        True
    """
    settings = Settings(max_drift, min_drift, snr, windows, judged, inject, seed)
    bands = read_bands(exclude) if exclude is not None else None
    observation = open_observation(files, pattern=pattern, pol=pol)
    store = Store(Path(out))
    store.begin(_asked(observation, settings, weights, pol))
    judge = _judge(observation, weights, accelerator) if judged or windows else None
    results: list[Result] = []
    try:
        for result in _followed(
            search_all(observation, settings, judge, store.have, store.keep), observation, progress
        ):
            results.append(result)
    finally:
        events = _write(store, observation, settings, results, (hit_snr, sefd, distance, shown, judge, bands))
    return events


def _asked(observation: Observation, settings: Settings, weights: str | Path | None, pol: str) -> dict[str, Any]:
    """What makes two searches the same."""
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


def _judge(observation: Observation, weights: str | Path | None, accelerator: str) -> Judge:
    return judge_of(Path(weights) if weights else shipped(min(observation.n_time)), pick_device(accelerator))


def _followed(results: Any, observation: Observation, progress: bool) -> Any:
    """The results, and a bar that tells how many coarse channels are done and how long the rest will take."""
    with Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task("Coarse channels", total=len(observation.coarse()))
        for result in results:
            bar.advance(task)
            yield result


def _write(
    store: Store, observation: Observation, settings: Settings, results: list[Result], how: tuple[Any, ...]
) -> pd.DataFrame:
    """All tables of what is there, and the page."""
    if not results:
        return pd.DataFrame()
    hit_snr, sefd, distance, shown, judge, bands = how
    events = joined(results) if bands is None else excluded(joined(results), bands)
    store.write_events(events)
    hits = hits_table(observation, events, hit_snr)
    write_hits(store.root, observation, hits, settings.max_drift_hz_s)
    injections, shares = _injections(store, results)
    found = _counts(observation, results, events, len(hits))
    found["depth"] = depth(observation, settings, injections, sefd, distance)
    store.finish(found)
    if shown:
        findings_page(store.root / "search.html", observation, events, found, shares, shown, judge)
    return events


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
    """What was searched, what was masked, and what was found, in numbers."""
    summaries = [result.summary for result in results]
    headline = events["excluded"] == ""
    masked = np.sum([summary["masked_pixels"] for summary in summaries], axis=0)
    said = {
        "coarse_channels": [len(results), len(observation.coarse())],
        "searched_mhz": round(sum(summary["searched_mhz"] for summary in summaries), 6),
        "on_hours": round(summaries[0]["hours"], 6),
        "masked_pixels": {file.path.name: int(count) for file, count in zip(observation.files, masked, strict=True)},
        "dead_channels": int(np.max([summary["dead_channels"] for summary in summaries], axis=1).sum()),
        "classes": {str(kind): int((headline & (events["class"] == str(kind))).sum()) for kind in Kind},
        "excluded": int((~headline).sum()),
        "hits": n_hits,
    }
    if any("false_events" in summary for summary in summaries):
        mhz_hours = sum(summary["searched_mhz"] * summary["off_hours"] for summary in summaries)
        said["false_events"] = sum(summary.get("false_events", 0) for summary in summaries)
        said["false_events_per_mhz_hour"] = round(said["false_events"] / mhz_hours, 4)
    return said

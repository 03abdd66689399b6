"""`abacad search`: finds drifting lines in the files of an observation, and writes a table with one row for each."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from abacad.data.filterbank import Polarisation
from abacad.run.search_bar import search_bar
from abacad.run.search_job import Wanted, begin
from abacad.searcher.engines import EngineName, check_engine, outcomes, scoring_threads


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
    engine: EngineName = "serial",
    workers: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Search an observation for drifting lines that stand in its ON panels alone.

    One coarse channel of all files is in memory at a time, one for each worker. Each is stored when it is done, so that
    the same call goes on after an interruption, with any engine; on Ctrl-C the tables are made of the coarse channels
    that are done. The tables are the same whatever the engine. The detector scores events when all is searched.

    Args:
        files: `.h5` or `.fil` files of one observation, in any order.
        out: Folder to write.
        max_drift: Largest drift rate that is searched, Hz/s, of both signs.
        min_drift: Events that drift more slowly, Hz/s, get the class near-zero drift, whose pictures come last.
        windows: How many windows of 256 channels to report of each coarse channel that hold what no line explains, such
            as squiggles and dashes. The detector then scores every window, which takes thirty times as long as the
            rest; 0 scores none.
        snr: Least SNR of a line through all ON panels together that is reported.
        pattern: One letter for each panel in the order of time, A for ON; none takes it from the headers' sources.
        pol: Total intensity, or the first polarisation.
        hit_snr: Least SNR of a signal in one panel by itself that puts it into `hits.csv` and the `.dat` files.
        judged: How many events of each coarse channel, the brightest, the detector scores.
        weights: A run folder or a file of weights; none takes those of the package.
        inject: Needles added in memory to each coarse channel, which is then searched again, to measure how many of
            them are found.
        seed: Seed of the needles' places, drifts and SNRs.
        exclude: Bands whose signals are kept, but out of the headline: a CSV file with the columns start_mhz, end_mhz
            and name, or `gbt`, the packaged list.
        shown: How many events, the brightest, have pictures on the page `search.html`; 0 writes no page.
        sefd: System equivalent flux density of the receiver, Jy; with it the smallest flux is told.
        distance: Distance of the target, parsec; with it the smallest power of a transmitter is told, too.
        accelerator: `auto`, `cuda`, `mps` or `cpu`, for the detector; `cuda` by name for the first look, too (its speed
            was never measured).
        engine: Who searches: `serial`, this process; `processes`, several of this machine; `ray`, a Ray cluster (the
            extra `abacad[ray]`), which RAY_ADDRESS names, or else one that is started here. A script of yours that asks
            for processes has to do so below `if __name__ == "__main__":`.
        workers: How many coarse channels are searched at a time; none: one for each core, as far as the free memory
            suffices.
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
    accelerator = check_engine(engine, workers, accelerator)
    # Who searches, and how many at once, is no part of what is wanted: the result must not depend on it.
    wanted = Wanted(
        max_drift=max_drift, min_drift=min_drift, snr=snr, windows=windows, pattern=pattern, pol=pol, hit_snr=hit_snr,
        judged=judged, weights=weights, inject=inject, seed=seed, exclude=exclude, shown=shown, sefd=sefd,
        distance=distance, accelerator=accelerator,
    )  # fmt: skip
    job = begin(files, Path(out), wanted)
    try:
        with outcomes(job.tasks(), engine, workers) as pairs, search_bar(progress) as bar:
            # What an earlier call has done counts, or the time left would be that of the whole band.
            shown_as = bar.add_task("Coarse channels", total=job.total, completed=len(job.results))
            for _, outcome in pairs:
                job.take(outcome)
                bar.advance(shown_as)
    finally:
        # Also on Ctrl-C and on an error: an hour of search must not be lost to the last file.
        events = job.write(scoring_threads(engine, workers), progress)
    return events

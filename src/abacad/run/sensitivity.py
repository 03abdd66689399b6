"""`abacad sensitivity`: how faint a needle a detector finds, beside the classical search and the near-ideal observer.

Needles and backgrounds are simulated from a range of numbers that no training draws from, whatever its seed. How
completeness, its thresholds and its intervals are computed stands in `abacad.completeness`.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import Progress, track

from abacad.completeness import FEWEST, completeness
from abacad.data.background import Noise, open_backgrounds
from abacad.errors import AbacadError
from abacad.files import write_table
from abacad.ideal.known import noise_of, of_training
from abacad.ideal.observer import Observer
from abacad.learn.run_folder import judge_of
from abacad.metric import auc_interval
from abacad.model.classical import simulated_event_snr
from abacad.model.device import pick_device
from abacad.model.judge import Judge, shipped
from abacad.model.unlearned import unlearned_score
from abacad.outputs import COMPLETENESS, PAGE, STDOUT, output
from abacad.parallel import side_by_side
from abacad.places import paths_of
from abacad.show.completeness import DETECTORS, all_families, by_family, first_sentence, headline
from abacad.show.page import Page, Section
from abacad.simulator.inject import generate_on
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate, numbers_for
from abacad.simulator.settings import Simulation

log = logging.getLogger(__name__)

_MOST = 10_000_000  # cadences

FALSE_ALARM_RATES = (1e-1, 1e-2, 1e-3, 1e-4)
_BATCH = 32
# Bounds of the bins, about log-uniform. Drift ends at 512 channels a panel, twice the window: such a needle is in one
# panel alone.
BINS = {
    "pixel_snr": (0.1, 0.2, 0.3, 0.45, 0.65, 1.0, 1.5, 2.2, 3.3, 5.0, 20.0),
    "panel_snr": (1, 2, 3, 4.5, 6.5, 10, 15, 22, 33, 50, 200),
    "drift_bins_per_panel": (0, 2, 4, 8, 16, 32, 64, 512),
}


def sensitivity(
    run: str | Path | None = None,
    *,
    preset: str = "kaggle",
    background: str | Path | Sequence[str | Path] = (),
    cadences: int = 8000,
    positives: float = 0.25,
    seed: int = 20_000_003,
    bound: int = 0,
    accelerator: str = "auto",
    out: str | Path | None = None,
    progress: bool = True,
) -> Path:
    """Completeness of a trained detector, of the classical search and of the near-ideal observer against SNR and drift.

    Args:
        run: A finished run folder, whose folds are averaged, or a file of weights; none takes those of the package.
        preset: Preset of the simulator.
        background: Noise to put the needles into, with its own interference, instead of the simulator's: the six files
            of an observation, or one file; its rows, channels and times hold. There is no near-ideal observer then.
        cadences: Number of cadences to simulate. A false-alarm rate is reported where five negatives exceed its
            threshold.
        positives: Share of the cadences with a needle.
        seed: Seed of the cadences.
        bound: How many of the cadences the near-ideal observer scores, too, about a second each; 750 with the default
            share take a quarter of an hour. Its thresholds come from its needles where its negatives are too few. 0:
            none.
        accelerator: Device; `auto` takes CUDA, else MPS, else the CPU.
        out: The page to write; none writes sensitivity.html into the run folder, or where there is none into the
            current one. The table goes beside it as CSV.
        progress: Show progress bars.

    Returns:
        The page.

    Example:
        >>> abacad.sensitivity(preset="demo", cadences=700, bound=0, out="sensitivity.html", progress=False)
        PosixPath('sensitivity.html')

    Raises:
        AbacadError: the run is not finished, the preset is unknown, or there are too few cadences.
    """
    if preset not in PRESETS:
        raise AbacadError(f"There is no preset '{preset}'.\nPresets: {', '.join(PRESETS)}.")
    if not 0 < positives < 1:
        raise AbacadError(
            f"A share of {positives:g} with a needle leaves one class only.\nGive --positives between 0 and 1."
        )
    # Enough negatives for a rate of 1 %; for smaller rates more are needed, and without them they are left out.
    least = math.ceil(FEWEST / FALSE_ALARM_RATES[1] / (1 - positives))
    if not least <= cadences <= _MOST:
        raise AbacadError(f"{cadences:.6g} cadences: a false-alarm rate needs {least} to {_MOST:,} (--cadences).")
    if not 0 <= bound <= _MOST:
        raise AbacadError(f"{bound:.6g} for the near-ideal observer: ask for 0 to {_MOST:,} (--bound).")
    simulation = replace(PRESETS[preset], positives=positives)
    noise = open_backgrounds(paths_of(background), simulation.axes) if paths_of(background) else None
    if noise is not None:
        # A background brings its own interference, so none is simulated, and no needles in OFF panels.
        simulation = replace(simulation, axes=noise.axes, rfi=replace(simulation.rfi, decoys=0.0))
    rates = _rates(noise, simulation.axes.n_freq)
    path = Path(run) if run is not None else shipped(simulation.axes.n_time)
    page = _page_path(out, path)
    judge = judge_of(path, pick_device(accelerator))
    # Detectors are judged on the same cadences: a curve above another is then no luck of the draw.
    scored = _scored(judge, simulation, noise, cadences, seed, progress)
    # A telescope's noise has no known law, and so no likelihood.
    if bound > 0 and noise is None:
        scored["bound"] = _bound(simulation, min(bound, cadences), cadences, seed, progress)
    table = completeness(scored, rates, _detectors(scored), BINS, ratios=("bound",))
    write_table(page.with_suffix(".csv"), table)
    # A file with its folder, since each fold's is called best.safetensors.
    named = "/".join(path.resolve().parts[-1 if path.is_dir() else -2 :])
    name = named if run is not None else "the package's weights"
    where = f"the preset {preset}" + (f" in the noise of {paths_of(background)[0].name} …" if noise else "")
    _page(name, where, scored, table).write(page)
    log.info("Wrote %s and %s", page, page.with_suffix(".csv"))
    return page


def _page_path(out: str | Path | None, scorer: Path) -> Path:
    """Where the page goes; its table goes beside it."""
    default = (scorer if scorer.is_dir() else Path()) / "sensitivity.html"
    page = output(out if out is not None else default, PAGE)
    if page == STDOUT:
        raise AbacadError("A page and its table cannot both go to standard output.\nName a file: --out PAGE.html.")
    output(page.with_suffix(".csv"), COMPLETENESS)
    return page


def _rates(noise: Noise | None, n_freq: int) -> tuple[float, ...]:
    """The false-alarm rates that can be measured: noise of a file may hold too few cadences for the small ones.

    Raises:
        AbacadError: it holds too few for any of them.
    """
    if noise is None:
        return FALSE_ALARM_RATES
    # By the number of distinct cadences in the file: the same noise with another needle is no new false alarm.
    rates = tuple(rate for rate in FALSE_ALARM_RATES if rate * noise.cadences >= FEWEST)
    if not rates:
        raise AbacadError(
            f"The background holds {noise.cadences} cadences of {n_freq} channels, too few for any false-alarm rate.\n"
            f"Give a wider band: {math.ceil(FEWEST / FALSE_ALARM_RATES[0])} cadences at least."
        )
    return rates


def _scored(
    judge: Judge, simulation: Simulation, noise: Noise | None, n_cadences: int, seed: int, progress: bool
) -> pd.DataFrame:
    """The truth table of new cadences, with scores by the judge, by the classical search and without learning."""
    starts = range(0, n_cadences, _BATCH)

    def scored(start: int) -> pd.DataFrame:
        some = numbers_for("sensitivity", np.arange(start, min(start + _BATCH, n_cadences)))
        batch = generate_on(noise, simulation, some, seed) if noise else generate(simulation, some, seed)
        # Normalised cadences are rounded to float16, as the competition's files are; detectors compute in 32 bits.
        panels = batch.panels.float()
        return pd.DataFrame(batch.truth).assign(
            run=judge.scores(panels, simulation.axes),
            classical=simulated_event_snr(panels, simulation).numpy(),
            unlearned=unlearned_score(panels).numpy(),
        )

    parts = side_by_side(scored, starts)
    tables = list(track(parts, "Simulating and scoring", len(starts), disable=not progress, transient=True))
    return pd.concat(tables, ignore_index=True)


def _bound(simulation: Simulation, n_scored: int, n_cadences: int, seed: int, progress: bool) -> np.ndarray:
    """Scores of the near-ideal observer for the first cadences, NaN for the others and where there is no such score."""
    scores = np.full(n_cadences, np.nan)
    try:
        observer = Observer(simulation)
    except AbacadError as error:
        # A preset may hold a family of needles whose likelihood nobody has written; the other detectors are still told.
        log.info("No bound: %s", str(error).splitlines()[0])
        return scores
    with Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task("Near-ideal observer", total=n_scored)

        def judged(index: int) -> float:
            place = numbers_for("sensitivity", np.array([index]))
            panels = generate(simulation, place, seed).panels[0]
            known = of_training(simulation, place, seed)[0]
            bar.advance(task)
            return observer.judge(noise_of(panels, known, simulation.normalise), known).score

        scores[:n_scored] = list(side_by_side(judged, range(n_scored)))
    return scores


def _detectors(scored: pd.DataFrame) -> list[str]:
    """Names of the detectors with scores in the table."""
    return [name for name in DETECTORS if name in scored and scored[name].notna().any()]


def _page(name: str, on: str, scored: pd.DataFrame, table: pd.DataFrame) -> Page:
    return Page(
        f"Sensitivity of {name}",
        f"{first_sentence(table)} Measured on {len(scored):,} simulated cadences of {on}, "
        f"{int(scored['target'].sum()):,} of them with a "
        "needle; the detector was trained on none of them. A needle counts as found when it scores above all but a "
        "share, the false-alarm rate, of the cadences without one.",
        sections=[headline(table), all_families(table), by_family(table), _beside_the_bound(scored)],
    )


def _beside_the_bound(scored: pd.DataFrame) -> Section:
    """AUC of all detectors on the same cadences: those that the near-ideal observer scored, where it did."""
    detectors = _detectors(scored)
    bound = "bound" in detectors
    # An AUC of more cadences beside one of fewer would differ by chance alone.
    same = scored[scored["bound"].notna()] if bound else scored
    target = same["target"].to_numpy()
    rows = [(DETECTORS[name], auc_interval(target, same[name].to_numpy(), n_draws=200)) for name in detectors]
    told = (
        "The near-ideal observer knows the simulator, its gains and its interference, but neither the noise nor the "
        "needle. Nothing can do better where its likelihood is exact up to a grid (lines), or nearly so (squiggles, "
        "dashes); for sines, S-curves, pulsed and scintillating needles it is an approximation. Where negatives that "
        "it scored are too few for a false-alarm rate, its threshold comes from the needles' likelihood ratios, which "
        "holds as far as these are exact. "
    )
    return Section(
        "Area under the ROC curve",
        f"{told if bound else ''}The AUC of all on {len(same):,} cadences, which depends on how bright the needles "
        "of the preset are:",
        columns=("detector", "AUC [95 % interval]"),
        rows=rows,
    )

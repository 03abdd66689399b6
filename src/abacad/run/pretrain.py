"""`abacad pretrain`: train one detector on simulated cadences alone.

Its weights can score cadences as they are, or be the start of a training on labelled ones.
"""

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.files import replacing, write_json, write_table
from abacad.learn.budget import Budget, time_is_up
from abacad.learn.claim import claimed
from abacad.learn.dataset import Represented, worker_count
from abacad.learn.fold import train_fold
from abacad.learn.folds import require_both_classes
from abacad.learn.kept_lines import lines_if_wanted
from abacad.learn.labelled import Labelled
from abacad.learn.notebook import needs_own_process
from abacad.learn.packed import pack
from abacad.learn.provenance import environment, fingerprint
from abacad.learn.record import read_record
from abacad.learn.run_folder import RunFolder
from abacad.learn.simulated import BrightFirst, Mixture, SimulatedCadences
from abacad.learn.speed import require_speed
from abacad.learn.whole_paths import with_whole_paths
from abacad.metric import auc_interval
from abacad.model.detector import build_detector
from abacad.model.precision import precision_of
from abacad.recipes import recipe_with
from abacad.searcher.simulated_stamps import SimulatedStamps
from abacad.signal.cadence import N_PANELS, WIDTH
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Simulation
from abacad.types import CadenceArray

log = logging.getLogger(__name__)

_MOST = 10_000_000
_HELD_BACK = 10  # every tenth cadence is held back, to measure the AUC of each epoch


def pretrain(
    run: str | Path = "runs/pretrain",
    recipe: str | Path | Recipe = "pretrain",
    *,
    presets: str | Sequence[str] = ("kaggle", "demo", "hard"),
    cadences: int = 16_000,
    positives: float = 0.4,
    bright_first: bool = False,
    stamps: bool = False,
    **overrides: Any,
) -> Path:
    """Train one detector on simulated cadences: on nine of ten, while the tenth is held back to measure the AUC.

    Args:
        run: The run folder: a new one, or an interrupted one of the same call.
        recipe: Representation, detector and training, as `train` takes it; its seed is that of the cadences, too.
        presets: One preset of the simulator, or several, drawn from in turn.
        cadences: Number of cadences to simulate.
        positives: Share of them with a needle.
        bright_first: Begin with bright needles and end with all, in one epoch without shuffling. Image networks, which
            look at whole images, need it; the panel network does not.
        stamps: Half of the cadences are stamps, as the search cuts them along the lines that it finds. For panels of
            few rows, which the search judges.
        overrides: Keys of the recipe with other values.

    Returns:
        weights.safetensors in the run folder: for `abacad score --weights`, and for `--model.weights` of a training.

    Example:
        >>> quick = {"trainer.max_epochs": 1, "trainer.progress": False}
        >>> abacad.pretrain("runs/simulated", presets="demo", cadences=100, **quick)
        PosixPath('runs/simulated/weights.safetensors')

    Raises:
        AbacadError: a preset is unknown, there are too few cadences, or the folder is another run's.
    """
    recipe = with_whole_paths(recipe_with(recipe, overrides))
    presets = [presets] if isinstance(presets, str) else list(presets)
    if needs_own_process(recipe):
        raise AbacadError("Pretraining on several devices needs a shell: abacad pretrain.\nHere: --trainer.devices 1.")
    simulated = {"presets": list(presets), "cadences": cadences, "positives": positives}
    simulated |= {"bright_first": bright_first, "stamps": stamps}
    simulations = _simulations(simulated)
    # The order of brightness is that of the cadences, so a second epoch would begin with bright ones again.
    if bright_first and recipe.trainer.max_epochs > 1:
        raise AbacadError(
            f"Bright needles first is one pass, not {recipe.trainer.max_epochs} epochs.\n"
            "Add --trainer.max_epochs 1, and ask for as many --cadences as you have time for."
        )
    mixture = _source(simulations, simulated, recipe.seed)
    targets = mixture.targets()
    parts = [*presets, *(f"{name}-stamps" for name in presets if stamps)]
    ids = np.array([f"{parts[index % len(parts)]}-{index:06d}" for index in range(cadences)])
    folder = RunFolder(Path(run))
    data = fingerprint(folder.path, pd.DataFrame({"id": ids, "target": targets}))
    weights = folder.pretrained
    with claimed(folder, recipe, data, verb="pretrain", simulated=simulated):
        # The weights are written last, so where they are, all else is.
        if weights.is_file():
            log.info("%s is finished already", run)
            return weights
        started = time.monotonic()
        held = np.arange(cadences) // len(parts) % _HELD_BACK == _HELD_BACK - 1  # of each part as many
        folds = np.where(held, 0, 1)  # fold 0 is held back; no detector is trained that would hold back the rest
        require_both_classes(folds, targets, 0, "Ask for more --cadences, or for --positives nearer to 0.5.")
        axes = simulations[0].axes
        require_speed(recipe)
        build_detector(recipe.model, recipe.represent, axes)  # a model that cannot be built is told at once
        accelerator = recipe.trainer.accelerator
        folder.note(**environment(recipe.seed, precision_of(recipe.trainer.precision, accelerator)))
        source = Represented(mixture, recipe.represent)
        workers = worker_count(recipe.data.workers)
        # Simulated and represented once; each epoch then reads the packed planes.
        packed = pack(source, cadences, folder.packed, workers=workers, progress=recipe.trainer.progress)
        shape = (N_PANELS, axes.n_time, axes.n_freq)
        write_json(folder.checked, {"shape": list(shape), "skipped": []})
        if not folder.fold_oof(0).is_file():
            lines = lines_if_wanted(packed, folder.lines, recipe, axes)
            labelled = Labelled(packed, ids, targets, folds, shape, axes, lines, in_turn=bright_first)
            if not train_fold(0, labelled, recipe, folder, budget=Budget(recipe.trainer.max_time)):
                raise time_is_up(recipe, "the training is not finished")
        _conclude(folder, time.monotonic() - started)
        # A copy under a name of its own: `--weights` of other verbs should not need to know how a fold is laid out.
        with replacing(weights) as temporary:
            shutil.copyfile(folder.weights(0), temporary)
        log.info("Wrote %s", weights)
    return weights


def simulated_cadence(run: RunFolder, cadence_id: str) -> CadenceArray:
    """A cadence that a pretraining was made with, made again from its id: `kaggle-000123` is the one at index 123.

    Raises:
        AbacadError: the run does not say what it was simulated from.
    """
    simulated = read_record(run.record).get("simulated")
    if simulated is None:
        raise AbacadError(f"{run.record} does not say what the run's cadences were simulated from.")
    simulations = _simulations(simulated)
    return _source(simulations, simulated, run.recipe().seed)[int(cadence_id.rsplit("-", 1)[1])][0]


def _source(simulations: Sequence[Simulation], simulated: Mapping[str, Any], seed: int) -> Mixture | BrightFirst:
    """The cadences of a pretraining, from its run.json; those of earlier versions do not have all keys."""
    source = BrightFirst if simulated.get("bright_first") else Mixture
    sorts = (SimulatedCadences, SimulatedStamps) if simulated.get("stamps") else (SimulatedCadences,)
    return source(simulations, simulated["cadences"], seed, sorts=sorts)


def _simulations(simulated: Mapping[str, Any]) -> list[Simulation]:
    """The simulations that a run.json names."""
    presets, cadences, positives = simulated["presets"], simulated["cadences"], simulated["positives"]
    unknown = [name for name in presets if name not in PRESETS]
    if unknown or not presets:
        raise AbacadError(f"There is no preset {', '.join(unknown) or 'named'}.\nPresets: {', '.join(PRESETS)}.")
    if not 10 * _HELD_BACK <= cadences <= _MOST:
        raise AbacadError(f"{cadences:.6g} cadences: ask for {10 * _HELD_BACK} to {_MOST:,}.")
    if not 0 < positives < 1:
        raise AbacadError(
            f"A share of {positives:g} with a needle leaves one class only.\nGive --positives between 0 and 1."
        )
    simulations = [replace(PRESETS[name], positives=positives) for name in presets]
    # One network has one number of rows; and cadences of unlike length make no batch.
    if len({one.axes for one in simulations}) > 1:
        raise AbacadError("The presets have cadences with different axes.\nTrain one detector for each of them.")
    if simulated.get("stamps") and simulations[0].axes.n_freq != WIDTH:
        raise AbacadError(f"Stamps have {WIDTH} channels, and these presets {simulations[0].axes.n_freq}.")
    return simulations


def _conclude(folder: RunFolder, seconds: float) -> None:
    """Write the AUC of the held-back cadences of each preset to the log and into run.json."""
    oof = pd.read_csv(folder.fold_oof(0))
    write_table(folder.oof, oof)
    # Preset by preset: in one AUC over all of them, differences between presets would pass for the detector's merit.
    auc_presets = {}
    for preset, part in oof.groupby(oof["id"].str.rsplit("-", n=1).str[0]):  # names have hyphens, too
        interval = auc_interval(part["target"].to_numpy(), part["score"].to_numpy())
        auc_presets[str(preset)] = [round(figure, 5) for figure in (interval.value, interval.low, interval.high)]
        log.info("AUC of %d held-back cadences of the preset %s: %s", len(part), preset, interval)
    folder.note(auc_presets=auc_presets, train_seconds=round(seconds, 1))

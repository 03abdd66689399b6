"""`abacad simulate`: write a competition folder of simulated cadences.

    <out>/train/<id[0]>/<id>.npy      float16 (6, n_time, n_freq)
    <out>/test/<id[0]>/<id>.npy
    <out>/train_labels.csv            id, target
    <out>/sample_submission.csv       id, target 0.5
    <out>/truth.csv                   what was injected into each, train and test
    <out>/simulation.json             parameters, seed and version
    <out>/old_leaky_data/             false labels, as a test that nothing reads this folder

Every file is written beside its place and renamed into it. The labels are written last, so a folder without them is
not finished; the same command goes on with it and makes the same files.
"""

import dataclasses
import logging
import shutil
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from rich.progress import Progress
from torch import Tensor

from abacad.data.background import FileBackground, LevelBackground, fingerprint, open_background
from abacad.data.simulated_folder import begin, finish, write_cadence
from abacad.errors import AbacadError
from abacad.parallel import side_by_side
from abacad.signal.cadence import N_PANELS
from abacad.simulator.plan import Plan, make_plan
from abacad.simulator.presets import preset_named
from abacad.simulator.scene import Injected, cut, draw_injected, make_scene, window_chance
from abacad.simulator.settings import Simulation

logger = logging.getLogger(__name__)

_MOST = 10_000_000  # cadences; the competition has 100,000


def simulate(
    out: str | Path,
    simulation: str | Simulation = "kaggle",
    *,
    n_train: int = 2000,
    n_test: int = 500,
    seed: int = 0,
    background: str | Path | None = None,
    progress: bool = True,
) -> Path:
    """Write a competition folder of simulated cadences and return it.

    A run that was killed goes on with the same call; one that was finished is left as it is.

    Args:
        out: the folder; new, empty, or begun by the same call.
        simulation: what to simulate: the name of a preset, or one that was changed.
        n_train: cadences with labels.
        n_test: cadences without.
        seed: decides everything else.
        background: a telescope file to take the noise from instead of the χ² model.
        progress: show a progress bar.

    Example:
        >>> folder = abacad.simulate("simulated", "demo", n_train=20, n_test=5, progress=False)
        >>> sorted(path.name for path in folder.glob("*.csv"))
        ['sample_submission.csv', 'train_labels.csv', 'truth.csv']

    Raises:
        AbacadError: the preset is unknown, the folder holds something else, the disk is full, or the numbers
            make no data set.
    """
    if isinstance(simulation, str):
        simulation = preset_named(simulation)
    if not (1 <= n_train <= _MOST and 0 <= n_test <= _MOST):
        raise AbacadError(
            f"{n_train:.6g} cadences to train on and {n_test:.6g} to test: ask for at least 1 and 0, at most {_MOST:,}."
        )
    out = Path(out)
    sky = None
    # The file is named by a fingerprint in simulation.json, so that a changed file does not go on with the folder.
    if background is not None:
        background = Path(background)
        sky = open_background(background, simulation.axes, simulation.scenes.n_freq)
        simulation = _as_wide_as(sky, simulation)
    parameters = {
        "n_train": n_train,
        "n_test": n_test,
        "seed": seed,
        "background": fingerprint(background) if background else None,
    }
    if begin(out, simulation, parameters):
        logger.info("%s is finished already", out)
        return out
    # The plan depends on the seed alone and says of each window where it lies: a folder can be continued file by file.
    plan = make_plan(simulation, n_train, n_test, seed)
    missing = np.array([not plan.path(out, window).exists() for window in range(len(plan.ids))])
    _check_space(out, int(missing.sum()), simulation)
    tables = []
    scenes = range(int(plan.scene[-1]) + 1)
    windows = np.split(np.arange(len(plan.scene)), np.searchsorted(plan.scene, scenes[1:]))
    # A scene is the piece of work: all windows of it are cut from one array.
    made = side_by_side(lambda k: _write_scene(out, simulation, plan, k, windows[k], missing, seed, sky), scenes)
    with Progress(disable=not progress, transient=True) as bar, closing(made):
        task = bar.add_task("Simulating", total=len(plan.ids))
        for some, written in zip(windows, made, strict=True):
            tables += written
            bar.advance(task, len(some))
    finish(out, *_tables(plan, tables))
    logger.info("wrote %d cadences to %s", len(plan.ids), out)
    return out


def _as_wide_as(sky: FileBackground | LevelBackground, simulation: Simulation) -> Simulation:
    """The simulation with the axes of its background."""
    if sky.axes != simulation.axes or sky.n_freq != simulation.scenes.n_freq:
        logger.info("The background sets dt %.4g s, df %.4g Hz, %d channels", sky.axes.dt_s, sky.axes.df_hz, sky.n_freq)
    scenes = dataclasses.replace(simulation.scenes, n_freq=sky.n_freq)
    return dataclasses.replace(simulation, axes=sky.axes, scenes=scenes)


_own = threading.local()  # each thread's memory: the scenes are made side by side


def _scratch(simulation: Simulation) -> Float[Tensor, "panel time freq"]:
    """Memory for a scene, kept by each thread from one to the next."""
    shape = (N_PANELS, simulation.axes.n_time, simulation.scenes.n_freq)
    if getattr(_own, "scratch", torch.empty(0)).shape != shape:
        # NumPy asks the system for huge pages, torch does not. Rows of a window lie 16 kB apart, each on
        # another small page.
        _own.scratch = torch.from_numpy(np.empty(shape, dtype=np.float32))
    return _own.scratch


def injected(simulation: Simulation, plan: Plan, windows: Int[np.ndarray, " some"], seed: int) -> Injected:
    """The needles and decoys of some windows.

    Args:
        simulation: What is simulated; train and test may have other families of needles.
        plan: The windows of the folder.
        windows: Numbers of the windows, all of them in train or all in test.
        seed: Seed of the folder.
    """
    needles = simulation.needles
    families = needles.families
    if needles.test_families is not None and not plan.train[windows[0]]:
        families = needles.test_families
    return draw_injected(simulation, families, plan.target[windows], window_chance(seed, windows))


def _write_scene(
    out: Path,
    simulation: Simulation,
    plan: Plan,
    scene: int,
    windows: Int[np.ndarray, " some"],
    missing: Bool[np.ndarray, " window"],
    seed: int,
    sky: FileBackground | LevelBackground | None,
) -> list[dict[str, np.ndarray]]:
    """Write the windows of a scene that are missing; return the columns of the truth table for all of them.

    The needles are drawn for windows that exist, too: the truth table of a continued folder is complete. The scene
    itself, which costs most of the time, is only made where a window is missing.
    """
    tables = []
    made = None
    # Train and test apart, since their needles may be of other families.
    for part in (windows[plan.train[windows]], windows[~plan.train[windows]]):
        if not len(part):
            continue
        drawn = injected(simulation, plan, part, seed)
        tables.append({"window": part, **drawn.truth})
        if not missing[part].any():
            continue
        made = made or make_scene(simulation, scene, seed, sky, _scratch(simulation))
        for window, cadence in zip(part.tolist(), cut(made, plan.offset[part], drawn, simulation), strict=True):
            if missing[window]:
                write_cadence(plan.path(out, window), cadence.numpy())
    return tables


def _check_space(out: Path, missing: int, simulation: Simulation) -> None:
    axes = simulation.axes
    # 128 bytes of header; float16 holds normalised values, and raw powers take 32 bits.
    size = 128 + N_PANELS * axes.n_time * axes.n_freq * (2 if simulation.normalise else 4)
    free = shutil.disk_usage(out).free
    if missing * size > free:
        raise AbacadError(
            f"{missing} cadences need {missing * size / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free at {out}.\n"
            "Make room, choose another disk, or ask for fewer."
        )


def _tables(plan: Plan, tables: list[dict[str, np.ndarray]]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Labels, sample submission and truth, sorted by id."""
    truth = pd.DataFrame({name: np.concatenate([table[name] for table in tables]) for name in tables[0]})
    # The rows of a scene are those of train, then those of test; sorted by window they meet the ids of the plan.
    truth = truth.set_index("window").sort_index().reset_index(drop=True)
    truth.insert(0, "id", plan.ids)
    truth.insert(1, "split", np.where(plan.train, "train", "test"))
    truth["scene"], truth["offset"] = plan.scene, plan.offset
    # By id, which is random: in the order of the plan, neighbours in the table would be neighbours in the sky.
    truth = truth.sort_values("id").reset_index(drop=True)
    train = truth[truth["split"] == "train"]
    test = truth[truth["split"] == "test"]
    return train[["id", "target"]], test[["id"]].assign(target=0.5), truth

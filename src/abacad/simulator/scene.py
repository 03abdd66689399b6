"""From chance to cadences: scenes, the windows cut out of them, and whole batches for training.

    power = gain(panel, time) · gain(freq) · (noise + interference + needle)

The needle passes the same receiver as the noise, so its SNR holds in every pixel. Each panel of a window is then
normalised on its own, as the competition's were.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from abacad.signal.cadence import N_PANELS, Axes
from abacad.signal.chance import Chance
from abacad.simulator.needle import NeedleBatch, draw_lit, draw_needles
from abacad.simulator.noise import draw_dof, draw_gains, fill_chi2, fill_rows
from abacad.simulator.path import deposit, deposits
from abacad.simulator.receiver import receive
from abacad.simulator.rfi import draw_interference
from abacad.simulator.settings import Families, Simulation
from abacad.types import Panels

# Cadences for training, scenes and windows of scenes draw from ranges of numbers that never meet.
_SCENES = 1 << 48
_WINDOWS = 1 << 49

Purpose = Literal["pretrain", "train", "validation", "sensitivity", "blind"]
_PURPOSES: tuple[Purpose, ...] = get_args(Purpose)  # a purpose at the end keeps the cadences of the others as they are
_RANGE = 1 << 52
"""Cadences that a purpose has; above all scenes and windows, so that the ranges never meet."""


@dataclass(frozen=True)
class Batch:
    """Finished cadences.

    Attributes:
        panels: (batch, panel, time, freq), float16 with each panel at mean 0 and std 1, or float32 raw power.
        targets: (batch,) 1 where a needle stands in ON panels alone.
        truth: columns of the truth table.
    """

    panels: Panels
    targets: Int[Tensor, " batch"]
    truth: dict[str, np.ndarray]


@dataclass(frozen=True)
class Injected:
    """The needles of a batch: which cadences hold one, and what they are.

    Attributes:
        rows: positions in the batch of the cadences that hold a needle or a decoy.
        needles: those, in the same order.
        truth: columns of the truth table for the whole batch.
    """

    rows: Int[np.ndarray, " some"]
    needles: NeedleBatch
    truth: dict[str, np.ndarray]


@dataclass(frozen=True)
class Scene:
    """One observing session before needles and gains.

    Attributes:
        power: (panel, time, freq) noise of mean 1 with interference.
        gain_time: (panel, time) gains and bursts.
        gain_freq: (freq,) bandpass.
        sigma: standard deviation of a noise pixel.
    """

    power: Float[Tensor, "panel time freq"]
    gain_time: Float[Tensor, "panel time"]
    gain_freq: Float[Tensor, " freq"]
    sigma: float


def generate(simulation: Simulation, indices: Int[np.ndarray, " batch"], seed: int, device: str = "cpu") -> Batch:
    """Cadences for training, each with an observation of its own; which ones, `seed` and `indices` alone decide.

    Args:
        simulation: what to simulate.
        indices: (batch,) numbers of the cadences, any integers.
        seed: of the data set.
        device: where the pixels are made.
    """
    indices = np.asarray(indices, dtype=np.int64)
    chance = Chance(seed, indices)
    targets = draw_targets(simulation, indices, seed)
    axes = simulation.axes
    dof = draw_dof(simulation.noise, simulation.dof, chance)
    sigma = np.sqrt(2 / dof)
    injected = draw_injected(simulation, simulation.needles.families, targets, chance)
    needles = injected.needles.paths(injected.rows, sigma[injected.rows], device) if len(injected.rows) else None
    emissions = draw_interference(simulation, axes.n_freq, sigma, chance, device, needles)
    gains = draw_gains(simulation.noise, axes, axes.n_freq, chance)
    time = torch.from_numpy(gains.time * emissions.bursts)[..., None].to(device)
    freq = torch.from_numpy(gains.freq)[:, None, None].to(device)
    # one key a cadence: its noise is the same alone, in any batch, and in any process
    keys = chance.keys("noise").tolist()
    shape = (len(indices), N_PANELS, axes.n_time, axes.n_freq)
    out = torch.empty(shape, dtype=torch.float16 if simulation.normalise else torch.float32, device=device)
    chunks = _chunks(len(indices), device)
    scratch = torch.empty((max(last - first for first, last in chunks), *shape[1:]), device=device)
    for first, last in chunks:
        power = scratch[: last - first]
        if scratch.device.type == "cpu":
            for place in range(first, last):
                fill_chi2(power[place - first], float(dof[place]), keys[place])
        else:
            fill_rows(power, dof[first:last], keys[first:last])
        emissions.add(power, first)
        receive(power, freq[first:last], time[first:last], power, out[first:last])
    return Batch(out, torch.from_numpy(targets.astype(np.int64)).to(device), injected.truth)


def numbers_for(purpose: Purpose, indices: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " batch"]:
    """The numbers of cadences that are simulated for a purpose.

    Each purpose has a range of numbers of its own. With one seed for all, a detector is thus never judged on cadences
    that it was trained on.

    Args:
        purpose: What the cadences are for.
        indices: (batch,) 0, 1, 2, … within the purpose.

    Example:
        >>> int(numbers_for("sensitivity", np.array([7]))[0]) == 3 * 2**52 + 7
        True
    """
    return _PURPOSES.index(purpose) * _RANGE + np.asarray(indices, dtype=np.int64)


def draw_targets(simulation: Simulation, indices: Int[np.ndarray, " batch"], seed: int) -> Bool[np.ndarray, " batch"]:
    """Which of these cadences for training hold a needle in ON panels alone."""
    return Chance(seed, np.asarray(indices, dtype=np.int64)).uniform("target", 1)[:, 0] < simulation.positives


def _chunks(n: int, device: str) -> list[tuple[int, int]]:
    """On a CPU one cadence at a time, which fits its cache; on a GPU as many as keep it busy."""
    size = 1 if torch.device(device).type == "cpu" else 64
    return [(first, min(first + size, n)) for first in range(0, n, size)]


def scene_chance(seed: int, number: int) -> Chance:
    """The random numbers for the noise, the interference and the gains of one scene."""
    return Chance(seed, np.array([_SCENES + number], dtype=np.int64))


def window_chance(seed: int, numbers: Int[np.ndarray, " batch"]) -> Chance:
    """The random numbers for the needles of some windows."""
    return Chance(seed, _WINDOWS + np.asarray(numbers, dtype=np.int64))


def draw_injected(
    simulation: Simulation, families: Families, targets: Bool[np.ndarray, " batch"], chance: Chance
) -> Injected:
    """Needles for the positives and decoys for a share of the negatives, with their rows of the truth table."""
    decoy = ~targets & (chance.uniform("decoy", 1)[:, 0] < simulation.rfi.decoys)
    rows = np.flatnonzero(targets | decoy)
    own = chance.of(rows)
    lit = draw_lit(simulation.needles, decoy[rows], own)
    needles = draw_needles(simulation.needles, families, simulation.axes, simulation.axes.n_freq, lit, own)
    return Injected(rows, needles, _truth(needles, rows, targets, simulation.axes))


def _truth(
    needles: NeedleBatch, rows: Int[np.ndarray, " some"], targets: Bool[np.ndarray, " batch"], axes: Axes
) -> dict[str, np.ndarray]:
    """Columns for the whole batch: empty words and NaN where nothing was injected."""
    role = np.full(len(targets), "none", dtype=object)
    role[rows] = "decoy"
    role[targets] = "needle"
    columns = {"target": targets.astype(np.int64), "kind": role}
    for name, values in needles.truth(axes).items():
        words = values.dtype == object
        column = np.full(len(targets), "" if words else np.nan, dtype=object if words else np.float64)
        column[rows] = values
        columns[name] = column
    return columns


@runtime_checkable
class Background(Protocol):
    """Noise from elsewhere than the χ² model."""

    def panels(self, chance: Chance, n_freq: int) -> Float[Tensor, "panel time freq"]:
        """Six panels of power with a mean near 1; `chance` is that of one scene."""


def make_scene(
    simulation: Simulation,
    index: int,
    seed: int,
    background: Background | None = None,
    scratch: Float[Tensor, "panel time freq"] | None = None,
) -> Scene:
    """The scene of a number: its noise, interference and gains, without needles.

    A background brings the telescope's own gains with it, so none are simulated. A caller that makes many scenes passes
    a `scratch` tensor, in which each scene's noise is made: memory fresh from the system costs more than the noise.
    """
    chance = scene_chance(seed, index)
    axes, n_freq = simulation.axes, simulation.scenes.n_freq
    time, freq = torch.ones(N_PANELS, axes.n_time), torch.ones(n_freq)
    if background is None:
        dof = draw_dof(simulation.noise, simulation.dof, chance)
        sigma = np.sqrt(2 / dof)
        power = torch.empty(N_PANELS, axes.n_time, n_freq) if scratch is None else scratch
        fill_chi2(power, float(dof[0]), int(chance.keys("noise")[0]))
        gains = draw_gains(simulation.noise, axes, n_freq, chance)
        time, freq = torch.from_numpy(gains.time[0]), torch.from_numpy(gains.freq[0])
    else:
        power = background.panels(chance, n_freq)
        sigma = np.array([noise_sigma(power)])
    interference = draw_interference(simulation, n_freq, sigma, chance, "cpu")
    interference.add(power[None])
    return Scene(power, time * torch.from_numpy(interference.bursts[0]), freq, float(sigma[0]))


def noise_sigma(power: Float[Tensor, "panel time freq"], patch: int = 16) -> float:
    """Standard deviation of a noise pixel: the median over patches of `patch` channels, most of which hold no RFI."""
    # The variance within a patch knows nothing of the band's slope across patches, nor of a carrier elsewhere.
    patches = power[..., : power.shape[-1] // patch * patch].unflatten(-1, (-1, patch)).movedim(-2, 1).flatten(2)
    return float(patches.var(-1).median().sqrt())


def cut(
    scene: Scene,
    offsets: Int[np.ndarray, " window"],
    injected: Injected,
    simulation: Simulation,
) -> Iterator[Panels]:
    """Windows of a scene that begin at the channels `offsets`, with needles injected, then normalised, one by one.

    Two windows hold the same values where they overlap, up to an affine map for each panel and float16 rounding,
    but for the needles.
    """
    n_freq = simulation.axes.n_freq
    sigma = np.full(len(injected.rows), scene.sigma)
    drawn = deposits(injected.needles.paths(injected.rows, sigma, "cpu"), len(offsets), n_freq)
    time = scene.gain_time[None, ..., None]
    scratch = torch.empty(1, *scene.power.shape[:2], n_freq)
    with_needle = set(injected.rows.tolist())
    for place, offset in enumerate(offsets.tolist()):
        channels = slice(offset, offset + n_freq)
        window = scene.power[None, ..., channels]
        # a window without a needle is a slice of the scene, and no copy of it is made
        if place in with_needle:
            window = scratch.copy_(window)
            deposit(window, drawn, place)
        out = torch.empty_like(scratch, dtype=torch.float16 if simulation.normalise else torch.float32)
        receive(window, scene.gain_freq[channels].view(1, 1, 1, -1), time, scratch, out)
        yield out[0]

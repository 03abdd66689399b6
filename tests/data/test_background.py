import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.data.background import open_background, open_backgrounds
from abacad.data.filterbank import open_filterbank
from abacad.errors import AbacadError
from abacad.run.simulate import simulate
from abacad.signal.cadence import Axes
from abacad.signal.chance import Chance
from abacad.simulator.noise import chi2_noise
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Rfi, Scenes, Simulation
from tests.data.files import ramp, write_cadence, write_fil, write_panel

SHARED = Path(__file__).parents[3] / "shared" / "data"
REAL = SHARED / "gbt_sample.fil"
LEVELS = SHARED / "gbt_noise_params.npy"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="no real GBT file at hand")


def test_a_long_file_gives_consecutive_panels(tmp_path: Path):
    axes = Axes(n_time=4, n_freq=8, dt_s=18.0)
    path = write_fil(tmp_path / "noise.fil", ramp(30, 64))
    background = open_background(path, axes, 32)
    panels = background.panels(Chance(1, np.array([5])), 32).double()
    assert panels.shape == (6, 4, 32)
    # the ramp survives up to its mean: ratios tell rows and channels
    raw = ramp(30, 64).astype(float)

    def at(row: int, channel: int) -> np.ndarray:
        part = raw[row : row + 4, channel : channel + 32]
        return part / part.mean()

    row, channel = next((r, c) for r in range(7) for c in range(33) if np.allclose(panels[0], at(r, c), rtol=1e-5))
    for panel in range(6):
        np.testing.assert_allclose(panels[panel], at(row + 4 * panel, channel), rtol=1e-5)


def test_a_short_file_gives_six_different_tiles(tmp_path: Path):
    rng = np.random.default_rng(0)
    path = write_fil(tmp_path / "noise.fil", rng.random((8, 100)).astype(np.float32) + 1)
    background = open_background(path, Axes(n_time=4, n_freq=8, dt_s=18.0), 4096)
    assert background.n_freq == 33  # two rows of three tiles
    panels = background.panels(Chance(1, np.array([5])), 33).flatten(1).numpy()
    assert np.abs(np.corrcoef(panels) - np.eye(6)).max() < 0.4


@pytest.mark.parametrize(
    ("axes", "named"),
    [
        (Axes(n_time=273, n_freq=8, dt_s=1.0), "axes.n_time"),
        (Axes(n_time=8, n_freq=64, dt_s=18.0), "axes.n_freq"),
    ],
)
def test_a_file_of_another_shape_is_refused(axes: Axes, named: str, tmp_path: Path):
    path = write_fil(tmp_path / "noise.fil", ramp(10, 100))
    with pytest.raises(AbacadError, match=named):
        open_background(path, axes, 4096)


def test_six_files_give_their_own_cadences(tmp_path: Path):
    """The six panels of one place in the band, in units of their medians, never where a panel has no values."""
    paths = write_cadence(tmp_path, 8, 64)
    data = ramp(8, 64, 3)
    data[:, :32] = np.nan
    paths[3] = write_panel(tmp_path, 3, data)
    background = open_backgrounds(paths, Axes(n_freq=16))
    assert (background.axes.n_time, background.axes.n_freq, background.axes.dt_s) == (8, 16, 18.0)
    assert background.cadences == 4
    for number in range(20):
        panels = background.panels(Chance(1, np.array([number])), 16).numpy()
        for panel in (0, 1, 2, 4, 5):
            own = ramp(8, 64, panel)
            cuts = (own[:, first : first + 16] for first in range(49))
            assert any(np.allclose(panels[panel], cut / np.median(cut), rtol=1e-6) for cut in cuts)
        assert np.isfinite(panels).all()


def test_six_files_without_common_values_are_refused(tmp_path: Path):
    paths = write_cadence(tmp_path, 8, 64)
    paths[3] = write_panel(tmp_path, 3, np.full((8, 64), np.nan, np.float32))
    with pytest.raises(AbacadError, match="hardly a channel"):
        open_backgrounds(paths, Axes(n_freq=16)).panels(Chance(1, np.array([0])), 16)
    with pytest.raises(AbacadError, match="here are 5"):
        open_backgrounds(paths[:5], Axes(n_freq=16))


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(AbacadError, match="no background file"):
        open_background(tmp_path / "none.fil", Axes(), 4096)
    np.save(tmp_path / "levels.npy", np.zeros((5, 3)))
    with pytest.raises(AbacadError, match="no table"):
        open_background(tmp_path / "levels.npy", Axes(), 4096)


def implied_dof(power: np.ndarray) -> float:
    return 2 * power.mean() ** 2 / power.var()


def lag_1(power: np.ndarray, axis: int) -> float:
    rows = np.moveaxis(power - power.mean(), axis, 0)
    return float((rows[:-1] * rows[1:]).mean() / power.var())


@needs_real
def test_the_noise_model_is_like_real_noise():
    """Degrees of freedom and lag-1 correlations of real GBT noise lie within the model's scatter."""
    file = open_filterbank(REAL)
    real = file.read(0, file.n_rows, 0, file.n_channels)
    pieces = np.split(real, 8, axis=1)
    k = np.array([implied_dof(piece) for piece in pieces])
    nominal = dataclasses.replace(PRESETS["kaggle"], axes=Axes(32, 256, file.dt_s, file.df_hz)).dof
    low, high = PRESETS["kaggle"].noise.dof_scale
    assert low * nominal < k.mean() < high * nominal
    model = np.split(chi2_noise((32, 8 * 1024), float(k.mean()), key=1).double().numpy(), 64, axis=1)
    ours = np.array([implied_dof(piece) for piece in model])
    assert abs(ours.mean() - k.mean()) < 3 * k.std() / np.sqrt(8)
    assert 0.4 < ours.std() / k.std() < 2.5
    for axis in (0, 1):
        theirs = np.array([lag_1(piece, axis) for piece in pieces])
        mine = np.array([lag_1(piece, axis) for piece in model])
        assert abs(mine.mean() - theirs.mean()) < 3 * np.hypot(theirs.std() / np.sqrt(8), mine.std() / 8)


@needs_real
def test_a_set_with_real_noise(tmp_path: Path):
    quiet = Rfi(carriers=0.0, blobs=0.0, bursts=0.0, lines=0.0, squiggles=0.0, combs=0.0, dc_spike=0.0, decoys=0.0)
    simulation = Simulation(axes=Axes(n_time=16, n_freq=128, dt_s=18.0), rfi=quiet, scenes=Scenes(), normalise=False)
    out = simulate(tmp_path / "set", simulation, n_train=20, n_test=0, background=REAL, progress=False)
    truth = pd.read_csv(out / "truth.csv").query("target == 0")
    k = []
    for name in truth["id"]:
        cadence = np.load(out / "train" / name[0] / f"{name}.npy").astype(np.float64)
        k += [implied_dof(panel) for panel in cadence]
    assert 6.5 < np.mean(k) < 8.0  # the file's own, 7.3


@needs_real
def test_a_set_with_real_levels(tmp_path: Path):
    simulation = Simulation(axes=Axes(n_time=16, n_freq=128, dt_s=18.0), scenes=Scenes(n_freq=256), normalise=False)
    out = simulate(tmp_path / "set", simulation, n_train=30, n_test=0, background=LEVELS, progress=False)
    cadences = np.stack([np.load(path) for path in out.glob("train/*/*.npy")])
    medians = np.median(cadences, axis=(2, 3))
    assert 0.08 < medians.std() / medians.mean() < 0.3  # the table's levels scatter by 17 %

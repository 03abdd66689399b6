"""True places drawn again from a folder's seed are where its needles are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from abacad.data.competition import cadence_path, read_cadence
from abacad.run.simulate import simulate
from abacad.run.truth import TruePaths
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Families, Needles


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    bright = Needles(families=Families.only(line=1.0), pixel_snr=(15, 20), drift_hz_s=(0.01, 0.2), partial=0, cut=0)
    simulation = replace(PRESETS["easy"], needles=bright, scenes=replace(PRESETS["easy"].scenes, n_freq=1024))
    folder = tmp_path_factory.mktemp("sim") / "data"
    return simulate(folder, simulation, n_train=6, n_test=4, seed=3, progress=False)


def test_the_pixels_along_the_true_path_are_bright(simulated):
    truth = pd.read_csv(simulated / "truth.csv")
    paths = TruePaths.of(simulated)
    needles = truth[truth["kind"] == "needle"]
    assert len(needles) > 2
    for _, row in needles.iterrows():
        path = paths.path(row["id"])
        cadence = read_cadence(cadence_path(simulated, row["split"], row["id"]))
        panel, time = np.nonzero(np.isfinite(path) & (path >= 1) & (path <= 254))
        channel = np.round(path[panel, time]).astype(int)
        assert cadence[panel, time, channel].mean() > 3
        assert cadence[panel, time, np.clip(channel + 9, 0, 255)].mean() < 1.5
        assert set(panel) <= {0, 2, 4}


def test_nothing_is_known_of_what_holds_no_needle(simulated):
    truth = pd.read_csv(simulated / "truth.csv")
    empty = truth.loc[truth["kind"] == "none", "id"]
    assert all(TruePaths.of(simulated).path(name) is None for name in empty)
    assert TruePaths.of(None).path("anything") is None
    assert TruePaths.of(simulated).path("no such id") is None

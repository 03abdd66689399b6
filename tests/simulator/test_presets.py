import subprocess
import sys

import pytest

from abacad.simulator.presets import ABOUT, PRESETS


def test_presets_need_neither_torch_nor_numpy():
    code = "import sys, abacad.simulator.presets; print([m for m in ('torch', 'numpy', 'scipy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_presets_are_what_their_names_say():
    kaggle, mlebench = PRESETS["kaggle"], PRESETS["mlebench"]
    assert kaggle.positives == mlebench.positives == 0.1
    assert kaggle.needles.families.s_curve == 0
    assert kaggle.needles.test_families is not None
    assert kaggle.needles.test_families.s_curve > 0
    assert kaggle.scenes.overlap == "split"
    assert mlebench.needles.test_families is None
    assert mlebench.scenes.overlap == "shared"
    telescope = PRESETS["telescope"].axes
    assert (telescope.n_time, round(telescope.dt_s, 2), round(telescope.df_hz, 2)) == (16, 18.25, 2.79)
    low, high = PRESETS["demo"].needles.pixel_snr
    assert (low * high) ** 0.5 < 1  # half of the needles are fainter than 1 σ a pixel


@pytest.mark.parametrize(("name", "dof"), [("kaggle", 12), ("telescope", 204)])
def test_nominal_degrees_of_freedom(name: str, dof: int):
    assert PRESETS[name].dof == dof


def test_each_preset_says_what_it_is_for_in_two_lines_of_a_terminal():
    assert list(ABOUT) == list(PRESETS)
    assert all(0 < len(said) < 90 for said in ABOUT.values())

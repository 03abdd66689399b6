"""Six telescope files make a cadence; the window at a frequency holds what stands at that frequency."""

import numpy as np
import pytest

from abacad.data.observation import open_telescope_cadence
from abacad.errors import AbacadError, CadenceError
from tests.data.test_background import write_fil, write_h5


def six(folder, write=write_fil, n_channels=600, n_rows=(20, 20, 20, 20, 20, 16), marked=400):
    """Six files of noise with a bright channel in the ON files."""
    rng = np.random.default_rng(0)
    paths = []
    for panel, rows in enumerate(n_rows):
        data = rng.chisquare(20, (rows, n_channels)).astype(np.float32)
        if panel % 2 == 0:
            data[:, marked] += 200
        paths.append(write(folder / f"{panel}{'.h5' if write is write_h5 else '.fil'}", data))
    return paths


@pytest.mark.parametrize("write", [write_fil, write_h5])
def test_windows_overlap_by_half_and_hold_the_rows_that_all_files_have(tmp_path, write):
    cadence = open_telescope_cadence(six(tmp_path, write))
    assert list(cadence.starts(256)) == [0, 128, 256]
    window = cadence.window(256, 256)
    assert window.shape == (6, 16, 256)
    assert window[0].mean(0).argmax() == 400 - 256
    assert window[1].mean(0).max() < 60
    step = cadence.freq_mhz(1) - cadence.freq_mhz(0)
    assert step == pytest.approx(cadence.panels[0].df_hz * 1e-6)


def test_files_that_do_not_fit_together_are_refused(tmp_path):
    paths = six(tmp_path)
    with pytest.raises(AbacadError, match="A B A C A D"):
        open_telescope_cadence(paths[:5])
    other = write_fil(tmp_path / "other.fil", np.ones((20, 512), np.float32))
    with pytest.raises(AbacadError, match=r"other\.fil has other channels"):
        open_telescope_cadence([*paths[:5], other])


def test_a_window_with_nan_is_named(tmp_path):
    paths = six(tmp_path)
    data = np.ones((20, 600), np.float32)
    data[3, 10] = np.nan
    cadence = open_telescope_cadence([*paths[:5], write_fil(tmp_path / "5.fil", data)])
    with pytest.raises(CadenceError, match="0 to 255"):
        cadence.window(0, 256)
    assert np.isfinite(cadence.window(128, 256)).all()

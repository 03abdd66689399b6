"""What is scored, one after the other: arrays, files or windows of telescope files, each told by its own columns."""

import numpy as np
import pytest

from abacad.data.windows import Windows, windows_of
from abacad.errors import AbacadError, CadenceError
from tests.data.files import ramp, write_cadence

SHAPE = (6, 4, 8)


def saved(folder, *names) -> list:
    """Cadences whose values tell their number."""
    paths = []
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.full(SHAPE, number, np.float16))
        paths.append(path)
    return paths


def test_arrays_are_told_by_their_numbers():
    found = windows_of([np.full(SHAPE, number) for number in range(3)], [])
    assert isinstance(found, Windows)
    assert (len(found), found.axes) == (3, None)
    assert [window.read()[0, 0, 0] for window in found] == [0, 1, 2]
    assert found[2].place == 2
    assert found.table([1, 0]).to_dict("list") == {"array": [1, 0]}


def test_where_there_are_arrays_files_are_not_looked_at(tmp_path):
    assert len(windows_of([np.zeros(SHAPE)], [tmp_path / "gone.npy"])) == 1


def test_files_and_folders_are_told_by_their_paths(tmp_path):
    paths = saved(tmp_path, "b.npy", "folder/c.npy", "folder/a.npy")
    found = windows_of(None, [paths[0], tmp_path / "folder"])
    assert isinstance(found, Windows)
    assert [window.read()[0, 0, 0] for window in found] == [0, 2, 1]
    assert found.table([2, 0])["file"].tolist() == [str(paths[1]), str(paths[0])]
    assert found.axes is None


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    (tmp_path / "bad.npy").write_bytes(b"")
    (window,) = windows_of(None, [tmp_path])
    with pytest.raises(CadenceError, match=r"bad\.npy is empty"):
        window.read()


@pytest.mark.parametrize("n_channels", [256, 300, 640])
def test_windows_of_telescope_files_are_half_a_window_apart_and_reach_the_last_channel(n_channels, tmp_path):
    found = windows_of(None, write_cadence(tmp_path, 2, n_channels)[::-1])
    assert isinstance(found, Windows)
    table = found.table(range(len(found)))
    assert table["channel"].tolist() == [*range(0, n_channels - 256, 128), n_channels - 256]
    assert set(table["file"]) == {"0.h5"}
    low_mhz = 6000 - (n_channels - 1) * 2.79e-6
    assert table["freq_mhz"].tolist() == pytest.approx(low_mhz + table["channel"] * 2.79e-6, abs=1e-6)
    for window, channel in zip(found, table["channel"], strict=True):
        np.testing.assert_array_equal(window.read()[4], ramp(2, n_channels, 4)[:, channel : channel + 256])
        np.testing.assert_array_equal(found[window.place].read(), window.read())
    assert found.axes is not None
    assert (found.axes.n_time, found.axes.n_freq) == (2, 256)


def test_the_pattern_may_be_said(tmp_path):
    files = write_cadence(tmp_path, 2, 256)
    with pytest.raises(AbacadError):
        windows_of(None, files, "AAAAAA")
    assert len(windows_of(None, files, "ABACAD")) == 1


def test_formats_do_not_mix_and_nothing_is_nothing(tmp_path):
    files, paths = write_cadence(tmp_path, 2, 256), saved(tmp_path, "a.npy")
    with pytest.raises(AbacadError, match=r"do not go together\.\nScore them with two commands"):
        windows_of(None, [*files, *paths])
    with pytest.raises(AbacadError, match="No files were named"):
        windows_of(None, [])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AbacadError, match=r"There is no \.npy file in .*empty"):
        windows_of([], [tmp_path / "empty"])

"""The cadences meant by files and folders: each once, in order, and never those of the leaky folder."""

import pytest

from abacad.data.listing import cadence_files


@pytest.fixture
def folder(tmp_path):
    for name in ("b/1.npy", "a/2.npy", "a/deep/3.npy", "0.npy", "a/notes.txt", "a/4.NPY", "c/old_leaky_data/5.npy"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(folder, *named):
    return [str(path.relative_to(folder)) for path in cadence_files([folder / name for name in named])]


def test_a_folder_means_its_npy_files_in_order_and_no_other(folder):
    assert found(folder, ".") == ["0.npy", "a/2.npy", "a/deep/3.npy", "b/1.npy"]


def test_files_come_in_the_order_in_which_they_are_named(folder):
    assert found(folder, "b/1.npy", "a", "0.npy") == ["b/1.npy", "a/2.npy", "a/deep/3.npy", "0.npy"]


def test_what_is_named_twice_stands_there_once_where_it_was_named_first(folder):
    (folder / "link.npy").symlink_to(folder / "0.npy")
    assert found(folder, "b", "b/1.npy", "./b") == ["b/1.npy"]
    assert found(folder, "link.npy", "0.npy") == ["link.npy"]


def test_a_file_that_is_named_is_meant_whatever_it_is_called_and_whether_it_is_there(folder):
    """Who opens it tells what is wrong with it."""
    assert found(folder, "a/notes.txt", "absent.npy") == ["a/notes.txt", "absent.npy"]


def test_an_empty_folder_and_no_name_mean_nothing(folder):
    (folder / "empty").mkdir()
    assert found(folder, "empty") == []
    assert cadence_files([]) == []


def test_the_leaky_folder_is_not_opened_even_where_a_link_leads_to_it(folder):
    (folder / "elsewhere" / "old_leaky_data").mkdir(parents=True)
    (folder / "elsewhere" / "old_leaky_data" / "6.npy").touch()
    (folder / "c" / "link").symlink_to(folder / "elsewhere")
    assert found(folder, "c") == []
    assert found(folder, "elsewhere") == []

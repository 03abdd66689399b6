"""Fingerprints on the disk: what is noted as done is there after a kill, and another set's are never taken for ours."""

import os

import numpy as np
import pytest

import abacad.overlap.fingerprint_file as module
from abacad.errors import AbacadError
from abacad.overlap.fingerprint import PROJECTIONS
from abacad.overlap.fingerprint_file import FingerprintFile

IDS, SHAPE = [f"{k:02x}" for k in range(10)], (6, 28, 16)


def codes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (n, 16, 6, PROJECTIONS), dtype=np.int8)


def opened(folder, ids=None, shape=SHAPE) -> FingerprintFile:
    files = {name: folder / f"{name}.npy" for name in (IDS if ids is None else ids)}
    return FingerprintFile(folder / "fingerprints", files, shape)


def half_done(folder) -> FingerprintFile:
    file = opened(folder)
    file.write(0, codes(4))
    file.bad["07"] = "empty"
    file.note(4)
    return file


def test_a_new_file_has_room_for_all_and_nothing_done(tmp_path):
    file = opened(tmp_path)
    assert (file.done, file.bad, file.n) == (0, {}, 10)
    assert file.codes().shape == (10, 16, 6, PROJECTIONS)
    assert file.codes().dtype == np.int8
    assert (file.folder / "codes.npy").stat().st_blocks * 512 >= file.codes().nbytes


def test_what_was_noted_is_there_when_it_is_opened_again(tmp_path):
    half_done(tmp_path)
    again = opened(tmp_path)
    assert (again.done, again.bad) == (4, {"07": "empty"})
    np.testing.assert_array_equal(again.codes()[:4], codes(4))


def test_each_cadence_lies_in_its_place_whatever_the_order_of_writing(tmp_path):
    file = opened(tmp_path)
    made = codes(10)
    for first, last in ((7, 10), (0, 3), (3, 7)):
        file.write(first, made[first:last])
    np.testing.assert_array_equal(opened(tmp_path).codes(), made)


@pytest.mark.parametrize("change", ["ids", "order", "shape", "version"])
def test_fingerprints_of_other_cadences_are_thrown_away(change, tmp_path, monkeypatch):
    half_done(tmp_path)
    ids = {"ids": [*IDS[:-1], "ff"], "order": IDS[::-1]}.get(change, IDS)
    if change == "version":
        monkeypatch.setattr(module, "__version__", "0.0.0")
    again = opened(tmp_path, ids, (6, 28, 17) if change == "shape" else SHAPE)
    assert again.done == 0
    assert not again.codes()[:4].any()


@pytest.mark.parametrize("name", ["card.json", "codes.npy"])
@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_damaged_file_begins_anew(name, content, tmp_path):
    half_done(tmp_path)
    (tmp_path / "fingerprints" / name).write_bytes(content)
    assert opened(tmp_path).done == 0


@pytest.mark.parametrize(
    "content", ["", "[]", '{"cadences": 11, "bad": {}}', '{"cadences": "4", "bad": {}}', '{"cadences": 4}']
)
def test_a_note_that_cannot_be_is_as_good_as_none(content, tmp_path):
    half_done(tmp_path)
    (tmp_path / "fingerprints" / "done.json").write_text(content)
    again = opened(tmp_path)
    assert (again.done, again.bad) == (0, {})


def test_a_full_disk_is_told_with_another_place(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(module, "reserve", full)
    with pytest.raises(AbacadError, match=r"disk is full(.|\n)*name another folder: --out FOLDER"):
        opened(tmp_path)


def test_nothing_is_left_when_it_is_cleared(tmp_path):
    file = half_done(tmp_path)
    file.clear()
    file.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_mended_since_is_another_one(tmp_path):
    for name in IDS:
        (tmp_path / f"{name}.npy").write_bytes(b"a cadence")
    half_done(tmp_path)
    assert opened(tmp_path).done == 4
    (tmp_path / "07.npy").write_bytes(b"a whole cadence")
    assert (opened(tmp_path).done, opened(tmp_path).bad) == (0, {})

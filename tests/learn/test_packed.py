"""A packed file is believed only if it holds the cadences that it should."""

import numpy as np
import pytest
import torch

from abacad.config import Represent
from abacad.data.competition import read_labels
from abacad.learn.dataset import Cadences
from abacad.learn.packed import pack, worth_packing


class Ramp(torch.utils.data.Dataset):
    """Cadences whose values tell which they are."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.linspace(index, index + 1, 2 * 3 * 4).reshape(2, 3, 4)


def zeros(values: np.ndarray) -> np.ndarray:
    return np.zeros_like(values)


def turned(values: np.ndarray) -> np.ndarray:
    return values[::-1].copy()


def shorter(values: np.ndarray) -> np.ndarray:
    return values[:-1]


def wider(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


@pytest.mark.parametrize("spoil", [zeros, turned, shorter, wider, np.asfortranarray])
def test_a_file_of_something_else_is_made_anew(spoil, tmp_path):
    path = tmp_path / "packed.npy"
    right = np.load(pack(Ramp(), 40, path).path)
    np.save(path, spoil(right))
    again = pack(Ramp(), 40, path)
    np.testing.assert_array_equal(again.values, right)


def test_a_file_that_is_right_is_kept(tmp_path):
    path = tmp_path / "packed.npy"
    pack(Ramp(), 40, path)
    before = path.stat().st_mtime_ns
    pack(Ramp(), 40, path)
    assert path.stat().st_mtime_ns == before


def test_cadences_are_read_by_their_numbers_and_none_beyond_the_last(tmp_path):
    packed = pack(Ramp(), 40, tmp_path / "packed.npy")
    assert len(list(packed)) == 40
    for number in (0, 17, 39, -1):
        np.testing.assert_array_equal(packed[number], packed.values[number].astype(np.float32))
    with pytest.raises(IndexError):
        packed[40]


def test_rubbish_is_replaced(tmp_path):
    path = tmp_path / "packed.npy"
    path.write_bytes(b"rubbish")
    assert torch.allclose(pack(Ramp(), 40, path)[7], Ramp()[7], atol=0.02)


def test_packed_cadences_are_those_of_the_files(shared_competition, tmp_path):
    ids = list(read_labels(shared_competition)["id"])
    source = Cadences(shared_competition, "train", ids, Represent("difference"))
    packed = pack(source, len(ids), tmp_path / "packed.npy")
    assert len(packed) == len(source) == 40
    for index in (0, 17, 39):
        np.testing.assert_allclose(packed[index], source[index], atol=5e-3, rtol=1e-3)
    assert list(tmp_path.iterdir()) == [tmp_path / "packed.npy"]
    assert worth_packing(source, len(ids), tmp_path)
    assert not worth_packing(source, 10**9, tmp_path)

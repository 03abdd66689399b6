"""Coarse channels: the pieces of a band, and the middle of each, where the DC spike stands."""

import pytest

from abacad.data.coarse import middle_channels, pieces
from abacad.data.observation import open_observation
from abacad.signal.cadence import COARSE
from tests.data.files import write_cadence


@pytest.mark.parametrize("n_fine", [0, 1, 1000, COARSE, 3 * COARSE])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("first", [0, 10, 5000])
def test_pieces_cover_every_channel_once_and_none_is_larger_than_a_coarse_channel(n_fine, descending, first):
    n_channels = 6 * COARSE
    found = pieces(n_fine, n_channels, first, n_channels - first, descending, 96)
    ends = [low + size for low, size in found]
    assert [low for low, _ in found] == [0, *ends[:-1]]
    assert ends[-1] == n_channels - first
    # A remnant of fewer than 4,096 channels is joined to its neighbour.
    assert all(size <= COARSE + 2 * 4096 for _, size in found)


@pytest.mark.parametrize("n_fine", [0, 1024, 3000, COARSE])
@pytest.mark.parametrize("rows", [6 * 16, 6 * 32, 2 * 273, 6 * 273, 6 * 279, 10**7])
def test_many_rows_make_narrow_pieces_of_whole_coarse_channels(n_fine, rows):
    """Powers of all panels are in memory at once: 0.45 GB, and never less than noise can be measured in."""
    n_channels = 3000 * 1024
    sizes = [size for _, size in pieces(n_fine, n_channels, 0, n_channels, False, rows)]
    assert all(4 * size * rows <= 0.47e9 or size <= 2 * 4096 for size in sizes)
    assert sum(sizes) == n_channels
    if n_fine in (1024, 3000) and rows < 10**4:
        assert all(size % n_fine == 0 for size in sizes)
        assert 4 * sizes[0] * rows > 0.4e9 or sizes[0] + n_fine > COARSE


@pytest.mark.parametrize(("n_fine", "n_channels", "middles"), [(4, 8, [2, 6]), (2, 4, [1, 3]), (1, 4, []), (3, 8, [])])
def test_only_whole_coarse_channels_of_two_or_more_have_a_middle(n_fine, n_channels, middles):
    assert middle_channels(n_fine, n_channels, 10.0, descending=False) == middles
    mirrored = [n_channels - 1 - channel for channel in reversed(middles)]
    assert middle_channels(n_fine, n_channels, 10.0, descending=True) == mirrored


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(("nfpc", "coarse"), [(8, 2), (16, 1), (10, 0), (None, 0)])
def test_the_middle_of_a_coarse_channel_is_half_its_channels_as_the_file_counts(descending, nfpc, coarse, tmp_path):
    seen = open_observation(write_cadence(tmp_path, 2, 16, descending=descending, nfpc=nfpc))
    as_the_file_counts = sorted(15 - channel if descending else channel for channel in seen.middles())
    assert as_the_file_counts == [place * (nfpc or 0) + (nfpc or 0) // 2 for place in range(coarse)]


def test_the_fine_products_coarse_channels_need_no_word_in_the_header():
    assert middle_channels(0, 2 * COARSE, 2.79, descending=True) == [COARSE // 2 - 1, COARSE + COARSE // 2 - 1]
    assert middle_channels(0, 2 * COARSE, 2860.0, descending=True) == []

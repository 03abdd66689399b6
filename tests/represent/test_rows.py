"""Rows binned: white noise keeps its σ; compression is asinh, odd and linear for noise."""

import pytest
import torch

from abacad.errors import AbacadError
from abacad.represent.rows import compressed, row_blocks, row_sums


def test_blocks_hold_their_rows_and_drop_the_remainder():
    """Each value is the number of its row."""
    x = torch.arange(16.0)[:, None].expand(16, 3)
    blocks = row_blocks(x, 5)
    assert blocks.shape == (3, 5, 3)
    assert blocks[2, :, 1].tolist() == [10, 11, 12, 13, 14]


def test_panels_of_fewer_rows_than_are_summed_are_refused():
    """Nothing would be left of them, and a detector that sees nothing still gives a score."""
    with pytest.raises(
        AbacadError, match=r"Panels of 6 rows: this detector sums 7 rows.*\n.*--represent\.rows 6 or fewer"
    ):
        row_sums(torch.zeros(6, 6, 8), 7)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_noise_keeps_its_sigma_and_a_line_gains_the_root_of_the_rows(rows):
    noise = torch.randn(4, 273, 256, generator=torch.Generator().manual_seed(0))
    assert row_sums(noise, rows).std() == pytest.approx(1, abs=0.02)
    assert row_sums(torch.ones(21, 2), rows) == pytest.approx(rows**0.5)


def test_compression_is_asinh():
    x = torch.linspace(-2000, 2000, 4001)
    torch.testing.assert_close(compressed(x), 4 * torch.asinh(x / 4), rtol=1e-4, atol=1e-5)
    assert float(compressed(torch.tensor(1000.0))) == pytest.approx(25, abs=0.2)
    small = torch.tensor([-0.5, 0.0, 0.5])
    torch.testing.assert_close(compressed(small), small, rtol=0.01, atol=1e-6)

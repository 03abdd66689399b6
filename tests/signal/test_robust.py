"""Order statistics, by NumPy on a CPU and by torch elsewhere."""

import torch

from abacad.represent.clean import _QUANTILES
from abacad.signal.robust import median, quantiles


def test_order_statistics_by_numpy_are_those_of_torch():
    x = torch.randn(3, 40, generator=torch.Generator().manual_seed(3))
    assert torch.equal(median(x), x.median(-1).values)
    torch.testing.assert_close(quantiles(x, _QUANTILES), torch.quantile(x, _QUANTILES, dim=-1))

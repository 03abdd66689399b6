"""The receiver: gains multiply, each panel is normalised by its own mean and spread, and a dead panel stays dead."""

import pytest
import torch

from abacad.simulator.receiver import normalised, receive

SHAPE = (2, 6, 12, 32)


def power(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 200 + 20 * torch.randn(SHAPE, generator=generator)


def gains(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    freq = 0.5 + torch.rand(2, 1, 1, 32, generator=generator)
    return freq, 0.5 + torch.rand(2, 6, 12, 1, generator=generator)


def received(values: torch.Tensor, freq: torch.Tensor, time: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    out = torch.empty(values.shape, dtype=dtype)
    receive(values.clone(), freq, time, torch.empty_like(values), out)
    return out


def test_raw_power_is_multiplied_by_both_gains():
    freq, time = gains()
    torch.testing.assert_close(received(power(), freq, time, torch.float32), power() * freq * time)


def test_each_panel_has_mean_0_and_spread_1_whatever_its_gains():
    """As the formula says, panel by panel; float16 holds three digits."""
    freq, time = gains()
    found = received(power(), freq, time, torch.float16)
    exact = power().double() * freq * time
    mean, std = exact.mean((-2, -1), keepdim=True), exact.std((-2, -1), unbiased=False, keepdim=True)
    torch.testing.assert_close(found.double(), (exact - mean) / std, atol=3e-3, rtol=2e-3)
    assert found.double().mean((-2, -1)).abs().max() < 1e-3


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_gain_and_offset_of_a_panel_leave_no_trace(scale, offset):
    plain = normalised(power())
    torch.testing.assert_close(normalised((power() + offset) * scale), plain, atol=2e-2, rtol=1e-2)


def test_a_panel_without_variation_is_nought():
    values = power()
    values[0, 2], values[1, 5] = 0.0, 128.0
    found = normalised(values)
    assert found.isfinite().all()
    assert (found[0, 2] == 0).all()
    assert (found[1, 5] == 0).all()
    torch.testing.assert_close(found[0, 1], normalised(power())[0, 1])


def test_memory_for_the_product_may_be_the_power_itself():
    freq, time = gains()
    values, out = power(), torch.empty(SHAPE, dtype=torch.float16)
    receive(values, freq, time, values, out)
    torch.testing.assert_close(out, received(power(), freq, time, torch.float16))


def test_what_is_normalised_stays_as_it_was():
    values = power()
    normalised(values)
    torch.testing.assert_close(values, power())

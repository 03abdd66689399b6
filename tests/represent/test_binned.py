"""The planes of the panel network: shapes, batches, invariances, dead panels."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from abacad.represent.binned import VIEWS, binned
from abacad.represent.residual import Residual
from abacad.signal.cadence import ON
from tests.represent.made import N_FREQ, N_TIME, add_line, noise


@pytest.mark.parametrize(("n_time", "rows", "expected"), [(273, 7, 39), (84, 7, 12), (90, 7, 12), (16, 4, 4)])
def test_shape_is_view_major_and_drops_the_remainder(n_time, rows, expected):
    out = binned(noise(n_time=n_time, batch=(2,)), rows)
    assert out.shape == (2, 6 * len(VIEWS), expected, N_FREQ)
    torch.testing.assert_close(binned(noise(n_time=n_time, batch=(2,)), rows, ("clean",)), out[:, 6:12])


def test_the_view_of_covered_channels_is_zero_where_nothing_is_covered():
    out = binned(noise(n_time=90), 7, ("clean", "residual"))
    assert out.shape == (12, 12, N_FREQ)
    assert (out[6:] == 0).all()


def test_batch_does_not_mix_cadences():
    batch = noise(batch=(2, 3))
    torch.testing.assert_close(binned(batch)[1, 2], binned(batch[1, 2]), rtol=1e-3, atol=1e-3)


def test_a_panel_of_denormal_numbers_counts_as_constant():
    panels = torch.zeros(6, 14, 16)
    panels[0, 0, 0] = 6e-45  # its inverse is infinite
    assert (binned(panels) == 0).all()


def test_unknown_view_is_named():
    with pytest.raises(ValueError, match=r"unknown views \['colour'\]; known are shared, clean, track"):
        binned(noise(), views=("shared", "colour"))


def test_input_is_not_changed():
    panels = noise()
    before = panels.clone()
    binned(panels)
    torch.testing.assert_close(panels, before, rtol=0, atol=0)


@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_white_noise_has_unit_sigma(scale):
    """In every view that is linear in the noise, whatever the unit: the compression takes 1–2 % at 1 σ."""
    out = binned(scale * noise(n_time=273, n_freq=256) + 3).unflatten(0, (3, 6))
    assert out[0].std(dim=(-2, -1)) == pytest.approx(torch.full((6,), 0.99), abs=0.05)
    assert out[1].std(dim=(-2, -1)) == pytest.approx(torch.full((6,), 0.99), abs=0.05)
    assert out[2].std(dim=(-2, -1)) == pytest.approx(torch.full((6,), 0.95), abs=0.2)
    assert out.mean(dim=(-2, -1)).abs().max() < 0.3


@settings(max_examples=25, deadline=None)
@given(
    gain=st.lists(st.floats(0.02, 50), min_size=6, max_size=6),
    offset=st.lists(st.floats(-20, 20), min_size=6, max_size=6),
)
def test_gain_and_offset_of_a_panel_do_not_matter(gain, offset):
    panels = add_line(noise(), ON, 30, 5, 2.0)
    changed = panels * torch.tensor(gain).view(6, 1, 1) + torch.tensor(offset).view(6, 1, 1)
    torch.testing.assert_close(binned(changed), binned(panels), rtol=2e-2, atol=2e-2)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.float32,
        (6, 14, 16),
        elements=st.floats(-(2.0**127), 2.0**127, width=32) | st.sampled_from([0.0, 1.0, -1.0]),
    )
)
def test_finite_for_any_finite_input(panels):
    assert binned(torch.from_numpy(panels)).isfinite().all()


@pytest.mark.parametrize("value", [0.0, 1.0, -3e38, 0.1, 1e30])
def test_dead_panels_are_zero_and_leave_the_others_alive(value):
    panels = noise()
    panels[[1, 4]] = value
    out = binned(panels).unflatten(0, (3, 6))
    assert (out[:, [1, 4]] == 0).all()
    assert (out[:, [0, 2, 3, 5]].std(dim=(-2, -1)) > 0.1).all()


def test_nothing_but_dead_panels_is_zero():
    assert (binned(torch.ones(6, N_TIME, N_FREQ)) == 0).all()


def test_a_batch_with_residuals_is_its_cadences_and_the_view_says_what_is_covered():
    panels, covered = noise(batch=(5,)), torch.zeros(5, 6, N_FREQ, dtype=torch.bool)
    for number in range(5):
        covered[number, :, 10 * number : 10 * number + 8] = True
    residual = Residual(0.01 * noise(seed=1, batch=(5,)), covered)
    out = binned(panels, 7, ("clean", "residual"), residual)
    assert torch.equal(out[:, 6:] == 1, covered[:, :, None].expand(-1, -1, N_TIME // 7, -1))
    alone = binned(panels[4], 7, ("clean", "residual"), Residual(residual.difference[4], covered[4]))
    torch.testing.assert_close(out[4], alone, rtol=1e-3, atol=1e-3)

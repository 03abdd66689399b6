"""From panels to planes: finite for any input, and blind to what the normalisation promises to be blind to."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from abacad.config import Represent
from abacad.represent.representation import represent, representation
from abacad.represent.standard import signed_log1p, standardise

KINDS = ("difference", "on", "panels", "tall", "tall_on", "binned")
SHAPES = {
    "difference": (3, 21, 16),
    "on": (3, 21, 16),
    "panels": (6, 21, 16),
    "tall": (1, 126, 16),
    "tall_on": (1, 63, 16),
}


def cadence(seed: int = 0, *batch: int) -> torch.Tensor:
    return torch.randn(*batch, 6, 21, 16, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_shape_is_as_told_and_a_batch_is_its_cadences(kind):
    recipe = Represent(kind=kind)
    batch = cadence(0, 4)
    planes = represent(batch, recipe)
    assert planes.shape[-3] == representation(recipe).n_planes
    assert kind == "binned" or planes.shape[1:] == SHAPES[kind]
    torch.testing.assert_close(planes[2], represent(batch[2], recipe), atol=1e-4, rtol=1e-4)


def test_difference_is_on_minus_the_off_that_follows():
    panels = torch.zeros(6, 21, 16)
    panels[2, 5, 7], panels[5, 3, 3] = 1.0, 1.0
    planes = represent(panels, Represent("difference", contrast="none"))
    brightest, darkest = (int(values.argmax()) for values in (planes[1], -planes[2]))
    assert (brightest, darkest) == (5 * 16 + 7, 3 * 16 + 3)
    assert (planes[0] == 0).all()


def test_planes_have_mean_0_and_std_1():
    for kind in SHAPES:
        planes = represent(cadence(), Represent(kind))
        torch.testing.assert_close(planes.mean((-2, -1)), torch.zeros(planes.shape[0]), atol=1e-5, rtol=0)
        torch.testing.assert_close(planes.std((-2, -1), correction=0), torch.ones(planes.shape[0]))


@given(arrays.arrays(np.float32, (6, 14, 8), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
@settings(max_examples=60, deadline=None)
def test_any_finite_cadence_gives_finite_planes(values):
    for kind in KINDS:
        assert represent(torch.from_numpy(values), Represent(kind)).isfinite().all(), kind


@given(
    gains=st.lists(st.floats(0.01, 100), min_size=6, max_size=6),
    offsets=st.lists(st.floats(-50, 50), min_size=6, max_size=6),
    kind=st.sampled_from(KINDS),
)
@settings(max_examples=40, deadline=None)
def test_a_gain_and_an_offset_of_each_panel_change_nothing(gains, offsets, kind):
    panels = cadence(1)
    changed = panels * torch.tensor(gains)[:, None, None] + torch.tensor(offsets)[:, None, None]
    recipe = Represent(kind)
    torch.testing.assert_close(represent(changed, recipe), represent(panels, recipe), atol=2e-2, rtol=1e-2)


@pytest.mark.parametrize("value", [0.0, 7.0, -65504.0, 1e30])
@pytest.mark.parametrize("kind", KINDS)
def test_constant_panels_give_zeros(kind, value):
    recipe = Represent(kind)
    assert (represent(torch.full((6, 21, 16), value), recipe) == 0).all()
    one_dead = cadence()
    one_dead[3] = value
    assert represent(one_dead, recipe).isfinite().all()


def test_contrast_is_odd_and_is_log1p_above_zero():
    values = torch.linspace(-9, 9, 31)
    torch.testing.assert_close(signed_log1p(values), -signed_log1p(-values))
    torch.testing.assert_close(signed_log1p(values[16:]), values[16:].log1p())


def test_standardise_survives_the_largest_numbers():
    huge = torch.tensor([[3e38, -3e38], [1e38, 0.0]])
    assert standardise(huge).isfinite().all()
    assert standardise(huge).std(correction=0) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_reversing_time_or_frequency_twice_is_nothing(kind):
    seen = representation(Represent(kind))
    planes = seen.make(cadence())
    assert torch.equal(seen.reverse_time(seen.reverse_time(planes)), planes)
    assert torch.equal(seen.reverse_freq(seen.reverse_freq(planes)), planes)
    assert torch.equal(seen.stacked(seen.unstacked(planes)), planes)


@pytest.mark.parametrize("kind", ["on", "panels", "tall", "tall_on"])
def test_reversing_time_commutes_with_representing(kind):
    """The reversed cadence, ON panels back at the ON places, is represented as the reversed planes."""
    panels, seen = cadence(), representation(Represent(kind))
    reversed_panels = representation(Represent("panels")).reverse_time(panels)
    torch.testing.assert_close(seen.make(reversed_panels), seen.reverse_time(seen.make(panels)), atol=1e-5, rtol=1e-5)


def test_a_line_through_the_cadence_stays_a_line_when_time_is_reversed():
    """Its channel moves by the same step from row to row of the first five panels, ON and OFF."""
    panels = torch.zeros(6, 4, 64)
    for panel in range(6):
        for row in range(4):
            panels[panel, row, 4 * panel + row] = 1
    seen = representation(Represent("panels"))
    channel = seen.reverse_time(panels)[:5].argmax(-1).flatten()
    assert (channel.diff() == -1).all()
    assert seen.time_reversed(6) == [4, 3, 2, 1, 0, 5]
    assert representation(Represent("binned")).time_reversed(12) == [4, 3, 2, 1, 0, 5, 10, 9, 8, 7, 6, 11]


@pytest.mark.parametrize("kind", SHAPES)
def test_summed_rows_keep_what_stands_in_them_and_lift_it_over_the_noise(kind):
    """A channel of 0.5 σ a pixel has √7 times the SNR in planes of seven rows in one; rows that remain are dropped."""
    panels = torch.randn(6, 145, 512, generator=torch.Generator().manual_seed(2))
    panels[[0, 2, 4], :, 100] += 0.5
    whole, summed = (
        representation(Represent(kind, "none", rows)).unstacked(represent(panels, Represent(kind, "none", rows)))
        for rows in (None, 7)
    )
    assert summed.shape[-2] == 20
    assert whole.shape[-2] == 145
    on = summed[::2] if len(summed) == 6 else summed
    before = whole[::2] if len(whole) == 6 else whole
    ratio = on[..., 100].mean() / before[..., 100].mean()
    assert ratio == pytest.approx(7**0.5, rel=0.1)


def test_old_recipes_without_rows_mean_what_they_did():
    assert [Represent(kind).summed_rows for kind in KINDS] == [1, 1, 1, 1, 1, 7]
    assert Represent("tall_on", rows=3).summed_rows == 3


@pytest.mark.parametrize("kind", ["difference", "on", "tall_on"])
def test_cleaned_planes_lose_a_carrier_whose_gain_differs_and_keep_a_drifting_line(kind):
    noise = torch.randn(6, 273, 64, generator=torch.Generator().manual_seed(1))
    rows = torch.arange(273)
    noise[:, :, 50] += torch.tensor([3.0, 1.5, 4.0, 2.0, 5.0, 1.0])[:, None]
    noise[0, rows, 10 + rows * 20 // 273] += 2.0
    on_line, on_carrier = {}, {}
    for cleaned in (False, True):
        planes = represent(noise, Represent(kind, rows=7, cleaned=cleaned))
        first = planes[0, :39]  # the first ON panel, whether planes are stacked or not
        middle = 7 * torch.arange(39) + 3
        on_line[cleaned] = first[torch.arange(39), 10 + middle * 20 // 273].mean()
        on_carrier[cleaned] = first[:, 50].mean()
    assert on_carrier[False] > 1.0
    assert abs(on_carrier[True]) < 0.5
    assert on_line[True] > 0.9 * on_line[False] > 0.5


@pytest.mark.parametrize("kind", SHAPES)
def test_evidence_goes_back_to_the_panels_and_none_is_lost(kind):
    planes = represent(cadence(0, 2), Represent(kind))
    evidence = torch.rand(planes.shape, generator=torch.Generator().manual_seed(1))
    back = representation(Represent(kind)).by_panel(evidence, planes)
    assert back.shape == (2, 6, 21, 16)
    assert float(back.sum()) == pytest.approx(float(evidence.sum()), rel=1e-4)

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from abacad.represent.panels import (
    _QUANTILES,
    VIEWS,
    _median,
    _quantiles,
    binned,
    decluttered,
    evened,
    track_evidence,
    whitened,
)
from abacad.signal.cadence import OFF, ON

N_TIME, N_FREQ = 84, 64


def noise(seed=0, n_time=N_TIME, n_freq=N_FREQ, batch=()):
    return torch.randn(*batch, 6, n_time, n_freq, generator=torch.Generator().manual_seed(seed))


def add_line(panels, which, f0, drift_per_panel, amplitude):
    """A straight line one channel wide that carries on from panel to panel."""
    panels = panels.clone()
    n_time, n_freq = panels.shape[-2:]
    for panel in which:
        f = f0 + drift_per_panel * (panel - 2 + (torch.arange(n_time) + 0.5) / n_time - 0.5)
        panels[..., panel, :, :] += amplitude * torch.exp(-2 * (torch.arange(n_freq) - f[:, None]) ** 2)
    return panels


@pytest.mark.parametrize(("n_time", "rows", "expected"), [(273, 7, 39), (84, 7, 12), (90, 7, 12), (16, 4, 4)])
def test_shape_is_view_major_and_drops_the_remainder(n_time, rows, expected):
    out = binned(noise(n_time=n_time, batch=(2,)), rows)
    assert out.shape == (2, 6 * len(VIEWS), expected, N_FREQ)
    torch.testing.assert_close(binned(noise(n_time=n_time, batch=(2,)), rows, ("clean",)), out[:, 6:12])


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


def test_a_carrier_in_all_panels_goes_and_a_still_needle_in_on_alone_stays():
    """The spectrum that is subtracted is one that most panels share."""
    carrier, needle = 20, 40
    panels = noise(n_time=273)
    panels[:, :, carrier] += 5
    panels[list(ON), :, needle] += 1
    white, _ = whitened(panels)
    profile = white.mean(-2)
    assert profile[:, carrier].abs().max() < 0.4
    assert profile[list(ON), needle].mean() == pytest.approx(1, abs=0.25)
    assert profile[list(OFF), needle].abs().max() < 0.4


def test_a_drifting_line_outlives_the_cleaning_and_gain_drift_does_not():
    drift, amplitude = 8, 1.0
    panels = add_line(noise(n_time=273, n_freq=128), ON, 64, drift, amplitude)
    wave = torch.sin(torch.arange(273) / 40)[:, None] * torch.cos(torch.arange(128) / 20)
    clean = decluttered(whitened(panels + 3 * wave)[0])
    without = decluttered(whitened(noise(n_time=273, n_freq=128) + 3 * wave)[0])
    assert without.std() == pytest.approx(1, abs=0.05)
    along = torch.zeros(6)
    for panel in ON:
        f = (64 + drift * (panel - 2 + (torch.arange(273) + 0.5) / 273 - 0.5)).round().long()
        along[panel] = clean[panel, torch.arange(273), f].mean()
    assert along[list(ON)].min() > 0.6 * amplitude
    smooth = clean.unflatten(1, (39, 7)).mean(2)
    assert smooth.std() < 1.15 / 7**0.5


def test_track_evidence_matches_the_recursion_by_hand():
    """Two rows and one channel, whose neighbours hold `begin`: α₂ = hop·2b + stay·max(L₁ α₁, b)."""
    amplitude, stay, begin = 1.2, 0.6, 1e-3
    values = np.array([2.0, 0.5])
    ratio = np.exp(amplitude * values - amplitude**2 / 2)
    first = begin
    second = (1 - stay) * begin + stay * max(ratio[0] * first, begin)
    back = (1 - stay) * begin + stay * max(ratio[1] * first, begin)
    expected = np.log([first * ratio[0] * back / begin**2, second * ratio[1] * first / begin**2])
    clean = torch.tensor(values, dtype=torch.float32).view(1, 2, 1)
    assert track_evidence(clean, amplitude, stay, begin)[0, :, 0].numpy() == pytest.approx(expected, abs=1e-4)


def test_a_random_walk_leaves_a_track():
    generator = torch.Generator().manual_seed(3)
    steps = torch.randint(-1, 2, (273,), generator=generator)
    path = (32 + steps.cumsum(0) - steps.cumsum(0)[136]).clamp(4, 59)
    clean = torch.randn(6, 273, 64, generator=generator)
    clean[2, torch.arange(273), path] += 2.0
    evidence = track_evidence(clean)
    assert evidence[2, torch.arange(273), path].median() > evidence[[0, 1, 3, 4, 5]].amax(-1).median() + 5
    assert (evidence[2].argmax(-1) - path).abs().median() <= 1


def chi2_noise(dof, seed=0, shape=(6, 128, 128)):
    """Noise of a power of `dof` degrees of freedom: mean 0, σ 1, skew."""
    power = np.random.default_rng(seed).chisquare(dof, shape) / dof
    return torch.from_numpy((power - 1) / np.sqrt(2 / dof)).float()


@pytest.mark.parametrize("dof", [8, 10.6, 60, 204])
def test_evened_noise_is_no_longer_skew(dof):
    before, after = chi2_noise(dof), evened(chi2_noise(dof))
    assert after.mean() == pytest.approx(0, abs=0.01)
    assert after.std() == pytest.approx(1, abs=0.05)
    assert (after**3).mean().abs() < 0.55 * (before**3).mean()


def test_a_weak_signal_gains_in_skew_noise_and_loses_nothing_in_normal_noise():
    for noise_only, least in ((chi2_noise(10.6), 1.06), (noise(n_time=128, n_freq=128), 0.97)):
        with_signal = noise_only.clone()
        with_signal[:, :, 40] += 0.2
        gained = (evened(with_signal) - evened(noise_only))[:, :, 40].mean() / evened(noise_only).std()
        assert gained / 0.2 > least


def test_order_statistics_by_numpy_are_those_of_torch():
    x = torch.randn(3, 40, generator=torch.Generator().manual_seed(3))
    assert torch.equal(_median(x), x.median(-1).values)
    torch.testing.assert_close(_quantiles(x), torch.quantile(x, _QUANTILES, dim=-1))

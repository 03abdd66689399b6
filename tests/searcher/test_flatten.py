"""Powers become multiples of the noise σ: any bandpass and gain vanishes, and a line keeps its SNR."""

import numpy as np
import pytest

from abacad.searcher.flatten import BLOCK, bandpass, flatten, noise_sigma
from abacad.searcher.unit import read_unit
from tests.searcher.made import made

DOF = 200
SIGMA = np.sqrt(2 / DOF)


def noise(n_time=16, n_freq=8192, seed=0, dof=DOF) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.chisquare(dof, (n_time, n_freq)) / dof).astype(np.float32)


def flat(panel: np.ndarray) -> np.ndarray:
    out = np.empty_like(panel)
    flatten(panel.copy(), out)
    return out


def shapes(n: int) -> dict[str, np.ndarray]:
    x = np.linspace(-1, 1, n)
    return {
        "level": np.ones(n), "tilted": 1 + 0.9 * x, "round": 1 - 0.75 * x**2, "rippled": 1 + 0.2 * np.sin(4 * x),
        "faint": np.full(n, 1e-12), "bright": np.full(n, 1e12),
    }  # fmt: skip


@pytest.mark.parametrize("shape", shapes(8))
def test_whatever_the_bandpass_noise_has_mean_0_and_sigma_1_everywhere(shape):
    found = flat((noise() * shapes(8192)[shape]).astype(np.float32))
    for part in np.split(found, 8, axis=1):
        assert abs(part.mean()) < 0.1  # 512 channels of 16 rows know their median to 0.01 σ
        assert part.std() == pytest.approx(1, abs=0.06)


def test_gain_is_taken_out_row_by_row():
    gain = np.linspace(0.5, 2.0, 16)[:, None]
    np.testing.assert_allclose(flat((noise() * gain).astype(np.float32)), flat(noise()), atol=0.08)


def test_units_are_nothing_to_it():
    np.testing.assert_allclose(flat(noise() * np.float32(2**40)), flat(noise()), atol=1e-4)


@pytest.mark.parametrize("amplitude", [3.0, 30.0])
@pytest.mark.parametrize("channel", [5, 1000, 4095, 8190])
def test_a_line_keeps_its_snr_wherever_it_stands(channel, amplitude):
    """Each pixel of it rises by its amplitude in σ: neither bandpass nor σ follow it, even at the edges."""
    panel, band = noise(), 1 - 0.7 * np.linspace(-1, 1, 8192) ** 2
    with_line = panel.copy()
    with_line[:, channel] += amplitude * SIGMA
    risen = flat((with_line * band).astype(np.float32)) - flat((panel * band).astype(np.float32))
    # at 30 σ the mean spectrum of the outermost block, fitted by a straight line, still knows a little of it
    assert risen[:, channel].mean() == pytest.approx(amplitude, rel=0.08)
    others = np.delete(risen, channel, axis=1)
    assert np.abs(others.mean(axis=0)).max() < 0.05 * amplitude


def test_what_is_masked_is_exactly_nought_and_changes_nothing_else():
    panel = noise()
    holed = panel.copy()
    holed[3:6, 100:900] = np.nan
    holed[9, :] = np.inf
    out = np.empty_like(holed)
    masked, dead, sigma = flatten(holed.copy(), out)
    assert (masked, dead) == (3 * 800 + 8192, 0)
    assert (out[3:6, 100:900] == 0).all()
    assert (out[9] == 0).all()
    assert sigma == pytest.approx(SIGMA, rel=0.05)
    there = out != 0
    np.testing.assert_allclose(out[there], flat(panel)[there], atol=0.3)
    assert np.abs(out[there] - flat(panel)[there]).mean() < 0.03


def test_channels_without_power_are_dead_and_the_others_stay_what_they_are():
    panel = noise()
    panel[:, 2048:3072] = 0
    out = np.empty_like(panel)
    _, dead, _ = flatten(panel, out)
    assert dead == 1024
    assert (out[:, 2048:3072] == 0).all()
    assert out[:, :2048].std() == pytest.approx(1, abs=0.05)
    assert out[:, 3072:].std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("empty", [0.0, np.nan])
def test_a_panel_of_nothing_is_nothing(empty):
    panel = np.full((4, 2048), empty, np.float32)
    out = np.full_like(panel, 7)
    masked, dead, _ = flatten(panel, out)
    assert (out == 0).all()
    assert dead == 2048
    assert masked == (0 if empty == 0 else panel.size)


@pytest.mark.parametrize("n_freq", [16, 100, BLOCK, 1300, 5 * BLOCK + 7])
def test_narrow_bands_and_odd_ones_are_flattened_too(n_freq):
    found = flat(noise(64, n_freq))
    assert found.shape == (64, n_freq)
    assert abs(found.mean()) < 0.2
    assert found.std() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_values_of_few_bits_have_sigma_1_and_the_middle_of_a_median_does_not_matter(bits):
    """The median absolute deviation of one bit is 0, of two bits up to twice σ: nothing was found, or half as deep."""
    steps = np.clip(np.round((noise() - 1) / SIGMA * 0.75 * 2**bits / 4 + (2**bits - 1) / 2), 0, 2**bits - 1)
    panel = steps.astype(np.float32)
    panel[:, 4000] = 2**bits - 1  # a line, as bright as may be
    found = flat(panel)
    others = np.delete(found, 4000, axis=1)
    assert others.std() == pytest.approx(1, abs=0.03)
    assert abs(others.mean()) < 0.05
    assert found[:, 4000].mean() > 0.9


@pytest.mark.parametrize("level", [0.0, -3.0])
def test_differences_from_a_level_are_flattened_as_the_powers_are(level):
    powers = noise()
    powers[:, 4000] += 5 * SIGMA
    found = flat(((powers - 1) * 1000 + level).astype(np.float32))
    np.testing.assert_allclose(found, flat(powers), atol=0.15)


def test_it_may_be_done_in_place():
    panel = noise()
    expected = flat(panel)
    flatten(panel, panel)
    np.testing.assert_array_equal(panel, expected)


@pytest.mark.parametrize("shape", ["level", "tilted", "round", "rippled"])
def test_the_bandpass_is_smooth_and_no_line_is_in_it(shape):
    true = shapes(8192)[shape]
    spectrum = true * (1 + 0.0025 * np.random.default_rng(0).normal(size=8192))
    with_lines = spectrum.copy()
    with_lines[[1, 700, 4000, 8190]] *= 50
    found = bandpass(with_lines.astype(np.float32))
    inner = slice(256, -256)
    np.testing.assert_allclose(found[inner], true[inner], rtol=0.01)
    np.testing.assert_allclose(found, bandpass(spectrum.astype(np.float32)), rtol=0.02)


def test_sigma_follows_the_noise_and_not_a_line_or_a_hole():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=(16, 4096)) * np.repeat([0.1, 0.1], 2048)
    plain = noise_sigma(sample, 4096)
    sample[:, 100:110] += 5
    sample[:, 1000:1100] = np.nan
    np.testing.assert_allclose(noise_sigma(sample, 4096), plain, rtol=0.03)
    assert plain == pytest.approx(np.full(4096, 0.1), rel=0.05)


def test_where_nothing_scatters_nothing_can_be_a_signal():
    assert np.isinf(noise_sigma(np.zeros((4, 64)), 64)).all()


def test_flattened_noise_has_mean_0_and_sigma_1_up_to_the_edges():
    unit, noise = read_unit(made(seed=8, n_freq=32768), 0, 32768, 1.0)
    for low in (0, 100, 16000, 32000, 32568):
        part = unit.power[:, :, low : low + 200]
        assert np.abs(part.mean(axis=(1, 2))).max() < 0.25  # a median of 512 channels of 16 rows is good to 0.02 σ
        assert part.std(axis=(1, 2)) == pytest.approx(1, abs=0.06)
    assert [panel.relative_sigma for panel in noise] == pytest.approx([0.1] * 6, rel=0.05)


@pytest.mark.parametrize("dof", [2, 8, 204])
def test_sigma_is_that_of_sums_whatever_the_skewness_of_a_pixel(dof):
    """The deviation of single pixels alone is 8 % too small with 8 degrees of freedom, 28 % with 2."""
    noise = np.random.default_rng(3).chisquare(dof, (210, 4096)).astype(np.float32) / dof
    sigma = noise_sigma(noise - 1, 4096)
    assert sigma == pytest.approx(np.full(4096, np.sqrt(2 / dof)), rel=0.03)


def test_sigma_of_skew_pixels_is_not_moved_by_lines_or_masked_rows():
    noise = np.random.default_rng(3).chisquare(8, (210, 1024)).astype(np.float32) / 8
    alone = noise_sigma(noise - 1, 1024)
    noise[:, ::50] += 30
    noise[5] = np.nan
    assert noise_sigma(noise - 1, 1024) == pytest.approx(alone, rel=0.05)


@pytest.mark.parametrize("lost", [slice(10, None), slice(None, None, 3)], ids=["the end", "a chunk in every third row"])
def test_sigma_of_what_is_left_of_a_panel(lost):
    """A file cut short while it was read had no σ at all, and the search of it ended."""
    noise = np.random.default_rng(3).chisquare(4, (16, 4096)).astype(np.float32) / 4 - 1
    alone = noise_sigma(noise, 4096)
    noise[lost, : None if lost.step is None else 2048] = np.nan
    assert noise_sigma(noise, 4096) == pytest.approx(alone, rel=0.3)
    noise[:] = np.nan
    assert np.isinf(noise_sigma(noise, 4096)).all()


@pytest.mark.parametrize("sigma", [3.5, 4.0, 5.0, 5.1, 7.0, 16.0])
def test_whole_counts_have_sigma_1(sigma):
    """The deviation of whole numbers is a whole number: of noise of five counts it would be off by a tenth."""
    rng = np.random.default_rng(4)
    counts = np.rint(100 + sigma * rng.normal(size=(16, 16384))).astype(np.float32)
    out = np.empty_like(counts)
    flatten(counts.copy(), out)
    assert out.std() == pytest.approx(1, abs=0.02)
    again = np.empty_like(counts)
    flatten(counts.copy(), again)
    np.testing.assert_array_equal(out, again)


def test_whole_counts_that_do_not_scatter_make_no_signal():
    counts = np.rint(100 + 5 * np.random.default_rng(4).normal(size=(16, 65536))).astype(np.float32)
    counts[:, 8192:16384] = 100
    out = np.empty_like(counts)
    flatten(counts, out)
    # The gain of a row is off by a tenth of a count; σ beside is five of them, and of these alone it would be a third.
    assert np.abs(out[:, 8704:15872]).max() < 0.1


def test_what_lies_beside_the_channels_that_count_is_not_counted():
    panel = noise(n_freq=4096, seed=3)
    panel[2, :100] = np.nan
    panel[:, 3500:] = 0
    whole = flatten(panel.copy(), panel.copy())
    part = flatten(panel.copy(), panel.copy(), slice(50, 3600))
    assert (whole[0] - part[0], part[0] > 0) == (50, True)
    assert whole[1] - part[1] == panel.shape[1] - 3600

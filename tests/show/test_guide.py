"""The guide follows what stands in ON panels, and not a brighter carrier beside it."""

import numpy as np
import pytest
import torch

from abacad.show.guide import FAINTEST, Guide, _is_sure, best_guide
from abacad.show.picture import Layout
from abacad.signal.cadence import ON, Axes

AXES = Axes()
LAYOUT = Layout.of(AXES)


def _cadence(channel: float, drift_hz_s: float, height: float, panels: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Noise with a line that begins in `channel`."""
    cadence = np.random.default_rng(seed).normal(size=(6, AXES.n_time, AXES.n_freq))
    rows = np.arange(AXES.n_time)
    for panel in panels:
        seconds = AXES.panel_start_s[panel] + (rows + 0.5) * AXES.dt_s
        place = np.floor(channel + drift_hz_s * seconds / AXES.df_hz).astype(int)
        inside = (place >= 0) & (place < AXES.n_freq)
        cadence[panel, rows[inside], place[inside]] += height
    return cadence


@pytest.mark.parametrize(("channel", "drift"), [(60, 0.12), (200, -0.21), (128, 0.0), (30, 0.33)])
def test_the_line_is_found_where_it_was_put(channel, drift):
    guide = best_guide(_cadence(channel + 0.5, drift, 0.8, ON), LAYOUT)
    end = AXES.panel_start_s[4] + AXES.panel_s
    assert guide.channel == pytest.approx(channel + 0.5, abs=2)
    assert (guide.channel + guide.drift_hz_s * end / AXES.df_hz) == pytest.approx(
        channel + 0.5 + drift * end / AXES.df_hz, abs=3
    )
    # averaging rows before de-drifting loses something of the faster ones
    assert 0.55 < guide.strength / (0.8 * np.sqrt(3 * AXES.n_time)) < 1.2
    assert guide.family == ("standing line" if drift == 0 else "drifting line")


@pytest.mark.parametrize("carrier", [1, 90, 255])
def test_a_bright_carrier_in_all_panels_does_not_win(carrier):
    cadence = _cadence(60.5, 0.12, 0.8, ON)
    cadence[:, :, carrier] += 20 * np.linspace(0.8, 1.2, 6)[:, None]
    guide = best_guide(cadence, LAYOUT)
    assert guide.channel == pytest.approx(60.5, abs=2)


def test_what_stands_in_off_panels_too_is_said_to():
    guide = best_guide(_cadence(60.5, 0.12, 0.8, tuple(range(6))), LAYOUT)
    assert guide.family == "line in OFF panels too"
    assert guide.channel == pytest.approx(60.5, abs=2)


def test_noise_gets_no_guide():
    guides = [best_guide(_cadence(0, 0, 0, (), seed), LAYOUT) for seed in range(4)]
    assert all(guide.strength < FAINTEST and guide.or_none is None for guide in guides)
    assert {guide.family for guide in guides} == {"no straight line"}


@pytest.mark.parametrize("carrier", [60, 128, 200])
@pytest.mark.parametrize("width", [1, 3])
def test_a_bright_carrier_in_all_panels_gets_no_drifting_guide(carrier, width):
    cadence = _cadence(0, 0, 0, (), seed=carrier)
    level = np.random.default_rng(carrier).uniform(0.7, 1.3, size=(6, 1, 1))  # each pointing has other sidelobes
    cadence[:, :, carrier : carrier + width] += 8 * level
    guide = best_guide(cadence, LAYOUT)
    assert guide.family == "line in OFF panels too"
    assert not guide.is_drawn
    assert guide.drift_hz_s == pytest.approx(0, abs=0.02)


def test_a_needle_that_crosses_a_carrier_keeps_its_guide():
    cadence = _cadence(60.5, 0.12, 0.8, ON)
    cadence[:, :, 100] += 8
    guide = best_guide(cadence, LAYOUT)
    assert guide.is_drawn
    assert guide.channel == pytest.approx(60.5, abs=2)


def test_two_patches_of_interference_get_no_guide():
    """A path through two ON panels that were bright for some rows was drawn as a drifting line."""
    cadence = _cadence(0, 0, 0, (), seed=3)
    for panel, channel in ((0, 100), (2, 112)):
        cadence[panel, 40:110, channel : channel + 4] += 3
    guide = best_guide(cadence, LAYOUT)
    assert guide.family == "no straight line"
    assert not guide.is_drawn


@pytest.mark.parametrize(
    ("sums", "rows", "sure"),
    [((9, 3, 8), 6, True), ((9, 1, 8), 32, True), ((9, 1, 8), 20, False), ((9, 1, 1), 32, False)],
)
def test_a_line_that_one_on_panel_lacks_is_sure_where_it_lights_the_others_throughout(sums, rows, sure):
    pixels = torch.zeros(3, 32, 64)
    for row in range(rows):
        pixels[:, row, round(10 + 0.25 * row)] = 2
    assert _is_sure(torch.tensor(sums, dtype=torch.float32), pixels, torch.full((3,), 10.0), 0.25) == sure


def test_a_guide_that_a_search_has_measured_is_drawn_whatever_its_class():
    assert Guide(10.0, 0.1, 0.0, "event").is_drawn

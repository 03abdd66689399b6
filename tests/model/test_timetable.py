"""One timetable for all: a line through unequal gaps is found with the panels' real starts and lost with equal ones."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.config import Model
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.classical import event_snr
from abacad.model.detector import SHIPPED
from abacad.model.score import score
from abacad.represent.representation import representation
from abacad.signal.cadence import ON, Axes

N_TIME, N_FREQ = 273, 256


def slewing(*slews_s: float) -> Axes:
    """Axes of the competition's product with these slews between the six panels."""
    axes = Axes(N_TIME, N_FREQ)
    starts = np.concatenate([[0.0], np.cumsum([axes.panel_s + slew for slew in slews_s])])
    return replace(axes, panel_start_s=tuple(starts.tolist()))


UNEVEN = slewing(20, 45, 300, 20, 45)


def line(axes: Axes, bins_per_panel: float, pixel_snr: float, n: int = 8) -> torch.Tensor:
    """`n` cadences of white noise with one line each through the ON panels, its middle in mid band."""
    panels = torch.randn(n, 6, N_TIME, N_FREQ, generator=torch.Generator().manual_seed(1))
    middle_s = axes.panel_start_s[2] + axes.panel_s / 2
    for panel in ON:
        since = axes.panel_start_s[panel] + (np.arange(N_TIME) + 0.5) * axes.dt_s - middle_s
        channel = np.round(N_FREQ / 2 + bins_per_panel * since / axes.panel_s).astype(int)
        panels[:, panel, np.arange(N_TIME), channel] += pixel_snr
    return panels


def test_the_detector_finds_a_line_through_unequal_gaps_only_by_the_real_starts():
    detector, recipe = load_detector(SHIPPED)
    planes = representation(recipe).make(line(UNEVEN, 12.0, 0.42))
    with torch.inference_mode():
        real, constant = detector(planes, UNEVEN), detector(planes)
    assert (real - constant).median() > 1.0
    assert real.median() > 0


def test_the_classical_search_finds_it_only_by_the_real_starts():
    panels = line(UNEVEN, 12.0, 0.6)
    real, constant = event_snr(panels, UNEVEN), event_snr(panels, Axes(N_TIME, N_FREQ))
    assert real.median() > 7
    assert constant.max() < 6  # chance lines of noise reach 5
    assert (real - constant).median() > 2


def test_the_axes_stand_in_a_checkpoint(tmp_path):
    detector, recipe = load_detector(SHIPPED)
    assert detector.axes == Axes()  # what files without axes mean
    detector.axes = UNEVEN
    save_detector(tmp_path / "own.safetensors", detector, Model("panel"), recipe)
    again, _ = load_detector(tmp_path / "own.safetensors")
    assert again.axes == UNEVEN
    planes = representation(recipe).make(line(UNEVEN, 12.0, 0.42, n=2))
    with torch.inference_mode():
        torch.testing.assert_close(again(planes), detector(planes, UNEVEN))


@pytest.mark.parametrize("flip", ["identity", "horizontal", "vertical", "both"])
@pytest.mark.parametrize("own", [True, False], ids=["the detector's own", "the cadence's"])
def test_each_flip_of_a_line_through_unequal_gaps_is_seen_by_the_real_starts(flip, own):
    """Reversed in time, the gaps come in the opposite order, too: found lines are turned round, not summed anew."""
    detector, recipe = load_detector(SHIPPED)
    detector.axes = UNEVEN if own else Axes()
    planes, seen = representation(recipe).make(line(UNEVEN, 12.0, 0.42)), representation(recipe)
    real = score([detector], planes, [flip], seen, None if own else UNEVEN)[:, 0].logit()
    wrong = score([detector], planes, [flip], seen, Axes())[:, 0].logit()
    assert (real - wrong).median() > 1.0
    assert real.median() > 0

"""Lines and tracks in ON alone are seen, whatever else stands in the panels."""

import pytest
import torch

from abacad.metric import auc
from abacad.model.classical import event_snr
from abacad.model.unlearned import excess, line_profile, unlearned_score
from abacad.signal.cadence import OFF, ON, Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate, numbers_for


def noise(n, seed=0):
    return torch.randn(n, 6, 140, 128, generator=torch.Generator().manual_seed(seed))


def lines(panels, snr, where, drift=6.0):
    """Lines that cross the cadence, in some of its panels alone."""
    for panel in where:
        for row in range(140):
            panels[:, panel, row, int(30 + drift * (panel + row / 140))] += snr
    return panels


def test_a_line_in_on_alone_stands_out_and_what_stands_in_off_does_not():
    empty, seen, drifting = (
        unlearned_score(lines(noise(8), snr, where)) for snr, where in ((0, ON), (1, ON), (1, OFF))
    )
    assert seen.min() > empty.max()
    assert drifting.max() < seen.min()
    everywhere, alone = (unlearned_score(lines(noise(8), 1.0, where, 2.0)) for where in (range(6), ON))
    assert everywhere.max() < alone.min()  # slower than `_NEAR` channels a panel: OFF panels have it at the same place


def test_a_wandering_track_in_on_alone_stands_out():
    panels, steps = noise(8), torch.randint(-1, 2, (8, 6, 140), generator=torch.Generator().manual_seed(1))
    for cadence in range(8):
        for panel in ON:
            path = (60 + steps[cadence, panel].cumsum(0)).clamp(0, 127)
            panels[cadence, panel, torch.arange(140), path] += 1.5
    assert unlearned_score(panels).min() > unlearned_score(noise(8)).max()


def test_gains_and_offsets_of_panels_do_not_matter():
    panels = lines(noise(3), 0.5, ON)
    gain = torch.tensor([0.5, 2, 1, 30, 4, 1])[:, None, None]
    torch.testing.assert_close(unlearned_score(panels * gain + 7), unlearned_score(panels), atol=0.05, rtol=0.01)


def test_a_straight_path_has_its_panel_snr_at_its_middle_channel():
    clean = torch.zeros(1, 6, 20, 64)
    clean[0, 2, torch.arange(20), 10 + torch.arange(20)] = 1.0  # a channel a row: the middle is between 19 and 20
    profile = line_profile(clean)[0, 2]
    assert profile.max() == pytest.approx(20**0.5, abs=0.01)
    assert int(profile.argmax()) in (19, 20)


def test_excess_is_over_the_off_panels_nearby():
    profiles = torch.zeros(1, 6, 32)
    profiles[0, 0, 10], profiles[0, 2, 20], profiles[0, 4, 30] = 3.0, 3.0, 3.0
    profiles[0, 1, 13], profiles[0, 3, 26] = 2.0, 9.0
    assert excess(profiles).tolist() == [[1.0, 3.0, 0.0]]


def test_it_beats_the_bare_search_where_there_is_interference():
    """On the competition's interference, bright needles."""
    batch = generate(PRESETS["hard"], numbers_for("validation", torch.arange(96).numpy()), 1)
    bright = (batch.targets == 0) | torch.from_numpy(batch.truth["panel_snr"] > 8)
    targets = batch.targets[bright].numpy()
    ours = auc(targets, unlearned_score(batch.panels[bright].float()).numpy())
    bare = auc(targets, event_snr(batch.panels[bright].float(), Axes()).numpy())
    assert ours > bare

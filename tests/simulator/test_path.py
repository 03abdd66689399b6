import pytest
import torch
from torch import Tensor

from abacad.simulator.path import Paths, deposit, deposits, smearing

N_TIME, N_FREQ = 12, 64


def one_path(start: float, drift: float, width: float = 0.5, intensity: float = 1.0) -> Paths:
    """A path in panel 0 of a single cadence, drifting by `drift` channels a row; other panels are dark."""
    channel = torch.full((1, 6, N_TIME), start) + drift * torch.arange(N_TIME)
    lit = torch.zeros(1, 6, N_TIME)
    lit[:, 0] = intensity
    return Paths(torch.tensor([0]), channel, lit, torch.tensor([width]))


def drawn(paths: Paths, taper: bool = False) -> Tensor:
    panels = torch.zeros(1, 6, N_TIME, N_FREQ)
    deposit(panels, deposits(paths, 1, N_FREQ, taper))
    return panels[0]


def test_a_level_tone_lights_one_channel():
    panels = drawn(one_path(20.2, 0, intensity=2.5))
    assert (panels[0, :, 20] == 2.5).all()
    assert panels.sum() == pytest.approx(2.5 * N_TIME)


def test_a_slow_tone_steps_from_channel_to_channel():
    panels = drawn(one_path(20.0, 0.25, width=0.01))
    assert (panels[0].argmax(1) == (20 + 0.25 * torch.arange(N_TIME)).add(0.5).floor()).float().mean() > 0.7
    torch.testing.assert_close(panels[0].sum(1), torch.ones(N_TIME))


@pytest.mark.parametrize("drift", [2.0, -2.0, 4.0, -4.0])
def test_smearing_spreads_a_row_over_n_channels_at_one_nth(drift: float):
    panels = drawn(one_path(31.5, drift))
    n = abs(drift)
    row = panels[0, 2]
    assert row.max() == pytest.approx(1 / n, rel=1e-3)
    assert (row > 1e-3).sum() in (n, n + 1)
    assert row.sum() == pytest.approx(1, rel=1e-3)


def test_wide_emission_keeps_its_level():
    row = drawn(one_path(30.5, 0, width=4.0, intensity=3.0))[0, 0]
    assert row.tolist()[29:33] == pytest.approx([3, 3, 3, 3], rel=1e-4)
    assert row.sum() == pytest.approx(12, rel=1e-4)


@pytest.mark.parametrize("start", [-0.4, N_FREQ - 0.6, -30.0, N_FREQ + 30.0])
def test_nothing_comes_in_at_the_other_edge(start: float):
    panels = drawn(one_path(start, 0, width=3.0))
    middle = panels[0, :, 4:-4]
    assert middle.abs().sum() == 0
    assert panels[1:].abs().sum() == 0
    near, far = (panels[0, :, :4], panels[0, :, -4:]) if start < N_FREQ / 2 else (panels[0, :, -4:], panels[0, :, :4])
    assert far.abs().sum() == 0
    assert (near.sum() > 0) == (-2 < start < N_FREQ + 1)


def test_tapered_emission_fades_to_its_sides():
    row = drawn(one_path(30.0, 0, width=10.0), taper=True)[0, 0]
    assert row[30] == pytest.approx(1)
    assert row[27] == pytest.approx(row[33])
    assert row[30] > row[32] > row[34] > 0
    assert row[36:].abs().sum() == 0


def test_noisy_emission_multiplies():
    panels = torch.rand(1, 6, N_TIME, N_FREQ)
    before = panels.clone()
    deposit(panels, deposits(one_path(20.0, 0, intensity=0.5), 1, N_FREQ), noisy=True)
    torch.testing.assert_close(panels[0, 0, :, 20], 1.5 * before[0, 0, :, 20])
    panels[0, 0, :, 20] = before[0, 0, :, 20]
    assert torch.equal(panels, before)


def test_crossing_paths_add_up():
    one, other = one_path(20.0, 1.0), one_path(26.0, -1.0)
    both = Paths(*(torch.cat([getattr(one, name), getattr(other, name)]) for name in vars(one)))
    torch.testing.assert_close(drawn(both), drawn(one) + drawn(other))


def test_each_owner_gets_its_own():
    parts = [one_path(10.0 * (k + 1), 0) for k in range(3)]
    paths = Paths(
        torch.tensor([0, 2, 2]),
        torch.cat([part.channel for part in parts]),
        torch.cat([part.intensity for part in parts]),
        torch.cat([part.width for part in parts]),
    )
    whole = torch.zeros(3, 6, N_TIME, N_FREQ)
    deposit(whole, deposits(paths, 3, N_FREQ))
    assert [sorted(set(cadence.nonzero()[:, 2].tolist())) for cadence in whole] == [[10], [], [20, 30]]
    one_by_one = torch.zeros_like(whole)
    for k in range(3):
        deposit(one_by_one[k : k + 1], deposits(paths, 3, N_FREQ), first=k)
    assert torch.equal(one_by_one, whole)


def test_smearing_is_the_step_between_rows():
    line = 3.0 * torch.arange(10.0)
    torch.testing.assert_close(smearing(line), torch.full((10,), 3.0))

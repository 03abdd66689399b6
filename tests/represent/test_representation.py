"""What every representation promises: a name finds it, time and frequency reversed twice are as before."""

import pytest
import torch

from abacad.config import REPRESENTATIONS, Represent
from abacad.represent.representation import TIME_REVERSED_PANELS, represent, representation
from abacad.signal.cadence import ON


@pytest.mark.parametrize("kind", REPRESENTATIONS)
def test_a_name_finds_its_representation_once(kind):
    seen = representation(Represent(kind))
    assert seen is representation(Represent(kind))
    assert f"{type(seen).__module__}:{type(seen).__name__}" == REPRESENTATIONS[kind]


@pytest.mark.parametrize("kind", REPRESENTATIONS)
def test_reversed_twice_is_as_before(kind):
    panels = torch.randn(2, 6, 21, 16, generator=torch.Generator().manual_seed(0))
    seen = representation(Represent(kind))
    planes = represent(panels, Represent(kind))
    torch.testing.assert_close(seen.reverse_time(seen.reverse_time(planes)), planes)
    torch.testing.assert_close(seen.reverse_freq(seen.reverse_freq(planes)), planes)
    assert seen.reverse_time(planes).shape == planes.shape
    assert not torch.equal(seen.reverse_time(planes), planes)


def test_on_panels_stay_in_on_places_when_time_is_reversed():
    assert {TIME_REVERSED_PANELS[place] for place in ON} == set(ON)
    assert sorted(TIME_REVERSED_PANELS) == list(range(6))

from collections.abc import Callable

import pytest

from abacad.errors import AbacadError
from abacad.signal.cadence import Axes
from abacad.simulator.settings import Families, Needles, Noise, Rfi, Scenes, Simulation


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: Needles(pixel_snr=(-1.0, 2.0)), "needles.pixel_snr"),
        (lambda: Needles(pixel_snr=(3.0, 2.0)), "needles.pixel_snr"),
        (lambda: Needles(drift_hz_s=(0.0, 2.0)), "needles.drift_hz_s"),
        (lambda: Needles(partial=1.5), "needles.partial"),
        (lambda: Families.only(), "families"),
        (lambda: Families(line=-1.0), "families.line"),
        (lambda: Noise(dof=0.0), "noise.dof"),
        (lambda: Noise(slow_gain=2.0), "noise.slow_gain"),
        (lambda: Noise(fast_gain=float("nan")), "noise.fast_gain"),
        (lambda: Rfi(carriers=-0.1), "rfi.carriers"),
        (lambda: Rfi(decoys=2.0), "rfi.decoys"),
        (lambda: Simulation(scenes=Scenes(n_freq=255)), "wider than the scene"),
        (lambda: Simulation(axes=Axes(n_time=0)), "axes.n_time"),
        (lambda: Simulation(axes=Axes.evenly(100.0)), "axes.panel_start_s"),
        (lambda: Simulation(axes=Axes(panel_start_s=(0.0, 400.0))), "axes.panel_start_s has 2 starts"),
        (lambda: Simulation(axes=Axes(df_hz=-2.79)), "axes.df_hz"),
        (lambda: Simulation(positives=-0.1), "positives"),
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong: Callable[[], object], named: str):
    with pytest.raises(AbacadError, match=named) as error:
        wrong()
    assert 1 <= len(str(error.value).splitlines()) <= 3


def test_simulations_with_families_of_ones_own_can_be_cached():
    """Gains and noise are cached by their simulation, which has to be hashable for that."""
    one, other = (Simulation(needles=Needles(families=Families(others={"toy": 0.1}))) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)

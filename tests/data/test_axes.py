"""A simulated folder's cadences have the axes of their simulation, all others the competition's."""

from dataclasses import asdict, replace

import pytest

from abacad.data.axes import axes_of
from abacad.data.simulated_folder import begin
from abacad.errors import AbacadError
from abacad.files import write_text
from abacad.signal.cadence import Axes
from abacad.simulator.settings import Scenes, Simulation

OWN = replace(Axes(), n_time=16, n_freq=32, dt_s=18.25, panel_start_s=(0.0, 320.0, 700.0, 1100.0, 1450.0, 1800.0))


@pytest.fixture
def simulated(tmp_path):
    """A folder that a simulation with axes of its own has finished."""
    begin(tmp_path / "set", Simulation(axes=OWN, scenes=Scenes(n_freq=64)), {"seed": 1, "background": None})
    write_text(tmp_path / "set" / "train_labels.csv", "id,target\n")
    return tmp_path / "set"


def test_the_simulations_axes_hold_to_the_last_digit(simulated):
    assert asdict(axes_of(simulated, (6, 16, 32))) == asdict(OWN)


@pytest.mark.parametrize("shape", [(6, 8, 32), (6, 16, 64)])
def test_cadences_of_another_shape_are_not_the_simulations(shape, simulated):
    """Somebody binned them: the panels are taken to last as usual."""
    assert axes_of(simulated, shape) == Axes.usual(*shape[1:])


def test_a_folder_that_says_nothing_has_the_competitions_timetable(tmp_path):
    assert axes_of(tmp_path, (6, 273, 256)) == Axes()
    binned = axes_of(tmp_path, (6, 39, 256))
    assert binned.panel_s == pytest.approx(Axes().panel_s)
    assert binned.panel_start_s == Axes().panel_start_s


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"seed": 1, "simulation": {"axes": {"rows": 4}}}'])
def test_a_card_that_cannot_be_read_is_named(content, simulated):
    write_text(simulated / "simulation.json", content)
    with pytest.raises(AbacadError, match=r"simulation\.json cannot be read"):
        axes_of(simulated, (6, 16, 32))

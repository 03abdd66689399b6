"""The axes of the cadences in a competition folder: those that were simulated, or else the competition's own."""

from pathlib import Path

from abacad.data.simulated_folder import read_card
from abacad.signal.cadence import Axes


def axes_of(root: Path, shape: tuple[int, ...]) -> Axes:
    """Units of rows and channels, and when the panels began.

    Args:
        root: The competition folder. One that `abacad simulate` wrote says in simulation.json what its axes are.
        shape: Of a cadence, (6, time, freq); without a simulation.json the panels are taken to last and to begin as the
            competition's.

    Raises:
        AbacadError: there is a simulation.json that cannot be read.
    """
    if (root / "simulation.json").is_file():
        axes = read_card(root).simulation.axes
        # who cropped the cadences afterwards has left the card as it was: it is believed only where the shapes agree
        if (axes.n_time, axes.n_freq) == tuple(shape[1:]):
            return axes
    return Axes.usual(shape[1], shape[2])

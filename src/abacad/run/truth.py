"""The true paths of the needles in a folder that `abacad simulate` wrote, for the green dots on its pictures.

The folder's truth.csv has one row for each cadence, and no paths. A path is drawn again from the seed in
simulation.json, which gives the very numbers that the simulation drew.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from abacad.data.simulated_folder import Card, read_card
from abacad.files import read_json
from abacad.run.simulate import injected
from abacad.show.waterfall import TruePath
from abacad.simulator.plan import Plan, make_plan


@dataclass(frozen=True)
class TruePaths:
    """Gives the path of the needle in a cadence; of a folder that is not simulated it gives none.

    Attributes:
        card: Parameters and seed of the folder; none where it is not simulated.
        plan: The windows of the folder; none where it is not simulated.
    """

    card: Card | None = None
    plan: Plan | None = None

    @classmethod
    def of(cls, root: Path | None) -> "TruePaths":
        """The paths of a data folder; `root` may be none, or a folder that is not simulated."""
        if root is None or not (root / "simulation.json").is_file():
            return cls()
        # The plan needs both numbers: windows of train and test are laid out in common scenes.
        card, numbers = read_card(root), read_json(root / "simulation.json")
        return cls(card, make_plan(card.simulation, numbers["n_train"], numbers["n_test"], card.seed))

    def path(self, name: str) -> TruePath | None:
        """(6, time) channel of a cadence's needle or decoy in each row; NaN where it is dark.

        Args:
            name: Id of the cadence.

        Returns:
            None where nothing was injected, or nothing is known of the cadence.
        """
        if self.card is None or self.plan is None or name not in self.plan.ids:
            return None
        # Needles are drawn window by window from numbers of their own, so this one needs no others.
        window = np.array([self.plan.ids.index(name)])
        drawn = injected(self.card.simulation, self.plan, window, self.card.seed)
        if not len(drawn.rows):
            return None
        # Dark rows, of a dash or before a late start, have a path all the same; nothing is to be seen there.
        return np.where(drawn.needles.envelope[0] > 0, drawn.needles.channel[0], np.nan)

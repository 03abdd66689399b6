"""The true places of the needles in a folder that `abacad simulate` wrote, drawn again from its seed."""

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
    """Where the needles of a simulated folder are; nowhere in a folder that is not simulated.

    Attributes:
        card: What made the folder; none: it is not simulated.
        plan: Its windows; none: likewise.
    """

    card: Card | None = None
    plan: Plan | None = None

    @classmethod
    def of(cls, root: Path | None) -> "TruePaths":
        """Those of a data folder."""
        if root is None or not (root / "simulation.json").is_file():
            return cls()
        card, numbers = read_card(root), read_json(root / "simulation.json")
        return cls(card, make_plan(card.simulation, numbers["n_train"], numbers["n_test"], card.seed))

    def path(self, name: str) -> TruePath | None:
        """Channel of the needle, or of the decoy, of a cadence in each row, (6, time); NaN where it is dark.

        None where nothing was injected, or nothing is known.
        """
        if self.card is None or self.plan is None or name not in self.plan.ids:
            return None
        window = np.array([self.plan.ids.index(name)])
        found = injected(self.card.simulation, self.plan, window, self.card.seed)
        if not len(found.rows):
            return None
        return np.where(found.needles.envelope[0] > 0, found.needles.channel[0], np.nan)

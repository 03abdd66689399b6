"""Simulated cadences that test the reviewer: half of them with a needle, half without one but with a high score.

They have to score above the lowest candidate of the page, or the reviewer would know them by their faintness. Where too
few do, those with the highest scores below it make up the number.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from torch import Tensor

from abacad.simulator.scene import generate, numbers_for
from abacad.simulator.settings import Simulation
from abacad.types import CadenceArray

_BATCH = 16
# Cadences simulated at most for each that is wanted: few without a needle score as high as the candidates of a page,
# and to wait for them could take hours.
_TRIES = 20

Scores = Callable[[Tensor], np.ndarray]
"""Scores in [0, 1] of cadences (batch, 6, time, freq)."""


@dataclass(frozen=True)
class Trial:
    """A simulated cadence.

    Attributes:
        content: `needle`: with one in ON panels alone; `empty`: without.
        score: Its score in [0, 1].
        cadence: (6, time, freq).
    """

    content: Literal["needle", "empty"]
    score: float
    cadence: CadenceArray


def trials(simulation: Simulation, n_wanted: int, least: float, scores: Scores, seed: int) -> list[Trial]:
    """Simulated cadences, half of them with a needle (one more where the number is odd), half without.

    Args:
        simulation: What is simulated; its share of positives is not used.
        n_wanted: Number of cadences.
        least: Lowest score on the page, in [0, 1].
        scores: The detector that scored the page.
        seed: Seed of the cadences.
    """
    n_needles = (n_wanted + 1) // 2
    # No needle in OFF panels: such a decoy is interference, and whoever calls it so is right.
    needles = _drawn("needle", replace(simulation, positives=1.0), n_needles, least, scores, seed)
    without = replace(simulation, positives=0.0, rfi=replace(simulation.rfi, decoys=0.0))
    return needles + _drawn("empty", without, n_wanted - n_needles, least, scores, seed + 1)


def _drawn(
    content: Literal["needle", "empty"], simulation: Simulation, n_wanted: int, least: float, scores: Scores, seed: int
) -> list[Trial]:
    passed: list[Trial] = []
    below: list[Trial] = []
    for start in range(0, n_wanted * _TRIES, _BATCH):
        if len(passed) >= n_wanted:
            break
        panels = generate(simulation, numbers_for("blind", np.arange(start, start + _BATCH)), seed).panels.float()
        # The lowest ones are dropped batch by batch: all that were tried would fill the memory.
        made = [Trial(content, float(s), c.numpy()) for s, c in zip(scores(panels), panels, strict=True)]
        passed += [one for one in made if one.score >= least]
        below += [one for one in made if one.score < least]
        below = sorted(below, key=lambda one: -one.score)[:n_wanted]
    return (passed + below)[:n_wanted]

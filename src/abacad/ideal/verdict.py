"""What an observer says of a cadence: in a number where it knows all but the noise, in several where it is blind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from abacad.signal.cadence import OFF, ON

_LEAST, _MOST = np.array([-2.0, -6.0]), np.array([3.0, 6.0])  # that each part of an opinion can say
_FAINT = 3.0  # least ratio of which the others are shares
_ALONE, _BIAS = np.array([-0.28, 0.54]), -1.47
"""Weights of the parts where there is no other detector, and what is left when they say nothing: a logistic regression
on 3,000 simulated cadences of `kaggle`, seed 7101 (docs/lab-notebook.md)."""


@dataclass(frozen=True)
class Verdict:
    """What the observer who knows gains and interference says of a cadence.

    Attributes:
        score: log likelihood ratio of a needle against none, decoys among the negatives.
        families: log likelihood ratio of each family's needle against noise alone.
        decoy: log likelihood ratio of a decoy against noise alone; NaN where it was not worked out.
    """

    score: float
    families: dict[str, float]
    decoy: float


@dataclass(frozen=True)
class Opinion:
    """What the blind observer says of a cadence, in log likelihood ratios against noise alone.

    Attributes:
        needles: each family's needle in the ON panels.
        off: a curve in the OFF panels. A curve is any smooth path, and so the broadest of families: what stands in OFF
            panels is seldom a needle.
        stands: a line in some ON panels that keeps its channel, of another power in each: a carrier, which needles are
            not, since they drift.
        walks: a squiggle and a dash in each of the six panels alone.
    """

    needles: Mapping[str, float]
    off: float
    stands: float
    walks: Mapping[str, Sequence[float]]

    @property
    def better(self) -> float:
        """The likeliest family of needles, less the curve in the OFF panels where that is above 0."""
        return max(self.needles.values()) - max(self.off, 0.0)

    @property
    def log_odds(self) -> float:
        """What it says on its own: 0 about where a needle is as likely as none, among as many of each."""
        return float(self.parts() @ _ALONE) + _BIAS

    def parts(self) -> Float[np.ndarray, " part"]:
        """`off` and `better`, bounded: neither can outweigh a network that is sure."""
        return np.clip([self.off, self.better], _LEAST, _MOST)

    def numbers(self) -> Float[np.ndarray, " number"]:
        """All that it says: better, off, stands, the families by name, the walks of ON and of OFF panels, ascending.

        Then how the families and `stands` compare with the likeliest family, as differences and as shares of it: the
        patch that a pulsed line explains twice as well as a steady one is bright or faint. Sines and S-curves have one
        likelihood, which counts once.
        """
        families = [value for name, value in sorted(self.needles.items()) if name != "sine"]
        walks = [
            value
            for _, six in sorted(self.walks.items())
            for panels in (ON, OFF)
            for value in sorted(six[panel] for panel in panels)
        ]
        best = max(families)
        compared = np.array([*families, self.stands])
        shares = compared / max(best, _FAINT)
        return np.array([self.better, self.off, self.stands, *families, *walks, *(compared - best), *shares])

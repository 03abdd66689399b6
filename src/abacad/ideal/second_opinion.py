"""A network's score and the blind observer's opinion of the same cadence, taken together.

The two see different things. The network has learned what interference looks like; the observer adds up a faint needle
with the likelihoods of its family, but trusts its estimate of gains and interference. Both are log-odds, so they add:

    log-odds = bias + a · log-odds(network) + Σ weight · part of the opinion

The weights come from a logistic regression on 240 simulated cadences, seed 7001, with the network in the package; its
figures are those of other seeds (docs/lab-notebook.md).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from abacad.ideal.blind_observer import Opinion, blind_observer
from abacad.signal.cadence import Axes

_BIAS, _NETWORK = -0.68, 0.65
_PARTS = np.array([-0.12, 0.35])
_SURE = 1e-6  # scores are held this far from 0 and 1, whose log-odds are infinite


def with_observer(
    scores: Float[np.ndarray, " batch"], panels: Float[Tensor, "batch panel time freq"], axes: Axes
) -> Float[np.ndarray, " batch"]:
    """Scores of cadences after the blind observer has weighed them too, each in more than a second of a core.

    Args:
        scores: of a network, in [0, 1].
        panels: the cadences, in any units.
        axes: of the cadences.

    Raises:
        AbacadError: the observer is not worked out for these axes.
    """
    observer = blind_observer(axes)
    return together(scores, [observer.opinion(one) for one in panels])


def together(scores: Float[np.ndarray, " batch"], opinions: Sequence[Opinion]) -> Float[np.ndarray, " batch"]:
    """Scores in [0, 1] of network and observer together.

    Args:
        scores: of the network, in [0, 1].
        opinions: of the observer, of the same cadences in the same order.

    Example:
        >>> unsure, lit = together(np.array([0.5, 0.5]), [Opinion(-1.0, -1.0), Opinion(-1.0, 6.0)])
        >>> bool(unsure < 0.5 < lit)
        True
    """
    sure = np.clip(np.asarray(scores, dtype=np.float64), _SURE, 1 - _SURE)
    log_odds = _NETWORK * np.log(sure / (1 - sure)) + np.array([one.parts() for one in opinions]) @ _PARTS + _BIAS
    return 1 / (1 + np.exp(-log_odds))

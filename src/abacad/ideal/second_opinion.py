"""A network's score and the blind observer's opinion of the same cadence, taken together.

The two see different things. The network has learned what interference looks like; the observer adds up a faint needle
with the likelihoods of its family, but trusts its estimate of gains and interference. Both are log-odds, so they add:

    sum = bias + a · log-odds(network) + Σ weight · part of the opinion

What the observer says has more in it than these two parts: a squiggle in one ON panel is likelier interference than one
in three. A forest of trees reads it beside the sum,

    log-odds = (1 − s) · log-odds(forest) + s · sum

where the sum keeps apart what ends in the same leaves. `benchmarks/second_opinion.py` finds weights and forest on 3,000
simulated cadences, seed 7101, with the network in the package; the figures are those of other seeds
(docs/lab-notebook.md).
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from abacad.ideal.blind_observer import blind_observer
from abacad.ideal.forest import Forest, read_forest
from abacad.ideal.verdict import Opinion
from abacad.signal.cadence import Axes

FOREST = Path(str(files("abacad").joinpath("weights", "second-opinion.safetensors")))
_BIAS, _NETWORK = -0.73, 0.65
_PARTS = np.array([-0.17, 0.33])
_SURE = 1e-6  # scores are held this far from 0 and 1, whose log-odds are infinite
_LEAF = 0.005  # the same of a forest's shares: a leaf holds ten cadences and more, and may hold no needle
_SUM = 0.5  # share of the sum in the answer: it knows less of the simulator than the forest does


def with_observer(
    scores: Float[np.ndarray, " batch"], panels: Float[Tensor, "batch panel time freq"], axes: Axes
) -> Float[np.ndarray, " batch"]:
    """Scores of cadences after the blind observer has weighed them too, each in 0.8 s of a core.

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
    """
    numbers = numbers_of(scores, opinions)
    share = (1 - 2 * _LEAF) * _forest().shares(numbers) + _LEAF
    log_odds = (1 - _SUM) * np.log(share / (1 - share)) + _SUM * numbers[:, 0]
    return 1 / (1 + np.exp(-log_odds))


def numbers_of(scores: Float[np.ndarray, " batch"], opinions: Sequence[Opinion]) -> Float[np.ndarray, "batch number"]:
    """What the forest reads: the sum, the log-odds of the network, and all that the observer says."""
    sure = np.clip(np.asarray(scores, dtype=np.float64), _SURE, 1 - _SURE)
    network = np.log(sure / (1 - sure))
    weighed = _BIAS + _NETWORK * network + np.array([one.parts() for one in opinions]) @ _PARTS
    return np.column_stack([weighed, network, [one.numbers() for one in opinions]]).astype(np.float32)


@lru_cache(maxsize=1)
def _forest() -> Forest:
    return read_forest(FOREST)

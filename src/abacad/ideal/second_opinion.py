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

Among 3,000 cadences hardly thirty are as loud as the loudest fiftieth of those without a needle. What they are,
switched carriers and patches that the network takes for needles, decides at low false-alarm rates. A second forest has
seen no others: 2,570 of 129,196 cadences, and 2,393 needles as loud (`benchmarks/loudest.py`, seeds 8200 to 8400).
Where the network's score is above `_LOUD`, the answer is the mean of both log-odds.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit
from torch import Tensor

from abacad.ideal.blind_observer import blind_observer
from abacad.ideal.forest import Forest, read_forest
from abacad.ideal.verdict import Opinion
from abacad.signal.cadence import Axes

FOREST, LOUD = (
    Path(str(files("abacad").joinpath("weights", name)))
    for name in ("second-opinion.safetensors", "second-opinion-loud.safetensors")
)
_BIAS, _NETWORK = -0.78, 0.66
_PARTS = np.array([-0.21, 0.33])
_SURE = 1e-6  # scores are held this far from 0 and 1, whose log-odds are infinite
_LEAF = 0.005  # the same of a forest's shares: a leaf holds ten cadences and more, and may hold no needle
_LOUD = 0.645  # score of the network above which are 2 % of the cadences of `kaggle` without a needle
_LOUD_LEAF = 0.002  # as _LEAF, of the forest of loud cadences
_LOUD_ODDS = 3.4  # log-odds of a needle there, one in two cadences having one: log(0.59 / 0.02)
_SUM = 0.5  # share of the sum in the answer: it knows less of the simulator than the forest does


def with_observer(
    scores: Float[np.ndarray, " batch"], panels: Float[Tensor, "batch panel time freq"], axes: Axes
) -> Float[np.ndarray, " batch"]:
    """Scores of cadences after the blind observer has weighed them too, each in 0.7 s of a core.

    Args:
        scores: of a network, in [0, 1].
        panels: the cadences, in any units.
        axes: of the cadences.

    Raises:
        AbacadError: the observer is not worked out for these axes.
    """
    observer = blind_observer(axes)
    return together(scores, [observer.opinion(one) for one in panels])


def together(
    scores: Float[np.ndarray, " batch"], opinions: Sequence[Opinion], loud: Forest | None = None
) -> Float[np.ndarray, " batch"]:
    """Scores in [0, 1] of network and observer together.

    Args:
        scores: of the network, in [0, 1].
        opinions: of the observer, of the same cadences in the same order.
        loud: reads the loudest; none takes the package's.
    """
    numbers = numbers_of(scores, opinions)
    log_odds = (1 - _SUM) * _log_odds(_forest(FOREST), numbers, _LEAF) + _SUM * numbers[:, 0]
    rows = np.asarray(scores) > _LOUD
    if rows.any():
        of_loud = _log_odds(loud or _forest(LOUD), numbers[rows], _LOUD_LEAF) + _LOUD_ODDS
        log_odds[rows] = (log_odds[rows] + of_loud) / 2
    return expit(log_odds)


def _log_odds(forest: Forest, numbers: Float[np.ndarray, "batch number"], least: float) -> Float[np.ndarray, " batch"]:
    """Log-odds of a forest's shares, which are held so far from 0 and 1."""
    return logit((1 - 2 * least) * forest.shares(numbers) + least)


def numbers_of(scores: Float[np.ndarray, " batch"], opinions: Sequence[Opinion]) -> Float[np.ndarray, "batch number"]:
    """What the forest reads: the sum, the log-odds of the network, and all that the observer says."""
    network = logit(np.clip(np.asarray(scores, dtype=np.float64), _SURE, 1 - _SURE))
    weighed = _BIAS + _NETWORK * network + np.array([one.parts() for one in opinions]) @ _PARTS
    return np.column_stack([weighed, network, [one.numbers() for one in opinions]]).astype(np.float32)


@lru_cache(maxsize=2)
def _forest(path: Path) -> Forest:
    return read_forest(path)

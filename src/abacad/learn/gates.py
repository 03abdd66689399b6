"""The gates of the competition's recipe: what tells a good run from one that never took off."""

from collections.abc import Sequence

import numpy as np

from abacad.metric import Interval

FIRST_FOLD_GATE = 0.73
MEAN_GATE = 0.77
MEDAL_LINES = {"median": 0.759, "bronze": 0.774, "silver": 0.781, "gold": 0.798}
"""Lines of the competition's private leaderboard. Its test set is shifted; cross-validation comes out higher."""


def first_fold_gate(found: Interval, figures: dict[str, str]) -> list[str]:
    """What to say after the first fold: one line when it passed, what to check with the figures found when not."""
    told = [f"First fold: AUC {found} {_against(found, FIRST_FOLD_GATE)}."]
    if found.value > FIRST_FOLD_GATE:
        return [f"{told[0]} Going on."]
    return [f"{told[0]} What to check:", *(f"  {name}: {figure}" for name, figure in figures.items())]


def mean_gate(folds: Sequence[Interval], simulated: bool = False) -> list[str]:
    """What to say after the last fold: the mean against its gate and the medal lines.

    Args:
        folds: AUC of each fold.
        simulated: Whether the cadences were: then neither the gate nor a medal means anything.
    """
    mean = mean_of(folds)
    told = f"Mean of {len(folds)} folds: AUC {mean}"
    if simulated:
        return [f"{told}, on simulated cadences."]
    reached = [f"{name} {line}" for name, line in MEDAL_LINES.items() if mean.low >= line]
    lines = "Competition lines it would clear: " + (", ".join(reached) if reached else "none")
    return [f"{told} {_against(mean, MEAN_GATE)}.", f"{lines} (its test set is harder)."]


def mean_of(folds: Sequence[Interval]) -> Interval:
    """The mean of folds' figures; its interval is theirs, as independent as their cadences are, over √n."""
    value = float(np.mean([fold.value for fold in folds]))
    below = float(np.sqrt(np.sum([(fold.value - fold.low) ** 2 for fold in folds]))) / len(folds)
    above = float(np.sqrt(np.sum([(fold.high - fold.value) ** 2 for fold in folds]))) / len(folds)
    return Interval(value, value - below, value + above)


def _against(found: Interval, gate: float) -> str:
    """A figure against a gate, by the ends of its interval: six positives do not tell 0.845 from 0.73."""
    if found.low > gate:
        return f"is above {gate}"
    if found.high < gate:
        return f"is below {gate}"
    return f"cannot be told from {gate} with so few cadences"

"""Thresholds for the AUC of a run: below them something is wrong, most often a setting of the training.

They hold for the competition's data: with 0.73 after the first fold and 0.77 in the mean, its recipes work as meant.
"""

from collections.abc import Sequence

import numpy as np

from abacad.metric import Interval

# Both were given with the recipe of three differences, before it was run here. What it reaches is in section 20 of
# docs/lab-notebook.md.
FIRST_FOLD_GATE = 0.73
MEAN_GATE = 0.77
MEDAL_LINES = {"median": 0.759, "bronze": 0.774, "silver": 0.781, "gold": 0.798}
"""Scores of the competition's private leaderboard that earned a medal.

Its test set differs from the training set, so a cross-validation gives a higher AUC than the leaderboard.
"""


FEWEST_OF_COMPETITION = 50_000
"""Labelled cadences from which on a folder can be the competition's, which has 60,000; MLE-bench's has 54,000."""


def first_fold_gate(measured: Interval, figures: dict[str, str]) -> list[str]:
    """Lines of the log after the first fold.

    Args:
        measured: AUC of the fold.
        figures: What to check when it is too low, with what was measured, by name.

    Returns:
        One line where the AUC is above the threshold, else also a line for each figure.
    """
    told = [f"First fold: AUC {measured} {_against(measured, FIRST_FOLD_GATE)}."]
    # The value decides whether to print the check list, and the interval how sure the line above it sounds: with few
    # cadences a list that is not needed costs a look, one that is missing a training.
    if measured.value > FIRST_FOLD_GATE:
        return [f"{told[0]} Going on."]
    return [f"{told[0]} What to check:", *(f"  {name}: {figure}" for name, figure in figures.items())]


def mean_gate(folds: Sequence[Interval], n_cadences: int, simulated: bool = False) -> list[str]:
    """Lines of the log after the last fold: the mean AUC against its threshold and the medal scores.

    Args:
        folds: AUC of each fold.
        n_cadences: Cadences that were held back; a folder of few is not the competition's, and no medal is told of.
        simulated: Whether the cadences were simulated: threshold and medals then mean nothing and are not told.
    """
    mean = mean_of(folds)
    told = f"Mean of {len(folds)} folds: AUC {mean}"
    if simulated:
        return [f"{told}, on simulated cadences."]
    # Somebody else's folder in the competition's format, as of setigen's cadences, may be much easier.
    if n_cadences < FEWEST_OF_COMPETITION:
        return [f"{told} {_against(mean, MEAN_GATE)}."]
    # by the lower end of the interval: a medal that only the value reaches may be luck
    reached = [f"{name} {line}" for name, line in MEDAL_LINES.items() if mean.low >= line]
    lines = "Competition lines it would clear: " + (", ".join(reached) if reached else "none")
    return [f"{told} {_against(mean, MEAN_GATE)}.", f"{lines} (its test set is harder)."]


def mean_of(folds: Sequence[Interval]) -> Interval:
    """Mean of the folds' AUC, with its interval.

    The folds hold back different cadences, so their errors are taken as independent: the half-widths of the mean's
    interval are the root of the sum of the squares of theirs, over the number of folds.
    """
    # lower and upper half-widths differ: an AUC near 1 has little room above it
    value = float(np.mean([fold.value for fold in folds]))
    below = float(np.sqrt(np.sum([(fold.value - fold.low) ** 2 for fold in folds]))) / len(folds)
    above = float(np.sqrt(np.sum([(fold.high - fold.value) ** 2 for fold in folds]))) / len(folds)
    return Interval(value, value - below, value + above)


def _against(measured: Interval, gate: float) -> str:
    """Whether an AUC is above or below a threshold, if its interval allows to say.

    With six positives the interval of an AUC of 0.845 reaches below 0.73, so the value alone would mislead.
    """
    if measured.low > gate:
        return f"is above {gate}"
    if measured.high < gate:
        return f"is below {gate}"
    return f"cannot be told from {gate} with so few cadences"

"""The gates of the competition's recipe: what tells a good run from one that never took off."""

import numpy as np

FIRST_FOLD_GATE = 0.73
MEAN_GATE = 0.77
MEDAL_LINES = {"median": 0.759, "bronze": 0.774, "silver": 0.781, "gold": 0.798}
"""Lines of the competition's private leaderboard. Its test set is shifted; cross-validation comes out higher."""


def first_fold_gate(value: float, figures: dict[str, str]) -> list[str]:
    """What to say after the first fold: one line when it passed, what to check with the figures found when not."""
    if value > FIRST_FOLD_GATE:
        return [f"First fold: AUC {value:.3f} is above {FIRST_FOLD_GATE}. Going on."]
    found = [f"  {name}: {figure}" for name, figure in figures.items()]
    return [f"First fold: AUC {value:.3f} is not above {FIRST_FOLD_GATE}. What to check:", *found]


def mean_gate(values: list[float], simulated: bool = False) -> list[str]:
    """What to say after the last fold: the mean against its gate and the medal lines.

    Args:
        values: AUC of each fold.
        simulated: Whether the cadences were: then neither the gate nor a medal means anything.
    """
    mean = float(np.mean(values))
    if simulated:
        return [f"Mean of {len(values)} folds: AUC {mean:.3f}, on simulated cadences."]
    verdict = "reaches" if mean >= MEAN_GATE else "is below"
    reached = [f"{name} {line}" for name, line in MEDAL_LINES.items() if mean >= line]
    lines = "Competition lines it would clear: " + (", ".join(reached) if reached else "none")
    return [f"Mean of {len(values)} folds: AUC {mean:.3f} {verdict} {MEAN_GATE}.", f"{lines} (its test set is harder)."]

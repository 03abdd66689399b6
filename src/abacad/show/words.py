"""How a page writes scores: as log-odds, since scores near 1 would all print as 1.0000."""

import math

MOST = 16.0
"""Largest log-odds that is written: beyond it a score in 32 bits is 1."""

EVIDENCE_TOLD = (
    "To the detector red pixels speak for a needle and blue ones against it, in log-odds of a neighbourhood of 13 rows "
    "and 3 channels; a shade means the same in every picture."
)
GUIDE_TOLD = (
    "Yellow dashes stand on both sides of a straight line that is brighter in ON panels than in OFF panels; they are "
    "no verdict."
)


def number(value: float, digits: int, sign: bool = False) -> str:
    """A number for people: no −0.0, and a true minus sign, beside which figures of a column stand straight.

    Args:
        value: The number; empty text for NaN.
        digits: Digits behind the point.
        sign: Whether positive numbers get a sign, too.

    Example:
        >>> from abacad.show.words import number
        >>> number(-0.04, 1), number(-1.5, 2), number(1.5, 0, sign=True)
        ('0.0', '−1.50', '+2')
    """
    if math.isnan(value):
        return ""
    rounded = round(value, digits) + 0.0  # −0.0 + 0.0 is 0.0
    return f"{rounded:{'+' if sign else ''},.{digits}f}".replace("-", "−")


def log_odds(score: float) -> float:
    """ln(p / (1 − p)), between −16 and 16: 0.9997 is +8.1, 0.31 is −0.8."""
    least = math.exp(-MOST) / (1 + math.exp(-MOST))
    # Scores of 0 and 1 have no finite log-odds; they are those that 32 bits have rounded.
    inside = min(max(float(score), least), 1 - least)
    return math.log(inside / (1 - inside))


def told_score(score: float) -> str:
    """A score in [0, 1] as text, as in `log-odds +8.1`."""
    value = log_odds(score)
    beyond = " or more" if value >= MOST - 1e-6 else " or less" if value <= -MOST + 1e-6 else ""
    sign = "−" if value < 0 else "+"
    digits = f"{abs(value):.1f}" if abs(value) >= 0.95 else f"{abs(value):.2g}"  # +0.0 and −0.0 would tell nothing
    return f"log-odds {sign}{digits}{beyond}"

"""The gates say what was found."""

import numpy as np
import pytest

from abacad.learn.gates import first_fold_gate, mean_gate, mean_of
from abacad.metric import Interval, auc_interval


def around(value: float, half: float = 0.01) -> Interval:
    return Interval(value, value - half, value + half)


def test_gates_say_what_was_found():
    assert "is above 0.73" in first_fold_gate(around(0.80), {})[0]
    failed = first_fold_gate(around(0.52), {"learning rate": "peak 1"})
    assert "is below 0.73" in failed[0]
    assert "What to check" in failed[0]
    assert failed[1].strip() == "learning rate: peak 1"
    assert "is below 0.77" in mean_gate([around(0.7), around(0.8)], 54_000)[0]
    passed = " ".join(mean_gate([around(0.79), around(0.79)], 54_000))
    assert "is above 0.77" in passed
    assert "silver 0.781" in passed
    assert "gold" not in passed


def test_few_positives_pass_no_gate():
    """0.845 from six positives was called above 0.73."""
    targets = np.arange(40) < 6
    found = auc_interval(targets, np.array([11.5, 24.5, 28.5, 33.5, 34, 35, *range(34)]))
    assert found.low < 0.73 < found.value
    said = first_fold_gate(found, {})[0]
    assert "cannot be told from 0.73" in said
    assert f"[{found.low:.3f}" in said


def test_the_mean_of_equal_folds_is_surer_than_one():
    mean = mean_of([around(0.8, 0.04)] * 4)
    assert mean.value == pytest.approx(0.8)
    assert (mean.low, mean.high) == pytest.approx((0.78, 0.82))


def test_simulated_cadences_win_no_medal():
    said = " ".join(mean_gate([around(0.95), around(0.97)], 54_000, simulated=True))
    assert "0.960" in said
    assert not any(word in said for word in ("gold", "medal", "Competition", "0.77"))


def test_a_folder_of_few_cadences_is_not_the_competitions_and_wins_no_medal():
    """The 2,000 cadences of another simulator were told to clear gold."""
    said = " ".join(mean_gate([around(0.95), around(0.97)], 2000))
    assert "is above 0.77" in said
    assert not any(word in said for word in ("gold", "medal", "Competition"))

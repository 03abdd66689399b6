"""The gates say what was found."""

from abacad.learn.gates import first_fold_gate, mean_gate


def test_gates_say_what_was_found():
    assert "above 0.73" in first_fold_gate(0.80, {})[0]
    failed = first_fold_gate(0.52, {"learning rate": "peak 1"})
    assert "What to check" in failed[0]
    assert failed[1].strip() == "learning rate: peak 1"
    assert "is below 0.77" in mean_gate([0.7, 0.8])[0]
    passed = " ".join(mean_gate([0.785, 0.785]))
    assert "reaches 0.77" in passed
    assert "silver 0.781" in passed
    assert "gold" not in passed


def test_simulated_cadences_win_no_medal():
    said = " ".join(mean_gate([0.95, 0.97], simulated=True))
    assert "0.960" in said
    assert not any(word in said for word in ("gold", "medal", "Competition", "0.77"))

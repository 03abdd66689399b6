"""The demo: every verb once, in the order of the work, each with what the one before has made."""

import importlib
import json

import pandas as pd
import pytest

from abacad.metric import Interval
from abacad.run.demo import Demo, _against_truth, demo

module = importlib.import_module("abacad.run.demo")


@pytest.fixture
def verbs(monkeypatch, tmp_path):
    """The verbs replaced: what was called, in order, with its arguments."""
    called = []

    def stands_for(name, result):
        def verb(*given, **options):
            called.append((name, given, options))
            return result(*given) if callable(result) else result

        monkeypatch.setattr(module, name, verb)

    def trained(data, run, recipe):
        run.mkdir(parents=True)
        (run / "run.json").write_text(json.dumps({"auc_fold": [0.75, 0.85], "auc_oof": [0.8, 0.7, 0.9]}))
        data.mkdir()
        truth = {"id": ["a", "b", "c", "d"], "target": [0, 1, 0, 1], "scene": [0, 0, 1, 1]}
        pd.DataFrame(truth).to_csv(data / "truth.csv", index=False)

    def submitted(run, data, out):
        pd.DataFrame({"id": ["d", "c", "b", "a"], "target": [0.9, 0.8, 0.95, 0.1]}).to_csv(out, index=False)
        return out

    for name in ("simulate", "audit", "predict"):
        stands_for(name, None)
    stands_for("train", trained)
    stands_for("submit", submitted)
    stands_for("report", lambda run: run / "report.html")
    return called


def test_verbs_come_in_the_order_of_the_work(verbs, tmp_path):
    found = demo(tmp_path / "d", seed=3, n_train=40, n_test=10, recipe="quick.yaml", progress=False)
    assert [name for name, *_ in verbs] == ["simulate", "audit", "train", "predict", "submit", "report"]
    data, run = tmp_path / "d" / "data", tmp_path / "d" / "run"
    made = {name: (given, options) for name, given, options in verbs}
    assert made["simulate"] == ((data, "demo"), {"n_train": 40, "n_test": 10, "seed": 3, "progress": False})
    assert made["train"] == ((data, run, "quick.yaml"), {"seed": 3, "trainer.progress": False})
    assert made["submit"][0] == (run, data, tmp_path / "d" / "submission.csv")
    assert made["report"][0] == (run,)
    assert found.files["report"] == run / "report.html"
    assert found.folds == [0.75, 0.85]


def test_the_test_set_is_judged_by_its_hidden_labels_whatever_the_order(verbs, tmp_path):
    """Of the four pairs of a needle and none, one is in the wrong order once d has 0.7: c comes before it."""
    found = demo(tmp_path / "d", progress=False)
    assert found.test.value == pytest.approx(1.0)  # 0.95 and 0.9 against 0.8 and 0.1
    table = pd.read_csv(tmp_path / "d" / "submission.csv").replace({"target": {0.9: 0.7}})
    table.to_csv(tmp_path / "d" / "submission.csv", index=False)
    again = _against_truth(tmp_path / "d" / "submission.csv", tmp_path / "d" / "data" / "truth.csv")
    assert again.value == pytest.approx(0.75)


def test_a_demo_tells_every_fold_their_mean_and_both_sets():
    made = Demo([0.8, 0.9], Interval(0.85, 0.8, 0.9), Interval(0.7, 0.6, 0.8), {}, 61.4)
    rows = dict(made.rows())
    assert (rows["fold 0"], rows["fold 1"], rows["mean of folds"]) == ("0.800", "0.900", "0.850")
    assert "0.7" in rows["test set, hidden labels"]
    assert repr(made).startswith("<Demo, 61 s: fold 0 0.800, fold 1 0.900")

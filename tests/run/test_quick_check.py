"""Every step of a long run once, and nothing of it left."""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from abacad.cli import main
from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.learn.run_folder import RunFolder
from abacad.run.quick_check import quick_check
from tests.conftest import QUICK


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Where temporary folders lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_verb_tries_all_and_leaves_nothing(shared_competition, places, capsys):
    words = ["train", str(shared_competition), "--run", str(places / "run"), *QUICK, "--limit", "20", "--json"]
    assert main(words) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"an epoch of these", "the whole run, computed", "memory"} == {row["what"] for row in told if "what" in row}
    assert list(places.iterdir()) == []


def test_the_time_of_the_whole_is_computed_from_all_its_cadences_epochs_and_folds(
    shared_competition, places, monkeypatch
):
    def trained(part, run, recipe):
        assert recipe.trainer.max_epochs == 2
        assert recipe.data.only == 0
        assert recipe.trainer.devices == 1
        (Path(run) / "fold0").mkdir(parents=True)
        pd.DataFrame({"seconds": [50.0, 9.0]}).to_csv(Path(run) / "fold0" / "metrics.csv")
        return RunFolder(Path(run))

    module = sys.modules[quick_check.__module__]
    monkeypatch.setattr(module, "train", trained)
    monkeypatch.setattr(module, "submit", lambda *_, **__: None)
    options = {"trainer.max_epochs": 10, "data.folds": 5, "trainer.devices": 2, "optim.batch_size": 64}
    found = quick_check(shared_competition, "compact", 20, **options)
    assert found.cadences == 20
    assert found.run_hours == pytest.approx(9.0 * 40 / 20 * 10 * 5 / 2 / 3600)
    assert any("one of 2 devices" in note for note in found.notes)
    assert any("No batch of 64 was full" in note for note in found.notes)


def test_what_would_stop_the_long_run_stops_the_check(shared_competition, places):
    with pytest.raises(AbacadError, match="knows no such backbone"):
        quick_check(shared_competition, replace(Recipe()), 20, **{"model.name": "efficientnet_b99", "data.folds": 2})
    for limit in (3, 41):
        with pytest.raises(AbacadError, match=r"takes 8 to the folder's 40"):
            quick_check(shared_competition, "compact", limit, **{"data.folds": 2})
    assert list(places.iterdir()) == []

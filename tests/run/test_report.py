"""The page of a run: what it tells is in the folder, and what is missing there is left out with a word."""

import re

import pandas as pd
import pytest

from abacad.cli import main
from abacad.errors import AbacadError
from abacad.run.report import _curve_tables, _minutes, _versions, report
from tests.run.made import random_run


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0.0 min"), (90, "1.5 min"), (7200.0, "120.0 min"), (None, "unknown"), ("1", "unknown")]
)
def test_training_time_is_told_in_minutes(seconds, told):
    assert _minutes(seconds) == told


def test_versions_are_those_of_the_record_and_nothing_is_invented():
    section = _versions({"abacad": "0.1", "seed": 3, "packages": {"torch": "2"}, "skipped": {"0a": "broken"}})
    assert list(section.rows) == [("abacad", "0.1"), ("seed", 3), ("torch", "2")]
    assert section.text == "1 cadences were left out: 0a."
    assert _versions({"packages": None, "skipped": []}).text == ""


def test_curves_are_of_the_folds_that_have_them(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    assert _curve_tables(run, [0, 1]) == {}
    rows = pd.DataFrame({"epoch": [0, 1], "val_auc": [0.5, 0.6], "train_loss": [0.7, 0.6]})
    rows.to_csv(run.fold(1) / "metrics.csv", index=False)
    assert list(_curve_tables(run, [0, 1])) == ["fold 1"]
    rows.drop(columns="val_auc").to_csv(run.fold(0) / "metrics.csv", index=False)
    with pytest.raises(AbacadError, match=r"metrics\.csv has the columns .*\nDelete it"):
        _curve_tables(run, [0, 1])


def test_a_run_whose_data_have_moved_has_a_page_without_pictures(shared_competition, tmp_path, caplog):
    run = random_run(tmp_path / "run", shared_competition)
    run.note(data={"folder": str(tmp_path / "gone")}, train_seconds=90)
    text = report(run.path, tmp_path / "r.html").read_text()
    assert "waterfall" not in re.sub(r"<style.*?</style>", "", text, flags=re.S)
    assert "40 cadences, 14 with a needle, 2 of 2 folds" in text
    assert "1.5 min" in text
    assert "No picture" in caplog.text


def test_an_unfinished_run_has_no_page(shared_competition, tmp_path):
    run = random_run(tmp_path / "run", shared_competition)
    for path in (run.oof, run.fold_oof(0), run.fold_oof(1)):
        path.unlink()
    with pytest.raises(AbacadError, match="0 of 2 folds are trained"):
        report(run.path, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_the_report_is_one_page_with_everything(trained_run, capsys):
    assert main(["report", str(trained_run)]) == 0
    page = (trained_run / "report.html").read_text()
    for part in ("AUC per fold", "ROC", "Curves per epoch", "Most confident hits", "Worst misses", "Worst false alarms",
                 "Recipe", "name: panel", "Versions", "torch"):  # fmt: skip
        assert part in page, part
    assert page.count('<svg class="waterfall"') == 9
    assert page.count("<svg") == 9 + 5
    assert page.count("<svg") == page.count('role="img" aria-label="')
    assert "log-odds" in page
    named = set(re.findall(r"https?://[\w.]+", page))  # pixels in base64 may spell http
    assert named <= {"http://www.w3.org", "http://purl.org", "http://creativecommons.org", "https://matplotlib.org"}

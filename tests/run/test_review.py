"""`abacad review` takes a run, or a table of scores, and its page holds the highest scores."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.errors import AbacadError
from abacad.run.review import review
from tests.data.test_observation import six


def _items(page: Path) -> list[dict]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)
    assert found
    return json.loads(found[1])["items"]


def _blind(page: Path) -> list[str]:
    import base64

    found = re.search(r'"blind":"([^"]*)"', page.read_text(encoding="utf-8"))
    assert found
    return json.loads(base64.b64decode(found[1]))


def test_a_run_gives_its_highest_scores(trained_run, tmp_path):
    out = tmp_path / "review.html"
    assert main(["review", str(trained_run), "--out", str(out), "--shown", "5", "--of", "oof"]) == 0
    oof = pd.read_csv(trained_run / "oof.csv", dtype={"id": str}).sort_values("score", ascending=False, kind="stable")
    items = _items(out)
    assert [item["id"] for item in items] == list(oof["id"].head(5))
    assert [item["label"] for item in items] == list(oof["target"].head(5))
    assert all(item["evidence"] for item in items)


def test_a_table_of_scores_gives_its_highest(shared_competition, tmp_path):
    table, out = tmp_path / "scores.csv", tmp_path / "r.html"
    files = sorted((shared_competition / "test").rglob("*.npy"))[:6]
    scores = np.linspace(0.2, 0.9, len(files))
    pd.DataFrame({"file": map(str, files), "score": scores}).to_csv(table, index=False)
    review(table, out=out, shown=3, evidence=False, progress=False)
    assert [item["id"] for item in _items(out)] == [file.stem for file in files[:2:-1]]
    assert all(item["evidence"] is None for item in _items(out))


def test_blind_cadences_are_mixed_in(trained_run, tmp_path):
    out = tmp_path / "blind.html"
    review(trained_run, out=out, shown=8, of="oof", blind=0.34, evidence=False, progress=False)
    kinds = _blind(out)
    assert len(kinds) == 12
    assert sorted(kind for kind in kinds if kind) == ["empty", "empty", "needle", "needle"]
    names = [item["id"] for item in _items(out)]
    assert len({len(name) for name in names}) == 1  # their ids look like the others'
    assert kinds != sorted(kinds)


@pytest.mark.parametrize(("change", "told"), [("blind", "--blind"), ("shown", "--shown")])
def test_numbers_that_make_no_page(trained_run, tmp_path, change, told):
    with pytest.raises(AbacadError, match=told):
        review(trained_run, out=tmp_path / "r.html", progress=False, **{change: -1})


def test_what_is_missing_is_told(trained_run, tmp_path):
    with pytest.raises(AbacadError, match="abacad score"):
        review(tmp_path / "nowhere", progress=False)
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(AbacadError, match="columns file and score"):
        review(other, progress=False)
    moved = tmp_path / "run"
    shutil.copytree(trained_run, moved)
    record = json.loads((moved / "run.json").read_text())
    record["data"]["folder"] = str(tmp_path / "gone")
    (moved / "run.json").write_text(json.dumps(record))
    with pytest.raises(AbacadError, match="--data"):
        review(moved, of="oof", progress=False)


def test_windows_of_telescope_files_have_frequencies(tmp_path):
    files = six(tmp_path)
    table, out = tmp_path / "hits.csv", tmp_path / "r.html"
    assert main(["score", *map(str, files), "--out", str(table), "--progress", "false"]) == 0
    with pytest.raises(AbacadError, match="--files"):
        review(table, out=out, progress=False)
    words = ["review", str(table), "--out", str(out), "--evidence", "false", "--blind", "0.4"]
    assert main([*words, "--files", *map(str, files)]) == 0
    scores = pd.read_csv(table)
    items = _items(out)
    assert {round(item["mhz"], 6) for item in items} <= set(scores["freq_mhz"])
    assert len([kind for kind in _blind(out) if not kind]) == len(scores)
    marked = [item for item in items if item["line"] and item["id"].endswith("MHz")]
    assert marked  # the bright channel of the ON files
    for item in marked:
        channel = scores.loc[(scores["freq_mhz"] - item["mhz"]).abs().idxmin(), "channel"]
        assert channel + item["line"][0] == pytest.approx(400.5, abs=1.5)

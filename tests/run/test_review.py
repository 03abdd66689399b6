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
from abacad.show.line import best_line
from abacad.show.picture import Layout
from abacad.show.source import open_source
from tests.data.files import write_panel
from tests.data.test_observation import six
from tests.searcher.made import add_line, made


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


def test_a_search_gives_its_events_with_their_own_guide(tmp_path):
    observation = made(seed=5, n_freq=8192, start_s=[400.0 * p for p in range(6)], df_hz=2.79, dt_s=18.0, dof=200)
    add_line(observation, 2000, 0.1, 15)
    add_line(observation, 5000, 0.9, 60)
    files = [write_panel(tmp_path, k, observation.panels[k]) for k in range(6)]
    found, out = tmp_path / "found", tmp_path / "r.html"
    words = ["search", *map(str, files), "--out", str(found), "--max_drift", "1.5", "--progress", "false"]
    assert main(words) == 0
    with pytest.raises(AbacadError, match="--files"):
        review(found, out=out, progress=False)
    assert main(["review", str(found), "--files", *map(str, files), "--out", str(out)]) == 0
    events = pd.read_csv(found / "events.csv")
    items = _items(out)
    assert [item["family"] for item in items] == list(events["class"])
    slow, fast = (min(items, key=lambda item, d=d: abs(item["line"][1] - d)) for d in (0.1, 0.9))
    assert slow["line"][1] == pytest.approx(0.1, abs=0.003)
    assert fast["df_hz"] > slow["df_hz"] == pytest.approx(2.79, rel=1e-3)  # all that it crosses is shown
    for item, event in zip(items, events.to_dict("records"), strict=True):
        at = item["mhz"] + (item["line"][0] - 0.5) * item["df_hz"] * 1e-6
        assert at == pytest.approx(event["frequency_mhz"], abs=5e-6)
        end = item["line"][0] + item["line"][1] * (5 * 400 + 16 * 18) / item["df_hz"]
        assert 0 < min(item["line"][0], end) < max(item["line"][0], end) < 256


def test_the_guide_of_an_event_lies_on_its_line(tmp_path):
    observation = made(seed=6, n_freq=4096, start_s=[400.0 * p for p in range(6)], df_hz=2.79, dt_s=18.0, dof=200)
    add_line(observation, 2000, 0.1, 40)
    files = [write_panel(tmp_path, k, observation.panels[k]) for k in range(6)]
    assert (
        main(["search", *map(str, files), "--out", str(tmp_path / "f"), "--max_drift", "1", "--progress", "false"]) == 0
    )
    source = open_source(tmp_path / "f", files=files)
    entry = source.entries[0]
    cadence, layout = entry.read(), Layout.of(source.axes)
    assert entry.line.channel == pytest.approx(best_line(cadence, layout).channel, abs=1.5)
    assert entry.line.drift_hz_s == pytest.approx(best_line(cadence, layout).drift_hz_s, abs=0.01)


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

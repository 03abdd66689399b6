"""`abacad review` takes a run, or a table of scores, and its page holds the highest scores."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cadence import Cadence
from abacad.cli import main
from abacad.config import Model, Represent
from abacad.data.observation import open_observation
from abacad.errors import AbacadError
from abacad.model.checkpoint import save_detector
from abacad.model.detector import build_detector
from abacad.model.judge import Judge
from abacad.run.review import review
from abacad.show.guide import FAMILIES, best_guide
from abacad.show.picture import Layout
from abacad.show.server import Address, ReviewServer
from abacad.show.source import open_source
from abacad.signal.cadence import Axes
from tests.conftest import QUICK
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


def test_evidence_is_that_of_the_timetable_which_scored(tmp_path, monkeypatch):
    """Arrays say nothing of when their panels began: then the detector does, here and in the score."""
    slow = Axes.evenly(900.0, n_time=16, n_freq=64, dt_s=18.0)
    detector = build_detector(Model("panel", width=2, pretrained=False), Represent("binned", rows=1), slow)
    weights, file = tmp_path / "slow.safetensors", tmp_path / "one.npy"
    save_detector(weights, detector, Model("panel", width=2), Represent("binned", rows=1))
    array = np.random.default_rng(0).normal(size=(6, 16, 64)).astype(np.float32)
    array[::2, :, 30] += 3
    np.save(file, array)
    pd.DataFrame({"file": [str(file)], "score": [0.9]}).to_csv(tmp_path / "scores.csv", index=False)
    drawn, real = [], Judge.evidence
    monkeypatch.setattr(Judge, "evidence", lambda *given: drawn.append(real(*given)) or drawn[-1])
    review(tmp_path / "scores.csv", weights=weights, out=tmp_path / "r.html", shown=1, progress=False)
    np.testing.assert_allclose(drawn[0], Cadence(array, slow).evidence(weights), atol=1e-6)


def test_blind_cadences_are_mixed_in(trained_run, tmp_path):
    out = tmp_path / "blind.html"
    review(trained_run, out=out, shown=8, of="oof", blind=0.34, evidence=False, progress=False)
    contents = _blind(out)
    assert len(contents) == 12
    assert sorted(content for content in contents if content) == ["empty", "empty", "needle", "needle"]
    names = [item["id"] for item in _items(out)]
    assert len({len(name) for name in names}) == 1  # their ids look like the others'
    assert contents != sorted(contents)


@pytest.mark.parametrize(
    ("change", "value"), [("blind", -1), ("blind", 1), ("blind", 0.9999999), ("shown", -1), ("shown", 0), ("seed", -1)]
)
def test_numbers_that_make_no_page(trained_run, tmp_path, change, value):
    """A share of all but one in ten million would be 140 million simulated cadences."""
    with pytest.raises(AbacadError, match=f"--{change}"):
        review(trained_run, out=tmp_path / "r.html", of="oof", evidence=False, progress=False, **{change: value})


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


def test_blind_trials_of_a_search_look_like_its_events(tmp_path):
    observation = made(seed=5, n_freq=16384, start_s=[400.0 * p for p in range(6)], df_hz=2.79, dt_s=18.0, dof=200)
    files = [write_panel(tmp_path, k, observation.panels[k]) for k in range(6)]
    events = [(1420.01, 0.1, 12.0), (1420.03, -0.9, 9.0)]
    low = open_observation(files).low_hz * 1e-6
    rows = [(low + (mhz - 1420), drift, snr, "event") for mhz, drift, snr in events]
    found, out = tmp_path / "found", tmp_path / "r.html"
    found.mkdir()
    columns = ["frequency_mhz", "drift_hz_s", "snr", "class"]
    pd.DataFrame(rows, columns=columns).to_csv(found / "events.csv", index=False)
    (found / "search.json").write_text(json.dumps({"asked": {}}))
    review(found, files=files, out=out, blind=0.67, progress=False)
    items, contents = _items(out), _blind(out)
    assert sorted(contents) == ["", "", "empty", "empty", "needle", "needle"]
    assert len({tuple(item) for item in items}) == 1  # the same keys
    assert all(re.fullmatch(r"\d+\.\d{6} MHz [+-]\d\.\d{4}", item["id"].removesuffix(" Hz/s")) for item in items)
    assert {item["df_hz"] is None for item in items} == {False}
    assert {item["score"] for item in items} == {None}
    assert {item["family"] for item in items} <= set(FAMILIES)  # the search's class would tell
    steps = {round(item["df_hz"], 3) for item, content in zip(items, contents, strict=True) if not content}
    assert {
        round(item["df_hz"], 3) for item, content in zip(items, contents, strict=True) if content == "needle"
    } <= steps


def test_a_page_with_a_folder_of_pictures_is_no_text(trained_run, capsys):
    assert main(["review", str(trained_run), "--out", "-", "--shown", "1900", "--blind", "0.1"]) == 2
    assert "--shown 1800" in capsys.readouterr().err


class Interrupted(BaseException):
    """As the command line raises on Ctrl-C."""


@pytest.mark.parametrize("how", [KeyboardInterrupt, Interrupted])
def test_a_server_that_is_interrupted_ends_well_and_says_where_verdicts_are(
    how, trained_run, tmp_path, caplog, monkeypatch
):
    """It said that it was stopped, and that the same command begins anew, though all verdicts were kept."""

    def interrupted(server) -> None:
        raise how

    monkeypatch.setattr(ReviewServer, "serve_forever", interrupted)
    listen, out = Address(port=0), tmp_path / "r.html"
    with caplog.at_level("INFO", "abacad"):
        kept = review(trained_run, out=out, shown=2, evidence=False, listen=listen, progress=False)
    assert kept == tmp_path / "r.sqlite"
    assert "Ended; 0 verdicts are in" in caplog.text
    assert re.search(r"http://127\.0\.0\.1:\d+/\n", caplog.text)  # nothing behind the address


def test_verdicts_of_a_page_train_the_next_run(trained_run, shared_competition, tmp_path):
    """What a page exports is taken as it is: labels change, judged test cadences join, and all is trained on."""
    oof = pd.read_csv(trained_run / "oof.csv", dtype={"id": str})
    asked = pd.read_csv(shared_competition / "sample_submission.csv", dtype={"id": str})
    rows = [(oof["id"][0], "candidate" if oof["target"][0] == 0 else "rfi"), (asked["id"][0], "noise")]
    columns = "id,verdict,note,reader,time,log_odds,freq_mhz,channel,drift_hz_s,family,simulated\n"
    table = tmp_path / "verdicts-0123.csv"
    table.write_text(
        columns + "".join(f"{name},{verdict},,me,,1.5,,12.5,0.1,drifting line,\n" for name, verdict in rows)
    )
    run = tmp_path / "run"
    words = ["train", str(shared_competition), "--run", str(run), *QUICK, "--data.verdicts", str(table)]
    assert main([*words, "--trainer.max_epochs", "1"]) == 0
    after = pd.read_csv(run / "oof.csv", dtype={"id": str}).set_index("id")
    assert after["target"][oof["id"][0]] == 1 - oof["target"][0]
    assert asked["id"][0] not in after.index  # it trains, and judges nothing
    others = oof["id"][1:]
    assert (after["target"][others].to_numpy() == oof["target"][1:].to_numpy()).all()


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
    assert entry.guide.channel == pytest.approx(best_guide(cadence, layout).channel, abs=1.5)
    assert entry.guide.drift_hz_s == pytest.approx(best_guide(cadence, layout).drift_hz_s, abs=0.01)


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
    assert len([content for content in _blind(out) if not content]) == len(scores)
    marked = [item for item in items if item["line"] and item["id"].endswith("MHz")]
    assert marked  # the bright channel of the ON files
    for item in marked:
        channel = scores.loc[(scores["freq_mhz"] - item["mhz"]).abs().idxmin(), "channel"]
        assert channel + item["line"][0] == pytest.approx(400.5, abs=1.5)

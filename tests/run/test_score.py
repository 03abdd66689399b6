"""Simulated cadences train a detector; it, or the one of the package, ranks cadences and telescope files."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import abacad
import abacad.run.score as score_module
from abacad.cli import main
from abacad.errors import AbacadError
from abacad.files import read_json
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED, SHIPPED_FEW_ROWS
from abacad.model.judge import Judge
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate
from tests.conftest import QUICK
from tests.data.files import write_fil, write_panel
from tests.data.test_observation import six

SMALL = replace(PRESETS["easy"], axes=replace(PRESETS["easy"].axes, n_time=28, n_freq=64))


@pytest.fixture
def small_presets(monkeypatch):
    """Cadences that a test has time for."""
    for name in ("easy", "demo"):
        monkeypatch.setitem(PRESETS, name, SMALL)


def test_pretraining_ends_in_weights_that_score_and_that_a_training_starts_from(
    small_presets, tmp_path, shared_competition, capsys
):
    run = tmp_path / "pretrained"
    words = ["pretrain", "--run", str(run), "--presets", "[easy,demo]", "--cadences", "120", *QUICK[2:]]
    assert main(words) == 0
    weights = run / "weights.safetensors"
    _, seen = load_detector(weights)
    assert seen.kind == "binned"
    written = weights.stat().st_mtime_ns
    assert main(words) == 0
    assert weights.stat().st_mtime_ns == written
    assert set(read_json(run / "run.json")["auc_presets"]) == {"easy", "demo"}
    assert main([*words[:4], "[demo]", *words[5:]]) == 2
    assert "Name another" in capsys.readouterr().err

    table, page = tmp_path / "scores.csv", tmp_path / "scores.html"
    files = [str(shared_competition / "test"), "--weights", str(weights), "--out", str(table), "--page", str(page)]
    assert main(["score", *files, "--shown", "2", "--progress", "false"]) == 0
    scores = pd.read_csv(table)
    assert len(scores) == 12
    assert scores["score"].is_monotonic_decreasing
    assert scores["score"].between(0, 1).all()
    assert page.read_text().count('<svg class="waterfall"') == 2

    started = tmp_path / "run"
    words = ["train", str(shared_competition), "--run", str(started), *QUICK, "--model.weights", str(weights)]
    assert main(words) == 0


def test_the_weights_of_the_package_rank_bright_needles_first(tmp_path):
    simulation = replace(PRESETS["easy"], positives=0.5)
    batch = generate(simulation, np.arange(24), seed=99)
    for place, cadence in enumerate(batch.panels.numpy()):
        np.save(tmp_path / f"{place:02d}.npy", cadence)
    table = abacad.score([tmp_path], progress=False)
    targets = batch.targets.numpy()[[int(name[-6:-4]) for name in table["file"]]]
    assert abacad.metric.auc(targets, table["score"].to_numpy()) > 0.9
    assert SHIPPED.stat().st_size < 5e6


def test_panels_of_few_rows_are_ranked_by_weights_of_their_own(tmp_path):
    telescope = PRESETS["telescope"]
    bright = replace(telescope.needles, pixel_snr=(5.0, 20.0), drift_hz_s=(0.005, 0.1), partial=0.0, cut=0.0)
    batch = generate(replace(telescope, needles=bright, positives=0.5), np.arange(40), seed=98)
    for place, cadence in enumerate(batch.panels.numpy()):
        np.save(tmp_path / f"{place:02d}.npy", cadence)
    table = abacad.score([tmp_path], progress=False)
    targets = batch.targets.numpy()[[int(name[-6:-4]) for name in table["file"]]]
    assert abacad.metric.auc(targets, table["score"].to_numpy()) > 0.85
    assert load_detector(SHIPPED_FEW_ROWS)[1].rows == 1


def test_a_run_folder_scores_as_its_predictions_do(trained_run, shared_competition):
    predicted = pd.read_csv(abacad.predict(trained_run, shared_competition, progress=False))
    table = abacad.score([shared_competition / "test"], weights=trained_run, progress=False)
    table["id"] = table["file"].map(lambda name: name.rsplit("/", 1)[1].removesuffix(".npy"))
    both = predicted.merge(table, on="id", suffixes=("_predict", "_score"))
    assert len(both) == 12
    spread = both["score_predict"].std()  # after two epochs, of some 1e-4
    assert spread > 1e-5
    np.testing.assert_allclose(both["score_predict"], both["score_score"], atol=0.01 * spread)


def test_telescope_files_are_scored_window_by_window_in_whatever_order(tmp_path):
    paths = six(tmp_path)
    table = abacad.score(paths, progress=False)
    assert list(table["channel"].sort_values()) == [0, 128, 256, 344]
    assert {"file", "channel", "freq_mhz", "score"} == set(table.columns)
    assert table["freq_mhz"].to_numpy() == pytest.approx(6000 - (599 - table["channel"]) * 2.79e-6, abs=1e-6)
    shuffled = abacad.score([paths[k] for k in (0, 2, 4, 1, 3, 5)], progress=False)
    pd.testing.assert_frame_equal(table, shuffled)


def test_a_panel_without_values_costs_its_windows_only(tmp_path, caplog):
    paths = six(tmp_path)
    data = np.random.default_rng(0).chisquare(20, (20, 600)).astype(np.float32)
    data[:, :256] = np.nan
    write_panel(tmp_path, 2, data, write_fil)
    assert sorted(abacad.score(paths, progress=False)["channel"]) == [128, 256, 344]
    assert "1 windows hold no values" in caplog.text


def test_what_the_detector_was_not_trained_on_is_refused(tmp_path):
    paths = six(tmp_path)
    with pytest.raises(AbacadError, match="here are 5, ABACA"):
        abacad.score(paths[:5], progress=False)
    with pytest.raises(AbacadError, match="does not fit"):
        abacad.score(paths, pattern="AAABBB", progress=False)
    with pytest.raises(AbacadError, match="do not go together"):
        abacad.score([*paths, tmp_path / "a.npy"], progress=False)
    with pytest.raises(AbacadError, match="share 200 channels"):
        abacad.score(six(tmp_path, n_channels=200, marked=100), progress=False)


def test_bad_cadences_stop_or_are_left_out(tmp_path, capsys):
    good = np.random.default_rng(0).normal(size=(6, 28, 64)).astype(np.float16)
    np.save(tmp_path / "good.npy", good)
    good[0, 0, 0] = np.nan
    np.save(tmp_path / "nan.npy", good)
    out = ["--out", str(tmp_path / "scores.csv"), "--progress", "false"]
    assert main(["score", str(tmp_path), *out]) == 2
    assert "nan" in capsys.readouterr().err
    assert not (tmp_path / "scores.csv").exists()
    assert main(["score", str(tmp_path), *out, "--bad", "skip"]) == 0
    assert len(pd.read_csv(tmp_path / "scores.csv")) == 1
    assert main(["score", str(tmp_path / "nan.npy"), *out, "--bad", "skip"]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["score", str(tmp_path / "empty"), *out]) == 2
    assert main(["score", str(tmp_path / "good.npy"), str(tmp_path / "a.fil"), *out]) == 2


def test_one_path_is_as_good_as_a_list_and_a_file_named_twice_is_scored_once(shared_competition, tmp_path):
    """`score("d/x.npy")` used to take the string for a list of letters, `/` among them."""
    file = next((shared_competition / "test").rglob("*.npy"))
    (tmp_path / "link.npy").symlink_to(file)
    alone = abacad.score(str(file), progress=False)
    assert list(alone["file"]) == [str(file)]
    twice = abacad.score([file, str(file), tmp_path / "link.npy", file.parent], progress=False)
    assert len(twice) == len(list(file.parent.glob("*.npy")))
    assert twice.set_index("file").loc[str(file), "score"] == pytest.approx(alone["score"][0], abs=1e-5)


def test_a_folder_is_scored_without_the_leaked_data(competition, monkeypatch):
    np.save(competition / "old_leaky_data" / "leaked.npy", np.zeros((6, 28, 64), np.float16))
    touched = []
    plain = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path=".": touched.append(str(path)) or plain(path))
    table = abacad.score(competition, progress=False)
    assert len(table) == 52
    assert touched
    assert not [path for path in touched if "old_leaky_data" in path]


def test_scores_of_a_test_folder_become_a_submission(competition, tmp_path, capsys):
    out = tmp_path / "submission.csv"
    words = ["--out", str(tmp_path / "scores.csv"), "--submission", str(out)]
    assert main(["score", str(competition / "test"), *words]) == 0
    sample, written = pd.read_csv(competition / "sample_submission.csv"), pd.read_csv(out)
    scores = pd.read_csv(tmp_path / "scores.csv")
    scores["id"] = scores["file"].map(lambda name: name.rsplit("/", 1)[1].removesuffix(".npy"))
    assert list(written["id"]) == list(sample["id"])
    np.testing.assert_allclose(written["target"], scores.set_index("id").loc[sample["id"], "score"])
    assert main(["score", str(competition), *words]) == 0  # the whole folder gives the same
    assert list(pd.read_csv(out)["id"]) == list(sample["id"])
    gone = next((competition / "test").rglob("*.npy"))
    gone.unlink()
    assert main(["score", str(competition / "test"), *words]) == 2
    assert gone.stem in capsys.readouterr().err
    assert main(["score", str(competition / "train"), *words]) == 2
    assert main(["score", str(gone.parent), str(competition), *words]) == 2


def test_a_submission_is_of_the_test_cadences_whatever_else_has_their_names(competition, tmp_path):
    abacad.score(competition / "test", submission=tmp_path / "own.csv", progress=False)
    (competition / "other").mkdir()
    for path in (competition / "test").rglob("*.npy"):
        np.save(competition / "other" / path.name, np.zeros((6, 273, 256), np.float16))
    table = abacad.score(competition, submission=tmp_path / "all.csv", progress=False)
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "own.csv").read_bytes()
    assert len(table) == len(pd.read_csv(tmp_path / "own.csv"))


def test_arrays_are_shown_and_ranked_again(tmp_path):
    arrays = np.random.default_rng(0).normal(size=(3, 6, 28, 64))
    for _ in range(2):  # a table that the verb wrote it may write again
        abacad.score(arrays, out=tmp_path / "scores.csv", page=tmp_path / "page.html", progress=False)
    assert "array 2" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_ranking_waits_for_no_library_that_it_does_without():
    """Half of the five seconds that 1 cadence took were imports for pages, trainings and simulations."""
    unused = ("albumentations", "lightning", "matplotlib", "scipy.stats", "timm")
    code = f"import sys, abacad.run.score; print([name for name in {unused!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("threads", [1, 3])
def test_scores_do_not_depend_on_the_number_of_cores(competition, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        table = abacad.score(competition / "test", progress=False)
    finally:
        torch.set_num_threads(before)
    assert table.equals(abacad.score(competition / "test", progress=False))


def test_bright_needles_first_is_one_pass(tmp_path):
    with pytest.raises(AbacadError, match="one pass, not 5 epochs"):
        abacad.pretrain(tmp_path / "run", presets="demo", cadences=100, bright_first=True)
    assert not (tmp_path / "run").exists()


def test_with_the_observer_a_faint_needle_rises_and_few_rows_are_refused():
    rng = np.random.default_rng(0)
    cadences = rng.chisquare(10, (3, 6, 64, 64)).astype(np.float32)
    rows, axes = np.arange(64), Axes.usual(64, 64)
    for panel in (0, 2, 4):  # in the third cadence: 0.8 σ a pixel, 6 σ along each panel
        path = 10 + 5 / 64 * (rows + axes.panel_start_s[panel] / axes.dt_s)
        cadences[2, panel, rows, np.rint(path).astype(int)] += 3.5
    alone = abacad.score(cadences, progress=False).set_index("array")["score"]
    both = abacad.score(cadences, observer=True, progress=False).set_index("array")["score"]
    assert both.idxmax() == 2
    assert (both != alone[both.index]).all()
    assert both[2] > 0.9
    with pytest.raises(AbacadError, match="28 rows"):
        abacad.score(cadences[:, :, :28], observer=True, progress=False)


def test_few_rows_are_refused_before_anything_is_scored(monkeypatch):
    monkeypatch.setattr(Judge, "scores", lambda *_: pytest.fail("scored first"))
    with pytest.raises(AbacadError, match="28 rows"):
        abacad.score(np.zeros((3, 6, 28, 64)), observer=True, progress=False)


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """The second of three cadences in a folder, which is emptied as soon as all have been scored."""
    for number, cadence in enumerate(np.random.default_rng(3).chisquare(10, (3, 6, 64, 64))):
        np.save(tmp_path / f"{number}.npy", cadence)

    def then_gone(*given):
        found = judged(*given)
        (tmp_path / "1.npy").write_bytes(b"")
        return found

    judged = score_module._judged
    monkeypatch.setattr(score_module, "_judged", then_gone)
    return tmp_path / "1.npy"


def test_a_file_that_is_gone_when_the_observer_asks_for_it_keeps_its_score(lost, caplog):
    whole = np.load(lost)
    alone = abacad.score(lost.parent, progress=False).set_index("file")["score"]
    np.save(lost, whole)
    both = abacad.score(lost.parent, observer=True, bad="skip", progress=False).set_index("file")["score"]
    same = both[alone.index] == alone
    assert same[same].index.map(lambda name: name.endswith("1.npy")).tolist() == [True]
    assert "Not weighed" in caplog.text
    np.save(lost, whole)
    with pytest.raises(AbacadError, match=r"1\.npy"):
        abacad.score(lost.parent, observer=True, progress=False)


def test_a_file_that_is_gone_when_its_picture_is_made_has_none(lost, tmp_path, caplog):
    page = tmp_path / "page.html"
    abacad.score(lost.parent, page=page, bad="skip", progress=False)
    assert page.read_text(encoding="utf-8").count("<svg") == 2
    assert "Not shown" in caplog.text

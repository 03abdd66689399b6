"""The verbs on a small competition: what each writes, and that the next one reads it."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open

from abacad.cli import main, parser_of
from abacad.config import Represent
from abacad.errors import AbacadError
from abacad.learn.blend import blend_of
from abacad.learn.dataset import Cadences, Samples, WithSimulated
from abacad.learn.fold import pos_weight
from abacad.learn.pseudo import probability
from abacad.learn.run_folder import RunFolder
from abacad.learn.simulated import SimulatedCadences
from abacad.metric import auc
from abacad.recipes import read_recipe
from abacad.run.audit import audit
from abacad.run.submit import check_submission, submit
from abacad.signal.cadence import Axes
from abacad.simulator.settings import Simulation
from tests.conftest import QUICK, write_competition


def labels_of(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "train_labels.csv", dtype={"id": str})


def test_every_training_id_is_held_back_once(shared_competition, trained_run):
    oof, folds = pd.read_csv(trained_run / "oof.csv"), pd.read_csv(trained_run / "folds.csv")
    labels = labels_of(shared_competition)
    assert list(oof["id"]) == list(labels["id"]) == list(folds["id"])
    assert list(oof["target"]) == list(labels["target"])
    assert list(oof["fold"]) == list(folds["fold"])
    assert oof["score"].between(0, 1).all()


def test_the_run_folder_tells_the_run(trained_run):
    record = json.loads((trained_run / "run.json").read_text())
    assert {"abacad", "packages", "seed", "device", "data", "auc_fold", "auc_oof", "train_seconds"} <= set(record)
    recipe = read_recipe(trained_run / "config.yaml")
    assert recipe.model.name == "panel"
    assert recipe.optim.batch_size == 8
    for fold in (0, 1):
        metrics = pd.read_csv(trained_run / f"fold{fold}" / "metrics.csv")
        assert list(metrics["epoch"]) == [0, 1]
        assert metrics[["train_loss", "val_loss", "val_auc", "lr"]].notna().all(axis=None)
        with safe_open(trained_run / f"fold{fold}" / "best.safetensors", "pt") as file:
            assert "represent" in json.loads(file.metadata()["abacad"])
        assert list((trained_run / f"fold{fold}" / "tensorboard").glob("events*"))
    assert "Fold 1, epoch 2" in (trained_run / "log.txt").read_text()
    assert not list(trained_run.rglob("*.part"))


def test_the_same_command_again_changes_nothing(shared_competition, trained_run):
    before = {
        path: path.stat().st_mtime_ns for path in trained_run.rglob("*") if path.name in ("oof.csv", "best.safetensors")
    }
    assert main(["train", str(shared_competition), "--run", str(trained_run), *QUICK]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_config_repeats_the_run(shared_competition, trained_run, tmp_path):
    words = [
        "train",
        str(shared_competition),
        "--config",
        str(trained_run / "config.yaml"),
        "--run",
        str(tmp_path / "r"),
    ]
    assert main(words) == 0
    first, again = (pd.read_csv(run / "oof.csv") for run in (trained_run, tmp_path / "r"))
    np.testing.assert_allclose(first["score"], again["score"], atol=1e-5)


def test_predict_then_submit(shared_competition, trained_run, tmp_path):
    assert main(["predict", str(trained_run), str(shared_competition), "--progress", "false"]) == 0
    test = pd.read_csv(trained_run / "test.csv")
    sample = pd.read_csv(shared_competition / "sample_submission.csv")
    assert list(test.columns) == ["id", "fold0", "fold1", "score"]
    np.testing.assert_allclose(test["score"], test[["fold0", "fold1"]].mean(axis=1))
    out = tmp_path / "submission.csv"
    assert main(["submit", str(trained_run), str(shared_competition), "--out", str(out), "--progress", "false"]) == 0
    submission = pd.read_csv(out)
    assert list(submission["id"]) == list(sample["id"])
    np.testing.assert_allclose(submission["target"], test["score"])
    check_submission(out, list(sample["id"]))


def test_a_bad_test_cadence_can_be_skipped(competition, trained_run):
    sample = pd.read_csv(competition / "sample_submission.csv")
    gone = sample["id"][4]
    (competition / "test" / gone[0] / f"{gone}.npy").write_bytes(b"")
    assert main(["predict", str(trained_run), str(competition), "--bad", "skip", "--progress", "false"]) == 0
    test = pd.read_csv(trained_run / "test.csv").set_index("id")
    assert list(test.index) == list(sample["id"])
    assert test.loc[gone, "score"] == 0.5
    assert gone in json.loads((trained_run / "run.json").read_text())["test"]["skipped"]


def fake_run(path: Path, oof: pd.DataFrame, test: pd.DataFrame, config: Path) -> Path:
    """A finished run of one recipe with the given scores."""
    path.mkdir()
    (path / "config.yaml").write_bytes(config.read_bytes())
    for fold in (0, 1):
        (path / f"fold{fold}").mkdir()
        oof[oof["fold"] == fold].to_csv(path / f"fold{fold}" / "oof.csv", index=False)
    oof.to_csv(path / "oof.csv", index=False)
    test.to_csv(path / "test.csv", index=False)
    return path


@pytest.fixture
def two_runs(shared_competition, trained_run, tmp_path):
    """A good run and one of pure chance."""
    rng = np.random.default_rng(0)
    labels = labels_of(shared_competition).assign(fold=np.arange(40) % 2)
    ids = pd.read_csv(shared_competition / "sample_submission.csv")[["id"]]
    runs = []
    for name, skill in (("good", 2.0), ("chance", 0.0)):
        score = 1 / (1 + np.exp(-(skill * (2 * labels["target"] - 1) + rng.normal(size=40))))
        test = ids.assign(score=rng.random(len(ids)))
        runs.append(fake_run(tmp_path / name, labels.assign(score=score), test, trained_run / "config.yaml"))
    return runs


def test_weights_fitted_on_oof_prefer_the_better_run(two_runs, shared_competition, tmp_path):
    weights = blend_of("fitted", [RunFolder(run) for run in two_runs]).weights
    assert weights[1] > 3 * weights[2] >= 0
    assert np.abs(weights).max() < 10


@pytest.mark.parametrize("weights", ["equal", "ranks", "fitted", "stacking", "0.25,0.75"])
def test_a_blend_of_each_kind_becomes_a_submission(weights, two_runs, shared_competition, tmp_path, caplog):
    out = tmp_path / "s.csv"
    runs = [str(run) for run in two_runs]
    assert main(["submit", *runs, str(shared_competition), "--out", str(out), "--weights", weights]) == 0
    target = pd.read_csv(out)["target"]
    assert target.between(0, 1).all()
    if weights == "0.25,0.75":
        first, second = (pd.read_csv(run / "test.csv")["score"] for run in two_runs)
        np.testing.assert_allclose(target, 0.25 * first + 0.75 * second)


def test_runs_of_other_ids_cannot_be_fitted(two_runs):
    oof = pd.read_csv(two_runs[1] / "oof.csv")
    oof[1:].to_csv(two_runs[1] / "oof.csv", index=False)
    runs = [RunFolder(run) for run in two_runs]
    for kind in ("fitted", "stacking"):
        with pytest.raises(AbacadError, match="--weights equal"):
            blend_of(kind, runs)
    assert blend_of("ranks", runs).kind == "ranks"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: table[::-1], "order"),
        (lambda table: table[1:], "order"),
        (lambda table: table.assign(target=1.5), "between 0 and 1"),
        (lambda table: table.assign(target=np.nan), "no number"),
    ],
)
def test_a_wrong_submission_is_found_on_rereading(tmp_path, spoil, said):
    table = pd.DataFrame({"id": ["a", "b", "c"], "target": [0.1, 0.2, 0.3]})
    spoil(table).to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(AbacadError, match=said):
        check_submission(tmp_path / "s.csv", ["a", "b", "c"])


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


def test_the_audit_tells_what_is_there_and_what_is_wrong(competition, tmp_path, capsys):
    labels = labels_of(competition)
    first, second = labels["id"][0], labels["id"][1]
    (competition / "train" / first[0] / f"{first}.npy").rename(competition / "train" / first[0] / "stranger.npy")
    (competition / "train" / second[0] / f"{second}.npy").write_bytes(b"nonsense")
    pd.concat([labels, labels[7:8]]).to_csv(competition / "train_labels.csv", index=False)
    assert main(["audit", str(competition), "--out", str(tmp_path / "a.html"), "--full", "--progress", "false"]) == 0
    said = capsys.readouterr().out
    for part in (
        "1 ids more than once",
        "have no file in train/",
        "are not in train_labels.csv",
        "1 train files cannot",
    ):
        assert part in " ".join(said.split()), part
    assert first in said
    assert second in said
    assert "never opened" in said
    assert len(re.findall(r'<img alt="[^"]+"|<svg class="waterfall"', (tmp_path / "a.html").read_text())) == 12


def test_the_audit_never_opens_the_leaked_folder(shared_competition, monkeypatch):
    opened = []
    plain = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: opened.append(self) or plain(self, *a, **k))
    hooked = []
    sys.addaudithook(
        lambda event, args: hooked.append(str(args[0])) if event in ("open", "os.scandir", "os.listdir") else None
    )
    found = audit(shared_competition, out=None, full=True, progress=False)
    assert found.problems == []
    assert found.positives == 14
    assert found.pos_weight == pytest.approx(26 / 14)
    touched = [name for name in [*map(str, opened), *hooked] if "old_leaky_data" in name]
    assert touched == []


def test_pos_weight_is_negatives_over_positives():
    assert pos_weight(3, 1) == 3.0


@pytest.mark.parametrize("labelled", ["true", "false"])
def test_simulated_cadences_train_mixed_or_alone(shared_competition, tmp_path, labelled):
    words = ["train", str(shared_competition), "--run", str(tmp_path / "r"), *QUICK, "--trainer.max_epochs", "1"]
    assert main([*words, "--data.simulated", "24", "--data.labelled", labelled]) == 0
    assert len(pd.read_csv(tmp_path / "r" / "oof.csv")) == 40


def test_pseudo_labelled_test_cadences_join_the_training_and_judge_nothing(shared_competition, trained_run, tmp_path):
    scores = tmp_path / "test.csv"
    ids = pd.read_csv(shared_competition / "sample_submission.csv", dtype={"id": str})["id"]
    pd.DataFrame({"id": ids, "fold0": 0.5, "fold1": 0.5, "score": 0.5}).to_csv(scores, index=False)
    (tmp_path / "folds.csv").write_bytes((trained_run / "folds.csv").read_bytes())
    words = ["train", str(shared_competition), *QUICK, "--data.pack", "always", "--data.pseudo", str(scores)]
    assert main([*words, "--run", str(tmp_path / "run")]) == 0
    oof = pd.read_csv(tmp_path / "run" / "oof.csv")
    assert set(oof["id"]) == set(labels_of(shared_competition)["id"])
    assert set(oof["target"]) == {0, 1}
    assert not list((tmp_path / "run").glob("packed*"))
    plain = pd.read_csv(trained_run / "oof.csv")
    assert not np.allclose(oof["score"], plain["score"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,fold0,fold1,score\nabsent,0.5,0.5,0.5\n", "absent"),
        ("id,target\n0,1\n", "columns"),
        ("id,score\n0,1\n", "fold0"),
        ("id,fold0,fold1,score\n0,0.5,2,1\n", "outside 0 to 1"),
    ],
)
def test_pseudo_labels_that_do_not_fit_are_refused(content, said, shared_competition, trained_run, tmp_path, capsys):
    (tmp_path / "scores.csv").write_text(content)
    (tmp_path / "folds.csv").write_bytes((trained_run / "folds.csv").read_bytes())
    words = ["train", str(shared_competition), *QUICK, "--data.pseudo", str(tmp_path / "scores.csv")]
    assert main([*words, "--run", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err


def test_a_score_becomes_a_probability():
    found = probability(np.array([0.0, 0.5, 0.9, 1.0]), 0.1)
    np.testing.assert_allclose(found, [0, 0.1, 0.5, 1])


def test_simulated_samples_are_new_each_epoch_and_blind_to_the_batch(shared_competition):
    labels = labels_of(shared_competition)
    recipe = Represent("difference")
    source = Cadences(shared_competition, "train", list(labels["id"]), recipe)
    samples = Samples(source, range(40), labels["target"].to_numpy())
    axes = Axes(n_time=28, n_freq=64)
    both = WithSimulated(samples, SimulatedCadences(Simulation(axes=axes), 8, seed=0), recipe, first=40)
    assert len(both) == 48
    together = both.__getitems__([2, 41, 7, 47])
    for item, sample in zip((2, 41, 7, 47), together, strict=True):
        assert torch.equal(sample.planes, both[item].planes)
        assert sample.place == (item if item < 40 else 40 + item)
    both.set_epoch(1)
    assert not torch.equal(both[41].planes, together[1].planes)
    assert torch.equal(both[2].planes, together[0].planes)


def test_a_bright_needle_is_learned(tmp_path):
    """The whole path learns: on needles of 6 σ a few epochs are far from chance (0.84 the worst of six folds)."""
    root = write_competition(tmp_path / "data", n_train=120)
    words = ["train", str(root), "--run", str(tmp_path / "r"), *QUICK, "--trainer.max_epochs", "8"]
    assert main([*words, "--trainer.patience", "8", "--optim.lr", "1e-2", "--optim.batch_size", "16"]) == 0
    folds = pd.read_csv(tmp_path / "r" / "oof.csv").groupby("fold")
    assert all(auc(part["target"].to_numpy(), part["score"].to_numpy()) > 0.75 for _, part in folds)


def command(root: Path, run: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "abacad", "train", str(root), "--run", str(run), *QUICK, *more]


def test_a_killed_run_continues_and_holds_each_id_once(shared_competition, tmp_path):
    """SIGKILL in the second fold; the same command keeps the first fold and ends the run."""
    run = tmp_path / "run"
    words = command(shared_competition, run, "--trainer.max_epochs", "30", "--trainer.patience", "30")
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (run / "fold1" / "last.ckpt").is_file():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "oof.csv").exists()
    first = (run / "fold0" / "best.safetensors").stat().st_mtime_ns
    epochs_before = len(pd.read_csv(run / "fold1" / "metrics.csv"))
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    assert (run / "fold0" / "best.safetensors").stat().st_mtime_ns == first
    metrics = pd.read_csv(run / "fold1" / "metrics.csv")
    assert list(metrics["epoch"]) == list(range(30))
    assert epochs_before < 30
    oof = pd.read_csv(run / "oof.csv")
    assert sorted(oof["id"]) == sorted(labels_of(shared_competition)["id"])


def test_two_processes_hold_back_the_same_ids_each_once(shared_competition, trained_run, tmp_path):
    run = tmp_path / "ddp"
    words = command(shared_competition, run, "--trainer.devices", "2", "--trainer.accelerator", "cpu")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    alone, together = (pd.read_csv(path / "oof.csv") for path in (trained_run, run))
    assert list(alone["id"]) == list(together["id"])
    assert list(alone["fold"]) == list(together["fold"])
    assert together["score"].notna().all()
    assert done.stdout.count("all held-back cadences") == 1


def test_one_run_is_as_good_as_a_list(trained_run, shared_competition, tmp_path):
    """`submit("runs/demo", …)` used to say that r is no run folder."""
    out = submit(str(trained_run), shared_competition, tmp_path / "s.csv", progress=False)
    assert len(pd.read_csv(out)) == 12


def test_every_verb_ends_with_what_it_wrote_and_a_next_command_that_can_be_parsed(
    shared_competition, trained_run, tmp_path, capsys
):
    data, run, out = str(shared_competition), str(trained_run), str(tmp_path / "out.csv")
    for words in (
        ["audit", data, "--out", str(tmp_path / "a.html")],
        ["train", data, "--run", run, *QUICK],
        ["predict", run, data],
        ["submit", run, data, "--out", out],
        ["report", run],
        ["score", f"{data}/test", "--weights", run, "--out", str(tmp_path / "scores.csv")],
        ["review", run, "--shown", "2", "--evidence", "false", "--out", str(tmp_path / "r.html")],
    ):
        assert main([*words, "--json"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert all(Path(entry["path"]).exists() for entry in told if "wrote" in entry)
        assert [entry for entry in told if "wrote" in entry]
        for command in [entry["next"] for entry in told if "next" in entry]:
            _, name, *rest = shlex.split(command)
            parser_of(name, rest).parse_args(rest)
        assert main([*words, "--quiet"]) == 0
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", "")


def test_swapped_folders_are_told_apart(trained_run, shared_competition, capsys):
    """`predict DATA RUN` used to advise to train into the data folder."""
    for words in (["predict", str(shared_competition), str(trained_run)], ["report", str(shared_competition)],
                  ["submit", str(shared_competition), str(trained_run)],
                  ["train", str(trained_run)]):  # fmt: skip
        assert main(words) == 2
        told = capsys.readouterr().err
        assert "--run" not in told
        assert "named" in told


@pytest.mark.parametrize("name", ["score", "predict", "sensitivity"])
def test_advice_on_devices_names_options_that_the_verb_has(name, trained_run, shared_competition, capsys):
    """`score --accelerator abacus` used to advise --trainer.accelerator."""
    words = {"score": [f"{shared_competition}/test"], "predict": [str(trained_run), str(shared_competition)]}
    assert main([name, *words.get(name, []), "--accelerator", "abacus"]) == 2
    told = capsys.readouterr().err
    assert set(re.findall(r"--[\w.]+", told)) <= set(parser_of(name)._option_string_actions)

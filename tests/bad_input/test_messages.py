"""Bad input through the command line: one message of at most three lines with the way out, and nothing lost."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from tests.conftest import QUICK, SHAPE


def some_id(root: Path, place: int = 5) -> str:
    return pd.read_csv(root / "train_labels.csv")["id"][place]


def file_of(root: Path, cadence_id: str, split: str = "train") -> Path:
    return root / split / cadence_id[0] / f"{cadence_id}.npy"


def refused(capsys, *words: str) -> str:
    """Run a command that must fail, and return what it said."""
    assert main(list(words)) == 2
    told = capsys.readouterr().err
    message = told[told.index("abacad ") :].strip()
    assert "Traceback" not in told
    assert len(message.splitlines()) <= 3, message
    return message


def train(root: Path, run: Path, *more: str) -> list[str]:
    return ["train", str(root), "--run", str(run), *QUICK, *more]


def test_no_folder(tmp_path, capsys, monkeypatch):
    assert "There is no folder" in refused(capsys, *train(tmp_path / "absent", tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    assert "abacad simulate" in refused(capsys, "audit")


def test_no_labels(competition, tmp_path, capsys):
    (competition / "train_labels.csv").unlink()
    assert "train_labels.csv" in refused(capsys, *train(competition, tmp_path / "run"))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("name,target\na,1\nb,0\n", "name, target"),
        ("id,target\na,1\nb,\n", "target is ''"),
        ("id,target\na,1\nb,2\n", "neither 0 nor 1"),
        ("id,target\na,1\nb,yes\n", "target is 'yes'"),
        ("id,target\na,1\na,0\n", "twice"),
        ("id,target\n", "no rows"),
        ("", "cannot be read"),
    ],
)
def test_bad_labels(competition, tmp_path, capsys, labels, said):
    (competition / "train_labels.csv").write_text(labels)
    assert said in refused(capsys, *train(competition, tmp_path / "run"))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def pickled(path: Path) -> None:
    path.write_bytes(__import__("pickle").dumps(np.zeros(SHAPE)))


def object_dtype(path: Path) -> None:
    np.save(path, np.array([[["a"]]] * 6, dtype=object), allow_pickle=True)


def with_nan(path: Path) -> None:
    values = np.load(path)
    values[2, 3, 4] = np.nan
    np.save(path, values)


SPOILED = {
    "missing": (Path.unlink, "no file"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "truncated": (truncated, "truncated"),
    "pickled": (pickled, "no .npy file"),
    "object": (object_dtype, "dtype object"),
    "shape": (lambda path: np.save(path, np.zeros((5, 28, 64), np.float16)), "(5, 28, 64)"),
    "other shape": (lambda path: np.save(path, np.zeros((6, 28, 65), np.float16)), "(6, 28, 65)"),
    "nan": (with_nan, "NaN"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_bad_cadence_is_named_by_its_id(competition, tmp_path, capsys, how):
    spoil, said = SPOILED[how]
    spoil(file_of(competition, some_id(competition)))
    told = refused(capsys, *train(competition, tmp_path / "run"))
    assert some_id(competition) in told
    assert said in told
    assert "--data.bad skip" in told


def test_bad_cadences_can_be_left_out_and_are_listed(competition, tmp_path):
    bad = some_id(competition)
    with_nan(file_of(competition, bad))
    run = tmp_path / "run"
    assert main(train(competition, run, "--data.bad", "skip", "--trainer.max_epochs", "1")) == 0
    assert bad not in set(pd.read_csv(run / "oof.csv")["id"])
    assert len(pd.read_csv(run / "oof.csv")) == 39
    assert bad in __import__("json").loads((run / "run.json").read_text())["skipped"]


def test_an_id_that_leaves_the_folder(competition, tmp_path, capsys):
    labels = pd.read_csv(competition / "train_labels.csv")
    labels.loc[3, "id"] = "../../secret"
    labels.to_csv(competition / "train_labels.csv", index=False)
    assert "../../secret" in refused(capsys, *train(competition, tmp_path / "run"))


def test_one_class_only(competition, tmp_path, capsys):
    labels = pd.read_csv(competition / "train_labels.csv").assign(target=0)
    labels.to_csv(competition / "train_labels.csv", index=False)
    assert "both classes" in refused(capsys, *train(competition, tmp_path / "run"))


def test_more_folds_than_positives(competition, tmp_path, capsys):
    assert "--data.folds 14" in refused(capsys, *train(competition, tmp_path / "run", "--data.folds", "30"))


def test_groups_file_without_an_id(competition, tmp_path, capsys):
    groups = tmp_path / "groups.csv"
    labels = pd.read_csv(competition / "train_labels.csv")
    pd.DataFrame({"id": labels["id"][1:], "group": 1}).to_csv(groups, index=False)
    told = refused(capsys, *train(competition, tmp_path / "run", "--data.groups", str(groups)))
    assert some_id(competition, 0) in told
    told = refused(capsys, *train(competition, tmp_path / "run2", "--data.groups", "absent.csv"))
    assert re.search(r"There is no file \S*absent\.csv", told)


def test_a_test_folder_with_other_ids(shared_competition, trained_run, competition, capsys):
    sample = pd.read_csv(competition / "sample_submission.csv")
    sample.loc[2, "id"] = "0123456789abcde"
    sample.to_csv(competition / "sample_submission.csv", index=False)
    assert "0123456789abcde" in refused(capsys, "predict", str(trained_run), str(competition))
    sample.assign(id=[f"{place:015x}" for place in range(len(sample))]).to_csv(
        competition / "sample_submission.csv", index=False
    )
    assert "none of the 12 ids" in refused(capsys, "predict", str(trained_run), str(competition))


def test_a_run_folder_of_another_recipe(shared_competition, trained_run, capsys):
    before = (trained_run / "oof.csv").read_bytes()
    told = refused(capsys, *train(shared_competition, trained_run, "--optim.lr", "0.123"))
    assert "optim.lr: 0.001 → 0.123" in told
    assert (trained_run / "oof.csv").read_bytes() == before


def test_a_run_folder_of_other_labels(competition, trained_run, capsys):
    labels = pd.read_csv(competition / "train_labels.csv")[:-1]
    labels.to_csv(competition / "train_labels.csv", index=False)
    assert "other labels" in refused(capsys, *train(competition, trained_run))


def test_a_folder_that_is_no_run(shared_competition, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("do not lose me")
    assert "is no run folder" in refused(capsys, *train(shared_competition, tmp_path))
    assert "is no run folder" in refused(capsys, "report", str(tmp_path))
    assert (tmp_path / "thesis.txt").read_text() == "do not lose me"


def test_an_unfinished_run(trained_run, shared_competition, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_bytes((trained_run / "config.yaml").read_bytes())
    assert "0 of 2 folds" in refused(capsys, "predict", str(tmp_path / "run"), str(shared_competition))


def test_an_unknown_backbone(shared_competition, tmp_path, capsys):
    words = train(
        shared_competition, tmp_path / "run", "--represent.kind", "difference", "--model.name", "eficientnet_b0"
    )
    told = refused(capsys, *words)
    assert "efficientnet_b0" in told.split("eficientnet_b0", 1)[1]


def test_the_hub_out_of_reach_names_both_ways_out(shared_competition, tmp_path, capsys):
    told = refused(capsys, "train", str(shared_competition), "--run", str(tmp_path / "run"), "--recipe", "baseline")
    assert "--model.pretrained false" in told
    assert "--model.weights FILE" in told


def test_weights_that_are_none(shared_competition, tmp_path, capsys):
    words = ["train", str(shared_competition), "--recipe", "baseline", "--run", str(tmp_path / "run")]
    assert "There is no file" in refused(capsys, *words, "--model.weights", str(tmp_path / "absent.safetensors"))
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    told = refused(capsys, *words[:-1], str(tmp_path / "b"), "--model.weights", str(tmp_path / "broken.safetensors"))
    assert "does not hold weights" in told


def test_a_device_that_is_not_there(shared_competition, trained_run, capsys):
    told = refused(capsys, "predict", str(trained_run), str(shared_competition), "--accelerator", "abacus")
    assert "abacus" in told


@pytest.mark.parametrize("accelerator", ["gpu", "cuda"])
def test_a_training_on_a_device_that_is_not_there(accelerator, shared_competition, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    told = refused(capsys, *train(shared_competition, tmp_path / "run", "--trainer.accelerator", accelerator))
    assert f"trainer.accelerator {accelerator}" in told
    assert "auto" in told


def test_a_model_is_built_before_data_are_read(competition, tmp_path, capsys):
    """An hour of reading used to come before the word that the backbone takes no such option."""
    for path in (competition / "train").rglob("*.npy"):
        path.write_bytes(b"nonsense")
    words = ["--represent.kind", "difference", "--model.name", "vgg11", "--model.drop_path", "0.1"]
    told = refused(capsys, *train(competition, tmp_path / "run", *words))
    assert "--model.drop_path 0" in told


def test_a_logger_that_is_not_installed(shared_competition, tmp_path, capsys):
    pytest.importorskip("lightning")
    if __import__("importlib.util").util.find_spec("wandb"):
        pytest.skip("wandb is installed")
    told = refused(capsys, *train(shared_competition, tmp_path / "run", "--trainer.loggers", "[wandb]"))
    assert "abacad[mlflow,wandb]" in told


@pytest.mark.parametrize(
    "wrong",
    [("--trainer.accelerator", "cuda"), ("--data.folds", "15"), ("--model.name", "eficientnet_b0"),
     ("--trainer.strategy", "nonsense")],
    ids=" ".join,
)  # fmt: skip
def test_a_failed_training_leaves_nothing_that_blocks_the_next(competition, tmp_path, capsys, wrong):
    run = tmp_path / "run"
    assert main(train(competition, run, *wrong)) != 0
    assert main(train(competition, run, "--trainer.max_epochs", "1", "--optim.lr", "0.01")) == 0
    assert (run / "oof.csv").is_file()

"""run.json: what verbs read of it is of the type that a run writes, or the file is refused by name."""

import json
from pathlib import Path

import pytest

from abacad.errors import AbacadError
from abacad.learn.record import part_of, read_checked, read_record

GOOD = {
    "verb": "train", "data": {"folder": "data"}, "auc_fold": [0.5, 1], "auc_oof": [0.5, 0.4, 0.6], "auc_mean": 0.5,
    "folds_trained": [0, 1], "train_seconds": 3, "changes": ["seed: 0 → 1"], "anything": [None],
}  # fmt: skip


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_what_a_run_writes_is_read(tmp_path):
    assert read_record(written(tmp_path / "run.json", GOOD)) == GOOD
    assert read_record(tmp_path / "absent.json") == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verb", 5), ("data", "x"), ("auc_fold", [None]), ("auc_oof", [0.5]), ("auc_oof", [0.5, "x", 1]),
        ("folds_trained", [0.5]), ("train_seconds", "long"), ("changes", [1]), ("auc_mean", None),
    ],
)  # fmt: skip
def test_a_fact_of_another_type_is_named(key, value, tmp_path):
    with pytest.raises(AbacadError, match=f"run.json: {key} is "):
        read_record(written(tmp_path / "run.json", GOOD | {key: value}))


def test_a_part_that_is_none_is_empty():
    assert part_of(GOOD, "data") == {"folder": "data"}
    assert part_of(GOOD, "absent") == part_of(GOOD, "verb") == {}


def test_what_was_checked_is_read(tmp_path):
    content = {"shape": [6, 28, 64], "skipped": ["a"]}
    assert read_checked(written(tmp_path / "checked.json", content), tmp_path, []) == ((6, 28, 64), ["a"], [])
    content["skipped_test"] = ["b"]
    assert read_checked(written(tmp_path / "checked.json", content), tmp_path, []) == ((6, 28, 64), ["a"], ["b"])


@pytest.mark.parametrize(
    "content",
    [
        {}, {"skipped": []}, {"shape": "6", "skipped": []}, {"shape": [6, 28], "skipped": []},
        {"shape": [6, -28, 64], "skipped": []}, {"shape": [6, 28.5, 64], "skipped": []},
        {"shape": [6, 28, 64], "skipped": 3}, {"shape": [6, 28, 64], "skipped": [3]},
        {"shape": [6, 28, 64], "skipped": [], "skipped_test": [3]},
    ],
)  # fmt: skip
def test_what_was_not_checked_so_is_refused(content, tmp_path):
    with pytest.raises(AbacadError, match=r"checked\.json"):
        read_checked(written(tmp_path / "checked.json", content), tmp_path, [])

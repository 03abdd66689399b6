"""Runs held against each other on the cadences that both held back, and submissions by their ranks."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.errors import AbacadError
from abacad.metric import auc
from abacad.run.compare import compare

N = 240


def made(path: Path, config: str, scores: np.ndarray, ids: list[str], data: Path) -> Path:
    """A run folder with two folds of these held-back scores."""
    path.mkdir()
    (path / "config.yaml").write_text(config)
    (path / "run.json").write_text(json.dumps({"data": {"folder": str(data)}, "train_seconds": 90}))
    fold = np.arange(len(ids)) % 2
    oof = pd.DataFrame({"id": ids, "target": target_of(ids), "fold": fold, "score": scores})
    oof.to_csv(path / "oof.csv", index=False)
    for number in (0, 1):
        (path / f"fold{number}").mkdir()
        oof[fold == number].to_csv(path / f"fold{number}" / "oof.csv", index=False)
    return path


def target_of(ids: list[str]) -> np.ndarray:
    return np.array([int(name[1:]) // 8 % 3 == 0 for name in ids]).astype(int)  # scenes are of one class


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two runs that share what is hard, the second better; a scene holds eight cadences of one class and luck."""
    rng = np.random.default_rng(0)
    ids = [f"c{number:03d}" for number in range(N)]
    scenes = np.arange(N) // 8
    pd.DataFrame({"id": ids, "scene": scenes}).to_csv(tmp_path / "truth.csv", index=False)
    hard = rng.normal(size=N) + np.repeat(rng.normal(size=N // 8), 8)
    configs = ["data: {folds: 2}\noptim: {lr: 0.001}\n", "data: {folds: 2}\noptim: {lr: 0.003}\nseed: 1\n"]
    logits = [hard + skill * target_of(ids) + 0.2 * rng.normal(size=N) for skill in (0.5, 1.5)]
    return [
        made(tmp_path / name, config, 1 / (1 + np.exp(-logit)), ids, tmp_path)
        for name, config, logit in zip(("first", "second"), configs, logits, strict=True)
    ]


def test_a_table_of_runs_with_their_paired_difference(runs):
    found = compare(runs)
    tables = [pd.read_csv(run / "oof.csv") for run in runs]
    aucs = [auc(table["target"].to_numpy(), table["score"].to_numpy()) for table in tables]
    assert list(found.runs["oof"]) == pytest.approx(aucs)
    assert list(found.runs["folds"]) == ["2 of 2", "2 of 2"]
    assert list(found.runs["minutes"]) == [1.5, 1.5]
    mean = np.mean([auc(part["target"].to_numpy(), part["score"].to_numpy()) for _, part in tables[0].groupby("fold")])
    assert found.runs["mean"][0] == pytest.approx(mean)
    (row,) = found.differences.to_dict("records")
    assert re.match(r"\+0\.\d{2,3} \[", found.told()[-1][1])  # of 30 scenes: no fourth digit
    assert row["difference"] == pytest.approx(aucs[1] - aucs[0])
    assert 0 < row["low"] < row["difference"] < row["high"]
    alone = found.runs["high"] - found.runs["low"]
    assert row["high"] - row["low"] < alone.min()  # what is hard for both cancels


def test_intervals_count_scenes(runs, tmp_path):
    by_scene = compare(runs).runs
    (tmp_path / "truth.csv").unlink()
    by_cadence = compare(runs).runs
    assert (by_scene["high"] - by_scene["low"] > 1.2 * (by_cadence["high"] - by_cadence["low"])).all()


def test_only_keys_that_differ_are_told(runs):
    table = compare(runs).recipes
    assert table.set_index("key").to_dict("index") == {
        "seed": {str(runs[0]): "0", str(runs[1]): "1"},
        "optim.lr": {str(runs[0]): "0.001", str(runs[1]): "0.003"},
    }


def test_runs_are_compared_on_the_ids_that_both_held_back(runs, tmp_path, caplog):
    table = pd.read_csv(runs[1] / "oof.csv")
    part = made(
        tmp_path / "part", "data: {folds: 2}\n", table["score"][:100].to_numpy(), list(table["id"][:100]), tmp_path
    )
    (row,) = compare([runs[0], part]).differences.to_dict("records")
    first = pd.read_csv(runs[0] / "oof.csv")[:100]
    expected = auc(first["target"].to_numpy(), table["score"][:100].to_numpy()) - auc(
        first["target"].to_numpy(), first["score"].to_numpy()
    )
    assert row["cadences"] == 100
    assert row["difference"] == pytest.approx(expected)
    assert "the 100 cadences that both held back" in caplog.text


def test_the_verb_shows_tables_and_json(runs, capsys):
    assert main(["compare", *map(str, runs), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len([line for line in lines if "oof" in line]) == 2
    assert {line["key"] for line in lines if "key" in line} == {"seed", "optim.lr"}
    assert any("difference" in line and line["low"] > 0 for line in lines)
    assert main(["compare", str(runs[0])]) == 0  # one run is a table of itself
    assert "Difference" not in capsys.readouterr().out


def submission(path: Path, scores: list[float], ids: str = "abcdefgh") -> Path:
    pd.DataFrame({"id": list(ids), "target": scores}).to_csv(path, index=False)
    return path


def test_two_submissions_by_rank_and_what_moved_furthest(tmp_path, capsys):
    first = submission(tmp_path / "first.csv", [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    pressed = submission(tmp_path / "pressed.csv", [0.58, 0.57, 0.56, 0.55, 0.54, 0.53, 0.52, 0.51])
    moved = submission(tmp_path / "moved.csv", [0.8, 0.05, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    found = compare([first, pressed, moved])
    assert list(found.files["rank_correlation"]) == pytest.approx([1, 1 - 6 * (36 + 6) / (8 * 63)])
    top = found.moves.iloc[0]
    assert (top["id"], top["place_before"], top["place"]) == ("b", 2, 8)
    assert set(found.moves["file"]) == {str(moved)}
    assert main(["compare", str(first), str(moved)]) == 0
    assert "0.5000" in capsys.readouterr().out


def test_what_cannot_be_compared_is_told(runs, tmp_path):
    table = submission(tmp_path / "s.csv", [0.5] * 7 + [0.6])
    other = submission(tmp_path / "o.csv", [0.5] * 7 + [0.6], "ABCDEFGH")
    for paths, said in (
        ([runs[0], table], "another is a folder"),
        ([table], "one file"),
        ([table, other], "no two ids"),
        ([tmp_path / "absent"], "no run folder"),
    ):
        with pytest.raises(AbacadError, match=said):
            compare(paths)
    oof = pd.read_csv(runs[1] / "oof.csv")
    oof.assign(target=1 - oof["target"]).to_csv(runs[1] / "oof.csv", index=False)
    with pytest.raises(AbacadError, match="other labels of 240 cadences"):
        compare(runs)
    oof.assign(id="x" + oof["id"]).to_csv(runs[1] / "oof.csv", index=False)
    with pytest.raises(AbacadError, match="no cadence in common"):
        compare(runs)


def test_the_same_thing_twice_is_refused_under_each_of_its_names(runs, tmp_path):
    """A run compared with itself differed by 0.0000 [0.0000, 0.0000], as if that were a result."""
    (tmp_path / "link").symlink_to(runs[0])
    table = submission(tmp_path / "s.csv", [0.5] * 8)
    for twins in ([runs[0], runs[1], runs[0]], [runs[0], tmp_path / "link"], [table, table]):
        with pytest.raises(AbacadError, match="is named twice"):
            compare(twins)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id,target\na,0.1\na,0.5\nb,0.7\n", "names a twice"),
        ("id,target\na,0.5\nb,0.5\nc,0.5\n", "ranks nothing"),
        ("id,target\na,0.1\nb,nan\n", "no number"),
    ],
)
def test_a_submission_that_does_not_rank_each_id_once_is_refused(table, said, tmp_path):
    """An id that stood there twice was once counted with each of its scores, and moved against itself."""
    (tmp_path / "good.csv").write_text("id,target\na,0.1\nb,0.5\nc,0.7\n")
    (tmp_path / "bad.csv").write_text(table)
    for pair in (["good.csv", "bad.csv"], ["bad.csv", "good.csv"]):
        with pytest.raises(AbacadError, match=said) as refused:
            compare([tmp_path / name for name in pair])
        assert "bad.csv" in str(refused.value)

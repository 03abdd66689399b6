"""Folds: whole groups, both classes, written once and checked when read."""

import json

import numpy as np
import pandas as pd
import pytest

from abacad.data.competition import read_labels
from abacad.errors import AbacadError
from abacad.learn.folds import (
    check_folds,
    folds_for_run,
    group_of,
    make_folds,
    make_folds_of_run,
    read_groups,
    read_links,
    require_both_classes,
    require_targets,
)
from tests.run.made import RECIPE, random_run


def labels(n: int = 60, per_group: int = 3) -> tuple[pd.DataFrame, pd.Series]:
    ids = pd.Series([f"g{place // per_group}_{place}" for place in range(n)])
    return pd.DataFrame({"id": ids, "target": (np.arange(n) % 4 == 0).astype(int)}), ids.map(group_of)


def test_a_group_is_the_id_up_to_its_first_underscore():
    assert [group_of(name) for name in ("abc_1_2", "0123456789abcde", "_x")] == ["abc", "0123456789abcde", ""]


def test_groups_stay_whole_and_folds_are_stratified():
    table, groups = labels()
    folds = make_folds(table, groups, 5, seed=0)
    assert list(folds["id"]) == list(table["id"])
    assert folds.groupby("group")["fold"].nunique().max() == 1
    shares = folds.merge(table, on="id").groupby("fold")["target"].mean()
    assert len(shares) == 5
    assert shares.between(0.1, 0.4).all()


def test_folds_are_written_reused_and_follow_the_seed(tmp_path):
    table, groups = labels()
    first = folds_for_run(tmp_path / "folds.csv", table, groups, 5, seed=0)
    again = folds_for_run(tmp_path / "folds.csv", table, groups, 5, seed=99)
    pd.testing.assert_frame_equal(first, again)
    assert not first["fold"].equals(make_folds(table, groups, 5, seed=1)["fold"])


def test_torn_groups_and_poor_folds_are_refused(tmp_path):
    table, groups = labels()
    folds = make_folds(table, groups, 5, seed=0)
    torn = folds.copy()
    torn.loc[0, "fold"] = (torn.loc[0, "fold"] + 1) % 5
    with pytest.raises(AbacadError, match="both sides"):
        check_folds(torn, table, 5)
    stranger = folds.iloc[:1].assign(id="stranger")
    for other in (folds[1:], pd.concat([folds, stranger]), pd.concat([folds, folds[:1]]), folds.assign(fold=5)):
        with pytest.raises(AbacadError, match="each training id once"):
            check_folds(other, table, 5)
    with pytest.raises(AbacadError, match="one class only"):
        check_folds(folds, table.assign(target=(folds["fold"] == 0).astype(int)), 5)


def test_as_many_groups_as_folds_are_enough_and_one_less_is_not():
    table = pd.DataFrame({"id": list("abcdefgh"), "target": [0, 1] * 4})
    pairs = pd.Series([0, 0, 1, 1, 2, 2, 3, 3])
    folds = make_folds(table, pairs, 4, seed=0)
    assert sorted(folds.groupby("group")["fold"].first()) == [0, 1, 2, 3]
    with pytest.raises(AbacadError, match="need as many groups; there are 3"):
        make_folds(table, pairs.replace(3, 2), 4, seed=0)


def test_groups_come_from_a_file_or_the_data_folder(tmp_path):
    ids = pd.Series(["a", "b", "c"])
    assert list(read_groups("auto", tmp_path, ids)) == ["a", "b", "c"]
    pd.DataFrame({"id": ["c", "b", "a"], "group": [1, 1, 2]}).to_csv(tmp_path / "groups.csv", index=False)
    assert list(read_groups("auto", tmp_path, ids)) == ["2", "1", "1"]
    assert list(read_groups("none", tmp_path, ids)) == ["a", "b", "c"]
    assert list(read_groups(str(tmp_path / "groups.csv"), tmp_path, ids)) == ["2", "1", "1"]
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(AbacadError, match="cannot be read"):
        read_groups(str(tmp_path / "empty.csv"), tmp_path, ids)
    with pytest.raises(AbacadError, match="no group for 1"):
        read_groups("auto", tmp_path, pd.Series(["a", "stranger"]))


def test_ids_that_nobody_knows_are_told(tmp_path, caplog):
    pd.DataFrame({"id": ["a", "t", "x"], "group": 1}).to_csv(tmp_path / "groups.csv", index=False)
    pd.DataFrame({"id": ["t"], "target": 0.5}).to_csv(tmp_path / "sample_submission.csv", index=False)
    with caplog.at_level("INFO"):
        read_groups("auto", tmp_path, pd.Series(["a"]))
    assert "names 1 ids that are neither labelled nor to be scored (x …)" in caplog.text
    assert "--data.groups none turns them off" in caplog.text


def test_a_fold_of_one_class_is_refused_by_its_number():
    folds, targets = np.array([0, 0, 1, 1, -1]), np.array([0.0, 1.0, 0.0, 0.0, 1.0])
    require_both_classes(folds, targets, 0, "Look.")
    with pytest.raises(AbacadError, match=r"Fold 1 holds back one class only, .*\nLook\."):
        require_both_classes(folds, targets, 1, "Look.")


def test_held_back_scores_beside_other_labels_are_refused_by_the_first_id(tmp_path):
    ids, targets = np.array(["a", "b", "c"]), np.array([1.0, 0.0, 1.0])
    held = pd.DataFrame({"id": ["c", "b"], "target": [1, 0], "fold": 0, "score": 0.5})
    held.to_csv(tmp_path / "oof.csv", index=False)
    require_targets(ids, targets, tmp_path / "oof.csv")
    held.assign(target=1).to_csv(tmp_path / "oof.csv", index=False)
    with pytest.raises(AbacadError, match=r"oof\.csv has other labels than the run, first of b\."):
        require_targets(ids, targets, tmp_path / "oof.csv")


def test_links_are_those_beside_the_groups_and_none_where_groups_are_switched_off(tmp_path, monkeypatch):
    pairs = pd.DataFrame({"id_a": ["a"], "id_b": ["b"], "offset": [1], "columns": [5]})
    assert read_links("auto", tmp_path) is None
    pairs.to_csv(tmp_path / "overlaps.csv", index=False)
    assert read_links("auto", tmp_path) is None  # without groups the links say nothing
    for name in ("groups.csv", "none"):  # a file may have any name
        (tmp_path / name).write_text("id,group\na,x\nb,x\n")
    assert list(read_links("auto", tmp_path)["id_b"]) == ["b"]
    assert list(read_links(str(tmp_path / "groups.csv"), tmp_path / "elsewhere")["id_b"]) == ["b"]
    monkeypatch.chdir(tmp_path)
    assert read_links("none", tmp_path) is None


def test_folds_are_made_of_groups_and_what_lies_across_them_is_told(competition, tmp_path, caplog):
    labels = read_labels(competition)
    run = random_run(tmp_path / "run", competition)
    run.folds.unlink()
    pairs = pd.DataFrame({"id_a": labels["id"][0::2].to_numpy(), "id_b": labels["id"][1::2].to_numpy()})
    pairs.assign(offset=0, columns=40).to_csv(competition / "overlaps.csv", index=False)
    groups = labels[["id"]].assign(group=np.arange(len(labels)) // 2)
    groups.to_csv(competition / "groups.csv", index=False)
    with caplog.at_level("INFO"):
        make_folds_of_run(competition, labels, RECIPE, run)
    folds = pd.read_csv(run.folds, dtype={"id": str}).set_index("id")["fold"]
    assert (folds[pairs["id_a"]].to_numpy() == folds[pairs["id_b"]].to_numpy()).all()
    facts = json.loads(run.record.read_text())["groups"]
    assert facts == {"groups": 20, "largest": 2, "overlapping_pairs": 20, "pairs_across_folds": 0}
    assert "0 of 20 overlapping pairs lie across folds" in caplog.text

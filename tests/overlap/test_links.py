"""Groups that are larger than a fold are cut where least is shared, and what lies across folds is counted."""

import numpy as np
import pandas as pd
import pytest

from abacad.errors import AbacadError
from abacad.learn.folds import make_folds, read_links
from abacad.overlap.links import across, cut_large, random_leak, read_overlaps


def chain(columns: list[int]) -> tuple[pd.Series, pd.DataFrame]:
    """Ids in a row, each sharing so many columns with the next."""
    ids = pd.Series([f"{place:03d}" for place in range(len(columns) + 1)])
    pairs = {"id_a": ids[:-1].to_numpy(), "id_b": ids[1:].to_numpy(), "offset": 256 - np.array(columns)}
    return ids, pd.DataFrame(pairs).assign(columns=columns)


def test_a_large_group_is_cut_at_its_weakest_links(caplog):
    ids, pairs = chain([90, 80, 9, 70, 60, 8, 95, 99])
    cut = cut_large(ids, pd.Series(["all"] * 9), pairs, 1 + 1)  # half of a fold of 4 holds 2
    assert cut.value_counts().max() == 2
    assert "Group all holds 9 of 9 cadences, more than a fold (4)" in caplog.text
    ids, pairs = chain([90, 80, 9, 70, 60, 8, 95, 99] + [1] * 4)
    cut = cut_large(ids, pd.Series(["all"] * 13), pairs, 2)  # half of a fold of 6 holds 3
    assert [list(members) for _, members in ids.groupby(cut)][:3] == [
        ["000", "001", "002"], ["003", "004", "005"], ["006", "007", "008"],
    ]  # fmt: skip


def test_small_groups_and_groups_without_links_stay_whole(caplog):
    ids, pairs = chain([50] * 11)
    groups = pd.Series(["a"] * 4 + ["b"] * 8)
    pd.testing.assert_series_equal(cut_large(ids, groups, pairs, 1), groups)
    pd.testing.assert_series_equal(cut_large(ids, groups, None, 2), groups)
    assert "stays whole" in caplog.text
    assert list(cut_large(ids, groups, pairs, 2)[:4]) == ["a"] * 4


def test_folds_of_one_giant_component_are_balanced_and_the_leak_is_counted():
    rng = np.random.default_rng(0)
    ids, pairs = chain(list(rng.integers(4, 250, 299)))
    labels = pd.DataFrame({"id": ids, "target": (np.arange(300) % 4 == 0).astype(int)})
    cut = cut_large(ids, pd.Series(["one"] * 300), pairs, 5)
    folds = make_folds(labels, cut, 5, seed=0)
    assert folds["fold"].value_counts().between(40, 80).all()
    n_pairs, torn = across(folds, pairs)
    assert n_pairs == 299
    assert torn < 40
    lost = pairs[cut[:-1].to_numpy() != cut[1:].to_numpy()]
    assert lost["columns"].median() < pairs["columns"].median() / 2
    random = folds.assign(fold=rng.permutation(folds["fold"]))
    assert across(random, pairs)[1] > 200


def test_the_leak_of_a_random_split():
    ids, pairs = chain([10, 10])
    assert random_leak(ids, pairs, 5) == pytest.approx((0.8 + 0.96 + 0.8) / 3)
    assert random_leak(pd.Series(["x", "y"]), pairs, 5) == 0
    rng = np.random.default_rng(0)
    fold = rng.integers(0, 5, (20_000, 3))
    torn = np.stack([fold[:, 0] != fold[:, 1], (fold[:, 1:2] != fold[:, ::2]).any(1), fold[:, 1] != fold[:, 2]])
    assert random_leak(ids, pairs, 5) == pytest.approx(torn.mean(), abs=0.01)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "must have id_a, id_b"),
        ("id_a,id_b,offset,columns\nx,,1,2\n", "without id_b"),
        ("id_a,id_b,offset,columns\nx,y,1,many\n", "no whole number"),
    ],
)
def test_bad_tables_are_named(tmp_path, text, said):
    (tmp_path / "overlaps.csv").write_text(text)
    with pytest.raises(AbacadError, match=said):
        read_overlaps(tmp_path / "overlaps.csv")


def test_links_stand_beside_the_groups(tmp_path):
    _, pairs = chain([5, 6])
    pairs.to_csv(tmp_path / "overlaps.csv", index=False)
    assert read_links("auto", tmp_path) is None
    (tmp_path / "groups.csv").write_text("id,group\n")
    assert list(read_links("auto", tmp_path)["columns"]) == [5, 6]
    assert list(read_links(str(tmp_path / "groups.csv"), tmp_path / "elsewhere")["columns"]) == [5, 6]
    assert read_links("none", tmp_path) is None
    with pytest.raises(AbacadError, match="There is no file"):
        read_overlaps(tmp_path / "absent.csv")

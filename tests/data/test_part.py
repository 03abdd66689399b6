"""A part of a competition folder: the shares of the classes, links, and only pairs that are whole."""

import numpy as np
import pandas as pd
import pytest

from abacad.data.competition import cadence_path, read_cadence, read_labels, read_sample
from abacad.data.part import linked_part
from abacad.errors import AbacadError


def test_a_part_is_a_competition_of_its_own(competition, tmp_path):
    ids = list(read_labels(competition)["id"])
    pairs = pd.DataFrame({"id_a": ids[0], "id_b": ids[1:], "offset": 1})
    pairs.to_csv(competition / "overlaps.csv", index=False)
    part = linked_part(competition, tmp_path / "part", 20, 5, 2, seed=1)
    whole, labels = read_labels(competition).set_index("id")["target"], read_labels(part)
    assert len(labels) == 20
    assert labels["target"].mean() == pytest.approx(whole.mean(), abs=0.03)
    assert (whole[labels["id"]].to_numpy() == labels["target"].to_numpy()).all()
    assert read_sample(part) == read_sample(competition)[:5]
    for split, taken in (("train", labels["id"]), ("test", read_sample(part))):
        for name in taken:
            ours, theirs = (read_cadence(cadence_path(root, split, name)) for root in (part, competition))
            np.testing.assert_array_equal(ours, theirs)
    kept = pd.read_csv(part / "overlaps.csv", dtype=str)
    assert set(kept["id_b"]) | set(kept["id_a"]) <= set(labels["id"]) | set(read_sample(part))
    assert not (part / "old_leaky_data").exists()


def test_too_few_of_a_class_are_told(competition, tmp_path):
    with pytest.raises(AbacadError, match="fewer than 15 cadences of a class"):
        linked_part(competition, tmp_path / "part", 20, 5, 15)

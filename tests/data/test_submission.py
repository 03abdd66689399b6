"""A submission: written whole or not at all, all digits kept, ids as texts, and the sample's order held."""

import os

import numpy as np
import pandas as pd
import pytest

from abacad.data.competition import read_sample
from abacad.data.submission import asked_for, check_submission, write_submission
from abacad.errors import AbacadError


def test_a_submission_that_fails_its_check_leaves_the_one_before(tmp_path):
    write_submission(tmp_path / "s.csv", ["a", "b"], np.array([0.25, 0.75]))
    before = (tmp_path / "s.csv").read_text()
    assert before == "id,target\na,0.25\nb,0.75\n"
    for scores in ([0.5, np.nan], [0.5, 1.25], [-0.5, 0.5]):
        with pytest.raises(AbacadError):
            write_submission(tmp_path / "s.csv", ["a", "b"], np.array(scores))
    assert (tmp_path / "s.csv").read_text() == before
    assert os.listdir(tmp_path) == ["s.csv"]


def test_scores_keep_all_their_digits(tmp_path):
    scores = np.random.default_rng(0).random(50)
    write_submission(tmp_path / "s.csv", [f"i{k}" for k in range(50)], scores)
    found = pd.read_csv(tmp_path / "s.csv", dtype=str)["target"].map(float)
    np.testing.assert_array_equal(found, scores)


def test_ids_that_look_like_numbers_stay_texts(tmp_path):
    write_submission(tmp_path / "s.csv", ["007", "1e5", "nan"], np.array([0.1, 0.2, 0.3]))
    check_submission(tmp_path / "s.csv", ["007", "1e5", "nan"])


@pytest.mark.parametrize("name", ["", "test"])
def test_a_folder_or_its_test_folder_asks_for_the_samples_ids(name, shared_competition):
    asked = asked_for([shared_competition / name])
    assert list(asked) == read_sample(shared_competition)
    assert all(path.is_relative_to(shared_competition / "test") for path in asked.values())


def test_a_test_folder_on_another_disk_is_the_competitions(competition, tmp_path):
    (competition / "test").rename(tmp_path / "elsewhere")
    (competition / "test").symlink_to(tmp_path / "elsewhere")
    for folder in (competition, competition / "test"):
        assert list(asked_for([folder])) == read_sample(competition)


def test_one_folder_alone_can_be_submitted(competition):
    ids = read_sample(competition)
    path = competition / "test" / ids[0][0] / f"{ids[0]}.npy"
    for files in ([path], [competition, competition / "test"], []):
        with pytest.raises(AbacadError, match="scores one competition"):
            asked_for(files)
    path.unlink()
    with pytest.raises(AbacadError, match=rf"Cadence {ids[0]} of sample_submission\.csv is not in .*\(1 such\)"):
        asked_for([competition / "test"])


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

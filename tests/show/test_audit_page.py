"""What an audit found as facts and as a page: the same figures on both, pictures of usable cadences alone."""

import numpy as np
import pandas as pd
import pytest

from abacad.data.check import Checked
from abacad.data.competition import cadence_path, read_labels
from abacad.show.audit_page import Audit, audit_page

SHAPE = (6, 28, 64)


def audited(root, **more) -> Audit:
    labels = read_labels(root)
    checked = Checked(SHAPE, {"float16": 40}, good=list(labels["id"]), low=-4.25, high=9.5)
    found = Audit(root, [("train/", "40", "1 MB")], labels, ["t1", "t2"], {"train": checked}, {"train": 40})
    for key, value in more.items():
        setattr(found, key, value)
    return found


def titles(found: Audit) -> dict[str, int]:
    """Sections of the page, and how many pictures each has."""
    return {section.title: len(section.figures) for section in audit_page(found).sections}


def test_facts_count_labels_ids_and_cadences(shared_competition):
    facts = dict(audited(shared_competition).facts())
    assert facts["labels"] == "40: 14 with a needle (35.0%), 26 without"
    assert facts["pos_weight"] == f"{26 / 14:.2f}"
    assert facts["sample_submission.csv"] == "2 ids, columns id and target"
    assert facts["train values"] == "-4.25 to 9.50, read in 40 cadences"
    assert facts["train shape"] == "(6, 28, 64) = (panel, time, frequency), float16 (40)"


@pytest.mark.parametrize(
    ("leak", "told"), [(None, "not looked for; `abacad overlaps`"), (0.125, "12.5% of the labelled"), (0.0, "0.0% of")]
)
def test_what_a_random_split_would_leak_is_a_sentence(leak, told, shared_competition):
    assert audited(shared_competition, leak=leak).leak_told().startswith(told)


def test_without_a_needle_the_weight_is_that_of_one(shared_competition):
    labels = pd.DataFrame({"id": ["a", "b"], "target": [0, 0]})
    assert audited(shared_competition, labels=labels).pos_weight == 2.0
    assert audited(shared_competition, labels=labels).positive_share() == "0.0%"


def test_an_audit_tells_itself_by_its_problems_and_facts(shared_competition):
    found = audited(shared_competition, problems=["one", "two"])
    assert found.told()[0] == ("problems", "2")
    assert repr(found).startswith(f"<Audit of {shared_competition}: problems 2")


def test_the_page_shows_three_cadences_of_each_class_before_and_after(shared_competition):
    found = titles(audited(shared_competition))
    assert found["Cadences with a needle: six panels"] == found["Cadences without: six panels"] == 3
    assert found["Cadences with a needle: three differences"] == 3
    assert list(found)[:3] == ["Problems", "Facts", "Shared backgrounds"]


def test_cadences_that_cannot_be_used_are_not_shown(competition, caplog):
    found = audited(competition)
    needles = list(found.labels["id"][found.labels["target"] == 1])
    found.checked["train"].good = needles[:2]
    np.save(cadence_path(competition, "train", needles[0]), np.zeros((5, 4, 8)))
    pictures = titles(found)
    assert pictures["Cadences with a needle: six panels"] == 1  # the other was spoiled since it was checked
    assert pictures["Cadences without: six panels"] == 0
    assert f"{needles[0]} is not shown" in caplog.text


def test_problems_stand_on_the_page_and_where_there_are_none_that_too(shared_competition, tmp_path):
    found = audited(shared_competition, problems=["<b>3</b> ids"])
    found.checked["train"].good = []
    text = audit_page(found).write(tmp_path / "a.html").read_text()
    assert "&lt;b&gt;3&lt;/b&gt; ids" in text
    found.problems = []
    assert "None found." in audit_page(found).write(tmp_path / "b.html").read_text()

"""The page as a file: its digest, its escapes, and what is inlined."""

import json
import re

import pytest

from abacad.errors import AbacadError
from abacad.show.review import ReviewPage
from tests.show.pages import LAYOUT, candidates, page


def _data(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def test_the_digest_tells_contents_apart():
    assert page(3).digest == page(3).digest
    assert page(3).digest != page(4).digest
    assert page(3).digest != page(3, seed=1).digest


def test_the_data_hold_every_candidate_in_order():
    made = candidates(5)
    data = _data(ReviewPage("t", "l", LAYOUT, made).html())
    assert [item["id"] for item in data["items"]] == [one.name for one in made]
    assert data["items"][1]["mhz"] == 1401.0
    assert data["layout"]["height"] == LAYOUT.height


def test_two_candidates_of_one_name_are_refused():
    made = candidates(3)
    with pytest.raises(AbacadError, match=r"2 candidates are named id0001"):
        ReviewPage("t", "l", LAYOUT, [*made, made[1]])
    assert ReviewPage("t", "l", LAYOUT, []).candidates == []


def test_a_name_cannot_end_the_script():
    import dataclasses

    html = ReviewPage("t", "l", LAYOUT, [dataclasses.replace(candidates(1)[0], name="</script>")]).html()
    assert _data(html)["items"][0]["id"] == "</script>"


def test_nothing_is_loaded_from_elsewhere():
    html = page(2).html()
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]+"', html)
    assert "https:" not in html
    assert "http:" not in re.sub(r'"http://www.w3.org/2000/svg"', "", html)


@pytest.mark.parametrize("name", ["review.js", "review.css", "review_cards.js", "review_table.js", "review_sync.js"])
def test_scripts_are_files_of_a_readable_length(name):
    from importlib.resources import files

    lines = (files("abacad.show") / "templates" / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 300

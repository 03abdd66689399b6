from dataclasses import dataclass

import pytest

from abacad.summary import Summary


@dataclass(repr=False)
class Result(Summary):
    count: int
    note: str = ""

    def title(self) -> str:
        return "A <search>"

    def told(self) -> list[tuple[str, str]]:
        return [("events", str(self.count)), ("note", self.note)]


def test_a_result_without_facts_cannot_be_made():
    class Untold(Summary):
        def title(self) -> str:
            return "no facts"

    with pytest.raises(TypeError, match="told"):
        Untold()  # type: ignore[abstract]


def test_a_line_holds_title_and_facts_and_is_never_long():
    assert repr(Result(3)) == "<A <search>: events 3, note >"
    long = repr(Result(3, "x" * 500))
    assert len(long) <= 160
    assert long.endswith("…>")


def test_markup_in_a_fact_is_escaped():
    table = Result(1, "<script>")._repr_html_()
    assert "&lt;script&gt;" in table
    assert "<script>" not in table

"""A page holds what it was given, escaped, and nothing of elsewhere; what is empty is not shown."""

import re

from abacad.show.page import Page, Section

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'twice'"


def text_of(page: Page, folder) -> str:
    return page.write(folder / "page.html").read_text(encoding="utf-8")


def whole(words: str) -> Page:
    """A page with these words in every place that takes words."""
    section = Section(
        words, text=words, points=[words], columns=[words], rows=[[words, 3]], figures=[("<svg></svg>", words)],
        legend=[("#0b6e4f", words)], code=words,
    )  # fmt: skip
    return Page(words, words, [(words, words)], [section])


def test_words_are_escaped_wherever_they_stand(tmp_path):
    text = text_of(whole(HOSTILE), tmp_path)
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 11
    assert "<svg></svg>" in text  # figures are ours


def test_every_part_stands_on_the_page(tmp_path):
    section = Section(
        "A heading", "a paragraph", ["a point"], ["a column"], [["a cell"]], [("<svg id='it'/>", "a caption")]
    )
    page = Page("A title", "a lead", [("a tile", "its figure")], [section, Section("Code", code="a = 1")])
    text = text_of(page, tmp_path)
    places = [text.index(part) for part in ("a lead", "a tile", "A heading", "a paragraph", "a = 1")]
    assert places == sorted(places)
    assert all(part in text for part in ("its figure", "a point", "a column", "a cell", "<svg id='it'/>", "a caption"))
    assert "<title>A title" in text


def test_what_is_empty_leaves_no_element(tmp_path):
    text = text_of(Page("Title", sections=[Section("Nothing")]), tmp_path).split("<body", 1)[1]
    assert "Nothing" in text
    assert not re.search(r"<(table|ul|figure|pre)\b", text)


def test_nothing_is_fetched(tmp_path):
    text = text_of(whole("words"), tmp_path)
    assert not re.search(r"(src|href)=[\"']?(https?:|//)|@import|url\(", text)


def test_letters_of_any_language_and_none_survive(tmp_path):
    assert "Nançay ± σ 漢" in text_of(Page("Nançay ± σ 漢"), tmp_path)
    assert "\\udcff" in text_of(Page("file \udcff"), tmp_path)  # of a file name that is no UTF-8


def test_a_page_replaces_the_page_before_and_leaves_no_part(tmp_path):
    text_of(Page("first"), tmp_path)
    assert "first" not in text_of(Page("second"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_commands_have_a_fixed_font_and_intervals_stay_whole(tmp_path):
    section = Section("S", "`abacad overlaps <DATA>` finds them", columns=["half"], rows=[["3.4 [3.1, 3.8]"]])
    text = text_of(Page("T", sections=[section]), tmp_path)
    assert "<code>abacad overlaps &lt;DATA&gt;</code> finds" in text
    assert '<td class="whole"><span class="whole">3.4 [3.1, 3.8]</span></td>' in text

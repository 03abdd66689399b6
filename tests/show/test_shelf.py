"""Verdicts on the shelf: added whole or not at all, kept apart by page, and the last word of each reader counts."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from abacad.errors import AbacadError
from abacad.show.shelf import Said, Shelf


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    return Shelf(tmp_path / "new" / "verdicts.sqlite", "page")


def said(name: str, verdict: str = "rfi", reader: str = "a", note: str = "") -> Said:
    return Said(reader, name, verdict, note)


def test_the_file_is_made_when_something_is_asked_or_said(shelf):
    assert not shelf.path.exists()
    assert shelf.since(0) == (0, [])
    assert shelf.latest() == []
    assert shelf.path.is_file()


def test_what_was_said_comes_back_in_order_from_where_one_was(shelf):
    shelf.add([said("1"), said("2", note="twice ' \" ;")])
    last, rows = shelf.since(0)
    assert rows == [said("1"), said("2", note="twice ' \" ;")]
    shelf.add([said("3")])
    assert shelf.since(last) == (last + 1, [said("3")])
    assert shelf.since(last + 1) == (last + 1, [])


def test_the_last_word_of_each_reader_on_each_candidate_counts(shelf):
    shelf.add([said("1", "rfi"), said("1", "needle", reader="b"), said("2", "noise")])
    shelf.add([said("1", "needle"), said("2", "")])
    assert sorted(shelf.latest(), key=lambda one: one.reader) == [said("1", "needle"), said("1", "needle", reader="b")]


def test_a_verdict_that_was_taken_back_leaves_its_note(shelf):
    shelf.add([said("1", "rfi"), said("1", "", note="look again")])
    assert shelf.latest() == [said("1", "", note="look again")]


def test_pages_in_one_file_do_not_mix_and_share_the_numbers(shelf):
    other = Shelf(shelf.path, "other")
    shelf.add([said("1")])
    other.add([said("9")])
    shelf.add([said("2")])
    assert [one.id for one in shelf.since(0)[1]] == ["1", "2"]
    assert other.since(0) == (2, [said("9")])


def test_nothing_said_is_nothing_added(shelf):
    shelf.add([])
    assert shelf.since(0) == (0, [])


def test_what_is_added_together_is_whole_or_absent(shelf):
    shelf.add([said("1")])
    broken = said("3")
    object.__setattr__(broken, "note", None)  # the table takes none
    with pytest.raises(AbacadError, match="no table of verdicts"):
        shelf.add([said("2"), broken])
    assert [one.id for one in shelf.since(0)[1]] == ["1"]


def test_writers_at_once_wait_for_each_other(shelf):
    """One after the other in each thread, together in the file: no verdict is lost and each reader's order holds."""
    begin = threading.Barrier(4)

    def write(reader: str) -> None:
        begin.wait()
        for number in range(10):
            shelf.add([said(str(number), reader=reader)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, "abcd"))
    last, rows = shelf.since(0)
    assert last == len(rows) == 40
    for reader in "abcd":
        assert [one.id for one in rows if one.reader == reader] == [str(number) for number in range(10)]


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be one" * 30, b"SQLite format 3\0" + b"x" * 200]
)
def test_a_file_of_something_else_is_named_and_left_as_it_is(content, tmp_path):
    path = tmp_path / "thesis.sqlite"
    path.write_bytes(content)
    with pytest.raises(AbacadError, match=r"thesis\.sqlite is no table of verdicts"):
        Shelf(path, "page").add([said("1")])
    assert path.read_bytes() == content


def test_a_table_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as table:
        table.execute("CREATE TABLE verdicts (a TEXT)")
    table.close()
    with pytest.raises(AbacadError, match=r"other\.sqlite is no table of verdicts"):
        Shelf(path, "page").since(0)


def test_a_place_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AbacadError, match=r"cannot be opened.*\nName another page"):
        Shelf(tmp_path / "file" / "v.sqlite", "page").add([said("1")])


def test_any_program_can_read_it(shelf):
    shelf.add([said("1", "needle", note="Nançay")])
    with sqlite3.connect(shelf.path) as table:
        found = table.execute("SELECT page, reader, id, verdict, note, time FROM verdicts").fetchall()
    table.close()
    assert found[0][:5] == ("page", "a", "1", "needle", "Nançay")
    assert found[0][5].endswith("Z")

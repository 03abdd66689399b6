"""The review page as a server sends it, in a browser: readers, what waits for the server, and what comes back."""

import json

import pytest

from tests.show.pages import TOKEN, Opened, page, served


def _waits_for_nothing(opened: Opened) -> None:
    opened.tab.wait_for_function("() => JSON.parse(localStorage[SHELF + '-waiting'] || 'null')?.length === 0")


def _import(opened: Opened, text: str) -> None:
    opened.tab.set_input_files("#import", {"name": "table.csv", "mimeType": "text/csv", "buffer": text.encode()})
    opened.tab.wait_for_function("() => document.getElementById('import').value === ''")


def _name(opened: Opened, reader: str) -> None:
    opened.more()
    opened.tab.fill("#reader", reader)
    opened.tab.locator("#reader").press("Escape")


def test_two_readers_in_two_browsers(browser, tmp_path):
    with served(tmp_path) as server:
        first, second = (Opened(browser, f"{server.url}?reader={name}") for name in ("ann", "ben"))
        first.press("c", "r", "n")
        second.press("c", "n", "n", "u")
        first.tab.wait_for_function("() => document.getElementById('agreement').textContent.includes('3 candidates')")
        assert "You and ben: the same verdict on 67 % of 3 candidates" in first.text("agreement")
        assert first.verdicts() == {"id0000": "candidate", "id0001": "rfi", "id0002": "noise"}
        elsewhere = Opened(browser, f"{server.url}?reader=ann")  # another machine of hers
        elsewhere.tab.wait_for_function("() => document.getElementById('count').textContent.startsWith('3 of')")
        first.press("z")
        second.tab.wait_for_function("() => document.getElementById('agreement').textContent.includes('2 candidates')")
        for opened in (first, second, elsewhere):
            assert opened.complaints == []
            opened.context.close()
        assert {(one.reader, one.id): one.verdict for one in server.shelf.latest()} == {
            ("ann", "id0000"): "candidate", ("ann", "id0001"): "rfi", ("ben", "id0000"): "candidate",
            ("ben", "id0001"): "noise", ("ben", "id0002"): "noise", ("ben", "id0003"): "unsure",
        }  # fmt: skip


def test_what_the_server_missed_is_sent_when_it_is_back(browser, tmp_path):
    with served(tmp_path) as server:
        port = server.server_address[1]
        opened = Opened(browser, f"{server.url}?reader=ann")
    opened.press("c", "r")
    opened.tab.wait_for_function("() => document.getElementById('said').textContent.includes('not reached')")
    with served(tmp_path, port=port) as again:
        opened.tab.wait_for_function("() => document.getElementById('said').textContent.includes('has everything')")
        opened.context.close()
        assert [(one.id, one.verdict) for one in again.shelf.latest()] == [("id0000", "candidate"), ("id0001", "rfi")]


def test_who_reads_has_to_be_said_first(browser, tmp_path):
    with served(tmp_path) as server:
        opened = Opened(browser, server.url)
        opened.press("c")
        assert opened.verdicts() == {}
        assert "who reads" in opened.text("said")
        opened.tab.keyboard.type("ann")
        opened.press("Escape", "c")
        assert opened.verdicts() == {"id0000": "candidate"}
        opened.context.close()


@pytest.mark.parametrize("key", ["t", "f", "import"])
def test_whatever_the_server_would_be_sent_asks_for_the_name_first(browser, tmp_path, key):
    with served(tmp_path) as server:
        opened = Opened(browser, server.url)
        for name in ("", "ann"):
            _name(opened, name)
            if key == "import":
                _import(opened, "id,verdict\nid0000,rfi\n")
            else:
                opened.press(key)
                opened.tab.keyboard.type("odd")
                opened.press("Enter")
            if not name:
                assert "who reads" in opened.text("said")
                assert opened.tab.evaluate("store.verdicts") == {}
        _waits_for_nothing(opened)
        opened.context.close()
        assert {one.reader for one in server.shelf.latest()} == {"ann"}


def test_an_undo_asks_for_the_name_too(browser, tmp_path):
    with served(tmp_path) as server:
        opened = Opened(browser, f"{server.url}?reader=ann")
        opened.press("c")
        _name(opened, "")
        opened.press("z")
        assert "who reads" in opened.text("said")
        _waits_for_nothing(opened)
        opened.context.close()
        assert [one.reader for one in server.shelf.since(0)[1]] == ["ann"]


def test_a_row_that_waits_without_a_name_gets_that_of_the_next_reader(browser, tmp_path):
    with served(tmp_path) as server:
        opened = Opened(browser, server.url)
        rows = [
            {"id": f"id000{k}", "verdict": "rfi", "note": "", "reader": reader} for k, reader in enumerate(("", "ben"))
        ]
        opened.tab.evaluate(f"localStorage[SHELF + '-waiting'] = {json.dumps(json.dumps(rows))}")
        opened.open(server.url)
        _name(opened, "ann")
        _waits_for_nothing(opened)
        opened.context.close()
        assert [(one.reader, one.id) for one in server.shelf.latest()] == [("ann", "id0000"), ("ben", "id0001")]


@pytest.mark.parametrize("most_bytes", [1 << 20, 300])
def test_one_row_that_is_refused_does_not_block_the_others(browser, tmp_path, monkeypatch, most_bytes):
    """A NUL is nothing that a note may hold (400); of 300 bytes, six rows are too many and one is not (413)."""
    monkeypatch.setattr("abacad.show.server._MOST_BYTES", most_bytes)
    with served(tmp_path) as server:
        opened = Opened(browser, f"{server.url}?reader=ann")
        _import(opened, "id,verdict,note\n" + "".join(f"id{k:04d},rfi,{'' if k != 2 else chr(0)}\n" for k in range(6)))
        _waits_for_nothing(opened)
        assert "id0002 was not sent, since the server answered 400" in opened.text("said")
        assert opened.verdicts()["id0002"] == "rfi"
        opened.press("c")
        _waits_for_nothing(opened)
        opened.context.close()
        assert {one.id: one.verdict for one in server.shelf.latest()} == {
            "id0000": "candidate", "id0001": "rfi", "id0003": "rfi", "id0004": "rfi", "id0005": "rfi",
        }  # fmt: skip


def test_a_verdict_that_was_undone_stays_undone(browser, tmp_path):
    """The server keeps both rows, and sends both to a page that is opened anew."""
    with served(tmp_path) as server:
        opened = Opened(browser, f"{server.url}?reader=ann")
        opened.press("c", "r", "z", "ArrowLeft", "z")
        for _ in range(2):  # what the open page hears, then what a new one does
            opened.tab.wait_for_function("() => heard >= 4")
            assert opened.verdicts() == {}
            opened.open(f"{server.url}?reader=ann")
        elsewhere = Opened(browser, f"{server.url}?reader=ann")
        elsewhere.tab.wait_for_function("() => heard >= 4")
        assert elsewhere.verdicts() == {}
        for one in (opened, elsewhere):
            one.context.close()


def test_an_answer_that_is_older_than_an_undo_does_not_bring_the_verdict_back(browser, tmp_path):
    with served(tmp_path) as server:
        opened = Opened(browser, f"{server.url}?reader=ann")
        opened.press("c")
        _waits_for_nothing(opened)
        old = {"last": 1, "rows": [{"reader": "ann", "id": "id0000", "verdict": "candidate", "note": ""}]}
        opened.tab.route("**/verdicts?since=*", lambda route: route.fulfill(json=old))
        opened.press("z")
        _waits_for_nothing(opened)
        opened.tab.evaluate("listen()")
        assert opened.verdicts() == {}
        opened.context.close()


def test_a_page_that_is_no_longer_served_says_so(browser, tmp_path):
    """Its ids are those of the new page, and its pictures are not."""
    told = "() => document.getElementById('said').textContent.includes('%s')"
    with served(tmp_path) as server:
        port = server.server_address[1]
        opened = Opened(browser, f"{server.url}?reader=ann")
        opened.press("c")
        _waits_for_nothing(opened)
    with served(tmp_path, page(6, seed=1), port=port) as other:
        opened.press("r")
        opened.tab.wait_for_function(told % "another page now, and takes nothing on this one: reload it")
        assert "Export your verdicts first (not sent: 1)" in opened.text("said")
        opened.press("n")
        assert opened.verdicts() == {"id0000": "candidate", "id0001": "rfi"}
        anew = Opened(browser, f"{other.url}?reader=ann", context=opened.context)
        anew.tab.wait_for_function("() => document.querySelector('.card img').naturalWidth === 64")
        assert anew.verdicts() == {}
        assert other.shelf.latest() == []
        anew.tab.close()
    with served(tmp_path, port=port) as again:
        opened.tab.wait_for_function(told % "this page again")
        _waits_for_nothing(opened)
        opened.context.close()
        assert [one.verdict for one in again.shelf.latest()] == ["candidate", "rfi"]


@pytest.mark.parametrize("by", ["address", "field"])
def test_two_readers_in_one_browser_do_not_mix(browser, tmp_path, by):
    with served(tmp_path) as server:
        opened = Opened(browser, f"{server.url}?reader=ann")

        def becomes(name: str) -> None:
            if by == "field":
                _name(opened, name)
            else:
                opened.open(f"{server.url}?reader={name}")

        opened.press("c", "r")
        becomes("ben")
        assert opened.verdicts() == {}
        assert opened.tab.evaluate("toCsv()").count("\n") == 1
        opened.press("z")  # takes back what ben said, and not what ann did
        opened.press("ArrowLeft", "ArrowLeft", "n")
        _waits_for_nothing(opened)
        opened.tab.wait_for_function("() => document.getElementById('agreement').textContent.includes('You and ann')")
        becomes("ann")
        assert opened.verdicts() == {"id0000": "candidate", "id0001": "rfi"}
        opened.tab.reload()
        assert ",ann," in opened.tab.evaluate("toCsv()")
        assert ",ben," not in opened.tab.evaluate("toCsv()")
        opened.tab.goto(server.url)  # who read last
        assert opened.tab.evaluate("store.reader") == "ann"
        opened.context.close()
        assert {(one.reader, one.id, one.verdict) for one in server.shelf.latest()} == {
            ("ann", "id0000", "candidate"), ("ann", "id0001", "rfi"), ("ben", "id0000", "noise"),
        }  # fmt: skip


def test_pictures_come_with_the_cookie_of_the_page(browser, tmp_path):
    with served(tmp_path, token=TOKEN) as server:
        opened = Opened(browser, f"{server.url}&reader=ann")
        opened.tab.wait_for_function("() => document.querySelector('.card img').naturalWidth === 64")
        opened.press("c")
        assert opened.complaints == []
        _waits_for_nothing(opened)
        opened.context.close()
        assert len(server.shelf.latest()) == 1

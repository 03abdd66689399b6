"""Two readers at once lose nothing; nobody else gets in; what is no verdict is refused."""

import json
import socket
import sqlite3
import struct
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from abacad.errors import AbacadError
from abacad.show.server import Address, ReviewServer
from abacad.show.shelf import Said, Shelf
from tests.show.pages import TOKEN, page, served


def _asked(server: ReviewServer, path: str, body=None, of: str | None = None, **headers: str) -> tuple[int, bytes]:
    """The answer to a request of the page with the digest `of`; by default of the one that is served."""
    query = f"{'&' if '?' in path else '?'}page={server.digest if of is None else of}"
    where = f"http://127.0.0.1:{server.server_address[1]}{path}{query}"
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(where, content, usual | headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _verdict(reader: str = "a", name: str = "id0000", verdict: str = "rfi", note: str = "") -> dict[str, str]:
    return {"reader": reader, "id": name, "verdict": verdict, "note": note}


def test_two_writers_at_once_lose_nothing(tmp_path):
    with served(tmp_path) as server:

        def write(reader: str) -> None:
            for number in range(60):
                assert (
                    _asked(server, "/verdicts", [_verdict(reader, f"id{number % 6:04d}", note=str(number))])[0] == 200
                )

        with ThreadPoolExecutor(2) as both:
            list(both.map(write, ("first", "second")))
        last, rows = server.shelf.since(0)
        for reader in ("first", "second"):
            assert [row.note for row in rows if row.reader == reader] == [str(number) for number in range(60)]
        assert last == 120
        assert len(server.shelf.latest()) == 12


def test_a_listener_misses_nothing_that_is_written_meanwhile(tmp_path):
    shelf = Shelf(tmp_path / "v.sqlite", "page")
    heard: list[Said] = []
    done = threading.Event()

    def listen() -> None:
        number = 0
        while not done.is_set() or shelf.since(number)[1]:
            number, rows = shelf.since(number)
            heard.extend(rows)

    listener = threading.Thread(target=listen)
    listener.start()
    for number in range(80):
        shelf.add([Said("a", str(number), "rfi", "")])
    done.set()
    listener.join()
    assert [row.id for row in heard] == [str(number) for number in range(80)]


def test_what_is_added_is_whole_or_absent(tmp_path):
    shelf = Shelf(tmp_path / "v.sqlite", "page")
    shelf.add([Said("a", "1", "rfi", "")])
    broken = Said("a", "3", "rfi", "")
    object.__setattr__(broken, "verdict", None)
    with pytest.raises(AbacadError, match="sqlite"):
        shelf.add([Said("a", "2", "rfi", ""), broken])
    assert len(shelf.since(0)[1]) == 1


def test_pages_in_one_file_do_not_mix(tmp_path):
    Shelf(tmp_path / "v.sqlite", "one").add([Said("a", "1", "rfi", "")])
    assert Shelf(tmp_path / "v.sqlite", "other").since(0)[1] == []


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "v.sqlite"
    path.write_text("id,verdict\n" * 100)
    with pytest.raises(AbacadError, match=r"v\.sqlite"):
        Shelf(path, "page").add([Said("a", "1", "rfi", "")])
    assert path.read_text().startswith("id,verdict")


@pytest.mark.parametrize("path", ["/", "/verdicts?since=0", "/verdicts.csv", "/pictures/00000.png"])
def test_without_the_token_nothing_is_told(tmp_path, path):
    with served(tmp_path, token=TOKEN) as server:
        assert _asked(server, path)[0] == 401
        assert _asked(server, path, Authorization="Bearer wrong")[0] == 401
        assert _asked(server, path, Authorization="Bearer ünicode".encode("latin-1").decode("latin-1"))[0] == 401
        assert _asked(server, path, Authorization=f"Bearer {TOKEN}")[0] == 200
        assert _asked(server, "/verdicts", [_verdict()])[0] == 401


def test_elsewhere_a_token_is_required():
    for token, told in (("", "need a token"), ("short", "16"), ("with a space in it all", "letters")):
        with pytest.raises(AbacadError, match=told):
            Address("0.0.0.0", 0, token)


@pytest.mark.parametrize("port", [-1, 1 << 16, 10**12])
def test_a_port_that_is_none_is_told(port):
    with pytest.raises(AbacadError, match="--port"):
        Address(port=port)


@pytest.mark.parametrize("host", ["\udcff", "a" * 300, "a b"])
def test_a_host_of_letters_that_no_host_has_is_told(host, tmp_path):
    with pytest.raises(AbacadError, match="cannot be listened at") as refused:
        ReviewServer(page(1), Shelf(tmp_path / "v.sqlite", "page"), Address(host, 0, TOKEN))
    assert str(refused.value).encode()


def test_a_port_in_use_is_told(tmp_path):
    with served(tmp_path) as server, pytest.raises(AbacadError, match="--port"):
        ReviewServer(page(1), server.shelf, Address(port=server.server_address[1]))


def test_other_pages_of_the_browser_are_refused(tmp_path):
    with served(tmp_path) as server:
        assert _asked(server, "/verdicts?since=0", Host="evil.example")[0] == 403  # a name that points here
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert _asked(server, "/verdicts", b"reader=a", **form)[0] == 415
        assert server.shelf.latest() == []


@pytest.mark.parametrize("host", ["[", "[x]", "[::1", "a b", ""])
def test_a_host_that_is_none_is_refused(tmp_path, host):
    with served(tmp_path) as server:
        assert _asked(server, "/verdicts?since=0", Host=host)[0] == 403


def test_a_reader_who_goes_away_leaves_one_line(tmp_path, capfd, caplog):
    """A browser that is closed while a page is sent is no fault: no traceback on the screen of who serves."""
    with served(tmp_path) as server:
        for _ in range(3):
            with socket.create_connection(server.server_address[:2], timeout=20) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset at once
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.handle_error(client, ("127.0.0.1", 1))
        assert _asked(server, "/verdicts?since=0")[0] == 200
    assert "Traceback" not in capfd.readouterr().err
    assert "127.0.0.1" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        {"not": "a list"},
        [1],
        [_verdict(name="unknown")],
        [_verdict(verdict="maybe")],
        [_verdict(reader="")],
        [_verdict(note="n" * 3000)],
        [{"reader": "a", "id": "id0000", "verdict": 1, "note": ""}],
        [_verdict(), _verdict(name="unknown")],
        [_verdict(note="half a letter: \ud800")],
        [_verdict(reader="\udfff")],
        [_verdict(note="\0")],
        b"[" * 200_000,
        b"1" * 5000,
    ],
)
def test_what_is_no_verdict_is_refused_as_a_whole(tmp_path, body):
    with served(tmp_path) as server:
        assert _asked(server, "/verdicts", body)[0] == 400
        assert server.shelf.latest() == []


@pytest.mark.parametrize("of", ["", "0123456789abcdef", "x&page=y"])
def test_a_page_that_is_no_longer_served_is_told_so(tmp_path, of):
    """Under the same ids and numbers it shows other pictures, so that its verdicts would be on those of the new one."""
    with served(tmp_path) as server:
        for path in ("/verdicts?since=0", "/pictures/00000.png", "/pictures/00000e.png"):
            assert _asked(server, path)[0] == 200
            assert _asked(server, path, of=of)[0] == 409
        assert _asked(server, "/verdicts", [_verdict()], of=of)[0] == 409
        assert server.shelf.latest() == []


def test_paths_that_are_not_there(tmp_path):
    with served(tmp_path) as server:
        for path in ("/etc/passwd", "/pictures/../../x", "/pictures/", "/00000.png"):
            assert _asked(server, path)[0] == 404
        assert _asked(server, "/elsewhere", [])[0] == 404
        for number in ("minus", "9" * 30, "9" * 5000):
            assert _asked(server, f"/verdicts?since={number}")[0] == 200
        assert _asked(server, "/verdicts", b"[]", **{"Content-Length": str(2 << 20)})[0] == 413


def test_the_table_of_all_readers(tmp_path):
    with served(tmp_path) as server:
        server.shelf.add(
            [Said("a", "id0000", "rfi", "=1"), Said("a", "id0000", "noise", "=1"), Said("b", "id0001", "", "")]
        )
        assert _asked(server, "/verdicts.csv")[1].decode().splitlines() == [
            "id,verdict,note,reader",
            "id0000,noise,'=1,a",
        ]


def test_the_file_is_plain_sqlite(tmp_path):
    with served(tmp_path) as server:
        _asked(server, "/verdicts", [_verdict()])
    table = sqlite3.connect(tmp_path / "review.sqlite")
    assert table.execute("SELECT reader, id, verdict FROM verdicts").fetchall() == [("a", "id0000", "rfi")]
    table.close()

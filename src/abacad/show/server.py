"""A review page for several readers at once, on this machine or, with a token, for others.

    GET  /                         the page
    GET  /pictures/NAME?page=D     its pictures
    GET  /verdicts?since=N&page=D  JSON: the verdicts after row N, and the number of the last row
    POST /verdicts?page=D          JSON: a list of {reader, id, verdict, note}
    GET  /verdicts.csv             the last verdict of each reader on each candidate

D is the digest of the page that asks. A page that was opened before the server was started with another one is told so
by the status 409: under the same ids and numbers it shows other pictures.

The standard library's server is enough for the few people who read one page; a framework would add a dependency, its
own process and no safety. On this machine only requests whose Host says so are answered, so that no web page elsewhere
can reach the server through a name that points here. A request that changes something has to say that it is JSON,
which a form of another page cannot.
"""

import csv
import hmac
import io
import json
import logging
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from abacad.errors import AbacadError, brief, plain_name
from abacad.show.review import VERDICTS, ReviewPage
from abacad.show.shelf import Said, Shelf

log = logging.getLogger(__name__)

HERE = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches."""

_MOST_BYTES = 1 << 20  # of one request; the page sends at most 200 verdicts at once
_MOST_DIGITS = 18  # of the number of a row
_LONGEST_NOTE, _LONGEST_READER = 2000, 100  # letters; the fields of the page take no more


@dataclass(frozen=True)
class Address:
    """Where to listen, and what requests have to know.

    Attributes:
        host: Address to listen at; `127.0.0.1` is this machine alone.
        port: Its port; 0 takes a free one.
        token: A secret that each request must carry; needed where others reach the host.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str = ""

    def __post_init__(self) -> None:
        """Refuse to listen where others can ask without a token that they cannot guess."""
        if not 0 <= self.port < 1 << 16:
            raise AbacadError(f"The port is {self.port}; it must lie between 0 and 65535.\nGive another: --port 8765.")
        # The token stands in an address and in a header, so it takes only letters that both can hold.
        if self.token and not re.fullmatch(r"[A-Za-z0-9_-]{16,200}", self.token):
            raise AbacadError("A token has 16 letters, digits, '-' and '_' or more.\nGive another: --token TEXT.")
        if self.host not in HERE and not self.token:
            raise AbacadError(
                f"Others reach {plain_name(self.host)}, so requests need a token.\nGive one: --token TEXT."
            )


class RefusedError(Exception):
    """A request that is refused: the HTTP status, and the reason as its text."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        """Say why."""
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """The body of a response, and its media type."""

    body: bytes
    media_type: str


class ReviewServer(ThreadingHTTPServer):
    """Serves one page; each request has a thread of its own."""

    daemon_threads = True  # a request that hangs must not keep the process from ending

    def __init__(self, page: ReviewPage, shelf: Shelf, address: Address) -> None:
        """Listen; nothing is answered before `serve_forever`.

        Args:
            page: What is reviewed.
            shelf: Where verdicts are kept.
            address: Where to listen, and the token.

        Raises:
            AbacadError: the address cannot be listened at.
        """
        self.token, self.shelf, self.local = address.token, shelf, address.host in HERE
        self.digest = page.digest
        self.names = {one.name for one in page.candidates}
        self.pictures = _pictures(page)
        self.html = page.html("pictures", server=True).encode()  # once: the page is the same for each reader
        try:
            super().__init__((address.host, address.port), _Handler)
        except (OSError, TypeError, UnicodeError) as error:  # the last two: a name of letters that no host has
            why = brief(getattr(error, "strerror", None) or str(error), 100)
            raise AbacadError(
                f"{plain_name(address.host)}:{address.port} cannot be listened at: {why}.\nName another: --port N."
            ) from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line that a request ended early, as when a browser is closed; the server goes on."""
        log.warning("A request from %s ended early: %s", client_address[0], brief(repr(sys.exception()), 200))

    @property
    def url(self) -> str:
        """Where the page is, with the token."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{host}:{port}/" + (f"?token={self.token}" if self.token else "")


def _pictures(page: ReviewPage) -> dict[str, bytes]:
    # Looked up by name and never opened from a path: no name that a client makes up reaches the disk.
    pictures = {f"{place:05d}.png": one.picture for place, one in enumerate(page.candidates)}
    return pictures | {f"{place:05d}e.png": one.evidence for place, one in enumerate(page.candidates) if one.evidence}


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ReviewServer
    server_version, sys_version = "abacad", ""  # the versions of Python and of the server are nobody's business
    timeout = 60  # seconds that a silent client keeps its thread

    def do_GET(self) -> None:
        """Send the page, a picture or verdicts."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take verdicts."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep requests, whose addresses may hold the token, off the screen."""

    def _answer(self, make: Any) -> None:
        try:
            self._check_host()
            self._check_token()
            self._send(HTTPStatus.OK, make())
        except RefusedError as refused:
            self._send(refused.status, Answer(json.dumps({"error": str(refused)}).encode(), "application/json"))
        except AbacadError as error:
            log.warning("%s", error)
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, Answer(b'{"error": "not kept"}', "application/json"))

    def _get(self) -> Answer:
        asked = urlsplit(self.path)
        if asked.path == "/":
            return Answer(self.server.html, "text/html; charset=utf-8")
        if asked.path == "/verdicts":
            self._check_page()
            since = parse_qs(asked.query).get("since", ["0"])[0]
            # what is no number of a row asks for all rows; SQLite has numbers of 63 bits
            known = since.isascii() and since.isdigit() and len(since) <= _MOST_DIGITS
            last, rows = self.server.shelf.since(int(since) if known else 0)
            return _json({"last": last, "rows": [asdict(one) for one in rows]})
        if asked.path == "/verdicts.csv":
            return Answer(_csv(self.server.shelf.latest()).encode(), "text/csv; charset=utf-8")
        picture = self.server.pictures.get(asked.path.removeprefix("/pictures/"))
        if picture is None or not asked.path.startswith("/pictures/"):
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")
        self._check_page()
        return Answer(picture, "image/png")

    def _post(self) -> Answer:
        if urlsplit(self.path).path != "/verdicts":
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "verdicts come as application/json")
        length = self.headers.get("Content-Length", "")
        # Before anything is read; `isdigit` alone also takes ², at which `int` stops.
        if not length.isascii() or not length.isdigit() or int(length) > _MOST_BYTES:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "at most 1 MB at once, with its length")
        try:
            rows = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):  # a thousand brackets within each other
            raise RefusedError(HTTPStatus.BAD_REQUEST, "this is no JSON") from None
        self._check_page()  # after all was read: a connection that is closed before loses the answer
        said = _said(rows, self.server.names)
        self.server.shelf.add(said)
        return _json({"kept": len(said)})

    def _check_page(self) -> None:
        if parse_qs(urlsplit(self.path).query).get("page") != [self.server.digest]:
            raise RefusedError(HTTPStatus.CONFLICT, "the server shows another page now")

    def _check_host(self) -> None:
        name = None
        with suppress(ValueError):  # a name in brackets that is no address
            name = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        # DNS rebinding: a stranger's page may point its own name at 127.0.0.1, but its requests carry that name.
        if self.server.local and name not in HERE:
            raise RefusedError(HTTPStatus.FORBIDDEN, "this server answers its own machine only")

    def _check_token(self) -> None:
        if not self.server.token:
            return
        # Three ways: the page's own script sends a header, the first visit has an address, pictures have the cookie.
        given = [self.headers.get("Authorization", "").removeprefix("Bearer ")]
        given += parse_qs(urlsplit(self.path).query).get("token", [])
        with suppress(CookieError):  # what cannot be read holds no token
            given += [one.value for one in SimpleCookie(self.headers.get("Cookie", "")).values()]
        # A plain comparison ends at the first letter that differs, and its time would tell a guess letter by letter.
        if not any(hmac.compare_digest(one.encode(), self.server.token.encode()) for one in given):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")

    def _send(self, status: HTTPStatus, answer: Answer) -> None:
        self.send_response(status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
                            ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer")):  # fmt: skip
            self.send_header(name, value)
        if self.server.token and status == HTTPStatus.OK:
            # pictures are asked for by the browser itself, which sends no header of ours
            self.send_header("Set-Cookie", f"abacad={self.server.token}; HttpOnly; SameSite=Strict; Path=/")
        self.end_headers()
        self.wfile.write(answer.body)


def _json(content: Any) -> Answer:
    return Answer(json.dumps(content).encode(), "application/json")


def _said(rows: Any, names: set[str]) -> list[Said]:
    """The posted verdicts, each field of each checked.

    Raises:
        RefusedError: one of them is no verdict on a candidate of the page.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "verdicts are a list of objects")
    checked = []
    for row in rows:
        words = [row.get(key) for key in ("reader", "id", "verdict", "note")]
        if not all(isinstance(word, str) and _is_text(word) for word in words):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "each has the texts reader, id, verdict and note")
        one = Said(*words)
        if one.id not in names or one.verdict not in (*VERDICTS, ""):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "there is no such candidate or verdict on this page")
        if not 0 < len(one.reader) <= _LONGEST_READER or len(one.note) > _LONGEST_NOTE:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "a reader needs a name, and notes have an end")
        checked.append(one)
    return checked


def _is_text(word: str) -> bool:
    """Whether files and tables can hold it: JSON can name halves of letters (`\\ud800`), which nothing can write."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in word)


def _csv(said: Sequence[Said]) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("id", "verdict", "note", "reader"))
    table.writerows((one.id, one.verdict, _no_formula(one.note), _no_formula(one.reader)) for one in said)
    return text.getvalue()


def _no_formula(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula and compute it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text

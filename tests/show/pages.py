"""Small review pages, and a browser to open them in."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from abacad.show.guide import Guide
from abacad.show.picture import Layout
from abacad.show.review import Candidate, ReviewPage, candidate
from abacad.show.server import Address, ReviewServer
from abacad.show.shelf import Shelf
from abacad.signal.cadence import Axes

AXES = Axes(n_time=28, n_freq=64, dt_s=10.0)
LAYOUT = Layout.of(AXES)
TOKEN = "long-enough-a-token"
FAMILIES = ("drifting line", "standing line", "no straight line")


def candidates(n: int, mhz: bool = True, seed: int = 0) -> list[Candidate]:
    """Candidates whose values tell which they are: the k-th scores n − k and drifts 0.01·k Hz/s.

    Every fifth stands at 1420 MHz, the others at 1400 MHz + k.
    """
    rng = np.random.default_rng(seed)
    made = []
    for k in range(n):
        cadence = rng.normal(size=(6, 28, 64)).astype(np.float32)
        low = None if not mhz else 1420.0 if k % 5 == 0 else 1400.0 + k
        guide = Guide(10.0, 0.01 * k, 8.0, FAMILIES[k % 3])
        made.append(
            candidate(
                f"id{k:04d}", float(n - k), cadence, LAYOUT, 0.2 * cadence, None,
                low_mhz=low, guide=guide, family=FAMILIES[k % 3], label=k % 2,
            )
        )  # fmt: skip
    return made


def page(n: int, **options) -> ReviewPage:
    """A page of `candidates`."""
    return ReviewPage(f"Review of {n} <made> candidates", "From a test.", LAYOUT, candidates(n, **options))


@contextmanager
def served(folder: Path, made: ReviewPage | None = None, token: str = "", port: int = 0) -> Iterator[ReviewServer]:
    """A server of a page, by default one of six candidates, on a free port."""
    made = made or page(6)
    shelf = Shelf(folder / "review.sqlite", made.digest)
    with ReviewServer(made, shelf, Address(port=port, token=token)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: the extra dev")
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium on the path, or its path in CHROMIUM")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


class Opened:
    """A page in the browser, with what it complained about and what it asked the network for."""

    def __init__(self, browser, path: Path | str, width: int = 1280, scheme: str = "light", context=None) -> None:
        self.context = context or browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.open(path)

    def open(self, path: Path | str) -> None:
        """Load an address, or a file."""
        self.tab.goto(path if isinstance(path, str) else path.as_uri())
        self.tab.wait_for_function("() => !document.getElementById('data') || window.abacadReady > 0")

    def serious(self) -> list[tuple[str, str]]:
        """What axe calls serious or critical: its rule, and the first element at fault."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
        found = axe.Axe().run(self.tab).response["violations"]
        return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]

    def printed(self) -> tuple[int, float]:
        """Pages of the print, and how many the page's height would fill without a break.

        A printed page is 8.5 by 11 inches: 816 by 1056 pixels, the margins included.
        """
        n_pages = len(re.findall(rb"/Type\s*/Page\b", self.tab.pdf(prefer_css_page_size=True)))
        self.tab.emulate_media(media="print")
        self.tab.set_viewport_size({"width": 710, "height": 900})
        height = self.tab.evaluate("document.documentElement.scrollHeight")
        return n_pages, height / 950

    def press(self, *keys: str) -> None:
        """Keys one after the other."""
        for key in keys:
            self.tab.keyboard.press(key)

    def verdicts(self) -> dict[str, str]:
        """What the cards say, by id; cards without a verdict are left out."""
        return self.tab.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.card')].map(card => [card.dataset.id, "
            "card.querySelector('.verdict').dataset.is]).filter(([, verdict]) => verdict))"
        )

    def current(self) -> str:
        """Id of the current card."""
        return self.tab.evaluate("document.querySelector('[aria-current=true]').dataset.id")

    def shown(self) -> list[str]:
        """Ids of the cards that pass the filters."""
        return self.tab.evaluate("[...document.querySelectorAll('.card:not([hidden])')].map(card => card.dataset.id)")

    def more(self) -> None:
        """Unfold the filters."""
        self.tab.evaluate("document.getElementById('more').open = true")

    def text(self, element: str) -> str:
        """What stands in an element."""
        return self.tab.locator(f"#{element}").inner_text()

"""Every page that abacad writes in a real browser: read by everybody, on a telephone, in the dark, and on paper."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from abacad.run.audit import audit
from abacad.run.report import report
from abacad.run.score import score
from abacad.searcher.engine import search_unit
from abacad.searcher.settings import Settings
from abacad.show.completeness import all_families, by_family, headline
from abacad.show.findings import findings_page
from abacad.show.guide import Guide
from abacad.show.page import Page, Section
from abacad.show.truth_page import truth_page
from abacad.show.waterfall import waterfall
from tests.searcher.made import add_line, made
from tests.show import test_completeness, test_findings, test_truth_page
from tests.show.pages import Opened, page
from tests.show.test_waterfall import AXES


def _report(request, folder: Path) -> Path:
    return report(request.getfixturevalue("trained_run"), folder / "report.html")


def _audit(request, folder: Path) -> Path:
    audit(request.getfixturevalue("shared_competition"), out=folder / "audit.html", progress=False)
    return folder / "audit.html"


def _score(request, folder: Path) -> Path:
    data, run = (request.getfixturevalue(name) for name in ("shared_competition", "trained_run"))
    score(data / "test", weights=run, page=folder / "scores.html", shown=5, progress=False)
    return folder / "scores.html"


def _sensitivity(request, folder: Path) -> Path:
    shares = test_completeness._part([0, 0.25, 0.75, 1, 1])
    table = test_completeness._table(run=shares, classical=test_completeness._part([0, 0, 0, 0.5, 1], 4))
    sections = [headline(table), all_families(table), by_family(table)]
    return Page("Sensitivity of a run", "Simulated cadences.", sections=sections).write(folder / "sensitivity.html")


def _search(request, folder: Path) -> Path:
    observation = add_line(add_line(made(seed=7), 4000, 0.1, 30), 6000, -1.0, 60)
    events = search_unit(observation, 0, Settings(judged=0)).events
    return findings_page(folder / "search.html", observation, events, test_findings.FOUND, None, 5)


def _truth(request, folder: Path) -> Path:
    observation = test_truth_page.observed(folder)
    truth, invented = test_truth_page.truth_of(observation), test_truth_page.invented_at(observation, 700)
    return truth_page(observation, truth, invented, test_truth_page.ROWS).write(folder / "truth.html")


def _review(request, folder: Path) -> Path:
    return page(12).write(folder / "review.html")


PAGES: dict[str, Callable] = {
    "report": _report, "audit": _audit, "score": _score, "sensitivity": _sensitivity, "search": _search,
    "truth": _truth, "review": _review,
}  # fmt: skip


@pytest.fixture(scope="module", params=PAGES, ids=str)
def written(request, tmp_path_factory) -> Path:
    return PAGES[request.param](request, tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")])
def test_nobody_is_left_out(browser, written, width, scheme):
    opened = Opened(browser, written, width, scheme)
    assert opened.serious() == []
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = "[...document.querySelectorAll('img:not([alt]), svg:not([aria-label]):not([aria-hidden])')].length"
    assert opened.tab.evaluate(unnamed) == 0
    red = int(opened.tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"))
    assert (red < 64) == (scheme == "dark")
    assert opened.complaints == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    opened.context.close()


def test_it_prints_dark_on_white_within_the_paper_and_leaves_no_page_half_empty(browser, written):
    opened = Opened(browser, written, 1280, "dark")
    pages, filled = opened.printed()
    assert pages <= 1 + 1.4 * filled
    ink = "getComputedStyle(document.querySelector('h1')).color.match(/\\d+/g).map(Number)"
    assert max(opened.tab.evaluate(ink)) < 80
    assert opened.tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= 710
    opened.context.close()


def test_layers_of_the_pictures_can_be_switched_off(browser, tmp_path):
    noise = np.random.default_rng(0).normal(size=(6, 28, 64)).astype(np.float32)
    picture = waterfall(noise, "one", noise, axes=AXES, guide=Guide(20.0, 0.02, 9.0, "drifting line"))
    shown = Page("One", sections=[Section("Picture", figures=[(picture, "")])]).write(tmp_path / "one.html")
    opened = Opened(browser, shown)
    layer, guide = (opened.tab.locator(f".waterfall .{name}").first for name in ("evidence", "guide"))
    assert layer.is_visible()
    assert guide.is_visible()
    opened.tab.uncheck("#show-evidence")
    assert not layer.is_visible()
    assert guide.is_visible()
    opened.tab.uncheck("#show-guide")
    assert not guide.is_visible()
    assert opened.tab.locator("#show-true").count() == 0  # nothing is known of these
    opened.context.close()

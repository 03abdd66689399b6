"""A stranger reviews 200 candidates by keyboard alone, asks what he found and invented, and exports his verdicts.

    abacad demo demo
    python benchmarks/stranger.py demo/run
    python benchmarks/stranger.py --page review.html

Needs the extra `dev` and Chromium on the path. Told is how large the page is, how long it takes to open, and how long
from a key to the next candidate with its picture drawn: what is left of ten minutes, 3 s a candidate, is the stranger's
own. The evidence is switched on; a page with blind cadences keeps it hidden. He calls a drifting line a candidate, a
standing one or one that stands in OFF panels too RFI, and the rest noise, by nothing but the card.
"""

import argparse
import csv
import io
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

import abacad

KEYS = {"drifting line": "c", "standing line": "r", "line in OFF panels too": "r", "no straight line": "n"}
WAIT = """async (key) => {
  const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const card = document.querySelector(".card[aria-current=true]");
  await Promise.all([...card.querySelectorAll("img")].map((image) => image.decode()));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}"""


def verdicts(tab: Page, n: int) -> list[float]:
    """Judge n candidates one after the other; milliseconds from each key to the next picture."""
    took = []
    for _ in range(n):
        told = tab.locator(".card[aria-current=true]").inner_text()
        key = next((key for family, key in KEYS.items() if family in told), "u")
        took.append(float(tab.evaluate(WAIT, key)))
    return took


def written(asked: argparse.Namespace, folder: Path) -> Path:
    """The page that is reviewed."""
    if asked.page is not None:
        return Path(asked.page).resolve()
    return abacad.review(asked.source, out=folder / "r.html", shown=asked.shown, blind=asked.blind, progress=False)


def main() -> None:
    """Review a page, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", help="What `abacad review` takes.")
    parser.add_argument("--page", help="A page that `abacad review` wrote, instead.")
    parser.add_argument("--shown", type=int, default=180)
    parser.add_argument("--blind", type=float, default=0.1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        page = written(asked, Path(folder))
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_function("() => window.abacadReady > 0")
        opened_s = time.perf_counter() - began
        tab.keyboard.press("e")
        n = tab.locator(".card").count()
        took = np.array(verdicts(tab, n))
        tab.evaluate("document.getElementById('more').open = true")
        if tab.locator("#reveal").count():
            tab.click("#reveal")
            print(tab.locator("#agreement").inner_text())
        with tab.expect_download() as waiting:
            tab.keyboard.press("x")
        rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
        browser.close()
        size = page.stat().st_size
    print(f"{n} candidates, {size / 1e6:.1f} MB, opened in {opened_s:.2f} s; exported {len(rows)} verdicts")
    print(f"key to the next picture: median {np.median(took):.0f} ms, 95 % {np.quantile(took, 0.95):.0f} ms, "
          f"longest {took.max():.0f} ms, all together {took.sum() / 1e3:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()

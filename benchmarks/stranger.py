"""A stranger reviews 200 candidates by keyboard alone, asks what he found and invented, and exports his verdicts.

    abacad demo demo
    python benchmarks/stranger.py demo/run

Needs the extra `dev` and Chromium on the path. Told is how long the page takes from a key to the next candidate with
its picture drawn: what is left of ten minutes, 3 s a candidate, is the stranger's own. He calls a drifting line a
candidate, a standing one or one that stands in OFF panels too RFI, and the rest noise, by nothing but the card.
"""

import argparse
import csv
import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

import abacad

KEYS = {"drifting line": "c", "standing line": "r", "line in OFF panels too": "r", "no straight line": "n"}
WAIT = """async (key) => {
  const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const card = document.querySelector(".card[aria-current=true]");
  await card.querySelector("img").decode();
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


def main() -> None:
    """Write the page of a run, review it, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="What `abacad review` takes.")
    parser.add_argument("--shown", type=int, default=180)
    parser.add_argument("--blind", type=float, default=0.1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        page = abacad.review(
            asked.source, out=Path(folder) / "r.html", shown=asked.shown, blind=asked.blind, progress=False
        )
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.wait_for_function("() => window.abacadReady > 0")
        n = tab.locator(".card").count()
        took = np.array(verdicts(tab, n))
        tab.evaluate("document.getElementById('more').open = true")
        tab.click("#reveal")
        print(tab.locator("#agreement").inner_text())
        with tab.expect_download() as waiting:
            tab.keyboard.press("x")
        rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
        browser.close()
    print(f"{n} candidates, {page.name}; exported {len(rows)} verdicts")
    print(f"key to the next picture: median {np.median(took):.0f} ms, 95 % {np.quantile(took, 0.95):.0f} ms, "
          f"longest {took.max():.0f} ms, all together {took.sum() / 1e3:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()

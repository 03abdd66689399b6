"""How long a review page of many candidates takes to open in headless Chromium, and how fast verdicts are taken.

    python benchmarks/review_page.py --candidates 2000

Needs the extra `dev` and Chromium on the path. The page is ready when every card stands and the first pictures are
drawn. User and system time of all of Chromium's processes is told, too, since wall time is shared with others.
"""

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from abacad.show.guide import Guide
from abacad.show.picture import Layout
from abacad.show.review import ReviewPage, candidate
from abacad.signal.cadence import Axes


def page_of(n: int) -> ReviewPage:
    """Noise with a line; 64 different pictures, as the time to draw them is not what is asked for."""
    rng, layout = np.random.default_rng(0), Layout.of(Axes())
    some = []
    for k in range(64):
        cadence = rng.normal(size=(6, 273, 256)).astype(np.float32)
        cadence[::2, :, 40 + k] += 1
        some.append((cadence, 0.05 * rng.normal(size=cadence.shape)))
    made = []
    for k in range(n):
        cadence, evidence = some[k % 64]
        guide = Guide(40.5 + k % 64, 0.0, 30.0, "standing line")
        made.append(candidate(f"{k:015x}", float(n - k), cadence, layout, evidence, guide=guide, family=guide.family))
    return ReviewPage(f"{n} candidates", "A benchmark.", layout, made)


def cpu_s() -> float:
    """User and system time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Write the page, open it, give verdicts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--verdicts", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = page_of(asked.candidates).write(Path(folder) / "review.html")
        size = path.stat().st_size
        print(f"{asked.candidates} candidates: {size / 1e6:.1f} MB, {size / asked.candidates / 1e3:.1f} kB each")
        before = cpu_s()
        with sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            tab.goto(path.as_uri())
            tab.wait_for_function("() => window.abacadReady && document.querySelector('.card img').complete")
            opened_s, script_s = time.perf_counter() - began, tab.evaluate("abacadReady") / 1e3
            print(f"opened in {opened_s:.2f} s; script done after {script_s:.2f} s")
            began = time.perf_counter()
            for number in range(asked.verdicts):
                tab.keyboard.press("crnu"[number % 4])
            seconds = time.perf_counter() - began
            print(f"{asked.verdicts} verdicts in {seconds:.2f} s: {asked.verdicts / seconds:.0f} a second")
            browser.close()
        print(f"CPU time of Chromium: {cpu_s() - before:.1f} s")


if __name__ == "__main__":
    main()

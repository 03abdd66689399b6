"""Memory of a search with several coarse channels: `python benchmarks/search_memory.py FOLDER [--times 3]`.

FOLDER holds the files of an observation of one coarse channel, which is searched several times, as if the files had so
many. Each search runs in a process of its own, whose largest resident memory is told in 10^9 bytes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from search import output

MEMORY = """
import resource, sys
from abacad.data.observation import Observation
out, times, shown, judged, windows, *files = sys.argv[1:]
coarse = Observation.coarse
Observation.coarse = lambda self: coarse(self) * int(times)
from abacad.run.search import search
options = dict(shown=int(shown), judged=int(judged), windows=int(windows))
search(files, out=out, progress=False, **options)
print("MEMORY", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)
"""


def memory(folder: Path, times: int) -> None:
    """Memory of a search of a coarse channel that is named several times: once warm, as all after the first are."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".h5", ".fil"))
    for what, options in (("compiled by the first", (0, 0, 0)), ("lines alone", (0, 0, 0)), ("32 judged", (0, 32, 0)),
                          ("32 judged, a page", (12, 32, 0)), ("windows, too", (0, 32, 4))):  # fmt: skip
        with tempfile.TemporaryDirectory() as out:
            # Windows of one coarse channel alone, since they take minutes.
            told = output(sys.executable, MEMORY, Path(out) / "found", 1 if options[2] else times, *options, *files)
        print(f"{what}: {told['MEMORY']:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    memory(asked.folder, asked.times)


if __name__ == "__main__":
    main()

"""How the search scales from one worker to two: `python benchmarks/scaling.py FOLDER [--engines processes ray]`.

FOLDER holds the files of an observation of one coarse channel. They are searched several times, as so many
observations, each engine in a process of its own. The CPU seconds hold the start of every process and the detector's
scores of all events at the end, the others do not.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ONE = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

SCALED = """
import resource, sys, time
from pathlib import Path
from abacad.run.search_job import Wanted, begin
from abacad.searcher.engines import outcomes, scoring_threads
engine, workers, names, *files = sys.argv[1:]
jobs = [begin(files, Path(name), Wanted(shown=0)) for name in names.split(",")]
tasks = [task for job in jobs for task in job.tasks()]
begun, came = time.monotonic(), []
with outcomes(tasks, engine, int(workers) or None) as pairs:
    for task, outcome in pairs:
        next(job for job in jobs if job.plan is task.plan).take(outcome)
        came.append(time.monotonic() - begun)
for job in jobs:
    job.score(scoring_threads(engine, int(workers) or None), False)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(use.ru_utime + use.ru_stime for use in used) / len(tasks)
side = max(int(workers), 1)
print(came[0], (came[-1] - came[side - 1]) / (len(came) - side), cpu, max(use.ru_maxrss for use in used) / 1e6)
"""


def scaling(folder: Path, times: int, engines: list[str]) -> None:
    """Seconds a coarse channel with one worker and with two, on a catalogue that names the same files several times."""
    files = sorted(path.resolve() for path in folder.iterdir() if path.suffix in (".h5", ".fil"))
    print("| engine | workers | first outcome, s | each further one, s | CPU s each | GB of the largest process |")
    with tempfile.TemporaryDirectory() as out:
        expected = scaled(files, times, "serial", None, Path(out))
        for engine in engines:
            for workers in (1, 2):
                same = scaled(files, times, engine, workers, Path(out)) == expected
                print(f"  the same tables to the last bit: {same}")


def scaled(files: list[Path], times: int, engine: str, workers: int | None, out: Path) -> list[str]:
    """Search in a process of its own, and print one row; gives the tables as JSON."""
    names = [str(out / f"{engine}-{workers}-{place}") for place in range(times)]
    command = [sys.executable, "-c", SCALED, engine, str(workers or 0), ",".join(names), *map(str, files)]
    told = subprocess.run(command, env={**os.environ, **ONE}, capture_output=True, text=True, check=True).stdout
    first, each, cpu, memory = (float(word) for word in told.split())
    print(f"| {engine} | {workers or ''} | {first:.2f} | {each:.2f} | {cpu:.2f} | {memory:.2f} |", flush=True)
    return [(Path(name) / "coarse" / "00000.json").read_text() for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=6)
    parser.add_argument("--engines", nargs="+", default=["processes"])
    asked = parser.parse_args()
    scaling(asked.folder, asked.times, asked.engines)


if __name__ == "__main__":
    main()

"""What `abacad overlaps` costs, next to only reading the files; and what its matching needs for 100,000 cadences.

    python benchmarks/overlaps.py files FOLDER [SIZE …]   folders of 1,000 to 10,000 cadences (8.4 GB) in FOLDER
    python benchmarks/overlaps.py match FOLDER            100,000 cadences' fingerprints (1.8 GB) in FOLDER, no files
    python benchmarks/overlaps.py truth FOLDER            recall and false pairs of a simulated FOLDER

One thread, but for a second figure with two; wall time and, less touched by what else runs, CPU time. *Cold* files were
dropped from the page cache just before. The bare read is `np.load`, and, as a limit that no reader of arrays reaches,
`read` into memory that is used again.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.data.competition import listed_files
from abacad.overlap.fingerprint import PROJECTIONS, STEPS_PER_SIGMA
from abacad.run.simulate import simulate
from abacad.signal.cadence import N_PANELS
from abacad.simulator.presets import PRESETS

# ru_maxrss would be the parent's where that is larger
_PEAK = "peak = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 2**20"
SIZES = (1000, 2000, 5000, 10_000)


def make(folder: Path, sizes: list[int]) -> list[Path]:
    """One simulated folder, and folders of links to the cadences of its first scenes, so that all overlap alike."""
    whole = folder / "whole"
    n = max(sizes)
    simulate(whole, PRESETS["mlebench"], n_train=n - n // 5, n_test=n // 5, seed=5)
    truth = pd.read_csv(whole / "truth.csv", dtype={"id": str}).sort_values("scene", kind="stable")
    folders = []
    for size in sizes:
        part = folder / f"first{size}"
        if not part.exists():
            for split, name in truth[["split", "id"]].head(size).itertuples(index=False):
                (part / split / name[0]).mkdir(parents=True, exist_ok=True)
                os.link(whole / split / name[0] / f"{name}.npy", part / split / name[0] / f"{name}.npy")
            (part / "train_labels.csv").write_bytes((whole / "train_labels.csv").read_bytes())
        folders.append(part)
    return folders


def paths_of(folder: Path) -> list[Path]:
    return [*listed_files(folder, "train").values(), *listed_files(folder, "test").values()]


def forget(paths: list[Path]) -> None:
    """Drop the files from the page cache."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def load_all(folder: Path) -> None:
    for path in paths_of(folder):
        np.load(path)


def read_all(folder: Path) -> None:
    memory = bytearray(1 << 20)
    for path in paths_of(folder):
        with path.open("rb", buffering=0) as file:
            file.readinto(memory)


def overlaps_alone(folder: Path, threads: int) -> tuple[float, float, float, int]:
    """Seconds, seconds of CPU, GiB and pairs, in a process of its own."""
    code = (
        "import sys, time, torch, abacad; torch.set_num_threads(int(sys.argv[2])); from pathlib import Path\n"
        "out, verb = Path(sys.argv[1]), abacad.overlaps  # imports what it needs\n"
        "start, cpu = time.perf_counter(), time.process_time()\n"
        "found = verb(out, out, progress=False)\n"
        f"taken, cpu = time.perf_counter() - start, time.process_time() - cpu; {_PEAK}\n"
        "print(taken, cpu, peak, len(found.pairs))"
    )
    words = [sys.executable, "-c", code, str(folder), str(threads)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    taken, cpu, peak, pairs = done.stdout.split()
    return float(taken), float(cpu), float(peak), int(pairs)


def timed(call: Callable[[Path], None], folder: Path) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    call(folder)
    return time.perf_counter() - start, time.process_time() - cpu


def files(folder: Path, sizes: list[int]) -> None:
    print("ms a cadence, wall (CPU)")
    print("cadences  cache  np.load        read           overlaps       two threads    of np.load    GiB  pairs")
    rows = []
    for part, size in zip(make(folder, sizes), sizes, strict=True):
        for cold in (True, False):
            measured: list[tuple[float, ...]] = []
            for call in (load_all, read_all, 1, 2):
                if cold:
                    forget(paths_of(part))
                elif call is load_all:
                    read_all(part)
                measured.append(overlaps_alone(part, call) if isinstance(call, int) else timed(call, part))
            wall, cpu = (np.array([each[clock] for each in measured]) * 1e3 / size for clock in (0, 1))
            peak, pairs = measured[2][2:]
            told = "".join(f"{a:6.3f} ({b:5.3f}) " for a, b in zip(wall, cpu, strict=True))
            ratio = f"{wall[2] / wall[0]:5.2f} {wall[3] / wall[0]:5.2f}"
            print(f"{size:8d}  {'cold' if cold else 'warm'}  {told} {ratio}  {peak:.2f}  {pairs}", flush=True)
            rows.append((cold, size, *wall[[0, 2, 3]] * size / 1e3))
    for cold in (True, False):
        sizes_, *each = np.array([row[1:] for row in rows if row[0] is cold]).T
        for name, taken in zip(("np.load", "overlaps", "overlaps, two threads"), each, strict=True):
            slope, start = np.polyfit(sizes_, taken, 1) if len(taken) > 1 else (taken[0] / sizes_[0], 0.0)
            line = f"{start:.1f} s + {1e3 * slope:.3f} ms a cadence → 100,000 cadences in {start + 1e5 * slope:.0f} s"
            print(f"{'cold' if cold else 'warm'}, {name}: {line}")


def match(folder: Path, n: int = 100_000, n_freq: int = 256, scene: int = 4096, each: int = 24) -> None:
    """Fingerprints of windows of scenes (1.5 over each channel), half a step of rounding apart, matched."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (n, n_freq, N_PANELS, PROJECTIONS)
    rng = np.random.default_rng(0)
    codes = np.lib.format.open_memmap(folder / "codes.npy", mode="w+", dtype=np.int8, shape=shape)
    for first in range(0, n, each):
        sky = rng.standard_normal((scene, N_PANELS, PROJECTIONS), dtype=np.float32)
        sky *= STEPS_PER_SIGMA * PROJECTIONS**0.5 / np.linalg.norm(sky, axis=-1, keepdims=True)
        for place in range(first, min(first + each, n)):
            at = rng.integers(0, scene - n_freq + 1)
            jitter = rng.normal(scale=0.01, size=(n_freq, N_PANELS, PROJECTIONS)).astype(np.float32)
            codes[place] = np.clip(np.round(sky[at : at + n_freq] + jitter), -127, 127)
    codes.flush()
    code = (
        "import sys, time, numpy as np; from abacad.overlap.match import likely_pairs, compared\n"
        "codes = np.load(sys.argv[1], mmap_mode='r'); start = time.perf_counter(); pairs = likely_pairs(codes)\n"
        "found = time.perf_counter(); pairs = compared(codes, pairs); done = time.perf_counter()\n"
        f"{_PEAK}\n"
        "print(f'{len(pairs)} pairs; candidates {found - start:.1f} s, compared {done - found:.1f} s, {peak:.2f} GiB')"
    )
    print(f"{n} cadences:", flush=True)
    subprocess.run([sys.executable, "-c", code, str(folder / "codes.npy")], check=True)
    (folder / "codes.npy").unlink()


def truth(folder: Path, least: int = 4) -> None:
    """Pairs of overlaps.csv against truth.csv."""
    named = {"id": str, "id_a": str, "id_b": str}
    sky = pd.read_csv(folder / "truth.csv", dtype=named)[["id", "scene", "offset"]]
    found = pd.read_csv(folder / "overlaps.csv", dtype=named)[["id_a", "id_b", "offset", "columns"]]
    place = sky.set_index("id")
    same = place.loc[found["id_a"], "scene"].to_numpy() == place.loc[found["id_b"], "scene"].to_numpy()
    apart = place.loc[found["id_b"], "offset"].to_numpy() - place.loc[found["id_a"], "offset"].to_numpy()
    print(f"{len(found)} pairs found, {int((~same | (apart != found['offset'])).sum())} of them false")
    known = set(zip(found["id_a"], found["id_b"], strict=True))
    both = sky.merge(sky, on="scene", suffixes=("_a", "_b"))
    both = both[both["id_a"] < both["id_b"]]
    shared = 256 - (both["offset_b"] - both["offset_a"]).abs()
    hit = np.array([pair in known for pair in zip(both["id_a"], both["id_b"], strict=True)], dtype=bool)
    for columns in (least, 8, 16):
        wanted = (shared >= columns).to_numpy()
        print(
            f"share {columns} channels or more: {hit[wanted].sum()} of {wanted.sum()} found ({hit[wanted].mean():.4%})"
        )


def independent(folder: Path, n: int = 10_000) -> None:
    """A folder of cadences that share nothing, to be searched for false pairs."""
    preset = PRESETS["mlebench"]
    scenes = replace(preset.scenes, n_freq=preset.axes.n_freq, coverage=1.0)
    simulate(folder, replace(preset, scenes=scenes), n_train=n - 1, n_test=1, seed=6)


if __name__ == "__main__":
    verb, where, *rest = sys.argv[1:]
    if verb == "files":
        files(Path(where), [int(size) for size in rest] or list(SIZES))
    else:
        verbs: dict[str, Callable[[Path], None]] = {"match": match, "truth": truth, "independent": independent}
        verbs[verb](Path(where))

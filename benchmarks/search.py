"""How fast and how deep `abacad search` is, next to turboSETI on the same files.

    python benchmarks/search.py cadence FOLDER [--turboseti PYTHON]   needles found, false events, CPU seconds
    python benchmarks/search.py additions                             de-doppler against what its additions cost
    python benchmarks/search.py noise [--seeds 4] [--real FILE]       events of pure noise, by SNR
    python benchmarks/search.py inject FOLDER [--seeds 4]             share of needles found that are put into the files
    python benchmarks/search.py cost FOLDER                           CPU seconds by channels and by drift range

FOLDER holds the six files of an ABACAD cadence, which sort in the order of time, and `truth.csv` with the columns kind,
drift (Hz/s), snr, chan (channel of the first row, upwards) and panels. PYTHON is the interpreter of an environment
with turbo_seti 2.3.2 and blimpy. Seconds are user and system time of one thread; the machine may be shared, so only
their ratio within one run says something. FILE is a telescope file of noise: its rows, in any order and each turned by
any number of channels, make noise with the real distribution of its pixels, and of neighbours in frequency.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from abacad.data.filterbank import open_filterbank
from abacad.data.observation import Observation, open_observation
from abacad.searcher.depth import completeness
from abacad.searcher.engine import signals_of
from abacad.searcher.first_look import look
from abacad.searcher.flatten import flatten
from abacad.searcher.injection import add_needle, draw_needles, injections_table
from abacad.searcher.join import Join
from abacad.searcher.path import Line, Paths
from abacad.searcher.plan import lines, octaves, tree
from abacad.searcher.settings import Settings
from abacad.searcher.unit import Unit, read_unit

ONE = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

TURBOSETI = """
import contextlib, io, json, logging, resource, sys, warnings
warnings.filterwarnings("ignore")
from turbo_seti.find_doppler.find_doppler import FindDoppler
begin = resource.getrusage(resource.RUSAGE_SELF)
for file in sys.argv[3:]:
    with contextlib.redirect_stdout(io.StringIO()):
        quiet = dict(out_dir=sys.argv[1], log_level_int=logging.ERROR)
        FindDoppler(file, max_drift=float(sys.argv[2]), snr=10, **quiet).search()
end = resource.getrusage(resource.RUSAGE_SELF)
print("CPU", end.ru_utime - begin.ru_utime + end.ru_stime - begin.ru_stime)
"""

ABACAD = """
import resource, sys
from pathlib import Path
from abacad.run.search import search
search(sys.argv[3:], out=Path(sys.argv[1]) / "warm", max_drift=float(sys.argv[2]), progress=False, shown=0)
begin = resource.getrusage(resource.RUSAGE_SELF)
search(sys.argv[3:], out=Path(sys.argv[1]) / "found", max_drift=float(sys.argv[2]), progress=False, shown=0)
end = resource.getrusage(resource.RUSAGE_SELF)
print("CPU", end.ru_utime - begin.ru_utime + end.ru_stime - begin.ru_stime)
"""


def output(python: str, program: str, *arguments: object) -> dict[str, float]:
    """What a program printed as `NAME value`; everything imported and compiled before its clock starts."""
    command = [python, "-c", program, *map(str, arguments)]
    text = subprocess.run(command, env={**os.environ, **ONE}, capture_output=True, text=True, check=True).stdout
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line[:3] in ("CPU", "MEM")}


def joint_snr(paths: Paths, row: pd.Series) -> float:
    """SNR along a needle's true path, smear matched; the best of places within half a channel."""
    slope = row["drift"] * paths.unit.dt_s / paths.unit.df_hz
    # a needle below the unit drift is put by the simulator where it is at the start of a row
    begin = row["chan"] - (0.5 * slope if abs(slope) < 1 else 0.0)
    return max(paths.snr(Line(begin + move, slope), paths.on) for move in (-0.5, -0.25, 0.0, 0.25, 0.5))


def matched(events: pd.DataFrame, needle: pd.Series, unit: Unit) -> pd.DataFrame:
    """Events at a needle's frequency (2 channels and the smear) and drift (a step of its octave)."""
    smear = max(1.0, abs(needle["drift"]) / unit.unit_drift_hz_s)
    near = (events["channel"] - needle["chan"]).abs() <= 2 + smear
    step = unit.drift_step_hz_s * max(1.0, 2 ** np.floor(np.log2(smear)))
    return events[near & ((events["drift_hz_s"] - needle["drift"]).abs() <= step)]


def cadence(folder: Path, turboseti: str | None, max_drift: float) -> None:
    files = sorted(path for path in folder.iterdir() if path.suffix in (".h5", ".fil"))
    observation = open_observation(files)
    mhz = observation.n_freq * observation.df_hz / 1e6
    with tempfile.TemporaryDirectory() as out:
        ours = output(sys.executable, ABACAD, out, max_drift, *files)
        events = pd.read_csv(Path(out) / "found" / "events.csv")
        print(f"abacad     {ours['CPU']:6.2f} CPU s  {mhz / ours['CPU']:.3f} MHz/s")
        if turboseti:
            theirs = output(turboseti, TURBOSETI, out, max_drift, *files)["CPU"]
            print(f"turboSETI  {theirs:6.2f} CPU s  {mhz / theirs:.3f} MHz/s  ({theirs / ours['CPU']:.1f} times)")
    report(observation, events, pd.read_csv(folder / "truth.csv", dtype={"panels": str}), max_drift)


def report(observation: Observation, events: pd.DataFrame, truth: pd.DataFrame, max_drift: float) -> None:
    """Needles found by joint SNR; events that are none."""
    unit, _ = read_unit(observation, 0, observation.n_freq, max_drift)
    paths = Paths(unit)
    needles = truth[truth["kind"] == "needle"].copy()
    needles["joint"] = [joint_snr(paths, row) for _, row in needles.iterrows()]
    named = events[events["class"].isin(["event", "RFI zone", "near-zero drift"])]
    matches = [matched(named, row, unit) for _, row in needles.iterrows()]
    needles["found"] = [len(match) for match in matches]
    false = named.drop(index=pd.concat(matches).index)
    for low, high in ((0, 6.5), (6.5, 8), (8, 10), (10, np.inf)):
        part = needles[(needles["joint"] >= low) & (needles["joint"] < high)]
        print(f"joint SNR {low:>4} to {high:>4}: {int((part['found'] > 0).sum()):3d} of {len(part):3d} needles")
    print(f"needles that made more than one event: {int((needles['found'] > 1).sum())}; false events: {len(false)}")
    for _, row in needles[(needles["joint"] >= 8) & (needles["found"] == 0)].iterrows():
        print(f"  missed: {row['drift']} Hz/s, joint SNR {row['joint']:.1f}, channel {row['chan']}")
    for _, row in false.iterrows():
        print(f"  false: {row['class']}, {row['drift_hz_s']} Hz/s, SNR {row['snr']}, channel {row['channel']}")


def additions(n_channels: int = 2**20, n_time: int = 16) -> None:
    """Seconds of the first look against the seconds that its additions take at the speed of the cache."""
    rng = np.random.default_rng(0)
    power = rng.standard_normal((6, n_time, n_channels), dtype=np.float32)
    period = n_time * 18.253611008 + 12
    unit = Unit(power, 0, 0, n_channels, (0, 2, 4), (1, 3, 5), (n_time,) * 6, tuple(period * p for p in range(6)),
                18.253611008, 2.7939677238464355)  # fmt: skip
    start_s, rows = np.array(unit.start_s)[[0, 2, 4]], np.array([n_time] * 3)
    look(unit, 4.0, 9.0)
    begin = time.process_time()
    look(unit, 4.0, 9.0)
    seconds = time.process_time() - begin
    count = 0.0
    for octave in octaves(4.0 / unit.unit_drift_hz_s):
        in_trees = sum(3 * int((stage[:, 1] >= 0).sum()) for stage in tree(n_time))
        in_lines = 2 * len(lines(octave, start_s, rows, unit.dt_s).offset)
        count += (in_trees + in_lines) * n_channels / octave.step
    rate = cache_rate()
    print(f"first look, ±4 Hz/s, {n_channels} channels: {seconds:.2f} s for {count / 1e9:.2f} G additions")
    print(f"additions in the second-level cache: {rate / 1e9:.1f} G a second → {count / rate:.2f} s, a ratio of "
          f"{seconds * rate / count:.1f}")  # fmt: skip
    join, band = Join(octaves(1.0)[0], start_s, rows, unit.dt_s), np.ascontiguousarray(power[[0, 2, 4]])
    begin = time.process_time()
    join.best(band)
    print(f"one octave alone: {time.process_time() - begin:.3f} s")


def cache_rate(n_values: int = 60_000, rounds: int = 4000) -> float:
    """Additions a second of NumPy on arrays that fill half a megabyte, the best of five."""
    a, b, out = (np.ones(n_values, np.float32) for _ in range(3))
    best = np.inf
    for _ in range(5):
        begin = time.process_time()
        for _ in range(rounds):
            np.add(a, b, out=out)
        best = min(best, time.process_time() - begin)
    return n_values * rounds / best


SNRS = (5.75, 6.0, 6.25, 6.5, 6.75, 7.0, 7.25, 7.5, 8.0)


def noise(seeds: int, real: Path | None) -> None:
    """Events of noise alone: how many lie above an SNR, a coarse channel of 2^20 channels."""
    snrs, channels = [], 0
    least = SNRS[0] if real is None else 6.5  # real pixels have a tail: below, places to look at are countless
    for seed in range(seeds):
        rng = np.random.default_rng(1000 + seed)
        unit = simulated_noise(rng) if real is None else real_noise(rng, real)
        snrs += [signal.robust_snr for signal in signals_of(unit, Settings(snr=least))]
        channels += unit.end
    for snr in SNRS[SNRS.index(least) :]:
        count = sum(found >= snr for found in snrs)
        print(f"SNR {snr}: {count} events, {count * 2**20 / channels:.2f} a coarse channel of noise")


def unit_of(power: np.ndarray, dt_s: float, df_hz: float) -> Unit:
    """Six panels 12 s apart."""
    n_time, n_channels = power.shape[1:]
    starts = tuple((n_time * dt_s + 12) * p for p in range(6))
    return Unit(power, 0, 0, n_channels, (0, 2, 4), (1, 3, 5), (n_time,) * 6, starts, dt_s, df_hz)


def simulated_noise(rng: np.random.Generator, n_channels: int = 2**20, n_time: int = 16, dof: int = 204) -> Unit:
    """χ² noise of the fine product, whose mean and σ are known."""
    power = rng.chisquare(dof, (6, n_time, n_channels)).astype(np.float32)
    return unit_of((power - dof) / np.float32(np.sqrt(2 * dof)), 18.253611008, 2.7939677)


def real_noise(rng: np.random.Generator, path: Path, n_channels: int = 2**15, panel_s: float = 300.0) -> Unit:
    """Rows of a file one after the other, flattened as the search does it."""
    file = open_filterbank(path)
    rows = file.read(0, file.n_rows, 0, file.n_channels)
    n_time, width = round(panel_s / file.dt_s), file.n_channels
    power = np.empty((6, n_time, n_channels), np.float32)
    for panel in power:
        shape = (n_time, n_channels // width)
        turned = (np.arange(width) + rng.integers(width, size=shape)[..., None]) % width
        panel[:] = rows[rng.integers(len(rows), size=shape)[..., None], turned].reshape(n_time, -1)
        flatten(panel.copy(), panel)
    return unit_of(power, file.dt_s, file.df_hz)


def inject(folder: Path, seeds: int, max_drift: float) -> None:
    """Needles of known SNR and drift in the files of a folder, in memory: how many of them are found."""
    unit, settings = whole_unit(folder, max_drift)
    ground, before, tables = signals_of(unit, settings), unit.power.copy(), []
    for seed in range(seeds):
        unit.power[:] = before
        needles, paths = draw_needles(unit, settings, np.random.default_rng(7000 + seed), settings.inject), Paths(unit)
        for line, snr in needles:
            add_needle(paths, line, snr)
        tables.append(injections_table(unit, needles, signals_of(unit, settings), ground, 0))
    table = pd.concat(tables)
    print(completeness(table).to_string(index=False))
    for name, part in (("outside dense interference", table[~table["dense"]]), ("within", table[table["dense"]])):
        bright = part[part["snr"] >= 10]
        print(f"joint SNR 10 and more, {name}: {int(bright['found'].sum())} of {len(bright)}")
    lost = table[~table["found"] & ~table["dense"] & (table["snr"] >= 10)]
    print(lost[["channel", "drift_hz_s", "snr", "class", "found_snr"]].to_string(index=False))


def whole_unit(folder: Path, max_drift: float, n_channels: int | None = None) -> tuple[Unit, Settings]:
    observation = open_observation(sorted(path for path in folder.iterdir() if path.suffix in (".h5", ".fil")))
    unit, _ = read_unit(observation, 0, n_channels or observation.n_freq, max_drift)
    return unit, Settings(max_drift_hz_s=max_drift, inject=300)


def cost(folder: Path) -> None:
    """CPU seconds to read, flatten and search, by the number of channels and by the range of drifts."""
    signals_of(*whole_unit(folder, 50.0, 2**15))
    for what, sizes in (("channels", [(4.0, 2**power) for power in (17, 18, 19, 20)]),
                        ("Hz/s", [(drift, 2**20) for drift in (1.0, 4.0, 10.0, 20.0, 50.0)])):  # fmt: skip
        for drift, n_channels in sizes:
            begin = time.process_time()
            unit, settings = whole_unit(folder, drift, n_channels)
            read = time.process_time()
            look(unit, drift, settings.first_snr)
            looked = time.process_time()
            found = len(signals_of(unit, settings))
            told = (read - begin, looked - read, time.process_time() - looked)
            print(f"{what}: {n_channels} channels, ±{drift} Hz/s: read and flatten {told[0]:.2f} s, first look alone "
                  f"{told[1]:.2f} s, whole search {told[2]:.2f} s, {found} signals")  # fmt: skip
            del unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cadence", "additions", "noise", "inject", "cost"])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--turboseti")
    parser.add_argument("--max-drift", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--real", type=Path)
    asked = parser.parse_args()
    if asked.what == "cadence":
        cadence(asked.folder, asked.turboseti, asked.max_drift)
    elif asked.what == "additions":
        additions()
    elif asked.what == "inject":
        inject(asked.folder, asked.seeds, asked.max_drift)
    elif asked.what == "cost":
        cost(asked.folder)
    else:
        noise(asked.seeds, asked.real)


if __name__ == "__main__":
    main()

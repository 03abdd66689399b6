"""What `abacad search --windows` finds beside the lines, and what it costs.

    python benchmarks/windows.py FOLDER [--channels 131072] [--needles 60]

FOLDER holds the six files of an ABACAD cadence. Squiggles of known panel SNR are put into them in memory: each wanders
1.5 channels a row (1 σ), is lit in four rows of five, and begins anew within some channels in each ON panel. What is no
squiggle and has a window of its own is false. CPU seconds are those of one thread.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from abacad.data.observation import open_observation
from abacad.learn.run_folder import judge_of
from abacad.model.judge import Judge, shipped
from abacad.searcher.classes import SignalClass
from abacad.searcher.engine import signals_of
from abacad.searcher.settings import Settings
from abacad.searcher.unit import Unit, read_unit
from abacad.searcher.windows import windows
from abacad.signal.cadence import WIDTH

LEVELS = (0.5, 0.7, 0.9, 0.99)
LINES = {SignalClass.EVENT, SignalClass.ZONE, SignalClass.NEAR_ZERO}
SETTINGS = Settings()


def squiggle(unit: Unit, channel: int, snr: float, rng: np.random.Generator) -> None:
    """Add one, in units of the noise."""
    for panel in unit.on:
        rows = np.flatnonzero(rng.random(unit.n_time[panel]) < 0.8)
        path = channel + rng.normal(0, 5) + np.cumsum(rng.normal(0, 1.5, unit.n_time[panel]))
        unit.power[panel, rows, np.round(path[rows]).astype(int)] += snr / np.sqrt(len(rows))


def told(unit: Unit, judge: Judge, places: np.ndarray) -> None:
    """Search; print how many places are found by lines, how many by lines or windows, and what else is a window."""
    signals = signals_of(unit, SETTINGS)
    begin = time.process_time()
    found = windows(unit, signals, judge, 10**6)
    seconds = time.process_time() - begin
    lines = np.array([signal.line.x for signal in signals if signal.class_name in LINES])
    by_line = {place for place in places.tolist() if (np.abs(lines - place) < 40).any()}
    print(f"  lines: {len(by_line)} of {len(places)}; windows took {seconds:.1f} CPU s")
    for level in LEVELS:
        first = np.array([window.first for window in found if not window.lines and window.score >= level])
        near = [np.flatnonzero((first - 10 <= place) & (place < first + WIDTH + 10)) for place in places]
        either = {p for p, at in zip(places.tolist(), near, strict=True) if len(at)} | by_line
        false = len(first) - len(np.unique(np.concatenate([*near, np.empty(0, int)])))
        print(f"  score ≥ {level}: lines or windows {len(either)} of {len(places)}; {false} false windows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--channels", type=int, default=1 << 17)
    parser.add_argument("--needles", type=int, default=60)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    observation = open_observation(sorted(asked.folder.glob("*.h5")))
    unit, _ = read_unit(observation, 0, asked.channels, SETTINGS.max_drift_hz_s)
    judge, before = judge_of(shipped(min(unit.n_time)), torch.device("cpu")), unit.power.copy()
    rng = np.random.default_rng(5)
    places = np.linspace(500, asked.channels - 500, asked.needles).astype(int)
    for snr in (0.0, 10.0, 15.0, 25.0):
        unit.power[:] = before
        for place in places:
            squiggle(unit, int(place), snr, rng)
        print(f"panel SNR {snr:g}", flush=True)
        told(unit, judge, places if snr else places[:0])


if __name__ == "__main__":
    main()

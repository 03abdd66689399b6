"""The first look in torch on one thread of the CPU beside the compiled loops: `python benchmarks/torch_twin.py FOLDER`.

FOLDER holds the files of an observation of one coarse channel. CPU seconds of one octave and of the whole first look,
and whether both codes name the same places and signals.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from search import whole_unit

from abacad.searcher import on_torch
from abacad.searcher.engine import signals_of
from abacad.searcher.first_look import Place, look
from abacad.searcher.join import Join
from abacad.searcher.plan import octaves


def torch_twin(folder: Path, max_drift: float, n_channels: int = 2**17) -> None:
    """CPU seconds of the first look by both codes, of the octave below the unit drift alone and of all; same places?"""
    torch.set_num_threads(1)
    unit, settings = whole_unit(folder, max_drift)
    start_s, rows = np.array(unit.start_s)[list(unit.on)], np.array(unit.n_time)[list(unit.on)]
    join = Join(octaves(1.0)[0], start_s, rows, unit.dt_s)
    band = np.ascontiguousarray(unit.power[list(unit.on), :, :n_channels])
    tensor = torch.from_numpy(band)
    numba, twin = partial(join.best, band, settings.first_snr, 8), partial(on_torch.best, join, tensor)
    numba()
    for name, call in (("Numba", numba), ("torch", twin)):
        print(f"one octave of {n_channels} bins, {name}: {least(call):.3f} s")
    look(unit, max_drift, settings.first_snr)
    begin = time.process_time()
    ours = look(unit, max_drift, settings.first_snr)
    between = time.process_time()
    theirs = look(unit, max_drift, settings.first_snr, "cpu:0")
    end = time.process_time()
    seconds = between - begin, end - between
    print(f"the first look, {unit.power.shape[2]} channels: Numba {seconds[0]:.2f} s, torch {seconds[1]:.2f} s, "
          f"{seconds[1] / seconds[0]:.1f} times")  # fmt: skip
    same_places(ours, theirs)
    one, other = signals_of(unit, settings), signals_of(unit, settings, "cpu:0")
    print(f"signals: Numba {len(one)}, torch {len(other)}, the same {len(set(one) & set(other))}")


def same_places(ours: Sequence[Place], theirs: Sequence[Place]) -> None:
    """How many places both codes name, and how far their SNRs lie apart."""
    named = [{(round(place.line.x, 3), round(place.line.slope, 9)): place.snr for place in found}
             for found in (ours, theirs)]  # fmt: skip
    both = named[0].keys() & named[1].keys()
    apart = max((abs(named[0][key] - named[1][key]) for key in both), default=0.0)
    print(f"places: Numba {len(ours)}, torch {len(theirs)}, the same {len(both)}, SNRs differ by {apart:.2g} at most")


def least(call: Callable[[], object], rounds: int = 3) -> float:
    """CPU seconds of a call, the least of some."""
    seconds = []
    for _ in range(rounds):
        begin = time.process_time()
        call()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--max-drift", type=float, default=4.0)
    asked = parser.parse_args()
    torch_twin(asked.folder, asked.max_drift)


if __name__ == "__main__":
    main()

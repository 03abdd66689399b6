"""The files of an observation with dense interference added: `python benchmarks/interference.py FOLDER OUT`.

FOLDER holds six `.h5` files that sort in the order of time. In each zone of 4,096 channels 48 lines of the ground are
added to every file: standing (half), drifting by up to 0.5 Hz/s (a quarter), or standing and lit in some panels only,
an OFF panel among them (a quarter), of SNR 10 to 1,000 a panel, log-uniform. `benchmarks/search.py inject OUT` then
tells how many needles are found in and outside these zones.
"""

import argparse
import shutil
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  unpacks what such files hold
import numpy as np

ZONE = 4096
LINES = 48


def drawn(rng: np.random.Generator, n_channels: int, zones: int) -> list[tuple[float, float, float, set[int]]]:
    """Channel at the start, drift in Hz/s, SNR of a panel, and the panels of each line; zones are evenly spaced."""
    lines = []
    for begin in np.linspace(ZONE, n_channels - 2 * ZONE, zones).astype(int):
        for number in range(LINES):
            drift = float(rng.uniform(-0.5, 0.5)) if number % 4 == 2 else 0.0
            lit = set(range(6))
            if number % 4 == 3:
                lit = {*rng.choice(6, size=int(rng.integers(1, 5)), replace=False).tolist(), int(rng.choice((1, 3, 5)))}
            lines.append((float(begin + rng.uniform(0, ZONE)), drift, float(10 ** rng.uniform(1, 3)), lit))
    return lines


def add(path: Path, panel: int, start_s: float, lines: list[tuple[float, float, float, set[int]]]) -> None:
    """Add the lines of one panel to the powers of its file."""
    with h5py.File(path, "r+") as file:
        data = file["data"]
        step = -1 if data.attrs["foff"] < 0 else 1
        dt_s, df_hz = float(data.attrs["tsamp"]), abs(float(data.attrs["foff"])) * 1e6
        rows = data[:, 0, :][:, ::step]
        for channel, drift, snr, lit in lines:
            if panel not in lit:
                continue
            near = rows[:, max(0, int(channel) - 256) : int(channel) + 256]
            sigma = 1.4826 * np.median(np.abs(near - np.median(near)))
            for row in range(len(rows)):
                place = int(channel + drift * (start_s + (row + 0.5) * dt_s) / df_hz)
                if 0 <= place < rows.shape[1]:
                    rows[row, place] += snr * sigma / np.sqrt(len(rows))
        data[:, 0, :] = rows[:, ::step]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--zones", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True)
    paths = [Path(shutil.copy(path, asked.out)) for path in sorted(asked.folder.glob("*.h5"))]
    starts = []
    for path in paths:
        with h5py.File(path) as file:
            starts.append(float(file["data"].attrs["tstart"]) * 86_400)
            n_channels = file["data"].shape[2]
    lines = drawn(np.random.default_rng(asked.seed), n_channels, asked.zones)
    for panel, path in enumerate(paths):
        add(path, panel, starts[panel] - starts[0], lines)


if __name__ == "__main__":
    main()

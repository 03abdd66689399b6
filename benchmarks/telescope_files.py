"""CPU time to read a telescope file, beside h5py alone and a copy of its bytes: `python benchmarks/telescope_files.py`.

One file of the fine product, 16 rows of 2^20 channels, in chunks of a row and a coarse channel; best of five.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from abacad.data.filterbank import open_filterbank
from abacad.data.header import Header
from abacad.data.telescope_writer import write_panel

CHANNELS, ROWS = 1 << 20, 16


def best_ms(call: Callable[[], object]) -> float:
    """CPU milliseconds of the fastest of five calls."""
    times = []
    for _ in range(5):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def main() -> None:
    """Print the table."""
    values = np.random.default_rng(0).chisquare(200, (ROWS, CHANNELS)).astype(np.float32)
    header = Header("TARGET", 57650.5, 18.25, 8421.4, -2.7939677e-6, CHANNELS, 1, 32, "GBT", 0.0, 0.0, CHANNELS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5"
        write_panel(path, header, ROWS, [(0, values)])
        file = open_filterbank(path)
        again = np.zeros((ROWS, CHANNELS), np.float32)
        with h5py.File(path) as plain:
            rows = {
                "h5py alone": lambda: plain["data"][:, 0, :],
                "open_filterbank, ascending and masked": lambda: file.read(0, ROWS, 0, CHANNELS),
                "… into memory that was used before": lambda: file.read(0, ROWS, 0, CHANNELS, again),
                "… 256 channels of it": lambda: file.read(0, ROWS, 1000, 256),
                "a copy of 64 MB": values.copy,
            }
            for name, call in rows.items():
                print(f"| {name} | {best_ms(call):.1f} |")


if __name__ == "__main__":
    main()

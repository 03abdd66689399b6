"""How far a faint line stands out of a drawn waterfall: rows averaged into pixels, and rows left out.

    python benchmarks/drawn_line.py

A line of 0.4 σ a pixel in white noise, 273 rows a panel. Told is the column z, the mean of the line's column above the
other columns' mean, in their standard deviation: 0.4 · √273 = 6.6 where nothing is thrown away.
"""

import numpy as np

from abacad.show.picture import Layout, averaged, greys
from abacad.signal.cadence import Axes

CHANNEL, AMPLITUDE, N_DRAWS = 100, 0.4, 40


def column_z(panel: np.ndarray) -> float:
    """Of one panel (row, channel)."""
    means = panel.mean(axis=0)
    others = np.delete(means, CHANNEL)
    return float((means[CHANNEL] - others.mean()) / others.std())


def main() -> None:
    """Draw and measure."""
    layout = Layout.of(Axes())
    found: dict[str, list[float]] = {}
    for seed in range(N_DRAWS):
        cadence = np.random.default_rng(seed).normal(size=(6, 273, 256)).astype(np.float32)
        cadence[:, :, CHANNEL] += AMPLITUDE
        seen = {
            "the array itself": cadence,
            f"averaged in {layout.n_rows} blocks": averaged(cadence, layout),
            "… and in 15 greys, as it is drawn": greys(cadence, layout),
            "every fourth row alone": cadence[:, ::4][:, :71],
        }
        for name, panels in seen.items():
            found.setdefault(name, []).append(float(np.mean([column_z(panel) for panel in panels])))
    for name, values in found.items():
        print(f"{name:<36} {np.mean(values):.2f} ± {np.std(values) / np.sqrt(len(values)):.2f}")


if __name__ == "__main__":
    main()

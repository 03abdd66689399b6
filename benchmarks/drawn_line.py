"""Two questions to a picture: how far a faint line stands out of it, and how often its guide is the needle's.

    python benchmarks/drawn_line.py

**Faint lines.** A line of 0.4 σ a pixel in white noise, 273 rows a panel. Told is the column z, the mean of the line's
column above the other columns' mean, in their standard deviation: 0.4 · √273 = 6.6 where nothing is thrown away.

**Guides.** Cadences of the simulator with straight needles and the interference of a preset, and with a bright carrier
in all panels beside them. A guide is the needle's where it passes within three channels of it in every ON panel in
which the needle shines; a false one is drawn in a cadence without a needle and not said to stand in OFF panels too.
"""

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from abacad.show.guide import FAMILIES, Guide, best_guide
from abacad.show.picture import Layout, averaged, greys
from abacad.signal.cadence import ON, Axes
from abacad.signal.chance import Chance
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import draw_injected, generate, numbers_for
from abacad.simulator.settings import Families, Simulation

CHANNEL, AMPLITUDE, N_DRAWS = 100, 0.4, 40
NEAR = 3.0  # channels between a guide and the needle
CARRIER_SIGMA = 8.0  # a pixel
STRENGTHS = (0, 8, 16, 1e9)  # edges of the classes of needles, panel SNR


def column_z(panel: np.ndarray) -> float:
    """Of one panel (row, channel)."""
    means = panel.mean(axis=0)
    others = np.delete(means, CHANNEL)
    return float((means[CHANNEL] - others.mean()) / others.std())


def faint_lines() -> None:
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


def is_on(guide: Guide, path: np.ndarray, axes: Axes) -> bool:
    """Whether a guide follows a path (6, time) of channels, NaN where it is dark."""
    seconds = np.array(axes.panel_start_s)[:, None] + (np.arange(axes.n_time) + 0.5) * axes.dt_s
    away = np.abs(guide.channel + guide.drift_hz_s * seconds / axes.df_hz - path - 0.5)[list(ON)]
    inside = (path >= 0) & (path < axes.n_freq)
    seen = away[np.isfinite(away) & inside[list(ON)]]
    return bool(len(seen)) and float(seen.max()) < NEAR


def guides(name: str, simulation: Simulation, n: int, seed: int, carrier: bool) -> None:
    """How often a guide is the needle's, by the needle's panel SNR, and what is drawn where there is none."""
    axes, layout = simulation.axes, Layout.of(simulation.axes)
    true: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    all_of: Counter[int] = Counter()
    families: Counter[str] = Counter()
    for index in range(n):
        numbers = numbers_for("sensitivity", np.array([index]))
        batch, chance = generate(simulation, numbers, seed), Chance(seed, numbers)
        cadence = batch.panels[0].float().numpy()
        if carrier:
            rng = np.random.default_rng(index)
            levels = CARRIER_SIGMA * (1 + 0.2 * rng.normal(size=(6, 1)))
            cadence[:, :, rng.integers(256)] += levels
        guide = best_guide(cadence, layout)
        if not int(batch.targets[0]):
            families[guide.family] += 1
            continue
        made = draw_injected(simulation, simulation.needles.families, np.array([True]), chance)
        path = np.where(made.needles.envelope[0] > 0, made.needles.channel[0], np.nan)
        shown = guide.or_none is not None and guide.is_drawn
        place = int(np.searchsorted(STRENGTHS, float(made.truth["panel_snr"][0]), side="right")) - 1
        all_of[place] += 1
        drawn[place] += shown
        true[place] += shown and is_on(guide, path, axes)
    print(f"{name}, {n} cadences")
    for place, count in sorted(all_of.items()):
        low, high = STRENGTHS[place], STRENGTHS[place + 1]
        told = f"{low} to {high}" if high < 1e9 else f"{low} and more"
        print(f"  needles of panel SNR {told:<12} {count:4}: a guide {drawn[place]:4}, the needle's {true[place]:4}")
    told = ", ".join(f"{family} {families[family]}" for family in FAMILIES)
    print(f"  no needle {families.total():4}: {told}")


def main() -> None:
    """Answer both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cadences", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1, help="0 has the cadences that the guide's rule was chosen on")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    faint_lines()
    kaggle = PRESETS["kaggle"]
    straight = replace(kaggle, positives=0.5, needles=replace(kaggle.needles, families=Families.only(line=1.0)))
    guides("Preset kaggle, straight needles", straight, asked.cadences, asked.seed, carrier=False)
    guides("… with a carrier of 8 σ in all panels", straight, asked.cadences, asked.seed, carrier=True)


if __name__ == "__main__":
    main()

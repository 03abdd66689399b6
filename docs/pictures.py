"""Draws the pictures of the README and of the site: `python docs/pictures.py`.

    img/abacad.png         a cadence, where the detector sees its evidence, and how faint a needle it finds
    img/needles.png        the families of needles that the simulator draws
    img/interference.png   its sorts of interference

How faint a needle it finds stands in the model card, which says how it was measured; the curve is drawn from its table.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes as Axis
from matplotlib.figure import Figure
from PIL import Image

import abacad
from abacad.metric import wilson
from abacad.show.picture import Layout, averaged, in_sigma
from abacad.signal.cadence import ON
from abacad.simulator.scene import generate
from abacad.simulator.settings import Families, Rfi, Simulation

HERE = Path(__file__).parent
IMAGES = HERE / "img"
CARD = HERE.parent / "src" / "abacad" / "weights" / "README.md"
GREEN, GREY, RED, INK = "#0b6e4f", "#7b8794", "#c8553d", "#1f2933"
SEED = 7
FAMILIES = tuple(Families().weights())
RATES = {"carriers": 2.0, "blobs": 3.0, "bursts": 9.0, "lines": 5.0, "squiggles": 5.0, "combs": 1.0}
"""Interference, by how many of each are drawn in a window."""


def cadence_of(simulation: Simulation, index: int = 0) -> np.ndarray:
    """One simulated cadence, (6, time, freq)."""
    return generate(simulation, np.array([index]), SEED).panels[0].float().numpy()


def quiet(positives: float, **needles: object) -> Simulation:
    """The preset `kaggle` without interference."""
    preset = abacad.PRESETS["kaggle"]
    none = Rfi(**dict.fromkeys(RATES, 0.0), dc_spike=0.0, decoys=0.0)
    whole = {"partial": 0.0, "cut": 0.0} | needles
    return replace(preset, positives=positives, rfi=none, needles=replace(preset.needles, **whole))


def needle_of(family: str) -> np.ndarray:
    """A cadence with a needle of one family, bright enough to be seen."""
    alone = Families.only(**{family: 1.0})
    return cadence_of(quiet(1.0, families=alone, pixel_snr=(3.0, 3.5)))


def interference_of(name: str) -> np.ndarray:
    """A cadence with interference of one sort."""
    simulation = quiet(0.0)
    rates = dict.fromkeys(RATES, 0.0) | {name: RATES[name]}
    levels = {"carrier_snr": (2.0, 8.0), "blob_snr": (1.0, 3.0), "burst_level": (0.4, 0.6)}
    return cadence_of(replace(simulation, rfi=Rfi(**rates, **levels, dc_spike=0.0, decoys=0.0)))


def draw(axis: Axis, cadence: np.ndarray, title: str = "", evidence: np.ndarray | None = None) -> None:
    """Six panels one below the other, rows averaged, time downwards."""
    layout = Layout.of(abacad.Cadence(cadence).axes)
    picture = stacked(in_sigma(averaged(cadence, layout)), layout, -2.0)
    axis.imshow(picture, cmap="gray", vmin=-2, vmax=5, aspect="auto", interpolation="nearest")
    if evidence is not None:
        strength = stacked(averaged(evidence, layout), layout, 0.0)
        axis.imshow(np.ones_like(strength), cmap="Reds", vmin=0, vmax=1.3, alpha=np.clip(strength / 0.15, 0, 0.9),
                    aspect="auto", interpolation="nearest")  # fmt: skip
    for panel, top in enumerate(layout.tops):
        is_on = panel in ON
        axis.text(-4, top + layout.n_rows / 2, "ON" if is_on else "OFF", color=GREEN if is_on else GREY, fontsize=7,
                  ha="right", va="center", fontweight="bold" if is_on else "normal")  # fmt: skip
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, fontsize=8.5, color=INK)
    for spine in axis.spines.values():
        spine.set_visible(False)


def stacked(panels: np.ndarray, layout: Layout, empty: float) -> np.ndarray:
    """Panels at their places in time."""
    picture = np.full((layout.height, panels.shape[2]), empty)
    for top, panel in zip(layout.tops, panels, strict=True):
        picture[top : top + len(panel)] = panel
    return picture


def measured() -> pd.DataFrame:
    """The model card's table at a false-alarm rate of 10⁻²: panel SNR from low to high, needles, shares found."""
    number = r"(\d+(?:\.\d+)?)"
    row = re.compile(
        rf"^\| {number}–{number} \| (\d+) \| [^|]+ \| {number} \[[^|]+\| [^|]+\| [^|]+\| {number} / {number} /", re.M
    )
    found = row.findall(CARD.read_text(encoding="utf-8"))
    columns = ["low", "high", "needles", "abacad", "at 1e-1", "classical ON–OFF search"]
    return pd.DataFrame(found, columns=columns).astype(float)


def curve(axis: Axis, table: pd.DataFrame) -> None:
    """Completeness against panel SNR, of the detector and of the classical search, with Wilson's intervals."""
    middle = np.sqrt(table["low"] * table["high"])
    for name, colour in (("abacad", GREEN), ("classical ON–OFF search", RED)):
        found = [wilson(round(share * n), int(n)) for share, n in zip(table[name], table["needles"], strict=True)]
        axis.fill_between(
            middle, [one.low for one in found], [one.high for one in found], color=colour, alpha=0.15, lw=0
        )
        axis.plot(middle, table[name], marker="o", ms=3, lw=1.6, color=colour, label=name)
    axis.set(xscale="log", ylim=(0, 1), xlabel="panel SNR of the needle", ylabel="share of needles found")
    axis.set_xticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    axis.minorticks_off()
    axis.set_title("one false alarm in 100 cadences", fontsize=8.5, color=INK)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color="#e4e7eb", lw=0.8)
    axis.legend(frameon=False, fontsize=7.5, loc="upper left")


def front(table: pd.DataFrame) -> Figure:
    """The picture of the README."""
    simulation = quiet(1.0, families=Families.only(line=1.0), pixel_snr=(0.6, 0.7))
    simulation = replace(simulation, rfi=replace(abacad.PRESETS["kaggle"].rfi, carriers=1.5, carrier_snr=(1.0, 6.0)))
    cadence = cadence_of(simulation, index=2)
    figure = Figure(figsize=(10, 3.9), layout="constrained", dpi=110)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.5))
    held = abacad.Cadence(cadence)
    draw(left, cadence, "six panels of 5 minutes, 715 Hz")
    score = held.score()
    log_odds = np.log(score / max(1 - score, 1e-7))
    draw(middle, cadence, f"where the evidence lies: log-odds {log_odds:+.1f}", held.evidence())
    curve(right, table)
    return figure


def gallery(names: Sequence[str], cadences: Sequence[np.ndarray]) -> Figure:
    """Cadences in two lines: in smaller pictures a needle one channel wide would not be seen."""
    lines, columns = 2, -(-len(names) // 2)
    figure = Figure(figsize=(2.2 * columns, 3.9 * lines), layout="constrained", dpi=100)
    axes = list(figure.subplots(lines, columns).flat)
    for axis, name, cadence in zip(axes, names, cadences, strict=False):
        draw(axis, cadence, name.replace("_", " "))
    for axis in axes[len(names) :]:
        axis.axis("off")
    return figure


def save(figure: Figure, name: str, colours: int = 24) -> None:
    """Write a PNG of few colours, which divides its size by two or more."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    picture = Image.open(buffer).convert("RGB").quantize(colours, Image.Quantize.FASTOCTREE)
    picture.save(IMAGES / name, optimize=True)
    print(f"{IMAGES / name}: {(IMAGES / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    mpl.rcParams.update({"font.size": 8.5, "axes.edgecolor": "#9aa5b1"})
    IMAGES.mkdir(exist_ok=True)
    save(front(measured()), "abacad.png", 128)
    save(gallery(FAMILIES, [needle_of(name) for name in FAMILIES]), "needles.png")
    save(gallery(tuple(RATES), [interference_of(name) for name in RATES]), "interference.png")

"""Whether labels help where the cadences are strange: `compact` on a competition that its weights were not trained for.

    python benchmarks/strange.py make DATA [--train 4000] [--test 1500] [--seed 0]
    abacad train DATA --recipe compact --run RUN
    python benchmarks/strange.py judge DATA RUN

Nothing here is the simulator's. Noise: 6 to 40 degrees of freedom, a comb of the polyphase filter 32 channels wide,
gains that walk. Interference that pretraining has not seen, each panel on its own: transmitters that hop among eight
channels, swept tones, carriers that wobble in frequency, radar pulses; and lines that drift in all panels. Needles of
kinds that it has not seen, accelerated lines, two lines side by side, stairs, lines that swell and fade; and plain
ones. A fifth of the cadences hold one, of panel SNR 4 to 40. `judge` prints the AUC of the test set, untrained and
trained.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.progress import track

from abacad.data.competition import Split, cadence_path, read_cadence
from abacad.learn.run_folder import judge_of
from abacad.metric import auc_difference, auc_interval
from abacad.model.detector import SHIPPED

ROWS, CHANNELS, PERIOD = 273, 256, 293.4  # rows of a panel, channels, rows from the start of a panel to the next
POSITIVES = 0.2

Generator = np.random.Generator
Power = np.ndarray
Path_ = Callable[[np.ndarray], np.ndarray]


def noise(rng: Generator) -> tuple[Power, float]:
    """(6, time, freq) powers of mean 1, and the σ of a pixel."""
    dof = rng.uniform(6, 40)
    power = rng.standard_gamma(dof / 2, (6, ROWS, CHANNELS)).astype(np.float32) / (dof / 2)
    comb = 1 + rng.uniform(0, 0.15) * np.cos(2 * np.pi * (np.arange(CHANNELS) / 32 + rng.random()))
    gain = np.exp(rng.normal(0, 0.004, (6, ROWS, 1)).cumsum(axis=1))
    return power * (comb * gain).astype(np.float32), float(np.sqrt(2 / dof))


def add(panel: Power, channel: np.ndarray, height: np.ndarray) -> None:
    """A tone in each row at a fractional channel; nothing beyond the band."""
    low = np.floor(channel).astype(int)
    for at, share in ((low, 1 - (channel - low)), (low + 1, channel - low)):
        inside = (at >= 0) & (at < CHANNELS)
        panel[np.flatnonzero(inside), at[inside]] += (height * share)[inside]


def hopping(rng: Generator, power: Power, sigma: float) -> None:
    """Hops among eight channels at equal distances, every 8 to 40 rows, in half of the panels."""
    first, step = rng.uniform(0, CHANNELS), rng.uniform(3, 12)
    length, height = rng.integers(8, 40), sigma * np.exp(rng.uniform(np.log(0.5), np.log(8)))
    for panel in power[rng.random(6) < 0.5]:
        hop = rng.integers(0, 8, ROWS // length + 1).repeat(length)[:ROWS]
        add(panel, first + step * hop, np.full(ROWS, height))


def swept(rng: Generator, power: Power, sigma: float) -> None:
    """A saw tooth in frequency, in three panels of five."""
    middle, width, period = rng.uniform(0, CHANNELS), rng.uniform(10, 80), rng.uniform(30, 200)
    height, sign = sigma * np.exp(rng.uniform(np.log(0.5), np.log(6))), rng.choice([-1, 1])
    for panel in power:
        if rng.random() < 0.6:
            phase = (np.arange(ROWS) / period + rng.random()) % 1
            add(panel, middle + sign * width * (phase - 0.5), np.full(ROWS, height))


def wobbling(rng: Generator, power: Power, sigma: float) -> None:
    """A carrier whose frequency is another one in each row, a few channels around."""
    middle, width = rng.uniform(0, CHANNELS), rng.uniform(0.5, 4)
    height = sigma * np.exp(rng.uniform(np.log(0.5), np.log(10)))
    for panel in power[rng.random(6) < 0.7]:
        add(panel, middle + rng.normal(0, width, ROWS), np.full(ROWS, height))


def radar(rng: Generator, power: Power, sigma: float) -> None:
    """A broadband pulse every 7 to 40 rows in some panels."""
    every, level = rng.integers(7, 40), rng.uniform(0.3, 3) * sigma
    for panel in power[rng.random(6) < 0.5]:
        panel[rng.integers(0, every) :: every] *= 1 + level


def satellite(rng: Generator, power: Power, sigma: float) -> None:
    """A line that drifts through all panels."""
    path = line(rng)
    height = sigma * np.exp(rng.uniform(np.log(0.3), np.log(5)))
    for number, panel in enumerate(power):
        add(panel, path(number * PERIOD + np.arange(ROWS)), np.full(ROWS, height))


def line(rng: Generator) -> Path_:
    """A straight path that is somewhere in the band half-way."""
    middle, slope = (
        rng.uniform(10, CHANNELS - 10),
        rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(0.003), np.log(0.1))),
    )
    return lambda t: middle + slope * (t - 2.5 * PERIOD)


def accelerated(rng: Generator) -> Path_:
    """A parabola of up to 60 channels."""
    straight, bend = line(rng), rng.uniform(-60, 60)
    return lambda t: straight(t) + bend * (t / (2.5 * PERIOD) - 1) ** 2


def stairs(rng: Generator) -> Path_:
    """Steps of one to four channels, always the same way."""
    start, step = rng.uniform(20, CHANNELS - 20), rng.choice([-1, 1]) * rng.uniform(1, 4)
    length, phase = rng.uniform(25, 150), rng.random()
    return lambda t: start + step * (np.floor(t / length + phase) - 2.5 * PERIOD / length)


def needle(rng: Generator, power: Power, sigma: float) -> tuple[str, float]:
    """One needle in the ON panels, one in five of them missing one; its kind and its panel SNR."""
    kind = rng.choice(["line", "accelerated", "double", "stairs", "swelling"])
    path = {"accelerated": accelerated, "stairs": stairs}.get(kind, line)(rng)
    apart = rng.uniform(3, 9) if kind == "double" else 0.0
    period, phase = rng.uniform(40, 400), rng.random()
    snr = np.exp(rng.uniform(np.log(4), np.log(40)))
    missing = rng.integers(0, 3) if rng.random() < 0.2 else -1
    for place, number in enumerate((0, 2, 4)):
        if place == missing:
            continue
        t = number * PERIOD + np.arange(ROWS)
        shape = 1 + np.cos(2 * np.pi * (t / period + phase)) if kind == "swelling" else np.ones(ROWS)
        height = shape * snr * sigma / np.sqrt((shape**2).sum())
        for side in (0.0, apart) if apart else (0.0,):
            add(power[number], path(t) + side, height / (np.sqrt(2) if apart else 1))
    return str(kind), float(snr)


def cadence(rng: Generator, positive: bool) -> tuple[np.ndarray, str, float]:
    """One cadence as the competition stores them, with its needle's kind and panel SNR."""
    power, sigma = noise(rng)
    for emitter, mean in ((hopping, 0.4), (swept, 0.3), (wobbling, 0.6), (radar, 0.4), (satellite, 0.3)):
        for _ in range(rng.poisson(mean)):
            emitter(rng, power, sigma)
    kind, snr = needle(rng, power, sigma) if positive else ("", float("nan"))
    power -= power.mean((1, 2), keepdims=True)
    return (power / power.std((1, 2), keepdims=True)).astype(np.float16), kind, snr


def make(folder: Path, n_train: int, n_test: int, seed: int) -> None:
    """A competition folder with truth.csv beside it."""
    rng, rows = np.random.default_rng(seed), []
    for number in track(range(n_train + n_test), "Making cadences"):
        split: Split = "train" if number < n_train else "test"
        name = f"{number % 16:x}{number:06x}"
        values, kind, snr = cadence(rng, positive := bool(rng.random() < POSITIVES))
        path = cadence_path(folder, split, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values)
        rows.append({"id": name, "split": split, "target": int(positive), "kind": kind, "panel_snr": snr})
    truth = pd.DataFrame(rows)
    truth.to_csv(folder / "truth.csv", index=False)
    labels = {split: part[["id", "target"]] for split, part in truth.groupby("split")}
    labels["train"].to_csv(folder / "train_labels.csv", index=False)
    labels["test"].assign(target=0.5).to_csv(folder / "sample_submission.csv", index=False)


def judge(folder: Path, run: Path) -> None:
    """AUC of the test set by the package's weights and by the run's five folds, each in one view."""
    truth = pd.read_csv(folder / "truth.csv", dtype={"id": str})
    test = truth[truth["split"] == "test"]
    names = test["id"].tolist()
    paths = {"untrained": SHIPPED, "trained": run}
    judges = {name: replace(judge_of(path, torch.device("cpu")), flips=("identity",)) for name, path in paths.items()}
    scores: dict[str, list[np.ndarray]] = {name: [] for name in judges}
    for first in track(range(0, len(names), 16), "Scoring"):
        cadences = np.stack([read_cadence(cadence_path(folder, "test", one)) for one in names[first : first + 16]])
        for name, one in judges.items():
            scores[name].append(one.scores(torch.from_numpy(cadences).float()))
    target, got = test["target"].to_numpy(), {name: np.concatenate(parts) for name, parts in scores.items()}
    for name, values in got.items():
        print(f"{name}: {auc_interval(target, values)}")
        for kind in sorted(set(test["kind"].dropna()) - {""}):
            some = (test["kind"] == kind).to_numpy() | (target == 0)
            print(f"   {kind}: {auc_interval(target[some], values[some])}")
    print(f"difference: {auc_difference(target, got['trained'], got['untrained'])}")


def main() -> None:
    """Make a competition, or judge a run on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    making, judging = verbs.add_parser("make"), verbs.add_parser("judge")
    making.add_argument("folder", type=Path)
    for name, value in (("train", 4000), ("test", 1500), ("seed", 0)):
        making.add_argument(f"--{name}", type=int, default=value)
    judging.add_argument("folder", type=Path)
    judging.add_argument("run", type=Path)
    given = parser.parse_args()
    if given.verb == "make":
        make(given.folder, given.train, given.test, given.seed)
    else:
        judge(given.folder, given.run)


if __name__ == "__main__":
    main()

"""How fast cadences are made, next to setigen, to plain `randn` and to `np.save`; and what panel statistics tell.

    python benchmarks/simulate.py speed     one core
    python benchmarks/simulate.py disk      one core, then all of them
    python benchmarks/simulate.py cuda      where a GPU is at hand
    python benchmarks/simulate.py leak      20,000 cadences, two minutes

The best of several rounds is printed: on a shared machine only the best says what the code can do.
"""

import dataclasses
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from abacad.run.simulate import simulate
from abacad.signal.cadence import OFF, ON
from abacad.signal.chance import Chance
from abacad.simulator.noise import draw_dof, quantiles
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import generate
from abacad.simulator.settings import Simulation

SHAPE = (6, 273, 256)


def best(call: Callable[[], object], rounds: int) -> float:
    """Seconds of the quickest round."""
    call()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def setigen_cadence() -> Callable[[], object]:
    """As its documentation makes a cadence: six frames of χ² noise and a line, normalised, float16."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import setigen

    axes = PRESETS["kaggle"].axes

    def make() -> np.ndarray:
        panels = []
        for panel in range(6):
            frame = setigen.Frame(fchans=axes.n_freq, tchans=axes.n_time, df=axes.df_hz, dt=axes.dt_s, fch1=6e9)
            frame.add_noise(x_mean=10, noise_type="chi2")
            if panel % 2 == 0:
                frame.add_constant_signal(
                    f_start=frame.get_frequency(index=100),
                    drift_rate=0.05,
                    level=frame.get_intensity(snr=20),
                    width=axes.df_hz,
                    f_profile_type="box",
                )
            data = frame.data
            panels.append((data - data.mean()) / data.std())
        return np.stack(panels).astype(np.float16)

    return make


def speed() -> None:
    torch.set_num_threads(1)
    kaggle = PRESETS["kaggle"]
    warm(1000)
    n = 32
    index = iter(range(0, 10**9, n))
    ours = best(lambda: generate(kaggle, np.arange(n) + next(index), 0), 20) / n
    plain = best(lambda: torch.randn(SHAPE), 100)
    print(f"abacad   {1 / ours:8.0f} cadences/s  {ours * 1e3:7.3f} ms")
    print(f"randn    {1 / plain:8.0f} cadences/s  {plain * 1e3:7.3f} ms   ours takes {ours / plain:.2f} × as long")
    try:
        theirs = best(setigen_cadence(), 20)
    except ImportError:
        print("setigen  is not installed")
        return
    print(f"setigen  {1 / theirs:8.0f} cadences/s  {theirs * 1e3:7.3f} ms   ours is {theirs / ours:.1f} × as fast")


def warm(n: int) -> None:
    """Make the tables of quantiles, which a long run makes once."""
    kaggle = PRESETS["kaggle"]
    for dof in draw_dof(kaggle.noise, kaggle.dof, Chance(0, np.arange(n))):
        quantiles(float(dof))


def disk(n: int = 480, rounds: int = 5) -> None:
    """`abacad simulate`, and `np.save` of the very same cadences to the same names, in turn.

    Folders are deleted at the end only: ext4 looks at each lately deleted file before it makes a new one.
    """
    warm(1000)
    root = Path(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None))
    folders = (root / str(number) for number in range(10**6))

    def ours() -> Path:
        return simulate(next(folders), PRESETS["kaggle"], n_train=n - 24, n_test=24, progress=False)

    made = ours()
    cadences = {path.relative_to(made): np.load(path) for path in made.rglob("*.npy")}

    def plain() -> None:
        folder = next(folders)
        for parent in {path.parent for path in cadences}:
            (folder / parent).mkdir(parents=True)
        for path, cadence in cadences.items():
            np.save(folder / path, cadence)

    def once(call: Callable[[], object]) -> tuple[float, float]:
        """Milliseconds a cadence until the bytes are handed to the system, and until they are on the disk."""
        os.sync()  # or one would wait for the other's bytes
        start = time.perf_counter()
        call()
        cached = time.perf_counter() - start
        os.sync()
        return cached / n * 1e3, (time.perf_counter() - start) / n * 1e3

    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        took = np.array(
            [(once(plain), once(ours)) for _ in range(rounds)]
        )  # (round, whose, handed over and on the disk)
        print(f"{threads} threads, {rounds} rounds of {n} cadences, median (range):")
        for which, column in (("handed over", 0), ("on the disk", 1)):
            saved, simulated = took[:, 0, column], took[:, 1, column]
            print(f"  {which}, ms a cadence: np.save {spread(saved)}, abacad simulate {spread(simulated)}, ", end="")
            print(f"{spread(saved / simulated)} as fast")
    shutil.rmtree(root)


def spread(values: np.ndarray) -> str:
    """Median and range."""
    return f"{np.median(values):.2f} ({values.min():.2f}-{values.max():.2f})"


def cuda() -> None:
    if not torch.cuda.is_available():
        print("no CUDA device")
        return
    n = 512
    kaggle = PRESETS["kaggle"]

    def make() -> None:
        generate(kaggle, np.arange(n), 0, "cuda")
        torch.cuda.synchronize()

    seconds = best(make, 10) / n
    print(f"{torch.cuda.get_device_name()}: {1 / seconds:.0f} cadences/s")


def leak(pairs: int = 10_000) -> None:
    """What statistics of whole panels tell: the same cadences without and with a needle, classified across pairs.

    Noise and interference are the same in both cadences of a pair, so that less of the answer is chance.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    models = {
        "logistic regression": make_pipeline(QuantileTransformer(output_distribution="normal"), LogisticRegression()),
        "gradient boosting": HistGradientBoostingClassifier(learning_rate=0.05, max_leaf_nodes=15, random_state=0),
    }
    y, pair = np.repeat([0, 1], pairs), np.tile(np.arange(pairs), 2)
    for name in sys.argv[2:] or ["kaggle"]:
        x, snr = paired_statistics(PRESETS[name], pairs)
        print(f"{name}: {pairs} pairs, AUC [95 % of the bootstraps]")
        for which, model in models.items():
            score = cross_val_predict(model, x, y, groups=pair, cv=GroupKFold(5), method="predict_proba")[:, 1]
            for brightest in (1.0, 2.0, np.inf):
                found = score[pairs:][snr < brightest]
                print(f"  {which}, {len(found):6d} needles below {brightest:3g} σ: {interval(score[:pairs], found)}")


def paired_statistics(simulation: Simulation, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """ON − OFF differences of panel statistics, cadences without needles first, and the needles' pixel SNR."""
    rows, snr = [], []
    for share in (0.0, 1.0):
        one = dataclasses.replace(simulation, positives=share)
        for start in range(0, pairs, 20):
            batch = generate(one, np.arange(start, min(start + 20, pairs)), 11)
            rows.append(differences(batch.panels))
            snr.append(batch.truth["pixel_snr"])
    return np.concatenate(rows), np.concatenate(snr)[pairs:]


def differences(panels: torch.Tensor) -> np.ndarray:
    """Mean, deviation, minimum, maximum, skewness and kurtosis of ON less OFF panels: means, largest and smallest."""
    x = panels.float().flatten(2)
    square = x * x
    third, fourth = (square * x).mean(2), (square * square).mean(2)
    each = torch.stack([x.mean(2), x.std(2), x.amin(2), x.amax(2), third, fourth], 2).numpy()
    on, off = each[:, ON], each[:, OFF]
    return np.concatenate([on.mean(1) - off.mean(1), on.max(1) - off.max(1), on.min(1) - off.min(1)], 1)


def interval(without: np.ndarray, found: np.ndarray, times: int = 200) -> str:
    """AUC and the middle 95 % of its bootstraps."""
    from sklearn.metrics import roc_auc_score

    def auc(a: np.ndarray, b: np.ndarray) -> float:
        return float(roc_auc_score(np.repeat([0, 1], [len(a), len(b)]), np.concatenate([a, b])))

    rng = np.random.default_rng(0)
    drawn = [auc(rng.choice(without, len(without)), rng.choice(found, len(found))) for _ in range(times)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{auc(without, found):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    {"speed": speed, "disk": disk, "cuda": cuda, "leak": leak}[sys.argv[1] if len(sys.argv) > 1 else "speed"]()

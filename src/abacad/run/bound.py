"""`abacad bound`: how well simulated cadences can be told apart at all: the near-ideal observer, and simpler searches.

The observer knows the simulator, its gains and its interference, and averages the likelihood ratio over all needles
that could be drawn; see `abacad.ideal`. Its AUC is close to the highest that any detector can reach on these cadences.
The gap between a detector's AUC and the observer's is room for a better detector; the gap between the observer's AUC
and 1 is noise that looks like a needle and needles that are lost in noise, and no detector can close it.
"""

import logging
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from rich.progress import Progress

from abacad.data.competition import Split, cadence_path, read_cadence
from abacad.data.simulated_folder import Card, read_card, read_truth
from abacad.errors import AbacadError
from abacad.files import write_table
from abacad.ideal.blind_observer import blind_observer
from abacad.ideal.known import Known, noise_of, of_scene
from abacad.ideal.observer import Observer
from abacad.ideal.verdict import Verdict
from abacad.metric import auc_interval
from abacad.model.classical import simulated_event_snr
from abacad.model.unlearned import unlearned_score
from abacad.outputs import BOUND, output
from abacad.parallel import side_by_side
from abacad.simulator.settings import Simulation
from abacad.summary import Summary

log = logging.getLogger(__name__)

# About log-uniform, finest where the observer goes from chance to certainty (0.25 to 1 σ a pixel, 3 to 8 a panel).
_BINS = {"pixel_snr": (0.0, 0.25, 0.4, 0.65, 1.0, 1.6, np.inf), "panel_snr": (0.0, 3.0, 5.0, 8.0, 15.0, 30.0, np.inf)}
_LABELS = {"pixel_snr": "pixel SNR", "panel_snr": "panel SNR"}
_DRAWS = 200  # bootstrap draws of an interval: there are some 60, of twenty groups of needles and three detectors
_DETECTORS = {
    "score": "bound",
    "blind": "blind observer",
    "unlearned": "lines and tracks, no learning",
    "classical": "classical search",
}


@dataclass(frozen=True, repr=False)
class Bound(Summary):
    """Scores of the near-ideal observer, and the AUC of all detectors on the same cadences.

    Attributes:
        path: The table of scores, with the columns id, target, score, classical, decoy, unlearned, the logarithm of the
            likelihood ratio of each family of needles, and blind where it was asked for.
        rows: AUC of the observer, of a detector without learning and of the classical search, for all needles, for each
            family and for each bin of SNR.
    """

    path: Path
    rows: pd.DataFrame

    def title(self) -> str:
        """The verb's name for its result, and the table."""
        return f"Near-ideal observer, {self.path}"

    def told(self) -> list[tuple[str, str]]:
        """AUC of the observer for each group of needles."""
        return [(str(row["needles"]), str(row["bound"])) for _, row in self.rows.iterrows()]


def bound(
    folder: str | Path,
    *,
    split: Literal["train", "test", "both"] = "test",
    limit: int | None = None,
    blind: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool = True,
) -> Bound:
    """Score simulated cadences with the near-ideal observer.

    Args:
        folder: A folder that `simulate` wrote, with noise of the χ² model.
        split: Which cadences.
        limit: Only the first so many of them, by id.
        blind: Score with the same observer without its knowledge too, which finds out about gains and interference from
            the pixels, as a detector has to.
        seed: Seed of the bootstrap; the scores do not depend on it.
        out: The table to write; none: bound.csv in the folder.
        progress: Show a progress bar.

    Example:
        >>> folder = abacad.simulate("judged", "demo", n_train=1, n_test=6, progress=False)
        >>> abacad.bound(folder, limit=4, progress=False).path
        PosixPath('judged/bound.csv')

    Raises:
        AbacadError: the folder is not the simulator's or not finished, or its noise has no known law.
    """
    if limit is not None and limit < 1:
        raise AbacadError(f"A limit of {limit} leaves no cadence to score.\nGive 1 or more: --limit 100.")
    root = Path(folder)
    path = output(out if out is not None else root / "bound.csv", BOUND)
    card = read_card(root)
    # A likelihood needs the law of the noise; the χ² model has one, a telescope's noise does not.
    if card.background is not None:
        raise AbacadError(
            f"The noise of {root} was taken from a file: its law is not known, and so no bound.\n"
            "Simulate with the χ² model: abacad simulate OUT without --background."
        )
    truth = read_truth(root, card.simulation)
    truth = truth[truth["split"].isin(["train", "test"] if split == "both" else [split])]
    # The table is sorted by id, and ids are random: the first ones are a fair sample.
    truth = truth.head(limit) if limit is not None else truth
    if truth.empty:
        raise AbacadError(f"There is no cadence to score: {root} has none in {split}, or the limit is {limit}.")
    table = _scored(root, card, truth, blind, progress)
    write_table(path, table)
    log.info("Scored %d cadences: %s", len(table), path)
    return Bound(path, auc_rows(table.merge(truth.drop(columns="target"), on="id"), seed))


def _scored(root: Path, card: Card, truth: pd.DataFrame, blind: bool, progress: bool) -> pd.DataFrame:
    observers = _observers(card.simulation)
    unknowing = blind_observer(card.simulation.axes) if blind else None
    scenes = [members for _, members in truth.groupby("scene")]
    rows: list[dict[str, object]] = []
    with Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task("Scoring", total=len(truth))

        def score(members: pd.DataFrame) -> list[dict[str, object]]:
            # What is known of a scene (gains, interference) holds for all its windows, so work goes by scenes.
            scene = of_scene(card.simulation, int(members["scene"].to_numpy()[0]), card.seed)
            judgements: list[dict[str, object]] = []
            for _, row in members.iterrows():
                known = scene.window(int(row["offset"]), card.simulation.axes.n_freq)
                part: Split = "train" if row["split"] == "train" else "test"
                cadence = torch.from_numpy(read_cadence(cadence_path(root, part, str(row["id"]))))
                opinion = {} if unknowing is None else {"blind": unknowing.opinion(cadence.float()).log_odds}
                scores = judged(observers[part], cadence, known)
                judgements.append({"id": row["id"], "target": row["target"], **scores, **opinion})
                bar.advance(task)
            return judgements

        # In threads: NumPy and torch release Python's lock while they compute, and the observer's tables exist once.
        for made in side_by_side(score, scenes):
            rows += made
    return truth[["id"]].merge(pd.DataFrame(rows), on="id")


def _observers(simulation: Simulation) -> dict[str, Observer]:
    # The competition's test set has S-shaped needles that its training set lacks: each split has its own mixture of
    # families, and an observer that averages over the wrong one would be no bound.
    train = Observer(simulation)
    other = simulation.needles.test_families
    return {"train": train, "test": train if other is None else Observer(simulation, other)}


def judged(observer: Observer, cadence: torch.Tensor, known: Known) -> dict[str, float]:
    """Scores of one cadence by the observer, by lines and tracks without learning, and by the classical search.

    Args:
        observer: The observer of the simulation that made the cadence.
        cadence: (panel, time, freq) as it lies in the folder.
        known: Gains, interference and noise of the cadence, which the observer may know.
    """
    simulation = observer.simulation
    verdict: Verdict = observer.judge(noise_of(cadence, known, simulation.normalise), known)
    panels = cadence[None].float()
    classical, unlearned = (
        float(scores[0]) for scores in (simulated_event_snr(panels, simulation), unlearned_score(panels))
    )
    without = {"classical": classical, "decoy": verdict.decoy, "unlearned": unlearned}
    return {"score": verdict.score, **without, **verdict.families}


def auc_rows(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """AUC of each detector for all needles, for each family and each bin of SNR; against all negatives each time.

    Args:
        table: Columns target, family, pixel_snr, panel_snr, score, unlearned and classical; with a column scene,
            intervals count scenes, not their windows.
        seed: Seed of the bootstrap.

    Returns:
        Columns needles that count, number, and one a detector; the figures as text with their 95 % intervals.
    """
    negatives, needles = table[table["target"] == 0], table[table["target"] == 1]
    groups = [("all", needles), *((str(name), members) for name, members in needles.groupby("family"))]
    for axis, edges in _BINS.items():
        for low, high in pairwise(edges):
            name = f"{_LABELS[axis]} {low:g} – {high:g}" if np.isfinite(high) else f"{_LABELS[axis]} above {low:g}"
            groups.append((name, needles[(needles[axis] >= low) & (needles[axis] < high)]))
    rows, detectors = [], {column: label for column, label in _DETECTORS.items() if column in table}
    for name, members in groups:
        if len(members) and len(negatives):
            # All negatives each time, so that figures of two groups differ by their needles alone.
            both = pd.concat([members, negatives])
            target, scenes = both["target"].to_numpy(), both["scene"].to_numpy() if "scene" in both else None
            figures = {
                label: str(auc_interval(target, both[column].to_numpy(), _DRAWS, seed, scenes))
                for column, label in detectors.items()
            }
            rows.append({"needles": name, "number": len(members), **figures})
    return pd.DataFrame(rows, columns=["needles", "number", *detectors.values()])

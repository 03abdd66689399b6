"""`abacad report`: a page on one run, with its AUC and intervals, its curves, and its best and worst cadences."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

from abacad.config import Represent
from abacad.data.axes import axes_of
from abacad.data.competition import cadence_path, read_cadence
from abacad.data.simulated_folder import is_simulated
from abacad.errors import AbacadError
from abacad.files import read_table
from abacad.learn.dataset import Cadences
from abacad.learn.gates import MEAN_GATE, mean_gate
from abacad.learn.record import part_of, read_record
from abacad.learn.run_folder import RunFolder, read_oof
from abacad.learn.scenes import scenes_of
from abacad.metric import Interval, auc_interval
from abacad.model.checkpoint import load_detector
from abacad.model.detector import Detector
from abacad.model.explain import evidence_map
from abacad.outputs import PAGE, output
from abacad.overlap.partners import partners_for
from abacad.represent.representation import represent, representation
from abacad.run.pretrain import simulated_cadence
from abacad.run.truth import TruePaths
from abacad.show import figure
from abacad.show.guide import best_guide
from abacad.show.page import Page, Section
from abacad.show.picture import Layout, evidence_legend
from abacad.show.words import EVIDENCE_TOLD, GUIDE_TOLD, told_score
from abacad.types import CadenceArray, Planes

log = logging.getLogger(__name__)

_SHOWN = 3  # cadences of each sort: nine waterfalls make a page of 432 kB (docs/lab-notebook.md)
_TRUTH_TOLD = "Green dots stand beside the true place of what was injected."

Detectors = dict[int, tuple[Detector, Represent]]
"""The detector of each fold, and what it looks at."""


def report(run: str | Path, out: str | Path | None = None) -> Path:
    """Write the page of a finished run.

    Args:
        run: The run folder.
        out: The HTML file; none writes report.html into the run folder.

    Returns:
        The file written.

    Example:
        >>> abacad.report("runs/compact")
        PosixPath('runs/compact/report.html')

    Raises:
        AbacadError: the run is not finished.
    """
    folder = RunFolder(Path(run))
    # A run with folds left over has a page, too, of the folds that are trained: hours may lie between the first and the
    # last. `read_oof` below says which are missing; said here as well, it would stand twice on the screen.
    folds = folder.trained(tell=False)
    page_path = output(out if out is not None else folder.path / "report.html", PAGE)
    oof = read_oof(folder)
    record = read_record(folder.record)
    curves = _curve_tables(folder, folds)
    detectors = {number: load_detector(folder.weights(number), fold=number) for number in folds}
    overall = _auc_of(folder, oof)
    per_fold = [_auc_of(folder, part) for _, part in oof.groupby("fold")]
    page = Page(
        f"Run {Path(*folder.path.resolve().parts[-2:])}",
        f"{len(oof):,} cadences, {int(oof['target'].sum()):,} with a needle, {len(folds)} of {folder.n_folds} folds. "
        "Every score on this page was given by the detector that had not seen the cadence.",
        [
            ("AUC of all held-back cadences", f"{overall.value:.3f}"),
            ("its 95 % interval", f"{overall.low:.3f} – {overall.high:.3f}"),
            ("mean of the folds", f"{np.mean([one.value for one in per_fold]):.3f}"),
            ("training time", _minutes(record.get("train_seconds"))),
        ],
    )
    root = Path(str(part_of(record, "data").get("folder", ".")))
    # The gates are AUCs of the competition's cadences; how hard simulated ones are, their preset decides.
    simulated = folder.verb == "pretrain" or is_simulated(root)
    page.sections = [
        _gates(folds, per_fold, len(oof), simulated),
        _performance(oof, per_fold),
        _curves(curves, flips=len(folder.recipe().inference.tta) > 1),
        *_waterfalls(oof, folder, detectors, root),
        Section("Recipe", code=yaml.safe_dump(folder.recipe().as_dict(), sort_keys=False)),
        _versions(record),
    ]
    written = page.write(page_path)
    log.info("Wrote %s", written)
    return written


def _auc_of(folder: RunFolder, oof: pd.DataFrame) -> Interval:
    """The AUC of held-back cadences; its interval counts scenes where they are known."""
    groups = scenes_of(folder, oof["id"])
    return auc_interval(oof["target"].to_numpy(), oof["score"].to_numpy(), groups=groups)


def _minutes(seconds: object) -> str:
    return f"{seconds / 60:.1f} min" if isinstance(seconds, int | float) else "unknown"


def _gates(folds: list[int], per_fold: list[Interval], n_cadences: int, simulated: bool) -> Section:
    rows = [(f"fold {number}", str(interval)) for number, interval in zip(folds, per_fold, strict=True)]
    return Section(
        "AUC per fold",
        " ".join(mean_gate(per_fold, n_cadences, simulated)),
        columns=("fold", "AUC [95 % interval]"),
        rows=rows,
        figures=[
            (
                figure.fold_bars(
                    [one.value for one in per_fold],
                    [one.low for one in per_fold],
                    [one.high for one in per_fold],
                    None if simulated else MEAN_GATE,
                ),
                "",
            )
        ],
    )


def _performance(oof: pd.DataFrame, per_fold: list[Interval]) -> Section:
    targets, scores = oof["target"].to_numpy(), oof["score"].to_numpy()
    return Section(
        "Held-back cadences",
        figures=[
            (figure.roc(targets, scores), "ROC with its 95 % bootstrap band."),
            (figure.histogram(targets, scores), "Scores by class as log-odds; the count axis is logarithmic."),
        ],
    )


def _curve_tables(folder: RunFolder, folds: list[int]) -> dict[str, pd.DataFrame]:
    # A fold whose table was lost still has its scores: its curve is left out, and the rest of the page stands.
    tables = {number: folder.fold(number) / "metrics.csv" for number in folds}
    columns = {"epoch": int, "val_auc": float, "train_loss": float}
    return {
        f"fold {number}": read_table(path, columns, "Delete it; its curve is then left out.")
        for number, path in tables.items()
        if path.is_file()
    }


def _curves(read: dict[str, pd.DataFrame], flips: bool) -> Section:
    # Said, since the last point of a curve would else contradict the table of AUCs.
    told = "Each epoch is validated without the test-time flips that are part of the AUC per fold."
    return Section(
        "Curves per epoch",
        told if flips else "",
        figures=[
            (
                # Lightning counts epochs from 0, people from 1.
                figure.curves(
                    {name: (t["epoch"].to_numpy() + 1, t[key].to_numpy()) for name, t in read.items()}, label
                ),
                "",
            )
            for key, label in (("val_auc", "validation AUC"), ("train_loss", "training loss"))
        ],
    )


def _waterfalls(oof: pd.DataFrame, folder: RunFolder, detectors: Detectors, root: Path) -> list[Section]:
    ordered = oof.sort_values("score", ascending=False)
    # No "best negatives": a cadence without a needle and with a low score looks like any other.
    positive = ordered["target"] == 1
    chosen = (
        ("Most confident hits", "Needles with the highest scores.", ordered[positive].head(_SHOWN)),
        ("Worst misses", "Needles with the lowest scores.", ordered[positive].tail(_SHOWN)[::-1]),
        ("Worst false alarms", "The highest scores without a needle.", ordered[~positive].head(_SHOWN)),
    )
    truth = TruePaths.of(None if folder.verb == "pretrain" else root)
    known = f" {_TRUTH_TOLD}" if truth.card is not None else ""
    sections: list[Section] = []
    for title, text, rows in chosen:
        figures, pixels = _pictures(rows, folder, detectors, root, truth)
        # What pixels, colours and dashes mean is told once: it is the same in all pictures of the page.
        text = text if sections else f"{text} {pixels} {EVIDENCE_TOLD} {GUIDE_TOLD}{known}"
        sections.append(Section(title, text, figures=figures, legend=() if sections else evidence_legend()))
    return sections


def _pictures(
    rows: pd.DataFrame, folder: RunFolder, detectors: Detectors, root: Path, truth: TruePaths
) -> tuple[list[tuple[str, str]], str]:
    """Pictures with captions, and what a pixel of them is; cadences that cannot be read are left out."""
    pictures, pixels = [], ""
    for row in rows.itertuples():
        # The fold that held this cadence back: evidence of another one would show what it has learnt by heart.
        detector, recipe = detectors[int(str(row.fold))]
        try:
            cadence, planes = _cadence(folder, root, str(row.id), recipe)
        except AbacadError as error:
            # The figures need no data folder, which may have been moved since: a page without pictures is still a page.
            log.warning("No picture of %s: %s", row.id, error)
            continue
        axes = axes_of(root, cadence.shape)
        layout = Layout.of(axes)
        evidence = evidence_map([detector], planes, representation(recipe), cadence.shape[1], axes)[0].numpy()
        guide, true = best_guide(cadence, layout), truth.path(str(row.id))
        drawn = figure.waterfall(cadence, str(row.id), evidence, axes=axes, guide=guide.or_none, truth=true)
        pictures.append((drawn, f"{told_score(float(str(row.score)))}, fold {row.fold}; {guide.family}"))
        pixels = layout.told()
    return pictures, pixels


def _cadence(folder: RunFolder, root: Path, cadence_id: str, recipe: Represent) -> tuple[CadenceArray, Planes]:
    """A cadence of the run and its planes (1, plane, row, freq), from its file or simulated anew."""
    if folder.verb == "pretrain":
        cadence = simulated_cadence(folder, cadence_id)
        return cadence, represent(torch.from_numpy(cadence).float(), recipe)[None]
    cadence = read_cadence(cadence_path(root, "train", cadence_id))
    # The fold may look at overlaps with other cadences, so that its planes take more than this cadence alone.
    partners = partners_for(root, folder.recipe())
    return cadence, Cadences(root, "train", [cadence_id], recipe, partners=partners)[0][None]


def _versions(record: dict) -> Section:
    rows = [
        (key, record[key])
        for key in ("abacad", "git", "python", "platform", "device", "seed")
        if record.get(key) is not None
    ]
    rows += list(part_of(record, "packages").items())
    data = part_of(record, "data")
    rows += [(f"data: {key}", value) for key, value in data.items() if value is not None]
    skipped = part_of(record, "skipped")
    # Ten names at most: of thousands that were left out, run.json has all.
    return Section(
        "Versions and data",
        f"{len(skipped)} cadences were left out: {', '.join(list(skipped)[:10])}." if skipped else "",
        columns=("what", "value"),
        rows=rows,
    )

"""`abacad demo`: the whole pipeline on simulated cadences; nothing is downloaded, and it takes minutes on two cores.

simulate → audit → train (5 folds) → predict (TTA) → submit → report
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from abacad.files import read_json
from abacad.metric import Interval, auc_interval
from abacad.run.audit import audit
from abacad.run.predict import predict
from abacad.run.report import report
from abacad.run.simulate import simulate
from abacad.run.submit import submit
from abacad.run.train import train
from abacad.summary import Summary

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Demo(Summary):
    """AUC of the demo's detectors, and where its files are.

    Attributes:
        folds: AUC of the held-back cadences of each fold.
        oof: AUC of the held-back cadences of all folds together.
        test: AUC of the submission, by the labels of the simulated test set, which no other step has read.
        files: Paths by name: data, audit, run, submission, report.
        seconds: Wall time of this call, s.
    """

    folds: list[float]
    oof: Interval
    test: Interval
    files: dict[str, Path]
    seconds: float

    def rows(self) -> list[tuple[str, str]]:
        """Rows (cadences, AUC) of a table for the screen."""
        rows = [(f"fold {number}", f"{value:.3f}") for number, value in enumerate(self.folds)]
        mean = sum(self.folds) / len(self.folds)
        return [
            *rows,
            ("mean of folds", f"{mean:.3f}"),
            ("all held-back cadences (OOF)", str(self.oof)),
            ("test set, hidden labels", str(self.test)),
        ]

    def title(self) -> str:
        """The verb and its wall time."""
        return f"Demo, {self.seconds:.0f} s"

    def told(self) -> list[tuple[str, str]]:
        """The same rows as `rows`."""
        return self.rows()


def demo(
    out: str | Path = "demo",
    *,
    seed: int = 0,
    n_train: int = 1200,
    n_test: int = 400,
    recipe: str | Path = "demo",
    progress: bool = True,
) -> Demo:
    """Run the whole pipeline in the folder `out`; a second call continues or reuses what is there.

    Args:
        out: Folder to work in.
        seed: Seed of the data and of the training.
        n_train: Labelled cadences to simulate.
        n_test: Cadences to simulate for the submission.
        recipe: Packaged recipe, or a YAML file.
        progress: Show progress bars.

    Example:
        >>> abacad.demo("small", n_train=40, n_test=10, recipe="quick.yaml", progress=False)
        <Demo, ... s: fold 0 ..., fold 1 ..., mean of folds ...>

    Raises:
        AbacadError: the folder holds something else.
    """
    started = time.monotonic()  # not the time of day, which a clock may set back while it runs
    out = Path(out)
    data, run = out / "data", out / "run"
    # Each verb knows what it has finished, so a second call repeats none of the long steps.
    simulate(data, "demo", n_train=n_train, n_test=n_test, seed=seed, progress=progress)
    log.info("1/6 Simulated %d + %d cadences: %s", n_train, n_test, data)
    audit(data, out=out / "audit.html", progress=progress)
    log.info("2/6 Audited them")
    # From random weights, as its recipe says: the package's weights have seen this simulator, and would show nothing.
    train(data, run, recipe, **{"seed": seed, "trainer.progress": progress})
    log.info("3/6 Trained")
    predict(run, data, progress=progress)
    log.info("4/6 Scored the test set")
    submission = submit(run, data, out / "submission.csv", progress=progress)
    log.info("5/6 Wrote the submission")
    page = report(run)
    log.info("6/6 Wrote the report")
    record = read_json(run / "run.json")
    return Demo(
        folds=record["auc_fold"],
        oof=Interval(*record["auc_oof"]),
        test=_against_truth(submission, data / "truth.csv"),
        files={"data": data, "audit": out / "audit.html", "run": run, "submission": submission, "report": page},
        seconds=time.monotonic() - started,
    )


def _against_truth(submission: Path, truth: Path) -> Interval:
    table = pd.read_csv(submission).merge(pd.read_csv(truth), on="id", suffixes=("_score", ""))
    # Windows of one scene share noise and interference: an interval that drew windows would be too narrow.
    scenes = table["scene"].to_numpy()
    return auc_interval(table["target"].to_numpy(), table["target_score"].to_numpy(), groups=scenes)

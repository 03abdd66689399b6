"""The scores of several runs as one.

    equal      mean of the runs' scores
    0.3,0.7    their weighted mean
    ranks      mean of the runs' ranks, as shares of the cadences: for runs whose scores spread differently
    fitted     sigmoid(b + Σ wᵢ·logit(scoreᵢ)) with wᵢ ≥ 0, fitted on the runs' held-back (OOF) scores
    stacking   the same with weights of either sign: a run may tell what another one is wrong about

The AUC that is told of a blend is one of held-back cadences. Weights that are fitted never saw the labels that they are
judged by: those of each fold are fitted on the other folds.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from scipy.stats import rankdata

from abacad.errors import AbacadError
from abacad.learn.run_folder import RunFolder, read_oof
from abacad.learn.scenes import scenes_of
from abacad.metric import auc_interval

log = logging.getLogger(__name__)

METHODS = ("equal", "ranks", "fitted", "stacking")
_FITTED = ("fitted", "stacking")
_RIDGE = 1e-3
"""Pull of the weights towards 0, so that runs that separate their few OOF cadences perfectly keep finite ones."""


@dataclass(frozen=True)
class Blend:
    """How the scores of several runs become one.

    Attributes:
        method: One of `METHODS`, or `given` for weights by hand.
        weights: (run,) shares that sum to 1 of `given`; (1 + run,) bias and weights of the runs' logits of `fitted` and
            `stacking`; none of the others.
    """

    method: str
    weights: np.ndarray | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether its weights come from labels."""
        return self.method in _FITTED

    def scores(self, scores: np.ndarray) -> np.ndarray:
        """(cadence,) blended scores in [0, 1] of (cadence, run) scores in [0, 1]."""
        if self.method == "ranks":
            # − ½ centres the ranks: the median cadence gets 0.5, and none 0 or 1
            return ((rankdata(scores, axis=0) - 0.5) / len(scores)).mean(axis=1)
        if self.weights is None:
            return scores.mean(axis=1)
        if self.is_fitted:
            return expit(self.weights[0] + _logits(scores) @ self.weights[1:])
        return scores @ self.weights

    def fit(self, scores: np.ndarray, targets: np.ndarray) -> "Blend":
        """The blend with the weights that minimise the log-loss of these cadences; unchanged where none are fitted."""
        if not self.is_fitted:
            return self
        least = 0.0 if self.method == "fitted" else None
        return replace(self, weights=_fitted(_logits(scores), targets, least))


def blend_of(asked: str | Sequence[float], runs: Sequence[RunFolder]) -> Blend:
    """Make the blend that is asked for, and fit its weights where its method has any to fit.

    The log tells its weights, and the AUC of held-back cadences.

    Args:
        asked: One of `METHODS`, or a weight for each run: numbers, or as text `0.3,0.7`.
        runs: Finished runs.

    Raises:
        AbacadError: there is no such blend, or its weights cannot be fitted as the runs held back other cadences.
    """
    blend = _asked(asked, len(runs))
    if len(runs) == 1 and not blend.is_fitted:
        return blend
    tables = _common(runs, needed=blend.is_fitted)
    if tables is None:
        return blend
    scores = np.column_stack([table["score"] for table in tables])
    targets, folds = tables[0]["target"].to_numpy(), tables[0]["fold"].to_numpy()
    fitted = blend.fit(scores, targets)
    if fitted.is_fitted and fitted.weights is not None:
        told = ", ".join(f"{run.path.name} {weight:.3f}" for run, weight in zip(runs, fitted.weights[1:], strict=True))
        log.info("Weights fitted on OOF: %s", told)
    held_back = held_back_scores(blend, scores, targets, folds)
    # windows of one scene share their noise, so that the interval counts scenes, not cadences
    groups = scenes_of(runs[0], pd.Series(tables[0].index))
    log.info("AUC of all held-back cadences, blended: %s", auc_interval(targets, held_back, groups=groups))
    return fitted


def held_back_scores(blend: Blend, scores: np.ndarray, targets: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Blended scores of the held-back cadences; fitted weights are fitted, for each fold, on the other folds.

    Args:
        blend: What blends.
        scores: (cadence, run) of detectors that had not seen the cadence.
        targets: (cadence,) 0 or 1.
        folds: (cadence,) that held it back.
    """
    if not blend.is_fitted:
        return blend.scores(scores)
    blended = np.empty(len(scores))
    for fold in np.unique(folds):
        held = folds == fold
        blended[held] = blend.fit(scores[~held], targets[~held]).scores(scores[held])
    return blended


def _asked(asked: str | Sequence[float], n_runs: int) -> Blend:
    if isinstance(asked, str) and asked in METHODS:
        return Blend(asked)
    way_out = f"Take one of {', '.join(METHODS)}, or a number for each run: --weights 0.3,0.7."
    try:
        weights = np.array([float(one) for one in (asked.split(",") if isinstance(asked, str) else asked)])
    except ValueError as error:
        raise AbacadError(f"The weights of a blend are '{asked}', which is no such method.\n{way_out}") from error
    if len(weights) != n_runs:
        raise AbacadError(f"There are {len(weights)} weights for {n_runs} runs.\n{way_out}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise AbacadError(f"The weights {asked} are no shares: each must be 0 or more, and one above 0.\n{way_out}")
    return Blend("given", weights / weights.sum())


def _common(runs: Sequence[RunFolder], *, needed: bool) -> list[pd.DataFrame] | None:
    """The OOF scores of the runs in one order, by id; none where the runs held back other cadences.

    Raises:
        AbacadError: they did, and the blend needs them.
    """
    for run in runs:
        run.trained()
    tables = [read_oof(run).set_index("id") for run in runs]
    for run, table in zip(runs, tables, strict=True):
        if set(table.index) != set(tables[0].index):
            if not needed:
                return None
            raise AbacadError(
                f"{run.path} and {runs[0].path} were trained on other ids.\nBlend them with --weights equal or ranks."
            )
    return [table.loc[tables[0].index] for table in tables]


def _logits(scores: np.ndarray) -> np.ndarray:
    # A score of 0 or 1, as 32 bits round it, has an infinite logit.
    return logit(np.clip(scores, 1e-6, 1 - 1e-6))


def _fitted(logits: np.ndarray, target: np.ndarray, least: float | None) -> np.ndarray:
    """Bias and weights, none below `least`, of least log-loss."""
    sign = np.where(target == 1, 1.0, -1.0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (weights[0] + logits @ weights[1:])
        pull = -sign * expit(-margin) / len(sign)
        value = float(-log_expit(margin).mean() + _RIDGE * weights[1:] @ weights[1:])
        return value, np.concatenate([[pull.sum()], logits.T @ pull + 2 * _RIDGE * weights[1:]])

    # The loss is convex and smooth, so any start leads to the same weights. The bias is not pulled to 0: with one
    # positive in ten it has to be about −2.
    n_runs = logits.shape[1]
    start = np.concatenate([[0.0], np.full(n_runs, 1 / n_runs)])
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None)] + [(least, None)] * n_runs).x

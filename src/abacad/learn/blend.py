"""The scores of several runs as one.

equal    mean of the runs' scores
fitted   sigmoid(b + Σ wᵢ · logit(scoreᵢ)), wᵢ ≥ 0, fitted on the runs' held-back (OOF) scores
"""

import logging
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from abacad.errors import AbacadError
from abacad.learn.run_folder import RunFolder, read_oof
from abacad.metric import auc_interval

log = logging.getLogger(__name__)

_RIDGE = 1e-3
"""Pull of the weights towards 0, so that runs that separate their few OOF cadences perfectly keep finite ones."""


def blend(scores: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Blended scores in [0, 1].

    Args:
        scores: (cadence, run), in [0, 1].
        weights: (1 + run,): bias and weight of each run's logit; none is the mean of the scores.
    """
    if weights is None:
        return scores.mean(axis=1)
    return expit(weights[0] + _logits(scores) @ weights[1:])


def fit_weights(runs: Sequence[RunFolder]) -> np.ndarray:
    """Bias and weights (≥ 0) that minimise the log-loss of the blended OOF scores, (1 + run,).

    Raises:
        AbacadError: the runs held back other cadences.
    """
    for run in runs:
        run.trained()
    tables = [read_oof(run).set_index("id") for run in runs]
    for run, table in zip(runs, tables, strict=True):
        if set(table.index) != set(tables[0].index):
            raise AbacadError(
                f"{run.path} and {runs[0].path} were trained on other ids.\nBlend them with --weights equal."
            )
    scores = np.column_stack([table.loc[tables[0].index, "score"] for table in tables])
    target = tables[0]["target"].to_numpy()
    weights = _fitted(_logits(scores), target)
    log.info(
        "Weights fitted on OOF: %s", ", ".join(f"{r.path.name} {w:.3f}" for r, w in zip(runs, weights[1:], strict=True))
    )
    log.info("OOF AUC of the blend: %s", auc_interval(target, blend(scores, weights)))
    return weights


def _logits(scores: np.ndarray) -> np.ndarray:
    return logit(np.clip(scores, 1e-6, 1 - 1e-6))


def _fitted(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    sign = np.where(target == 1, 1.0, -1.0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (weights[0] + logits @ weights[1:])
        pull = -sign * expit(-margin) / len(sign)
        value = float(-log_expit(margin).mean() + _RIDGE * weights[1:] @ weights[1:])
        return value, np.concatenate([[pull.sum()], logits.T @ pull + 2 * _RIDGE * weights[1:]])

    n_runs = logits.shape[1]
    start = np.concatenate([[0.0], np.full(n_runs, 1 / n_runs)])
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None)] + [(0, None)] * n_runs).x

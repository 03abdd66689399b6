"""Blends against the laws that their scores were drawn from, and their AUC against labels that nothing can know."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from abacad.errors import AbacadError
from abacad.learn import blend as module
from abacad.learn.blend import _RIDGE, Blend, _fitted, blend_of, held_back_scores
from abacad.learn.run_folder import RunFolder
from abacad.metric import auc


@dataclass(frozen=True)
class Drawn(RunFolder):
    """A run whose held-back scores were drawn."""

    table: pd.DataFrame

    def trained(self) -> list[int]:
        return [0]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawn]:
    """A run whose logits are too high by 2, and one of chance, the same cadences in another order."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 4000)
    target = (rng.random(4000) < expit(logits - 2)).astype(int)
    ids = [f"{number:04d}" for number in range(4000)]
    first = pd.DataFrame({"id": ids, "target": target, "fold": np.arange(4000) % 5, "score": expit(logits)})
    second = first.assign(score=rng.random(4000))[::-1]
    monkeypatch.setattr(module, "read_oof", lambda run: run.table)
    return [Drawn(Path("run"), table) for table in (first, second)]


@pytest.mark.parametrize("method", ["fitted", "stacking"])
def test_the_bias_and_the_weight_are_those_of_the_law(drawn, method):
    bias, weight, chance = blend_of(method, drawn).weights
    assert bias == pytest.approx(-2, abs=0.25)
    assert weight == pytest.approx(1, abs=0.1)
    assert chance == pytest.approx(0, abs=0.1)


def test_rows_are_aligned_by_their_ids(drawn):
    turned = [drawn[0], replace(drawn[0], table=drawn[0].table.sample(frac=1, random_state=1))]
    weights = blend_of("fitted", turned).weights
    assert weights[1] == pytest.approx(weights[2], rel=1e-3)  # one run twice: neither is better
    assert weights[1] + weights[2] == pytest.approx(1, abs=0.1)


def test_a_fitted_blend_is_the_sigmoid_of_the_weighted_logits():
    scores = np.array([[0.5, 0.5], [0.9, 0.2]])
    weights = np.array([-0.7, 0.5, 2.0])
    logits = np.log(scores / (1 - scores))
    np.testing.assert_allclose(Blend("stacking", weights).scores(scores), expit(-0.7 + logits @ weights[1:]))


def test_given_weights_are_shares(drawn):
    scores = np.array([[0.2, 0.6], [1.0, 0.0]])
    for asked in ("3,1", [3, 1], "0.75,0.25"):
        np.testing.assert_allclose(blend_of(asked, drawn).scores(scores), [0.3, 0.75])


def test_ranks_know_no_spread():
    scores = np.random.default_rng(1).random((50, 2))
    pressed = np.column_stack([scores[:, 0], 0.5 + 1e-6 * scores[:, 1] ** 3])  # the same order
    np.testing.assert_allclose(Blend("ranks").scores(scores), Blend("ranks").scores(pressed))
    alone = Blend("ranks").scores(scores[:, :1])
    assert (np.argsort(alone) == np.argsort(scores[:, 0])).all()
    assert alone.min() > 0
    assert alone.max() < 1


def test_stacking_subtracts_what_another_run_is_wrong_about(drawn):
    """The first run is signal and noise, the second the noise: a weight below 0 takes it away."""
    rng = np.random.default_rng(2)
    target = rng.integers(0, 2, 2000)
    noise = rng.normal(size=2000) * 2
    scores = expit(np.column_stack([target - 0.5 + noise, noise + 0.3 * rng.normal(size=2000)]))
    found = {method: Blend(method).fit(scores[:1000], target[:1000]) for method in ("fitted", "stacking")}
    judged = {method: auc(target[1000:], blend.scores(scores[1000:])) for method, blend in found.items()}
    assert found["stacking"].weights[2] < 0
    assert judged["stacking"] > judged["fitted"] + 0.1


def test_the_auc_of_a_fitted_blend_is_honest():
    """Twenty runs of chance: weights fitted on the labels that judge them find an AUC that is not there."""
    rng = np.random.default_rng(3)
    target, folds = rng.integers(0, 2, 150), np.arange(150) % 5
    scores = rng.random((150, 20))
    stacking = Blend("stacking")
    assert auc(target, stacking.fit(scores, target).scores(scores)) > 0.65
    assert auc(target, held_back_scores(stacking, scores, target, folds)) < 0.6


def test_each_blend_of_several_runs_tells_its_auc(drawn, caplog):
    with caplog.at_level(logging.INFO, "abacad"):
        for asked in ("equal", "ranks", "stacking", "1,3"):
            blend_of(asked, drawn)
    assert sum("held-back cadences, blended: 0." in line for line in caplog.messages) == 4


@pytest.mark.parametrize(
    ("asked", "said"),
    [("best", "no such method"), ("0.3", "1 weights for 2"), ("1,2,3", "3 weights"), ("-1,2", "no shares"),
     ("0,0", "no shares"), ("nan,1", "no shares"), ("", "no such method")],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(asked, said, drawn):
    with pytest.raises(AbacadError, match=said):
        blend_of(asked, drawn)


def test_where_scores_are_perfect_the_ridge_alone_keeps_the_weight_finite():
    """The slope of log(1 + exp(−w)) + ridge · w² is 0 there."""
    bias, weight = _fitted(np.array([[-1.0], [1.0]]), np.array([0, 1]), None)
    assert bias == pytest.approx(0, abs=1e-2)
    assert expit(-weight) == pytest.approx(2 * _RIDGE * weight, rel=0.05)

"""A fitted blend against the law that its scores were drawn from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from abacad.learn import blend as module
from abacad.learn.blend import blend, fit_weights
from abacad.learn.run_folder import RunFolder


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
    first = pd.DataFrame({"id": ids, "target": target, "fold": 0, "score": expit(logits)})
    second = first.assign(score=rng.random(4000))[::-1]
    monkeypatch.setattr(module, "read_oof", lambda run: run.table)
    return [Drawn(Path("run"), table) for table in (first, second)]


def test_the_bias_and_the_weight_are_those_of_the_law(drawn):
    bias, weight, chance = fit_weights(drawn)
    assert bias == pytest.approx(-2, abs=0.25)
    assert weight == pytest.approx(1, abs=0.1)
    assert chance == pytest.approx(0, abs=0.1)


def test_rows_are_aligned_by_their_ids(drawn):
    turned = [drawn[0], replace(drawn[0], table=drawn[0].table.sample(frac=1, random_state=1))]
    weights = fit_weights(turned)
    assert weights[1] == pytest.approx(weights[2], rel=1e-3)  # one run twice: neither is better
    assert weights[1] + weights[2] == pytest.approx(1, abs=0.1)


def test_a_blend_is_the_sigmoid_of_the_weighted_logits():
    scores = np.array([[0.5, 0.5], [0.9, 0.2]])
    weights = np.array([-0.7, 0.5, 2.0])
    logits = np.log(scores / (1 - scores))
    np.testing.assert_allclose(blend(scores, weights), expit(-0.7 + logits @ weights[1:]))

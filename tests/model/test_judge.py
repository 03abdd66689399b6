"""A judge gives the mean of its detectors' scores, of any cadence in any units, and says where the evidence is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import save_detector
from abacad.model.detector import SHIPPED, SHIPPED_FEW_ROWS, SHIPPED_STAMPS, build_detector
from abacad.model.judge import Judge, shipped
from abacad.signal.cadence import ON, Axes

CPU = torch.device("cpu")
SMALL, BINNED = Model("panel", width=2, pretrained=False), Represent("binned", views=("clean",), rows=4)


class Says(torch.nn.Module):
    """A detector of one answer."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, planes, axes=None):
        return torch.full((len(planes),), self.logit)


def cadences(n: int = 4, n_time: int = 28, n_freq: int = 64) -> torch.Tensor:
    return torch.randn(n, 6, n_time, n_freq, generator=torch.Generator().manual_seed(1))


def saved(folder, number, represent=BINNED):
    torch.manual_seed(number)
    path = folder / f"{number}.safetensors"
    save_detector(path, build_detector(SMALL, represent), SMALL, represent, fold=number)
    return path


@pytest.fixture(scope="module")
def judge(tmp_path_factory) -> Judge:
    """Two detectors of random weights."""
    folder = tmp_path_factory.mktemp("judge")
    return Judge.of_files([saved(folder, number) for number in (0, 1)], CPU)


@pytest.mark.parametrize(
    ("n_time", "weights"),
    [(1, SHIPPED_FEW_ROWS), (16, SHIPPED_FEW_ROWS), (63, SHIPPED_FEW_ROWS), (64, SHIPPED), (273, SHIPPED)],
)
def test_the_packages_weights_are_chosen_by_the_rows_of_a_panel(n_time, weights):
    assert shipped(n_time) == weights
    assert weights.is_file()
    assert shipped(n_time, stamps=True) == (SHIPPED_STAMPS if weights == SHIPPED_FEW_ROWS else SHIPPED)
    assert SHIPPED_STAMPS.is_file()


def test_the_score_is_the_mean_of_the_detectors_scores_and_not_of_their_logits():
    of_three = Judge([Says(4.0), Says(-1.0), Says(0.0)], BINNED, ("identity", "horizontal"), CPU)
    expected = torch.tensor([4.0, -1.0, 0.0]).sigmoid()
    torch.testing.assert_close(of_three.by_detector(torch.zeros(2, 6, 7, 64)), expected.expand(2, 3))
    np.testing.assert_allclose(of_three.scores(cadences(2)), expected.mean().repeat(2))


def test_a_cadence_has_the_same_score_alone_and_in_any_company(judge):
    panels = cadences()
    together = judge.scores(panels)
    assert len(np.unique(together)) == 4
    alone = np.concatenate([judge.scores(one[None]) for one in panels])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    np.testing.assert_allclose(judge.scores(panels[[2, 0, 3, 1]]), together[[2, 0, 3, 1]], atol=1e-6)


def test_gain_and_offset_of_a_panel_are_nothing_to_it(judge):
    panels = cadences()
    gain, offset = torch.tensor([1.0, 3.0, 0.2, 40.0, 1.0, 7.0]), torch.tensor([0.0, 9.0, -5.0, 100.0, 0.1, 2.0])
    other = panels * gain[:, None, None] + offset[:, None, None]
    np.testing.assert_allclose(judge.scores(other), judge.scores(panels), atol=1e-4)


def test_a_cadences_own_timetable_counts_and_the_detectors_own_is_the_default(judge):
    panels, uneven = cadences(), replace(Axes(), panel_start_s=(0.0, 310.0, 640.0, 1500.0, 1820.0, 2150.0))
    np.testing.assert_array_equal(judge.scores(panels, Axes()), judge.scores(panels))
    assert np.abs(judge.scores(panels, uneven) - judge.scores(panels)).max() > 1e-6


def test_its_own_axes_are_the_timetable_of_its_detectors_in_any_shape(judge):
    slow = Axes.evenly(900.0, n_time=128, dt_s=2.25)
    of_slow = replace(judge, detectors=[build_detector(SMALL, BINNED, slow)])
    assert of_slow.own_axes(64, 32) == Axes.evenly(900.0, n_time=64, n_freq=32, dt_s=4.5)
    assert judge.own_axes(28, 64) == Axes.usual(28, 64)
    assert replace(judge, detectors=[Says(0.0)]).own_axes(28, 64) == Axes.usual(28, 64)


def test_detectors_of_two_representations_are_no_judge(tmp_path):
    paths = [saved(tmp_path, 0), saved(tmp_path, 1, replace(BINNED, rows=7))]
    with pytest.raises(AbacadError, match=r"1\.safetensors reads another representation than .*0\.safetensors"):
        Judge.of_files(paths, CPU)


def test_each_file_has_to_be_of_its_fold(tmp_path):
    paths = [saved(tmp_path, 0), saved(tmp_path, 1)]
    assert len(Judge.of_files(paths, CPU, folds=[0, 1]).detectors) == 2
    with pytest.raises(AbacadError, match="fold 1, not of fold 0"):
        Judge.of_files(paths[::-1], CPU, folds=[0, 1])


def test_the_evidence_on_a_bright_line_lies_on_it():
    """A line of 6 σ a pixel in the ON panels, for the package's own weights."""
    panels = np.random.default_rng(0).normal(size=(6, 64, 64)).astype(np.float32)
    panels[list(ON), :, 20] += 6
    own = Judge.of_files([SHIPPED], CPU)
    assert own.scores(torch.from_numpy(panels)[None])[0] > 0.5
    before = panels.copy()
    evidence = own.evidence(panels)
    np.testing.assert_array_equal(panels, before)
    assert evidence.shape == panels.shape
    columns = evidence[list(ON)].sum((0, 1))
    assert abs(int(columns.argmax()) - 20) <= 1
    assert columns.max() > 0

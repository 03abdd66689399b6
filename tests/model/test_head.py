"""Whatever the backbone, the first log-odds are those of the prior."""

import pytest
import torch
from torch.nn import functional

from abacad.config import Model, Represent
from abacad.model.detector import build_detector
from abacad.model.head import head_layers, prior_logit, start_head
from abacad.represent.representation import represent

FAMILIES = {
    "efficientnet_b0": None,
    "tf_efficientnet_lite0": None,
    "mobilenetv3_small_050": None,
    "convnext_atto": None,
    "resnet10t": None,
    "test_nfnet": None,
    "regnety_002": None,
    "test_vit": 160,
    "swin_tiny_patch4_window7_224": 56,
    "edgenext_xx_small": None,
    "deit_tiny_distilled_patch16_224": 64,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_first_bce_is_the_entropy_of_the_classes(name):
    """Half of the cadences have a needle: the entropy is log 2 = 0.693."""
    torch.manual_seed(3)
    recipe = Represent("difference", rows=7)
    detector = build_detector(Model(name, pretrained=False, size=FAMILIES[name]), recipe)
    with torch.no_grad():
        logits = detector(represent(torch.randn(6, 6, 273, 64), recipe))
    loss = functional.binary_cross_entropy_with_logits(logits, torch.tensor([0.0, 1, 0, 1, 0, 1]))
    assert loss == pytest.approx(0.693, abs=0.05)


def test_the_bias_is_the_prior_that_the_loss_is_lowest_at():
    for share, weight in ((0.1, 9.0), (0.1, 1.0), (0.3, 2.0)):
        targets = (torch.arange(1000) < 1000 * share).float()
        losses = [
            functional.binary_cross_entropy_with_logits(
                torch.full((1000,), prior_logit(share, weight) + step), targets, pos_weight=torch.tensor(weight)
            )
            for step in (-0.05, 0.0, 0.05)
        ]
        assert losses[1] == min(losses)


def test_the_bias_is_set_and_the_rest_of_the_backbone_left_alone():
    backbone = build_detector(Model("mobilenetv3_small_050", pretrained=False), Represent()).backbone
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    start_head(backbone, prior_logit(0.1))
    (last,) = head_layers(backbone)
    assert last.bias.item() == pytest.approx(-2.197, abs=1e-3)
    changed = [name for name, value in backbone.state_dict().items() if not torch.equal(value, before[name])]
    assert sorted(changed) == ["classifier.bias", "classifier.weight"]

"""Detectors: any backbone at any size, one logit a cadence, begun from weights of many sorts."""

import pytest
import safetensors.torch
import timm
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import SHIPPED, build_detector
from abacad.recipes import packaged_recipes, read_recipe
from abacad.represent.representation import represent, representation

TIMM = {"name": "mobilenetv3_small_050", "pretrained": False}
"""A small backbone, so that tests are quick."""


def panels(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 6, 70, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", packaged_recipes())
def test_each_recipe_builds_a_detector_that_trains_a_step(name):
    recipe = read_recipe(name, ["--model.pretrained", "false"])
    detector = build_detector(recipe.model, recipe.represent)
    planes = represent(panels(), recipe.represent)
    logits = detector(planes)
    assert logits.shape == (2,)
    logits.sum().backward()
    gradients = [p.grad for p in detector.parameters() if p.requires_grad and p.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("kind", ["difference", "on", "panels", "tall", "tall_on"])
@pytest.mark.parametrize("size", [None, 64])
def test_the_first_convolution_fits_the_planes(kind, size):
    represented = Represent(kind)
    detector = build_detector(Model(**TIMM, size=size), represented)
    first = next(m for m in detector.modules() if isinstance(m, torch.nn.Conv2d))
    assert first.in_channels == representation(represented).n_planes
    assert detector.eval()(represent(panels(), represented)).shape == (2,)


def test_the_panel_network_takes_only_its_own_representation():
    with pytest.raises(AbacadError, match=r"--represent\.kind binned"):
        build_detector(Model("panel"), Represent("difference"))
    with pytest.raises(AbacadError, match="takes no resize"):
        build_detector(Model("panel", size=64), Represent("binned"))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_come_from_a_local_file_with_three_planes_or_one(tmp_path, suffix):
    """The file timm publishes has 3 input planes and 1000 classes; ours has other numbers of both."""
    torch.manual_seed(0)
    published = timm.create_model(TIMM["name"], pretrained=False).state_dict()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(published, path)
    else:
        safetensors.torch.save_file(published, path)
    for kind, planes in (("difference", 3), ("tall", 1)):
        detector = build_detector(Model(TIMM["name"], weights=str(path)), Represent(kind))
        loaded = detector.backbone.state_dict()
        expected = published["conv_stem.weight"] if planes == 3 else published["conv_stem.weight"].sum(1, keepdim=True)
        torch.testing.assert_close(loaded["conv_stem.weight"], expected)
        torch.testing.assert_close(loaded["blocks.0.0.conv_dw.weight"], published["blocks.0.0.conv_dw.weight"])


def test_the_panel_network_starts_from_a_saved_detector(tmp_path):
    represented = Represent("binned")
    trained = build_detector(Model("panel", width=4, pretrained=False), represented)
    save_detector(tmp_path / "best.safetensors", trained, Model("panel", width=4), represented)
    start = build_detector(Model("panel", width=4, weights=str(tmp_path / "best.safetensors")), represented)
    for name, value in trained.state_dict().items():
        torch.testing.assert_close(start.state_dict()[name], value)
    with pytest.raises(AbacadError, match=r"same model\.width"):
        build_detector(Model("panel", width=8, weights=str(tmp_path / "best.safetensors")), represented)


def test_pretrained_weights_of_the_panel_network_are_those_of_the_package():
    shipped, represented = load_detector(SHIPPED)
    started = build_detector(Model("panel"), represented)
    for name, value in shipped.state_dict().items():
        torch.testing.assert_close(started.state_dict()[name], value)
    with pytest.raises(AbacadError, match=r"--model\.pretrained false"):
        build_detector(Model("panel", width=4), represented)


def test_views_that_the_weights_have_not_seen_are_not_heard_at_first(caplog):
    """With `residual` the network answers at once as without it; a view that is left out is left out of the sum."""
    planes = represent(panels(3), Represent("binned"))
    plain = build_detector(Model("panel"), Represent("binned")).eval()
    shared, clean, tracks = planes.split(6, 1)
    for views, seen, known in (
        (("shared", "clean", "track", "residual"), [shared, clean, tracks, torch.ones_like(shared)], planes),
        (("track", "residual", "clean", "shared"), [tracks, torch.ones_like(shared), clean, shared], planes),
        (("clean", "track"), [clean, tracks], torch.cat([torch.zeros_like(shared), clean, tracks], 1)),
    ):
        caplog.clear()
        with caplog.at_level("INFO"):
            detector = build_detector(Model("panel"), Represent("binned", views=views)).eval()
        torch.testing.assert_close(detector(torch.cat(seen, 1)), plain(known))
        assert ("`residual`: its weights start at zero" in caplog.text) == ("residual" in views)
        assert ("with the view `shared`" in caplog.text) == ("shared" not in views)
    with pytest.raises(AbacadError, match="the view `clean`"):
        build_detector(Model("panel"), Represent("binned", views=("shared", "track")))


def test_a_new_view_is_learnt():
    detector = build_detector(Model("panel"), Represent("binned", views=("shared", "clean", "track", "residual")))
    detector(torch.randn(4, 24, 10, 64)).sum().backward()
    assert detector.get_parameter("backbone.panels.encoder.0.0.weight").grad[:, 3].abs().sum() > 0

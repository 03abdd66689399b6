"""Quicker steps are the same steps: names of weights, losses and files stay as they were."""

import copy
from dataclasses import replace

import pytest
import torch

from abacad.config import Model, Recipe, Represent, Trainer
from abacad.errors import AbacadError
from abacad.learn.speed import laid_out, make_quick, require_speed
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import build_detector

MODEL = Model("test_efficientnet", pretrained=False)


def recipe(**wanted: bool) -> Recipe:
    return replace(Recipe(), model=MODEL, trainer=Trainer(accelerator="cpu", **wanted))


def test_channels_last_changes_the_layout_and_nothing_else(tmp_path):
    quick, plain = recipe(channels_last=True), recipe()
    detector = build_detector(MODEL, Represent())
    other = copy.deepcopy(detector)
    make_quick(other, quick)
    planes = torch.randn(2, 3, 28, 64)
    assert laid_out(planes, quick).is_contiguous(memory_format=torch.channels_last)
    assert laid_out(planes, plain) is planes
    stem = other.backbone.conv_stem.weight
    assert stem.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(other.eval()(laid_out(planes, quick)), detector.eval()(planes))
    save_detector(tmp_path / "quick.safetensors", other, MODEL, Represent())
    loaded, _ = load_detector(tmp_path / "quick.safetensors")
    torch.testing.assert_close(loaded(planes), detector(planes))


def test_a_compiled_detector_keeps_the_names_of_its_weights_and_can_be_copied(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda call, **_: compiled.append(call) or call)
    detector = build_detector(MODEL, Represent())
    names = list(detector.state_dict())
    make_quick(detector, recipe(compile=True))
    assert len(compiled) == 1
    assert list(detector.state_dict()) == names
    assert list(copy.deepcopy(detector).state_dict()) == names  # as the moving average does


def test_a_machine_without_a_compiler_is_told_before_data_are_read(monkeypatch):
    def broken(function):
        def call(values):
            raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(AbacadError, match=r"No working C\+\+ compiler.*\n.*--trainer.compile false"):
        require_speed(recipe(compile=True))
    require_speed(recipe())


def test_the_panel_network_lays_out_itself():
    panel = replace(recipe(channels_last=True), model=Model("panel"))
    with pytest.raises(AbacadError, match="for timm backbones"):
        require_speed(panel)


@pytest.mark.parametrize(("name", "warned"), [("panel", True), ("test_efficientnet", False)])
def test_compiling_the_panel_network_is_warned_of(name, warned, monkeypatch, caplog):
    """Its Fourier transforms are complex: compiled steps take 1.6 times as long."""
    monkeypatch.setattr(torch, "compile", lambda call, **_: call)
    require_speed(replace(recipe(compile=True), model=Model(name, pretrained=False)))
    assert ("makes the panel network slower" in caplog.text) == warned

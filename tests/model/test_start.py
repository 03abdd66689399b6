"""Weights from files: names are mapped, what fits is counted, and what does not fit is refused."""

import pytest
import safetensors.torch
import timm
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import save_detector
from abacad.model.detector import build_detector
from abacad.model.start import quantised, read_state

NAME = "mobilenetv3_small_050"


def started(path, name=NAME, kind="difference"):
    return build_detector(Model(name, weights=str(path)), Represent(kind)).backbone.state_dict()


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "backbone.", "module.model.", "detector.backbone."])
def test_names_with_the_usual_prefixes_are_mapped(tmp_path, prefix, caplog):
    published = timm.create_model(NAME).state_dict()
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({prefix + name: value for name, value in published.items()}, path)
    with caplog.at_level("INFO"):
        loaded = started(path)
    body = [name for name in published if not name.startswith("classifier")]
    assert all(torch.equal(loaded[name], published[name]) for name in body)
    counted = [name for name in body if not name.endswith("num_batches_tracked")]
    assert f"{len(counted)} of the {len(counted)} tensors of {NAME} fit" in caplog.text


@pytest.mark.parametrize("key", [None, "state_dict", "model_ema"])
def test_checkpoints_of_trainers_are_unwrapped(tmp_path, key):
    published = timm.create_model(NAME).state_dict()
    torch.save({key: published, "epoch": 3} if key else published, tmp_path / "weights.pth")
    torch.testing.assert_close(started(tmp_path / "weights.pth")["conv_stem.weight"], published["conv_stem.weight"])


def test_a_saved_detector_is_a_start_with_its_last_layer(tmp_path):
    torch.manual_seed(1)
    trained = build_detector(Model(NAME, pretrained=False), Represent())
    with torch.no_grad():
        trained.backbone.classifier.bias.fill_(0.7)
    save_detector(tmp_path / "best.safetensors", trained, Model(NAME), Represent())
    for name, value in started(tmp_path / "best.safetensors").items():
        torch.testing.assert_close(value, trained.backbone.state_dict()[name])


def test_a_file_that_does_not_fit_is_refused_with_the_count(tmp_path):
    state = timm.create_model("resnet10t").state_dict()
    safetensors.torch.save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(AbacadError, match=r"0 of its \d+ tensors fit"):
        started(tmp_path / "other.safetensors")
    published = timm.create_model(NAME).state_dict()
    some = dict(list(published.items())[: len(published) * 3 // 4])
    safetensors.torch.save_file(some, tmp_path / "part.safetensors")
    with pytest.raises(AbacadError, match="tensors fit"):
        started(tmp_path / "part.safetensors")
    (tmp_path / "words.pth").write_text("no tensors")
    with pytest.raises(AbacadError, match="tensors alone"):
        started(tmp_path / "words.pth")


def test_a_pickle_that_would_run_code_is_not_opened(tmp_path):
    class Runs:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"state_dict": Runs()}, tmp_path / "evil.pth")
    with pytest.raises(AbacadError):
        started(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_eight_bits_are_within_half_a_step_of_each_output(tmp_path):
    conv = torch.randn(5, 3, 3, 3).to(memory_format=torch.channels_last)  # as a training on a CPU leaves it
    state = {"conv.weight": conv, "bias": torch.randn(4), "zero.weight": torch.zeros(2, 40)}
    state["depthwise.weight"] = torch.randn(5, 1, 5, 5)
    safetensors.torch.save_file(quantised(state), tmp_path / "small.safetensors")
    back = read_state(tmp_path / "small.safetensors")
    assert back.keys() == state.keys()
    step = state["conv.weight"].flatten(1).abs().amax(1) / 127
    error = (back["conv.weight"] - state["conv.weight"]).flatten(1).abs().amax(1)
    assert (error <= step / 2 * 1.001).all()
    assert torch.equal(back["bias"], state["bias"])
    assert torch.equal(back["zero.weight"], state["zero.weight"])
    assert torch.equal(back["depthwise.weight"], state["depthwise.weight"])

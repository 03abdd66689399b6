"""An ONNX file answers as torch does, to 1e-4 in log-odds, whatever the number of cadences."""

import numpy as np
import pytest
import torch

import abacad
from abacad.cli import main
from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import load_detector, save_detector
from abacad.model.detector import SHIPPED, build_detector
from abacad.signal.cadence import Axes


@pytest.mark.filterwarnings("ignore")
def test_an_exported_image_network_answers_as_torch_behind_its_resize(tmp_path):
    """A backbone of timm's, its planes resized to 64 × 64; `export` compares with torch as well, on other numbers."""
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model, seen = Model("test_efficientnet", pretrained=False, size=64), Represent("difference")
    torch.manual_seed(0)
    detector = build_detector(model, seen, Axes.usual(28, 80)).eval()
    torch.nn.init.normal_(detector.backbone.get_classifier().weight)  # so that log-odds are of the order of 1
    save_detector(tmp_path / "weights.safetensors", detector, model, seen)
    found = abacad.export(tmp_path / "timm.onnx", tmp_path / "weights.safetensors", rows=28, channels=80)
    assert found.shape == (3, 28, 80)
    planes = torch.randn(4, 3, 28, 80)
    session = runtime.InferenceSession(str(found.path), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        wanted = detector(planes).numpy()
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(session.run(["log_odds"], {"planes": planes.numpy()})[0][:, 0], wanted, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_an_exported_detector_answers_as_torch(tmp_path, capsys):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "panel.onnx"
    assert main(["export", str(out), "--rows", "28", "--channels", "64"]) == 0
    detector, _ = load_detector(SHIPPED)
    session = runtime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    for n_cadences in (1, 4):
        planes = torch.randn(n_cadences, 18, 4, 64)
        found = session.run(["log_odds"], {"planes": planes.numpy()})[0]
        assert found.shape == (n_cadences, 1)
        with torch.inference_mode():
            np.testing.assert_allclose(found[:, 0], detector(planes).numpy(), atol=1e-4)
    assert '"kind": "binned"' in session.get_modelmeta().custom_metadata_map["abacad"]
    assert main(["export", str(out), "--rows", "28", "--channels", "64", "--quiet"]) == 0  # its own file it may replace
    (tmp_path / "other.onnx").write_bytes(b"somebody's")
    with pytest.raises(AbacadError, match="left as it is"):
        abacad.export(tmp_path / "other.onnx")


@pytest.mark.parametrize(
    ("rows", "channels"), [(0, None), (None, 0), (-3, None), (None, 10**11), (10**6, 10**6), (1, 64), (28, -1)]
)
def test_a_shape_that_no_cadence_has_is_refused_and_never_taken_for_the_usual_one(rows, channels, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    with pytest.raises(AbacadError, match="rows") as refused:
        abacad.export(tmp_path / "a.onnx", rows=rows, channels=channels)
    assert len(str(refused.value).splitlines()) <= 3
    assert list(tmp_path.iterdir()) == []

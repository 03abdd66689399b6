"""An ONNX file answers as torch does, to 1e-4 in log-odds, whatever the number of cadences."""

import numpy as np
import pytest
import torch

import abacad
from abacad.cli import main
from abacad.errors import AbacadError
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED
from abacad.model.panel import joint_lines, line_maps
from abacad.model.real import RealPanelNetwork, _Lines
from abacad.represent.representation import representation
from abacad.signal.cadence import Axes


@pytest.mark.parametrize("n_freq", [32, 50, 64])
def test_lines_in_real_numbers_are_those_of_the_transforms(n_freq):
    panels, starts = torch.randn(2, 6, 5, n_freq), Axes().panel_start
    torch.testing.assert_close(
        _Lines(5, n_freq, 8, starts, 1)(panels), line_maps(panels, 8, starts), atol=1e-4, rtol=1e-4
    )
    together = _Lines(5, n_freq, 8, starts, 4)(panels[:, 0::2])
    torch.testing.assert_close(together, joint_lines(panels[:, 0::2], 8, starts), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [(4, 64), (3, 50), (39, 256)])
def test_the_network_in_real_numbers_answers_as_the_network(shape):
    detector, represent = load_detector(SHIPPED)
    planes = torch.randn(2, representation(represent).n_planes, *shape)
    real = RealPanelNetwork(detector.backbone, *shape, detector.axes.panel_start).eval()
    with torch.inference_mode():
        torch.testing.assert_close(real(planes), detector(planes), atol=1e-4, rtol=1e-4)


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

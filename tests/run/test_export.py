"""An ONNX file answers as torch does, to 1e-4 in log-odds, whatever the number of cadences."""

import numpy as np
import pytest
import torch

import abacad
from abacad.cli import main
from abacad.errors import AbacadError
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED


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

"""A detector's speed on onnxruntime beside torch: `OMP_NUM_THREADS=1 python benchmarks/exported.py`.

CPU seconds of one thread for the same planes, in turn within one run; the least of five rounds, and their ratio.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch

import abacad
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED

BATCH, ROUNDS = 8, 5


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Export the package's detector and time it."""
    torch.set_num_threads(1)
    detector, _ = load_detector(SHIPPED)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        found = abacad.export(Path(folder) / "panel.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(found.path), options, providers=["CPUExecutionProvider"])
        planes = torch.randn(BATCH, *found.shape)
        fed = {"planes": planes.numpy()}
        rounds = [(seconds(lambda: detector(planes)), seconds(lambda: session.run(None, fed))) for _ in range(ROUNDS)]
        print(found)
    torch_s, onnx_s = (min(each) * 1000 / BATCH for each in zip(*rounds, strict=True))
    print(f"torch {torch_s:.1f} ms a cadence, onnxruntime {onnx_s:.1f} ms, {onnx_s / torch_s:.2f} times as long")


if __name__ == "__main__":
    main()

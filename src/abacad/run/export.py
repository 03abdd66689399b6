"""`abacad export`: a trained detector as an ONNX file, for runtimes without Python or torch.

    planes (batch, plane, row, freq) → log_odds (batch, detector)

The representation is not part of the file: `abacad.represent` makes the planes. Before the file gets its name, it is
run with onnxruntime on noise and compared with torch.
"""

import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from abacad.config import Represent
from abacad.errors import AbacadError, brief
from abacad.files import replacing
from abacad.learn.run_folder import RunFolder
from abacad.model.checkpoint import load_detector
from abacad.model.detector import SHIPPED, Detector
from abacad.model.panel import PanelNetwork
from abacad.model.real import RealPanelNetwork
from abacad.outputs import ONNX, output
from abacad.represent.representation import Representation, representation
from abacad.signal.cadence import N_PANELS
from abacad.summary import Summary
from abacad.types import Planes

log = logging.getLogger(__name__)

TOLERANCE = 1e-4
"""Largest allowed difference between the log-odds of the ONNX file and those of torch."""
# Cadences that are compared. More than one, since tracing could take the batch size for a constant of the network.
_BATCH = 3
_MOST_PIXELS = 1 << 24  # of a panel; those of the competition have 70,000, wide ones of a telescope a million


@dataclass(frozen=True, repr=False)
class Exported(Summary):
    """An ONNX file, and how exactly it agrees with torch.

    Attributes:
        path: The ONNX file.
        shape: Shape of the planes of one cadence, (plane, row, freq).
        detectors: Number of detectors in it: the folds of a run, or 1.
        difference: Largest difference of its log-odds to torch's, on noise.
    """

    path: Path
    shape: tuple[int, ...]
    detectors: int
    difference: float

    def title(self) -> str:
        """The file."""
        return f"ONNX model {self.path}"

    def told(self) -> list[tuple[str, str]]:
        """Shapes, number of detectors, largest difference, and size."""
        size = f"{self.path.stat().st_size / 1e6:.1f} MB" if self.path.is_file() else "on standard output"
        return [
            ("planes", " × ".join(map(str, self.shape))),
            ("detectors", str(self.detectors)),
            ("largest difference to torch", f"{self.difference:.1e}"),
            ("size", size),
        ]


def export(
    out: str | Path, weights: str | Path | None = None, *, rows: int | None = None, channels: int | None = None
) -> Exported:
    """Write a detector as an ONNX file for cadences of one shape.

    Args:
        out: The file to write.
        weights: A run folder, whose folds all are written, or a file of weights; none takes the package's.
        rows: Rows of a panel; none takes those that it was trained on.
        channels: Channels of a cadence; none takes those that it was trained on.

    Example:
        >>> abacad.export("panel.onnx", rows=28, channels=64).shape
        (18, 4, 64)

    Raises:
        AbacadError: onnxruntime is not installed, the weights cannot be used, or the ONNX file answers otherwise.
    """
    target = output(out, ONNX)
    _runtime()  # for its error: what is not installed is told before weights are loaded
    detectors, represent = _loaded(Path(weights) if weights is not None else SHIPPED)
    axes = detectors[0].axes
    n_time, n_freq = axes.n_time if rows is None else rows, axes.n_freq if channels is None else channels
    _require_shape(n_time, n_freq)
    # Noise, so that no plane is constant: a layer left out by mistake would not show on zeros.
    noise = torch.randn(_BATCH, N_PANELS, n_time, n_freq, generator=torch.Generator().manual_seed(0))
    planes = _planes(representation(represent), noise, detectors[0])
    # Written into the file's metadata: whoever runs it without abacad has to make the very same planes.
    about = {"represent": asdict(represent), "rows": n_time, "channels": n_freq, "panel_start_s": axes.panel_start_s}
    with replacing(target) as temporary:
        _write(_InOne(detectors, planes.shape[-2:]).eval(), planes, about, temporary)
        difference = _difference(temporary, detectors, planes)
        if difference > TOLERANCE:
            raise AbacadError(f"The ONNX model differs from torch by {difference:.1e} in log-odds; it is not kept.")
    log.info("Wrote %s: log-odds differ by %.1e from torch's", target, difference)
    return Exported(target, tuple(planes.shape[1:]), len(detectors), difference)


def _require_shape(n_time: int, n_freq: int) -> None:
    """Refuse what no cadence has, and what takes more memory than a cadence does."""
    if min(n_time, n_freq) < 1 or n_time * n_freq > _MOST_PIXELS:
        raise AbacadError(
            f"A panel of {n_time} rows and {n_freq} channels cannot be: it has 1 to {_MOST_PIXELS:,} pixels.\n"
            "Give those of your cadences: --rows 16 --channels 1024."
        )


def _planes(seen: Representation, noise: Tensor, detector: Detector) -> Tensor:
    """The planes of a few cadences, tried once.

    Raises:
        AbacadError: cadences of this shape are too small for the representation, or for the detector.
    """
    try:
        planes = seen.make(noise)
        with torch.inference_mode():
            detector(planes)
    except (RuntimeError, IndexError, ValueError) as error:
        raise _too_small(noise.shape[2], noise.shape[3], error) from error
    return planes


def _too_small(n_time: int, n_freq: int, error: Exception) -> AbacadError:
    return AbacadError(
        f"This detector takes no panels of {n_time} rows and {n_freq} channels: {brief(str(error), 100)}.\n"
        "Give those of your cadences: --rows 16 --channels 1024."
    )


class _InOne(nn.Module):
    """Several detectors as one network, without complex numbers, which ONNX has not."""

    def __init__(self, detectors: Sequence[Detector], shape: Sequence[int]) -> None:
        super().__init__()
        self.detectors = nn.ModuleList([_in_real_numbers(detector, *shape) for detector in detectors])

    def forward(self, planes: Planes) -> Tensor:
        return torch.stack([detector(planes) for detector in self.detectors], 1)


def _in_real_numbers(detector: Detector, n_time: int, n_freq: int) -> nn.Module:
    # Of our networks the panel network alone computes with complex numbers: it shifts lines by Fourier transforms.
    network = detector.backbone
    if not isinstance(network, PanelNetwork):
        return detector
    return RealPanelNetwork(network, n_time, n_freq, detector.axes.panel_start)


def _loaded(path: Path) -> tuple[list[Detector], Represent]:
    """The detectors of a run folder or of a file."""
    if not path.is_dir():
        detector, represent = load_detector(path)
        return [detector], represent
    run = RunFolder(path)
    loaded = [load_detector(run.weights(number)) for number in run.trained()]
    return [detector for detector, _ in loaded], loaded[0][1]


def _runtime() -> Any:
    """The module onnxruntime.

    Raises:
        AbacadError: it is not installed, or onnxscript, by which torch writes ONNX, is not.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  # torch writes ONNX by it
    except ModuleNotFoundError as error:
        raise AbacadError(f"{error.name} is not installed.\nInstall it: pip install 'abacad[onnx]'.") from error
    return onnxruntime


def _write(model: nn.Module, planes: Tensor, about: dict[str, Any], path: Path) -> None:
    """Trace the model and write it; the metadata say how the planes of a cadence are made."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch's advice to its own programmers
        # The batch alone is dynamic: the matrices of the shifts are made for one number of rows and channels.
        try:
            program = torch.onnx.export(
                model, (planes,), dynamo=True, verbose=False, input_names=["planes"], output_names=["log_odds"],
                dynamic_shapes={"planes": {0: torch.export.Dim("batch")}},
            )  # fmt: skip
        except RuntimeError as error:  # such as a network that treats a single channel in a way of its own
            raise _too_small(about["rows"], about["channels"], error) from error
    assert program is not None
    program.model.producer_name = "abacad"
    program.model.metadata_props["abacad"] = json.dumps(about)
    program.save(str(path))


def _difference(path: Path, detectors: Sequence[Detector], planes: Tensor) -> float:
    # On the CPU, where both compute in 32 bits; a GPU may take fewer for its products and would exceed the tolerance.
    session = _runtime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        wanted = torch.stack([detector(planes) for detector in detectors], 1).numpy()
    return float(np.abs(session.run(None, {"planes": planes.numpy()})[0] - wanted).max())

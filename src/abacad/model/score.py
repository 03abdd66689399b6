"""Scores from trained detectors: the mean over flips of the cadence and over folds.

score = sigmoid(mean over flips of the logit)   for each detector; detectors are averaged as scores
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from abacad.config import Flip
from abacad.represent.representation import Representation
from abacad.signal.cadence import Axes
from abacad.types import Planes


def flipped(planes: Planes, flip: Flip, seen: Representation) -> Planes:
    """The planes of the flipped cadence: `horizontal` reverses frequency, `vertical` time, `both` both."""
    if flip in ("horizontal", "both"):
        planes = seen.reverse_freq(planes)
    if flip in ("vertical", "both"):
        planes = seen.reverse_time(planes)
    return planes


@torch.inference_mode()
def score(
    detectors: Sequence[nn.Module],
    planes: Planes,
    flips: Sequence[Flip],
    seen: Representation,
    axes: Axes | None = None,
) -> Tensor:
    """Scores of a batch by each detector.

    Args:
        detectors: Trained detectors in evaluation mode, on the device of `planes`.
        planes: (batch, plane, row, freq).
        flips: Flips whose logits are averaged.
        seen: Representation that made the planes.
        axes: When the panels began; none means the axes that the detector was trained with.

    Returns:
        (batch, detector), float32 in [0, 1], on the CPU.
    """
    # Flips of one detector differ by noise, and the mean of their logits is the better estimate of one answer; the mean
    # of different detectors is taken by the caller, of scores (docs/adr/0002-folds-and-scores.md).
    total: list[Tensor | float] = [0.0] * len(detectors)
    for flip in flips:
        shown = flipped(planes, flip, seen)
        # Reversed in time, the gaps between the panels come in the opposite order, too.
        when = axes.time_reversed() if axes is not None and flip in ("vertical", "both") else axes
        for place, detector in enumerate(detectors):
            total[place] = total[place] + _logits(detector, shown, when, flip)
    return torch.stack([torch.as_tensor(each) / len(flips) for each in total], dim=1).sigmoid().cpu()


def _logits(detector: nn.Module, planes: Planes, axes: Axes | None, flip: Flip) -> Tensor:
    if axes is None and flip in ("vertical", "both") and getattr(detector, "axes", None) is not None:
        axes = detector.axes.time_reversed()  # type: ignore[union-attr, operator]
    return (detector(planes) if axes is None else detector(planes, axes)).float()

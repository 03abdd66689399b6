"""Scores from trained detectors: the mean over flips of the cadence and over folds.

score = sigmoid(mean over flips of the logit)   for each detector; detectors are averaged as scores
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from abacad.config import Flip
from abacad.model.detector import Detector
from abacad.model.evidence import Evidence, Lines, reversed_freq, reversed_time
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


def turned(evidence: Evidence, flip: Flip) -> Evidence:
    """The evidence of the flipped cadence."""
    if flip in ("horizontal", "both"):
        evidence = reversed_freq(evidence)
    if flip in ("vertical", "both"):
        evidence = reversed_time(evidence)
    return evidence


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
    # What panel networks find along lines is the same for all of them, and a flip turns it round.
    found: dict[Lines, Evidence] = {}
    for flip in flips:
        shown = flipped(planes, flip, seen)
        for place, detector in enumerate(detectors):
            lines = detector.lines_of(axes) if isinstance(detector, Detector) else None
            if lines is None:
                logits = detector(shown)
            else:
                if lines not in found:
                    found[lines] = lines.in_planes(planes)
                logits = detector(shown, evidence=turned(found[lines], flip))
            total[place] = total[place] + logits.float()
    return torch.stack([torch.as_tensor(each) / len(flips) for each in total], dim=1).sigmoid().cpu()

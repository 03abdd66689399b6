"""Scores from trained detectors: the mean over flips of the cadence and over folds.

score = sigmoid(mean over flips of the logit)   for each detector; detectors are averaged as scores
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from abacad.config import Flip
from abacad.errors import AbacadError
from abacad.model.detector import Detector
from abacad.model.evidence import Evidence, Lines, reversed_freq, reversed_time
from abacad.model.precision import current_precision
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

    Raises:
        AbacadError: a logit is NaN or infinite, as of an overflow in 16 bits, or of weights that are far too large.
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
    logits = torch.stack([torch.as_tensor(each) / len(flips) for each in total], dim=1).cpu()
    # Logits and not scores: an infinite one would become a score of 1 or 0, which looks like any other.
    if not logits.isfinite().all():
        raise AbacadError(_overflowed(logits, planes.device))
    return logits.sigmoid()


def _overflowed(logits: Tensor, device: torch.device) -> str:
    """The message on scores that are no numbers: how many, in which precision, and the way out."""
    n_wrong, precision = int((~logits.isfinite()).sum()), current_precision(device)
    told = f"{n_wrong} of {logits.numel()} scores of a batch are NaN or infinite, computed in {precision}.\n"
    if precision == "32-true":
        return f"{told}Take other weights: these are too large to compute with."
    return f"{told}Compute in 32 bits: predict with --precision 32-true, or inference.precision 32-true in the recipe."

"""Scores from trained detectors: the mean over views of the cadence and over folds.

score = sigmoid(mean over flips of the logit)   for each detector; detectors are averaged as scores
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from abacad.config import Flip, Kind
from abacad.represent.kinds import flip_freq, flip_time
from abacad.types import Channels


def view(channels: Channels, flip: Flip, kind: Kind) -> Channels:
    """The cadence as that flip shows it."""
    if flip in ("horizontal", "both"):
        channels = flip_freq(channels)
    if flip in ("vertical", "both"):
        channels = flip_time(channels, kind)
    return channels


@torch.inference_mode()
def score(detectors: Sequence[nn.Module], channels: Channels, flips: Sequence[Flip], kind: Kind) -> Tensor:
    """Scores of a batch by each detector.

    Args:
        detectors: Trained detectors in evaluation mode, on the device of `channels`.
        channels: (batch, channel, time, freq).
        flips: Views whose logits are averaged.
        kind: Representation of the channels.

    Returns:
        (batch, detector), float32 in [0, 1], on the CPU.
    """
    views = [view(channels, flip, kind) for flip in flips]
    logits = [torch.stack([detector(seen).float() for seen in views]).mean(0) for detector in detectors]
    return torch.stack(logits, dim=1).sigmoid().cpu()

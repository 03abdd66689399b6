"""Draws the last layer of a timm backbone so that it first answers the prior, the odds of a needle in any cadence.

timm draws the last layer of EfficientNets and MobileNets for a thousand classes. For one logit that gives weights of
±1: the first log-odds have a spread of 5, and the loss (binary cross-entropy, BCE) is 2.5 instead of ln 2 = 0.69. The
large first gradients destroy pretrained features, and some runs never recover. So the layer is drawn anew, with a
spread of the log-odds of a few hundredths, whatever the backbone.
"""

import math
from collections.abc import Iterator

import torch
from torch import nn

from abacad.errors import AbacadError

_SPREAD = 0.02
"""Spread of the first log-odds where features have an rms of 1; with an rms of 10 the BCE still lies 0.005 above."""


def prior_logit(positives: float, pos_weight: float = 1.0) -> float:
    """The log-odds that a BCE is lowest at when nothing is known: log(p / (1 − p)) + log(pos_weight).

    Args:
        positives: Share of the cadences with a needle, between 0 and 1.
        pos_weight: How much more a positive counts in the loss. Negatives / positives weighs both classes alike.

    Example:
        >>> prior_logit(0.1, pos_weight=9.0)
        0.0
    """
    return math.log(positives * pos_weight / (1 - positives))


def start_head(backbone: nn.Module, logit: float = 0.0) -> None:
    """Draw the last layer anew, small, and set its bias to `logit` (`prior_logit`); 0 where classes weigh alike.

    The draw is from torch's own generator, as the rest of the weights is.

    Raises:
        AbacadError: the backbone has no last layer that timm knows of.
    """
    layers = list(head_layers(backbone))
    if not layers:
        raise AbacadError(f"{type(backbone).__name__} has no classifier that could give one logit.\nTake another name.")
    with torch.no_grad():
        for layer in layers:
            # the sum of fan_in products of independent numbers spreads as √fan_in
            fan_in = layer.weight[0].numel()
            layer.weight.normal_(0.0, _SPREAD / math.sqrt(fan_in))
            if layer.bias is not None:
                layer.bias.fill_(logit)


def head_layers(backbone: nn.Module) -> Iterator[nn.Linear | nn.Conv2d]:
    """The layers that give the logit: one, or two where a backbone averages the heads of two tokens."""
    classifier = backbone.get_classifier()  # type: ignore[operator]
    # a part may be a chain of several layers: the last one gives the logit
    for part in classifier if isinstance(classifier, tuple | list) else (classifier,):
        inner = [layer for layer in part.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        yield from inner[-1:]

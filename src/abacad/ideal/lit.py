"""Which panels a needle or a decoy stands in, and the likelihood ratio averaged over that.

A needle: all ON panels, or with the preset's share `partial` one or two of them. A decoy: everywhere (half), in OFF
panels alone (a quarter), or in each panel with probability 0.6 but certainly in the second OFF panel (a quarter); see
`draw_lit`.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from abacad.signal.cadence import N_PANELS, OFF, ON


def needle_patterns(partial: float, cut: float = 0.0) -> list[tuple[tuple[int, ...], float]]:
    """Panels of a needle with the probability of each set.

    Args:
        partial: share of the needles that miss from one or two ON panels.
        cut: share that starts late or ends early, and so may lose whole panels.
    """
    one = [((panel,), partial / 6) for panel in ON]
    two = [(tuple(panel for panel in ON if panel != dark), partial / 6) for dark in ON]
    # a share u · v of the rows is missing, u and v uniform: P(u v < x) = x (1 − log x)
    lost = [x * (1 - math.log(x)) for x in (1 / 3, 2 / 3)]
    some, most = cut * (lost[1] - lost[0]) / 2, cut * (1 - lost[1]) / 2
    whole = [(ON, 1 - 2 * some - 2 * most), (ON[1:], some), (ON[:2], some), (ON[2:], most), (ON[:1], most)]
    patterns = [*((lit, share * (1 - partial)) for lit, share in whole), *one, *two]
    return [pattern for pattern in patterns if pattern[1] > 0]


def over_patterns(
    panels: Mapping[int, Float[Tensor, "*shape"]],
    patterns: Sequence[tuple[tuple[int, ...], float | Float[Tensor, "..."]]],
) -> Float[Tensor, "*shape"]:
    """Log of Σ probability · Π ratio over the lit panels.

    Args:
        panels: log ratio of each panel, by its number.
        patterns: sets of lit panels with their probabilities, which may differ from place to place.
    """
    members = sorted({panel for lit, _ in patterns for panel in lit})
    top = {panel: panels[panel].clamp(min=0) for panel in members}
    # one exponential does for both: a panel that is lit or dark against its likelier state
    lesser = {panel: panels[panel].abs().neg_().exp_() for panel in members}
    lit_part = {panel: torch.where(panels[panel] > 0, 1.0, lesser[panel]) for panel in members}
    dark_part = {panel: torch.where(panels[panel] > 0, lesser[panel], 1.0) for panel in members}
    total = torch.zeros_like(panels[members[0]])
    for lit, probability in patterns:
        term = torch.ones_like(total)
        for panel in members:
            term *= lit_part[panel] if panel in lit else dark_part[panel]
        total += term * probability
    return total.clamp_min_(1e-37).log_() + sum(top.values())


def over_decoys(panels: Mapping[int, Float[Tensor, "*shape"]]) -> Float[Tensor, "*shape"]:
    """Log of the ratio averaged over the panels of a decoy."""
    everywhere = sum((panels[panel] for panel in range(1, N_PANELS)), start=panels[0])
    off = sum((panels[panel] for panel in OFF[1:]), start=panels[OFF[0]])
    some = panels[OFF[1]]
    for panel in range(N_PANELS):
        if panel != OFF[1]:
            value = panels[panel]
            top = value.clamp(min=0)
            some = some + top + (0.6 * (value - top).exp() + 0.4 * (-top).exp()).log()
    weights = torch.tensor([0.5, 0.25, 0.25]).log()
    return torch.logsumexp(torch.stack([everywhere + weights[0], off + weights[1], some + weights[2]]), 0)

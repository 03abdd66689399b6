"""Which panels a needle or a decoy stands in, and the likelihood ratio averaged over that.

The observer does not know in which panels a needle stands, so it averages the ratio over the sets that the simulator
draws (`abacad.simulator.needle.draw_lit`). A needle stands in all ON panels or, with the preset's share `partial`, in
one or two of them. A decoy stands everywhere, in the OFF panels alone, or in some of both.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.simulator.needle import (
    DECOY_CERTAIN,
    DECOY_EVERYWHERE,
    DECOY_LIT,
    DECOY_OFF_ALONE,
    DECOY_SOME,
    missing_below,
)


def needle_patterns(partial: float, cut: float = 0.0) -> list[tuple[tuple[int, ...], float]]:
    """Sets of panels that a needle can stand in, each with its probability; the probabilities add up to 1.

    Args:
        partial: share of the needles that are absent from one or two ON panels.
        cut: share that starts late or ends early, and so may lose whole panels.

    Returns:
        Pairs (numbers of the lit panels, probability), without sets of probability 0.
    """
    one = [((panel,), partial / 6) for panel in ON]
    two = [(tuple(panel for panel in ON if panel != dark), partial / 6) for dark in ON]
    # A needle that lost a third of its ON rows or more has lost one panel, the first or the last; one that lost two
    # thirds has lost two. The rest of a panel that is lit in part is counted as whole.
    lost = [missing_below(panels / len(ON)) for panels in (1, 2)]
    some, most = cut * (lost[1] - lost[0]) / 2, cut * (1 - lost[1]) / 2
    whole = [(ON, 1 - 2 * some - 2 * most), (ON[1:], some), (ON[:2], some), (ON[2:], most), (ON[:1], most)]
    patterns = [*((lit, share * (1 - partial)) for lit, share in whole), *one, *two]
    return [pattern for pattern in patterns if pattern[1] > 0]


def over_patterns(
    panels: Mapping[int, Float[Tensor, "*shape"]],
    patterns: Sequence[tuple[tuple[int, ...], float | Float[Tensor, "..."]]],
) -> Float[Tensor, "*shape"]:
    """Log of Σ over patterns of probability · Π over lit panels of ratio.

    Args:
        panels: log ratio of each panel, by its number.
        patterns: sets of lit panels with their probabilities, which may differ from place to place.

    Example:
        >>> ratios = {0: torch.tensor(0.0), 2: torch.tensor(0.0)}
        >>> float(over_patterns(ratios, [((0, 2), 0.5), ((0,), 0.5)]))  # nothing seen: the ratio is 1
        0.0
    """
    members = sorted({panel for lit, _ in patterns for panel in lit})
    top = {panel: panels[panel].clamp(min=0) for panel in members}
    # In a pattern a panel contributes its ratio e^r (lit) or 1 (dark). Divided by the larger of the two, the larger
    # becomes 1 and the smaller e^−|r|, whichever it is: nothing overflows, and each panel needs one exponential, not
    # two.
    lesser = {panel: panels[panel].abs().neg_().exp_() for panel in members}
    lit_part = {panel: torch.where(panels[panel] > 0, 1.0, lesser[panel]) for panel in members}
    dark_part = {panel: torch.where(panels[panel] > 0, lesser[panel], 1.0) for panel in members}
    total = torch.zeros_like(panels[members[0]])
    for lit, probability in patterns:
        term = torch.ones_like(total)
        for panel in members:
            term *= lit_part[panel] if panel in lit else dark_part[panel]
        total += term * probability
    return total.clamp_min_(1e-37).log_() + sum(top.values())  # 1e-37 is near float32's least: log stays finite


def over_decoys(panels: Mapping[int, Float[Tensor, "*shape"]]) -> Float[Tensor, "*shape"]:
    """Log of the ratio averaged over the sets of panels that a decoy can stand in.

    Args:
        panels: log ratio of each of the six panels, by its number.
    """
    everywhere = sum((panels[panel] for panel in range(1, N_PANELS)), start=panels[0])
    off = sum((panels[panel] for panel in OFF[1:]), start=panels[OFF[0]])
    some = panels[DECOY_CERTAIN]
    for panel in range(N_PANELS):
        if panel != DECOY_CERTAIN:
            # log(0.6 e^value + 0.4), with the larger exponent taken out
            value = panels[panel]
            top = value.clamp(min=0)
            some = some + top + (DECOY_LIT * (value - top).exp() + (1 - DECOY_LIT) * (-top).exp()).log()
    weights = torch.tensor([DECOY_EVERYWHERE, DECOY_OFF_ALONE, DECOY_SOME]).log()
    return torch.logsumexp(torch.stack([everywhere + weights[0], off + weights[1], some + weights[2]]), 0)

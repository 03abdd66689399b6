"""What the panel network knows of lines before it learns anything: ten maps over drift and frequency.

They are made of sums along straight lines (`abacad.model.lines`), and of nothing that is trained. So they can be made
once and kept: a reversal of frequency or time only turns them round (`reversed_freq`, `reversed_time`), and they fit
in bytes (`as_bytes`).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int8, Shaped
from torch import Tensor

from abacad.model.lines import Maps, Starts, halved, joint, joint_lines, line_maps, paired, spread
from abacad.signal.cadence import N_PANELS
from abacad.types import Planes

Evidence = Float[Tensor, "batch map drift2 freq2"]

N_MAPS = 10
MAX_DRIFT = 36
"""Fastest line, in channels a panel: 0.34 Hz/s in the competition."""

_REVERSED = (0, 1, 4, 3, 2, 7, 6, 5, 8, 9)
"""Which map takes each place when time is reversed: the first and the last panel of either class change places."""
_LIMIT = 3.0
_STEPS = 127


class Lines(NamedTuple):
    """Which lines a network sums up, in all that decides it.

    Attributes:
        view: Number of the view whose panels are summed.
        max_drift: Fastest line, in channels a panel.
        panel_start: Start of each panel, in lengths of a panel.
    """

    view: int
    max_drift: int
    panel_start: Starts

    def in_planes(self, planes: Planes) -> Evidence:
        """The evidence in view-major planes (batch, 6·views, time, freq)."""
        first = self.view * N_PANELS
        return line_evidence(planes[:, first : first + N_PANELS], self.max_drift, self.panel_start)


def line_evidence(panels: Float[Tensor, "batch panel time freq"], max_drift: int, panel_start: Starts) -> Evidence:
    """Ten maps, each in steps of two channels of drift a panel and two channels of frequency.

    In this order: joint ON, joint OFF; each of the three ON panels; each of the three OFF panels, largest within a
    neighbourhood; the excess of joint ON over any OFF panel; and its excess over a line that does not drift.

    Args:
        panels: white noise of σ 1, in which what ON and OFF share is taken out.
        max_drift: fastest line, in channels a panel.
        panel_start: start of each panel, in lengths of a panel.
    """
    maps = line_maps(panels, max_drift, panel_start)
    return evidence_of(maps, joint_lines(panels[:, 0::2], max_drift, panel_start))


def evidence_of(maps: Maps, joint_on: Float[Tensor, "batch fine_drift fine_freq"]) -> Evidence:
    """The ten maps of `line_evidence`, from sums of panels and of the three ON panels together."""
    # The middle drift is 0. Taken before drifts are halved, which keeps the largest of four neighbours and can no
    # longer tell a standing line from a slow one. Worth 0.12 of completeness at a false-alarm rate of 10⁻²
    # (docs/lab-notebook.md, section 16).
    standing = halved(halved(joint_on[:, joint_on.shape[1] // 2, None]))
    on, off = maps[:, 0::2], maps[:, 1::2]
    both = torch.stack([halved(halved(paired(joint_on, -2))), halved(joint(off))], 1)
    # A transmitter's line need not have quite the same drift and place in OFF panels as in ON panels.
    near = spread(spread(halved(off), -1), -2)
    # below 3 σ OFF panels hold noise only, which should not be subtracted
    excess = both[:, :1] - near.amax(1, keepdim=True).clamp_min(3.0)
    moving = both[:, :1] - spread(standing, -1)[:, None].clamp_min(3.0)
    evidence = torch.cat([both, halved(on), near, excess, moving], 1)
    # Soft saturation, within ±3: 1.5 at 6 σ. A carrier of 1000 σ must not drown a needle of 8 σ in the batch norm.
    return _LIMIT * evidence / (2 * _LIMIT + evidence.abs())


def reversed_freq(evidence: Shaped[Tensor, "*batch map drift2 freq2"]) -> Shaped[Tensor, "*batch map drift2 freq2"]:
    """The evidence of the cadence with its frequency axis reversed: drifts change their sign, too.

    Equal to that of the reversed planes up to the step of the maps: neighbours are taken together from the other end.

    Args:
        evidence: of one cadence or of a batch, as numbers or as bytes.
    """
    return evidence.flip(-1, -2)


def reversed_time(evidence: Shaped[Tensor, "*batch map drift2 freq2"]) -> Shaped[Tensor, "*batch map drift2 freq2"]:
    """The evidence of the cadence with time reversed: drifts change their sign, and panels their order.

    The last OFF panel then comes before the first ON, where it belongs. (Planes have no place for it there:
    `Representation.reverse_time` leaves it last.)
    """
    return evidence[..., _REVERSED, :, :].flip(-2)


def as_bytes(evidence: Evidence) -> Int8[Tensor, "batch map drift2 freq2"]:
    """The evidence in steps of 3/127, of which a σ of noise has twenty."""
    return (evidence * (_STEPS / _LIMIT)).round().to(torch.int8)


def from_bytes(kept: Int8[Tensor, "*batch map drift2 freq2"]) -> Float[Tensor, "*batch map drift2 freq2"]:
    """What `as_bytes` kept, float32."""
    return kept.float() * (_LIMIT / _STEPS)

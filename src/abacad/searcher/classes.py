"""What a line is taken for: a transmitter of the target drifts, stands in every ON panel, and in no OFF panel."""

from enum import StrEnum

import numpy as np
from jaxtyping import Float

from abacad.searcher.path import Line, Paths

# Noise of the OFF panels lifts one of three lines above 4 σ in one event of 10,000, and one panel by itself above 5 σ
# in one of a million: so few transmitters are taken for interference.
OFF_PANEL_SNR = 5.0
_OFF_JOINT_SNR = 4.0
# A line at the threshold, 7 through three ON panels, has 4 in each; noise takes it below 1.5 in 0.6 % of panels. A
# panel that is cut short, or one of many, has less of a faint line, and may be as much below that by chance.
SHOWN_SNR, _BY_NOISE = 1.5, 2.5
# Share of the brightest ON panel that each has to have: else a carrier of SNR 525 in one ON panel makes an event of a
# line through noise of 1.5 in the two others. A line of the Allen array with 565, 50 and 27 has 0.048.
_EVERY_ON_SHARE = 0.02
_STILL = 1.5  # channels over all ON panels that a line must drift to be told from one that stands


class SignalClass(StrEnum):
    """What a signal is taken for: the column `class` of a table of events."""

    EVENT = "event"
    NEAR_ZERO = "near-zero drift"
    WINDOW = "window"
    PART_ON = "not in every ON"
    NO_OFF = "OFF not seen"
    IN_OFF = "in OFF"
    ZONE = "RFI zone"
    DC_SPIKE = "DC spike"


def class_of(
    paths: Paths,
    line: Line,
    joint: float,
    off_snr: float,
    robust: Float[np.ndarray, " panel"],
    each_on: Float[np.ndarray, " on"],
) -> SignalClass:
    """What a line is taken for.

    Args:
        paths: sums along lines.
        line: path of the line.
        joint: its SNR through all ON panels, bright pixels cut.
        off_snr: its SNR through all OFF panels.
        robust: its SNR in each panel, bright pixels cut.
        each_on: its SNR in each ON panel.
    """
    if off_snr >= _OFF_JOINT_SNR or max(robust[paths.off], default=0.0) >= OFF_PANEL_SNR:
        return SignalClass.IN_OFF
    if not _in_every_on(paths, line, joint, robust[paths.on], each_on):
        return SignalClass.PART_ON
    # Where all OFF panels are masked, a transmitter of the ground looks like one of the target.
    if len(paths.off) and not any(paths.seen(line, int(panel)) for panel in paths.off):
        return SignalClass.NO_OFF
    return SignalClass.NEAR_ZERO if abs(line.slope) * paths.span_rows < _STILL else SignalClass.EVENT


def _in_every_on(
    paths: Paths, line: Line, joint: float, robust: Float[np.ndarray, " on"], each: Float[np.ndarray, " on"]
) -> bool:
    """Whether each ON panel that holds values shows as much of a line as it can, and two of them show it by itself."""
    known = np.sqrt([paths.weight(line, int(panel)) for panel in paths.on])  # SNR of a line of one σ a pixel
    expected = joint * known / np.sqrt((known**2).sum())
    seen = known > 0
    brightest = (each[seen] / known[seen]).max(initial=0)
    least = np.maximum(np.minimum(SHOWN_SNR, expected - _BY_NOISE), _EVERY_ON_SHARE * brightest * known)
    shown = int((robust[seen] >= SHOWN_SNR).sum())
    return bool((robust >= least)[seen].all()) and shown >= min(2, len(seen))

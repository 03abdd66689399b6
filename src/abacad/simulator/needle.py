"""Needles: narrow-band emissions that drift through a cadence, drawn from the families of `shape`.

Time is counted in panel periods here: row r of panel p is at τ = (start of p + (r + ½) dt) / panel period, so a path
goes on during the slews and the OFF panels. A drift of D Hz/s is D · panel period / df channels a panel: 0.062 Hz/s is
7 channels a panel at 315 s and 2.79 Hz.

A family fixes the shape and the rows that are lit. Then the whole path is moved in frequency so that it lies inside the
window; a path that spans more channels than the window is moved so that at least one of its lit rows lies inside.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped

from abacad.errors import AbacadError
from abacad.signal.cadence import N_PANELS, OFF, ON, Axes
from abacad.signal.chance import Chance, between, log_uniform
from abacad.simulator.path import Paths, smearing
from abacad.simulator.settings import Families, Needles
from abacad.simulator.shape import SHAPES

MARGIN = 2
"""Channels between a needle and the window's edge, where it fits: a needle at the edge would lose power beyond it."""

# A decoy has a needle's shape and stands in OFF panels as well: a detector that reads the ON panels alone takes it for
# a needle. The three shares add up to 1.
DECOY_EVERYWHERE, DECOY_OFF_ALONE, DECOY_SOME = 0.5, 0.25, 0.25
"""Share of the decoys that stand in all six panels, in the three OFF panels alone, and in some of both."""
DECOY_LIT = 0.6
"""Probability that one of the last sort stands in a panel; in the OFF panel `DECOY_CERTAIN` it always does."""
DECOY_CERTAIN = OFF[1]


@dataclass(frozen=True)
class NeedleBatch:
    """Needles of a batch of cadences, one each, with what a truth table says of them.

    Attributes:
        channel: (batch, panel, time) middle of the path.
        envelope: (batch, panel, time) intensity over its nominal value; 0 where dark.
        width: (batch,) intrinsic width in channels.
        snr: (batch,) pixel SNR before smearing.
        family: (batch,) positions in `SHAPES`.
        drift: (batch,) mean drift in channels a panel; that of the straight part where there is one.
        n_freq: channels of the window.
    """

    channel: Float[np.ndarray, "batch panel time"]
    envelope: Float[np.ndarray, "batch panel time"]
    width: Float[np.ndarray, " batch"]
    snr: Float[np.ndarray, " batch"]
    family: Int[np.ndarray, " batch"]
    drift: Float[np.ndarray, " batch"]
    n_freq: int

    def paths(self, owner: Int[np.ndarray, " batch"], sigma: Float[np.ndarray, " batch"], device: str) -> Paths:
        """The emissions, in cadences whose noise has mean 1 and standard deviation `sigma`."""
        height = (self.snr * sigma).astype(np.float32)[:, None, None]
        return Paths(
            torch.from_numpy(np.asarray(owner, dtype=np.int64)).to(device),
            torch.from_numpy(self.channel.astype(np.float32)).to(device),
            torch.from_numpy(self.envelope.astype(np.float32) * height).to(device),
            torch.from_numpy(self.width.astype(np.float32)).to(device),
        )

    def truth(self, axes: Axes) -> dict[str, np.ndarray]:
        """Columns of the truth table, one value for each needle.

        `smear` is the number N of channels that the needle crosses within a row, at least its width; `pixel_snr` is
        the amplitude of a pixel after smearing, over σ; `panel_snr` is that times √n, n being the rows lit in the
        best ON panel, weighted by the square of their intensity.
        """
        # The truth tells what can be seen: rows that are lit and inside the window.
        seen = (self.envelope > 0) & (self.channel > -0.5) & (self.channel < self.n_freq - 0.5)
        steps = smearing(torch.from_numpy(self.channel)).numpy()
        lit = np.maximum(seen.sum(axis=(1, 2)), 1)  # rows; 1 where none is seen, so that nothing is divided by 0
        level = np.maximum(self.width, 1)
        smear = np.where(seen, np.maximum(steps / level[:, None, None], 1), 0).sum(axis=(1, 2)) / lit
        smear = np.maximum(smear, 1)
        # a matched filter weighs a row by its intensity e: its SNR grows with √Σe², that of n full rows with √n
        rows = np.where(seen, self.envelope**2, 0).sum(axis=2)
        best = rows[:, list(ON)].max(axis=1)
        best = np.where(best > 0, best, rows.max(axis=1))
        first = np.argmax(_flat(seen), axis=1)
        at_first = np.take_along_axis(_flat(self.channel), first[:, None], axis=1)[:, 0]
        drift_hz_s = self.drift * axes.df_hz / axes.panel_period_s
        return {
            "family": np.array(list(SHAPES), dtype=object)[self.family],
            "pixel_snr": self.snr / smear,
            "panel_snr": self.snr / smear * np.sqrt(best),
            "smear": smear,
            "drift_hz_s": drift_hz_s,
            "drift_bins_per_panel": self.drift,
            "panels_lit": _panels_lit(seen),
            "channel": at_first,
            "width": self.width,
        }


def _panels_lit(seen: Bool[np.ndarray, "batch panel time"]) -> np.ndarray:
    """(batch,) the numbers of the panels with a lit row, as "0 2 4"."""
    panels: list[list[bool]] = seen.max(axis=2).tolist()
    return np.array([" ".join(str(number) for number, on in enumerate(row) if on) for row in panels], dtype=object)


def draw_lit(needles: Needles, decoy: Bool[np.ndarray, " batch"], chance: Chance) -> Bool[np.ndarray, "batch panel"]:
    """Panels that needles stand in: ON panels alone; for decoys, OFF panels too, or OFF panels alone."""
    u = chance.uniform("lit", 2 + N_PANELS)
    lit = np.zeros((len(chance), N_PANELS), dtype=bool)
    lit[:, list(ON)] = True
    partial = u[:, 0] < needles.partial
    # half of the partial needles stand in one ON panel alone, half in all but that one
    one = np.arange(3) == np.floor(3 * u[:, 2, None])
    lit[:, list(ON)] &= ~partial[:, None] | np.where(u[:, 1, None] < 0.5, one, ~one)
    everywhere = decoy & (u[:, 0] < DECOY_EVERYWHERE)
    some = decoy & (u[:, 0] >= 1 - DECOY_SOME)
    off_only = decoy & ~everywhere & ~some
    lit[everywhere] = True
    lit[off_only] = [panel in OFF for panel in range(N_PANELS)]
    lit[some] = u[some, 2:] < DECOY_LIT
    lit[some, DECOY_CERTAIN] = True  # one OFF panel at least, or the decoy would be a needle
    return lit


def draw_needles(
    needles: Needles,
    families: Families,
    axes: Axes,
    n_freq: int,
    lit: Bool[np.ndarray, "batch panel"],
    chance: Chance,
) -> NeedleBatch:
    """One needle for each member of the batch, in windows of `n_freq` channels.

    Args:
        needles: ranges to draw from.
        families: how often each family is drawn.
        axes: rows and times of a panel.
        n_freq: channels of the window.
        lit: panels that each needle may stand in; at least one of them.
        chance: where the draws come from.
    """
    u = chance.uniform("needle", 6)
    # by the inverse of the cumulative weights: one number a needle, whatever families there are
    weights = _weights(families)
    family = np.searchsorted(np.cumsum(weights) / weights.sum(), u[:, 0], side="right")
    family = np.minimum(family, np.flatnonzero(weights)[-1])  # rounding of the sum may lead past the last family
    sign = np.where(u[:, 1] < 0.5, -1.0, 1.0)
    drift = sign * log_uniform(u[:, 2], needles.drift_hz_s) * axes.panel_period_s / axes.df_hz
    channel = np.zeros((len(chance), N_PANELS, axes.n_time))
    envelope = np.zeros_like(channel)
    alone = np.zeros(len(chance), dtype=bool)
    for number, name in enumerate(SHAPES):
        chosen = np.flatnonzero(family == number)
        if len(chosen):
            # `chance.of` keeps the numbers of these needles, so that a needle is the same in a batch of any size
            course = SHAPES[name](drift[chosen], axes, n_freq, chance.of(chosen))
            channel[chosen], envelope[chosen], alone[chosen] = course.channel, course.envelope, course.alone
    envelope *= lit[:, :, None]
    # First what is lit, then where: only lit rows have to lie inside the window.
    envelope = _cut(envelope, needles.cut, axes, chance)
    channel = _place(channel, envelope, alone, n_freq, chance)
    return NeedleBatch(
        channel=channel,
        envelope=envelope,
        width=log_uniform(u[:, 3], needles.width),
        snr=log_uniform(u[:, 4], needles.pixel_snr),
        family=family,
        drift=drift,
        n_freq=n_freq,
    )


def _weights(families: Families) -> Float[np.ndarray, " family"]:
    """(family,) how often each shape is drawn, in the order of `SHAPES`."""
    wanted = families.weights()
    unknown = sorted(set(wanted) - set(SHAPES))
    if unknown:
        raise AbacadError(f"There is no needle family {unknown[0]}.\nFamilies: {', '.join(SHAPES)}.")
    return np.array([wanted.get(name, 0.0) for name in SHAPES], dtype=float)


def _flat(values: Shaped[np.ndarray, "batch panel time"]) -> Shaped[np.ndarray, "batch place"]:
    return values.reshape(len(values), values.shape[1] * values.shape[2])


def _pick(weight: Float[np.ndarray, "batch place"], u: Float[np.ndarray, " batch"]) -> Int[np.ndarray, " batch"]:
    """A place of non-zero weight for each member of the batch."""
    total = np.cumsum(weight > 0, axis=1)
    return np.argmax(total > (u * total[:, -1])[:, None], axis=1)


def _cut(
    envelope: Float[np.ndarray, "batch panel time"], share: float, axes: Axes, chance: Chance
) -> Float[np.ndarray, "batch panel time"]:
    """Let a share of the needles start late or end early; at least one lit row stays.

    A lit row is picked that stays lit; the lit rows before it (a late start) or after it (an early end) lose a uniform
    part. `missing_below` is the law of what is lost.
    """
    u = chance.uniform("cut", 3)
    flat = _flat(envelope)
    kept = _pick(flat, u[:, 0])[:, None]
    lit = flat > 0
    place = np.arange(flat.shape[1])
    first = np.argmax(lit, axis=1)[:, None]
    last = flat.shape[1] - 1 - np.argmax(lit[:, ::-1], axis=1)[:, None]
    part = u[:, 2, None]
    late = (u[:, 1] < share / 2)[:, None] & (place < first + (kept - first) * part)
    early = (u[:, 1] >= 1 - share / 2)[:, None] & (place > kept + (last - kept) * part)
    return np.where(late | early, 0, flat).reshape(envelope.shape)


def missing_below(share: float) -> float:
    """Probability that a cut needle in all ON panels has lost less than this share of its lit rows (see `_cut`).

    In lengths of a panel, the picked row lies at k, uniform over the three ON panels (0 to 1, 2 to 3 and 4 to 5), and a
    late start lies at v·k with v uniform: P(v·k < x) = min(1, x / k). A start within an OFF panel loses no more rows
    than one at the panel's begin, so that exactly one ON panel is lost with probability P(1 < v·k < 2) = 0.21.

    Example:
        >>> [round(missing_below(share), 2) for share in (0.0, 1 / 3, 0.34, 2 / 3, 1.0)]
        [0.0, 0.54, 0.76, 0.89, 1.0]
    """
    lost = len(ON) * share  # panels
    start = lost + max(0, math.ceil(lost) - 1)  # each whole ON panel before it has an OFF panel after it
    mean = 0.0
    for panel in ON:
        below = min(max(start, panel), panel + 1)  # of the rows picked in this panel, those before the start
        mean += below - panel + (start * math.log((panel + 1) / below) if start > 0 else 0.0)
    return mean / len(ON)


def _place(
    channel: Float[np.ndarray, "batch panel time"],
    envelope: Float[np.ndarray, "batch panel time"],
    alone: Bool[np.ndarray, " batch"],
    n_freq: int,
    chance: Chance,
) -> Float[np.ndarray, "batch panel time"]:
    """Move paths into the window: whole ones where they fit, otherwise a lit row of theirs.

    Paths whose panels stand alone are moved panel by panel.
    """
    u = chance.uniform("place", 2, 1 + N_PANELS)
    together = _shift(_flat(channel), _flat(envelope), u[:, :, 0], n_freq)
    n = len(channel)
    panels = channel.reshape(n * N_PANELS, channel.shape[2])
    own = u[:, :, 1:].swapaxes(1, 2).reshape(n * N_PANELS, 2)
    apart = _shift(panels, envelope.reshape(panels.shape), own, n_freq).reshape(n, N_PANELS)
    shift = np.where(alone[:, None], apart, together[:, None])
    return channel + shift[:, :, None]


def _shift(
    channel: Float[np.ndarray, "path place"],
    envelope: Float[np.ndarray, "path place"],
    u: Float[np.ndarray, "path 2"],
    n_freq: int,
) -> Float[np.ndarray, " path"]:
    lit = envelope > 0
    low = np.where(lit, channel, np.inf).min(axis=1, initial=np.inf)
    high = np.where(lit, channel, -np.inf).max(axis=1, initial=-np.inf)
    # Uniform among the places that fit: a window's edges hold needles as often as its middle, but for the margin.
    room = n_freq - 1 - 2 * MARGIN
    fits = high - low <= room
    with np.errstate(invalid="ignore"):  # dark paths have no ends; whatever becomes of them stays dark
        inside = between(u[:, 0], MARGIN - low, n_freq - 1 - MARGIN - high)
    row = _pick(envelope, u[:, 1])
    through = between(u[:, 0], MARGIN, n_freq - 1 - MARGIN) - np.take_along_axis(channel, row[:, None], 1)[:, 0]
    return np.where(lit.any(axis=1), np.where(fits, inside, through), 0)

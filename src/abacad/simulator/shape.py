"""The shapes of the signal families: where each goes and when it is lit, before it is placed in a window.

Lengths in time are in panel periods (315 s in the competition), so that a shape is the same whatever a row lasts;
excursions in frequency are in channels. The ranges that a shape draws from have names, because the near-ideal observer
(`abacad.ideal`) averages over the same ranges.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from abacad.signal.cadence import N_PANELS, Axes
from abacad.signal.chance import Chance, between, log_uniform

SCINTILLATION_SCALE = (0.03, 1.0)
"""Panel periods over which a scintillating needle keeps its intensity: 9 s to 315 s, log-uniform."""
SQUIGGLE_REACH = (2.0, 12.0)
"""Channels (rms) that a squiggle has wandered by the end of a panel, log-uniform."""
SQUIGGLE_LENGTH = (0.5, 0.75)
"""Share of a panel that a squiggle lasts, uniform."""
SQUIGGLE_PERIOD = (0.02, 0.12)
"""Panel periods from the start of one dash of a squiggle to the next, uniform: 6 s to 38 s."""
SQUIGGLE_DUTY = 0.7
"""Share of that period for which a squiggle is lit."""
DASH_REACH = 8.0
"""Channels (rms) that a wriggling dash would have wandered at the end of a panel."""
DASH_LENGTH = (0.07, 0.3)
"""Share of a panel that a dash lasts, uniform."""


@dataclass(frozen=True)
class Course:
    """Shapes of one family.

    Attributes:
        channel: (batch, panel, time) path, up to a shift.
        envelope: (batch, panel, time) intensity over its nominal value.
        alone: (batch,) whether each panel's piece is placed on its own.
    """

    channel: Float[np.ndarray, "batch panel time"]
    envelope: Float[np.ndarray, "batch panel time"]
    alone: Bool[np.ndarray, " batch"]


Drift = Float[np.ndarray, " batch"]
"""Channels a panel, one for each member of the batch."""


def panel_time(axes: Axes) -> Float[np.ndarray, "panel time"]:
    """The middle of each row in panel periods since the start of the cadence, slews included."""
    return np.array(axes.panel_start_s)[:, None] / axes.panel_period_s + time_within(axes)


def time_within(axes: Axes) -> Float[np.ndarray, "panel time"]:
    """The middle of each row in panel periods since the start of its own panel."""
    within = (np.arange(axes.n_time) + 0.5) * axes.dt_s / axes.panel_period_s
    return np.broadcast_to(within, (N_PANELS, axes.n_time))


def _through(channel: Float[np.ndarray, "batch panel time"], envelope: np.ndarray | None = None) -> Course:
    """A path that goes on from panel to panel."""
    lit = np.ones_like(channel) if envelope is None else envelope
    return Course(channel, lit, np.zeros(len(channel), dtype=bool))


def _column(values: Float[np.ndarray, " batch"]) -> Float[np.ndarray, "batch 1 1"]:
    return values[:, None, None]


def line(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """Straight: a transmitter whose acceleration towards the telescope is constant."""
    return _through(_column(drift) * panel_time(axes))


def sine(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """A line that swings, as from a rotating or orbiting body: period ¼ to 3 panels, 2 to 15 channels to a side."""
    u = chance.uniform("sine", 3)
    tau = panel_time(axes)
    period = log_uniform(u[:, 0], (0.25, 3.0))
    # at most a quarter of the window from side to side, so that narrow windows hold whole swings
    swing = np.minimum(log_uniform(u[:, 1], (2.0, 15.0)), n_freq / 8)
    phase = 2 * np.pi * (tau / _column(period) + _column(u[:, 2]))
    return _through(_column(drift) * tau + _column(swing) * np.sin(phase))


def s_curve(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """A line that changes lanes by 10 to 80 channels within 0.1 to 1.2 panels: a hyperbolic tangent."""
    u = chance.uniform("s curve", 4)
    tau = panel_time(axes)
    middle = np.floor(3 * u[:, 0]) * 2 + between(u[:, 1], 0.2, 0.8)  # within ON panel 0, 2 or 4, where it can be seen
    reach = log_uniform(u[:, 2], (5.0, 40.0)).clip(max=n_freq / 4) * np.sign(drift)
    pace = log_uniform(u[:, 3], (0.1, 1.2))
    turn = np.tanh((tau - _column(middle)) / _column(pace))
    # with a third of the drift only, so that the change of lanes and not the drift decides where the needle goes
    return _through(_column(drift) * tau * 0.3 + _column(reach) * turn)


def pulsed(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """A line that is on for 30 to 70 % of a period of 2 rows to a fifth of a panel."""
    u = chance.uniform("pulsed", 3)
    tau = panel_time(axes)
    row = axes.dt_s / axes.panel_period_s
    period = log_uniform(u[:, 0], (2 * row, max(0.2, 4 * row)))
    phase = (tau / _column(period) + _column(u[:, 1])) % 1
    # A period of 2 rows at a duty of 30 % is lit for 0.6 rows and could miss the middle of every row, where the path
    # is sampled; lit for 1.01 rows it cannot.
    duty = between(u[:, 2], 0.3, 0.7).clip(min=1.01 * row / period)
    return _through(_column(drift) * tau, (phase < _column(duty)).astype(float))


def scintillating(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """A line that twinkles in the interstellar medium: exponential intensities, Gaussian autocorrelation in time.

    The sum of many plane waves with normally distributed frequencies is a complex normal process with that
    autocorrelation (strong scintillation, Brzycki et al. 2023). Time scales are 0.03 to 1 panel.
    """
    tau = panel_time(axes)
    waves = 16  # the sum of 16 unit phasors is normal enough: its kurtosis is 2 − 1/16 where a normal one has 2
    scale = log_uniform(chance.uniform("scintillation", 1)[:, 0], SCINTILLATION_SCALE)
    rate = chance.normal("scintillation rate", waves) / (np.sqrt(2) * np.pi * scale[:, None])
    phase = 2 * np.pi * (rate[:, :, None, None] * tau + chance.uniform("scintillation phase", waves)[:, :, None, None])
    field = np.cos(phase).sum(axis=1) ** 2 + np.sin(phase).sum(axis=1) ** 2
    return _through(_column(drift) * tau, field / waves)


def squiggle(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """A dashed random walk over half to three quarters of a panel, another one in each panel."""
    u = chance.uniform("squiggle", 5, N_PANELS)
    wander = _walk(chance, axes, log_uniform(u[:, 0, :1], SQUIGGLE_REACH))
    within = time_within(axes)
    length = between(u[:, 1], *SQUIGGLE_LENGTH)
    envelope = _piece(within, length, u[:, 2])
    # 3.3 rows at least: a dash of 0.7 · 3.3 = 2.3 rows always contains the middle of a row, a shorter one may not
    period = between(u[:, 3], *SQUIGGLE_PERIOD).clip(min=3.3 * axes.dt_s / axes.panel_period_s)
    dashes = (within / period[:, :, None] + u[:, 4, :, None]) % 1 < SQUIGGLE_DUTY
    channel = _column(drift) * within + wander
    return Course(channel, envelope * dashes, np.ones(len(drift), dtype=bool))


def dash(drift: Drift, axes: Axes, n_freq: int, chance: Chance) -> Course:
    """A piece of 7 to 30 % of a panel, level in one panel, wriggling in the next, somewhere else in each."""
    u = chance.uniform("dash", 3, N_PANELS)
    wander = _walk(chance, axes, np.full((len(drift), 1), DASH_REACH))
    envelope = _piece(time_within(axes), between(u[:, 0], *DASH_LENGTH), u[:, 1])
    channel = np.where(u[:, 2, :, None] < 0.5, wander, 0.0)
    return Course(channel, envelope, np.ones(len(drift), dtype=bool))


def _walk(
    chance: Chance, axes: Axes, reach: Float[np.ndarray, "batch #panel"]
) -> Float[np.ndarray, "batch panel time"]:
    """Random walks that are `reach` channels (rms) away at the end of a panel, with a jitter from row to row.

    The jitter is uniform within half a channel to either side, which is 0.29 channels rms.
    """
    u = chance.uniform("walk", 2, N_PANELS, axes.n_time) - 0.5
    # a uniform number has the variance 1/12: n steps of √(12/n) times it add up to a variance of 1 at the end
    steps = u[:, 0] * np.sqrt(12 / axes.n_time)
    return reach[:, :, None] * np.cumsum(steps, axis=2) + u[:, 1]


def _piece(
    within: Float[np.ndarray, "panel time"],
    length: Float[np.ndarray, "batch panel"],
    u: Float[np.ndarray, "batch panel"],
) -> Float[np.ndarray, "batch panel time"]:
    """Lit for a share `length` of each panel, beginning anywhere that leaves room for it; at least one row."""
    last = within[:, -1]
    row = within[0, 1] - within[0, 0]
    length = np.maximum(length * last, 1.01 * row)
    start = u * (last - length).clip(min=0)
    return ((within >= start[:, :, None]) & (within < (start + length)[:, :, None])).astype(float)


Shape = Callable[[Drift, Axes, int, Chance], Course]
"""Drifts of the batch, axes, channels of the window and where to draw from → the courses of one family."""

SHAPES: dict[str, Shape] = {
    "line": line,
    "squiggle": squiggle,
    "dash": dash,
    "sine": sine,
    "s_curve": s_curve,
    "pulsed": pulsed,
    "scintillating": scintillating,
}
"""Every family by its name, in the order in which a draw counts them; a new one is one more entry."""

"""Sums of powers along one line, each channel by the share of a row that the line spends in it.

    x(t)   = x0 + D · t                         place of the line in channels, D in channels a second
    a_rc   = share of row r that the line spends in channel c: a box from x(t) to x(t + dt), widened by the bandwidth
    SNR    = Σ a_rc · y_rc / √Σ a_rc²           of noise with σ = 1; masked pixels (y = 0) are left out of both sums

This is the filter matched to a line that drifts any number of channels a row. The tree's paths are staircases of whole
channels on a coarse grid of drifts, and boxcars that fit the smear within a factor of two: they find where to look,
and these sums, on a finer grid around it, say what is there.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from abacad.searcher.unit import Unit
from abacad.signal.compiled import compiled

NARROWEST = 0.2
"""Channels that a line covers at least: a tone between two channels shows in the nearer one."""

_ROUNDS = 5  # the last of them moves by 1/16 of the first step
_BEND = 6  # channels that a line that is not quite straight may be off in one panel


class Powers(NamedTuple):
    """What the compiled loops read: a named tuple, since Numba takes one as a single argument.

    Attributes:
        power: (panel, time, freq) flattened powers in units of σ; 0 where masked.
        n_time: (panel,) rows of each panel; later rows of `power` are not read.
        start_rows: (panel,) start of each panel, in rows since the start of the first.
    """

    power: np.ndarray
    n_time: np.ndarray
    start_rows: np.ndarray


@compiled
def _panel_sums(
    power: np.ndarray, panel: int, n_time: int, x: float, slope: float, width: float, clip: float
) -> tuple[float, float]:
    """Σ a·y and Σ a² over the rows of one panel; x is the line's place at its start, slope in channels a row."""
    n_freq = power.shape[2]
    signal, weight = 0.0, 0.0
    length = abs(slope) + width
    if length < NARROWEST:  # with max() the climb takes a tenth longer
        length = NARROWEST
    for row in range(n_time):
        middle = x + slope * (row + 0.5)
        low, high = middle - 0.5 * length, middle + 0.5 * length
        first, last = int(np.floor(low + 0.5)), int(np.floor(high + 0.5))
        # A row that leaves the band counts as masked: half of a smeared line would pass for a fainter whole one.
        if first < 0 or last >= n_freq:
            continue
        for c in range(first, last + 1):
            y = power[panel, row, c]
            share = (min(high, c + 0.5) - max(low, c - 0.5)) / length
            if y != 0.0:
                signal += share * min(y, clip)
                weight += share * share
    return signal, weight


@compiled
def _joint_snr(
    powers: Powers,
    panels: np.ndarray,
    x: float,
    slope: float,
    width: float,
    clip: float,
) -> float:
    """SNR of one line through some panels; x is its place at time 0."""
    signal, weight = 0.0, 0.0
    for panel in panels:
        more, heavier = _panel_sums(
            powers.power, panel, powers.n_time[panel], x + slope * powers.start_rows[panel], slope, width, clip
        )
        signal += more
        weight += heavier
    return signal / np.sqrt(weight) if weight > 0 else 0.0


@compiled
def _climb(
    powers: Powers,
    panels: np.ndarray,
    middle_rows: float,
    x: float,
    slope: float,
    step_x: float,
    step_slope: float,
    width: float,
    clip: float,
    rounds: int,
    reach: int,
) -> tuple[float, float, float]:
    """Walk to the best line nearby: up to `reach` steps off, then two, around the best; each round half the steps.

    Place and drift are moved about the middle of the observation, where their errors do not depend on each other.
    """
    best, centre = -np.inf, x + slope * middle_rows
    for _ in range(rounds):
        from_centre, from_slope = centre, slope
        for i in range(-reach, reach + 1):
            for j in range(-reach, reach + 1):
                c, s = from_centre + i * step_x, from_slope + j * step_slope
                snr = _joint_snr(powers, panels, c - s * middle_rows, s, width, clip)
                if snr > best:
                    best, centre, slope = snr, c, s
        step_x *= 0.5
        step_slope *= 0.5
        reach = 2  # only the first round of `bend` looks further off; what follows refines
    return best, centre - slope * middle_rows, slope


@compiled
def _profile(
    powers: Powers,
    panels: np.ndarray,
    x: float,
    slope: float,
    width: float,
    reach: int,
    step: int,
    clip: float,
) -> np.ndarray:
    """SNR of the line and of its neighbours on either side, `step` channels apart."""
    out = np.empty(2 * reach + 1)
    for move in range(-reach, reach + 1):
        out[move + reach] = _joint_snr(powers, panels, x + move * step, slope, width, clip)
    return out


@compiled
def _pixels(
    powers: Powers,
    panels: np.ndarray,
    x: float,
    slope: float,
    width: float,
) -> np.ndarray:
    """The line's power in each row of the panels, in σ of one pixel."""
    power = powers.power
    out = np.zeros(len(panels) * power.shape[1])
    count = 0
    for panel in panels:
        for row in range(powers.n_time[panel]):
            place = x + slope * (powers.start_rows[panel] + row)
            signal, weight = _panel_sums(power[:, row : row + 1], panel, 1, place, slope, width, np.inf)
            if weight > 0:
                out[count] = signal / np.sqrt(weight)
                count += 1
    return out[:count]


@compiled
def _blank(
    powers: Powers,
    panels: np.ndarray,
    x: float,
    slope: float,
    half: float,
    where: np.ndarray,
    values: np.ndarray,
) -> int:
    """Mask the channels that the line crosses, and `half` channels on either side; remember what stood there.

    With no room in `where` it only counts: called twice, it knows how much memory to ask for, and no list has to grow.
    """
    power, count = powers.power, 0
    n_freq = power.shape[2]
    for panel in panels:
        for row in range(powers.n_time[panel]):
            begin = x + slope * (powers.start_rows[panel] + row)
            low = max(0, int(np.floor(min(begin, begin + slope) - half + 0.5)))
            high = min(n_freq - 1, int(np.floor(max(begin, begin + slope) + half + 0.5)))
            for c in range(low, high + 1):
                if power[panel, row, c] != 0:
                    if count < len(where):
                        where[count] = (panel * power.shape[1] + row) * n_freq + c
                        values[count] = power[panel, row, c]
                        power[panel, row, c] = 0
                    count += 1
    return count


@dataclass(frozen=True)
class Line:
    """A straight line through an observation.

    Attributes:
        x: place at the start of the first ON panel, in columns of the unit; column c reaches from c − ½ to c + ½.
        slope: channels a row of time `dt_s`.
        width: channels that it is wider than its smear.
    """

    x: float
    slope: float
    width: float = 0.0

    def at(self, rows: float) -> float:
        """Place after a time of so many rows."""
        return self.x + self.slope * rows


class Paths:
    """Sums along lines through one unit, whose powers are masked as signals become known.

    Attributes:
        unit: the coarse channel.
        on, off, all: numbers of the panels.
        start_rows: (panel,) start of each panel, in rows since the start of the first ON panel.
        span_rows: rows from that start to the end of the last ON panel; `middle_rows` is half of them.
    """

    def __init__(self, unit: Unit) -> None:
        """Take the unit whose powers are summed, and later masked."""
        self.unit = unit
        self.n_time = np.array(unit.n_time, np.int64)
        self.start_rows = np.array(unit.start_s) / unit.dt_s
        self.on, self.off = np.array(unit.on, np.int64), np.array(unit.off, np.int64)
        self.all = np.arange(len(unit.n_time))
        # Measured to the last ON panel: place and drift of a line are fitted in ON panels alone.
        ends = self.start_rows[self.on] + self.n_time[self.on]
        self.span_rows = float(ends.max())
        self.middle_rows = 0.5 * self.span_rows
        self.powers = Powers(unit.power, self.n_time, self.start_rows)
        self._masked: list[tuple[np.ndarray, np.ndarray]] = []

    def snr(self, line: Line, panels: np.ndarray, clip: float = np.inf) -> float:
        """SNR of a line through some panels."""
        return float(_joint_snr(self.powers, panels, line.x, line.slope, line.width, clip))

    def each(self, line: Line, clip: float = np.inf) -> Float[np.ndarray, " panel"]:
        """SNR of a line in each panel."""
        return np.array([self.snr(line, np.array([panel]), clip) for panel in self.all])

    def seen(self, line: Line, panel: int) -> bool:
        """Whether a panel holds any value along a line: it need not, where a file is cut short or has lost chunks."""
        return self.weight(line, panel) > 0

    def weight(self, line: Line, panel: int) -> float:
        """Σ a² of a panel along a line: 16 for a line that fills a channel in 16 rows, 0 where it holds no value."""
        start = float(line.x + line.slope * self.start_rows[panel])
        rows = int(self.n_time[panel])
        return float(_panel_sums(self.powers.power, panel, rows, start, line.slope, line.width, np.inf)[1])

    def climb(
        self, line: Line, step_x: float, step_slope: float, clip: float, rounds: int = _ROUNDS
    ) -> tuple[float, Line]:
        """The best line through the ON panels near another, and its SNR."""
        return self._climb(self.on, self.middle_rows, line, (step_x, step_slope, clip, rounds, 2))

    def bend(self, line: Line, panel: int, clip: float) -> tuple[float, Line]:
        """The best line through one panel within some channels of another, at a drift of its own."""
        middle = float(self.start_rows[panel] + 0.5 * self.n_time[panel])
        return self._climb(np.array([panel]), middle, line, (1.0, 1.0 / self.n_time[panel], clip, 3, _BEND))

    def _climb(self, panels: np.ndarray, middle_rows: float, line: Line, how: tuple) -> tuple[float, Line]:
        step_x, step_slope, clip, rounds, reach = how
        args = (middle_rows, line.x, line.slope, step_x, step_slope, line.width, clip, rounds, reach)
        snr, x, slope = _climb(self.powers, panels, *args)
        return float(snr), Line(float(x), float(slope), line.width)

    def pixels(self, line: Line) -> Float[np.ndarray, " row"]:
        """Power of the line in each row of the ON panels that is not masked, in σ of a pixel."""
        return _pixels(self.powers, self.on, line.x, line.slope, line.width)

    def profile(self, line: Line, reach: int, step: int = 1, clip: float = np.inf) -> Float[np.ndarray, " offset"]:
        """SNR of the lines beside a line, `-reach … reach` steps of some channels off, in the ON panels."""
        return _profile(self.powers, self.on, line.x, line.slope, line.width, reach, step, clip)

    def blank(self, line: Line, panels: np.ndarray, half: float) -> None:
        """Mask a line in some panels, and `half` channels on either side of it."""
        args = (self.powers, panels, line.x, line.slope, half)
        count = _blank(*args, np.empty(0, np.int64), np.empty(0, np.float32))
        where, values = np.empty(count, np.int64), np.empty(count, np.float32)
        _blank(*args, where, values)
        self._masked.append((where, values))

    def blank_channels(self, masked: Bool[np.ndarray, " freq"]) -> None:
        """Mask whole channels in all panels."""
        flat = self.unit.power.reshape(-1, self.unit.power.shape[2])
        where = (np.arange(len(flat))[:, None] * flat.shape[1] + np.flatnonzero(masked)).ravel()
        self._masked.append((where, flat.reshape(-1)[where]))
        flat[:, masked] = 0

    def restore(self) -> None:
        """Put back all that was masked."""
        flat = self.unit.power.reshape(-1)
        for where, values in reversed(self._masked):  # where two masks overlap, the first one knows what stood there
            flat[where] = values
        self._masked.clear()

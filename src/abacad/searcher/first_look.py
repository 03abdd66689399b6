"""The first look at a coarse channel: where could a line be? Fast and coarse; the second look measures.

Standing carriers are masked before it. Then the powers of all ON panels are summed along every line of every octave of
drift, and the places where a sum is bright enough are returned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from abacad.searcher.join import Band, Join
from abacad.searcher.path import Line
from abacad.searcher.plan import Octave, octaves
from abacad.searcher.unit import Unit
from abacad.signal.compiled import compiled

CLIP = 6.0
"""σ that one pixel counts at most in the first look, so that no single bright pixel lifts the paths through it."""

# Of the six million sums of a coarse channel of six panels, Gaussian noise lifts 0.006 above 6 σ.
_STANDING_SNR = 6.0
# Bins of which the best is kept: a line lifts the paths beside it too, and each place costs a second look.
_NEIGHBOURS = 8
_PART = 3 << 21  # values of the ON panels that are searched at once: 25 MB, which the processor's last cache holds
_TORCH_PART = 1 << 26  # 256 MB on a GPU, where each call costs time whatever its size
# Location and σ of the sums are measured on eight stretches across the band: no one strong signal is in all of them.
_SAMPLES = 8
_SAMPLE = 4096  # channels of one stretch
_SAMPLE_BINS = 512  # sums of one stretch: the median of 8 · 512 is good to 2 % of σ


@dataclass(frozen=True)
class Place:
    """Where a line may be, for the second look to measure.

    Attributes:
        snr: SNR of the brightest path there, as the tree sums it.
        line: the straight line nearest to that path.
        octave: the range of drifts that the path belongs to, which says how finely the second look has to search.
        bin: column of the unit at which the first bin of the path begins.
    """

    snr: float
    line: Line
    octave: Octave
    bin: int


def channel_snr(unit: Unit) -> Float[np.ndarray, "panel freq"]:
    """SNR of a line without drift in each channel: the sum of a panel's rows, over the σ of that sum (√rows)."""
    out = np.empty((len(unit.n_time), unit.power.shape[2]), np.float32)
    for panel, rows in enumerate(unit.n_time):
        out[panel] = unit.power[panel, :rows].sum(axis=0) / np.sqrt(rows)
    return out


def standing(at_rest: Float[np.ndarray, "panel freq"], off: tuple[int, ...]) -> Bool[np.ndarray, " freq"]:
    """Channels that stand still in at least half of the panels, an OFF panel among them: carriers of the ground.

    A line that drifts moves on to other channels before the half of the panels is over.
    """
    # At least one OFF panel: what stands still in ON panels alone may be a transmitter, and the second look judges it.
    bright = at_rest > _STANDING_SNR
    return (2 * bright.sum(axis=0) >= len(bright)) & bright[list(off)].any(axis=0)


def look(unit: Unit, max_drift_hz_s: float, threshold: float, device: str = "cpu") -> list[Place]:
    """Places where some path through the ON panels is brighter than a threshold, brightest first.

    The band is searched in parts that fit into the processor's last cache, each together with the channels on either
    side that its lines cross.

    Args:
        unit: flattened powers, standing carriers masked.
        max_drift_hz_s: largest drift rate, Hz/s, of both signs.
        threshold: SNR of a path above which it is worth a second look.
        device: `cpu`, or a device of torch such as `cuda`, where whole tensors are summed at once.
    """
    on = list(unit.on)
    start_s, n_time = np.array(unit.start_s)[on], np.array(unit.n_time)[on]
    fastest = max_drift_hz_s / unit.unit_drift_hz_s
    # A line that crosses the whole band within two rows leaves nothing to add up.
    wanted = [octave for octave in octaves(fastest) if 2 * octave.step <= unit.power.shape[2]]
    joins = [Join(octave, start_s, n_time, unit.dt_s, fastest) for octave in wanted]
    beside = max(join.reach * join.octave.step + join.octave.width for join in joins)
    _calibrate(unit, joins, beside)
    # A part is at least four times as wide as what it shares with its neighbours, or most sums would be made twice.
    part = max((_PART if device == "cpu" else _TORCH_PART) // (len(on) * int(n_time.max())), 4 * beside)
    places: list[Place] = []
    for low in range(0, unit.power.shape[2], part):
        high = min(low + part, unit.power.shape[2])
        first = max(0, low - beside)
        for join, snr, line in _searched(unit, joins, first, high + beside, threshold, device):
            peaks = _places(unit, join, snr, line, first)
            # What begins in the margin belongs to the part beside this one, which finds it too.
            places += [place for place in peaks if low <= place.bin < high]
    # Equal SNRs are ordered by place and drift: the tables must not depend on the order of the parts.
    return sorted(places, key=lambda place: (-place.snr, place.line.x, place.line.slope))


def _bands(unit: Unit, joins: Sequence[Join], first: int, last: int) -> Iterator[tuple[Join, Band]]:
    """The clipped ON panels between two channels, binned for one octave after the other."""
    bands = _Bands(_clipped(unit.power, np.array(unit.on), first, min(last, unit.power.shape[2]), np.float32(CLIP)))
    for join in joins:
        # Rising and falling lines of an octave read the same boxcars, so these are widened once for both.
        if join.octave.sign > 0 and join.octave.shear:
            bands.widen(1 if join.octave.step == 1 else 2)
        yield join, bands.band


def _searched(
    unit: Unit, joins: Sequence[Join], first: int, last: int, threshold: float, device: str
) -> Iterator[tuple[Join, Float[np.ndarray, " bin"], Int[np.ndarray, " bin"]]]:
    """Of each octave in turn: SNR of the brightest line from each bin between two channels; at peaks, its number."""
    if device == "cpu":
        for join, band in _bands(unit, joins, first, last):
            yield join, *join.best(band, threshold, _NEIGHBOURS)
        return
    from abacad.searcher.on_torch import bands, best

    for join, tensor in bands(unit.power[list(unit.on), :, first:last], joins, CLIP, device):
        snr, line = (values.cpu().numpy() for values in best(join, tensor))
        yield join, snr, _at_peaks(snr, line, threshold)


def _calibrate(unit: Unit, joins: Sequence[Join], beside: int) -> None:
    """Measure location and σ of the sums along each line on some stretches across the band.

    They are measured and not computed: what flattening leaves of the bandpass adds up along slow lines, whose sums then
    scatter by more than √rows.
    """
    size = min(_SAMPLE, unit.power.shape[2])
    sums: list[list[np.ndarray]] = [[] for _ in joins]
    for low in np.linspace(0, unit.power.shape[2] - size, _SAMPLES).astype(int).tolist():
        first = max(0, low - beside)
        for number, (join, band) in enumerate(_bands(unit, joins, first, low + size + beside)):
            bins = max(1, min(size // join.octave.step, _SAMPLE_BINS, band.shape[2]))
            start = min((low - first) // join.octave.step, band.shape[2] - bins)
            sums[number].append(join.samples(band, [start], bins))
    for join, sampled in zip(joins, sums, strict=True):
        join.calibrate(np.concatenate(sampled, axis=1))


@compiled
def _clipped(power: np.ndarray, panels: np.ndarray, first: int, last: int, clip: float) -> np.ndarray:
    """The ON panels between two channels, where no pixel counts more than `clip`."""
    out = np.empty((len(panels), power.shape[1], last - first), np.float32)
    for place in range(len(panels)):
        for row in range(power.shape[1]):
            values, target = power[panels[place], row, first:last], out[place, row]
            for i in range(last - first):
                target[i] = min(values[i], clip)
    return out


@compiled
def _pairs(band: np.ndarray, every: int, out: np.ndarray) -> None:
    """Sums of each bin and the one a bin's width above it, `every` bins apart: boxcars twice as wide.

    `out` may be `band` itself when `every` is 1: each bin is written after it was read for the last time.
    """
    for panel in range(band.shape[0]):
        for row in range(band.shape[1]):
            values, upper, target = band[panel, row], band[panel, row, every:], out[panel, row]
            for i in range(out.shape[2] - 1):
                target[i] = values[every * i] + upper[every * i]
            target[-1:] = 0  # of none where there is none: compiled code would write beyond an empty array


class _Bands:
    """The band of one octave after the other, in two buffers that change places: fresh memory costs more than sums."""

    def __init__(self, channels: Band) -> None:
        self.band = channels
        self._spare: list[np.ndarray] = [channels.reshape(-1), np.empty(0, np.float32)]

    def widen(self, every: int) -> Band:
        """Boxcars twice as wide, `every` of the present bins apart."""
        if every == 1:
            _pairs(self.band, 1, self.band)
            return self.band
        shape = (*self.band.shape[:2], self.band.shape[2] // every)
        if self._spare[1].size < np.prod(shape):
            self._spare[1] = np.empty(int(np.prod(shape)), np.float32)
        wider = self._spare[1][: int(np.prod(shape))].reshape(shape)
        _pairs(self.band, every, wider)
        self._spare.reverse()
        self.band = wider
        return wider


def _at_peaks(
    snr: Float[np.ndarray, " bin"], line: Int[np.ndarray, " bin"], threshold: float
) -> Int[np.ndarray, " bin"]:
    """The lines of the best bin of every few above a threshold; −1 at all others, as `Join.best` gives them."""
    n_blocks = -(-len(snr) // _NEIGHBOURS)
    padded = np.full(n_blocks * _NEIGHBOURS, -np.inf, np.float32)
    padded[: len(snr)] = snr
    best = padded.reshape(n_blocks, _NEIGHBOURS).argmax(axis=1) + np.arange(n_blocks) * _NEIGHBOURS
    chosen = best[padded[best] > threshold]
    # A line is told at a peak alone: its neighbours are the same signal, and each line told costs a second look.
    told = np.full_like(line, -1)
    told[chosen] = line[chosen]
    return told


def _places(
    unit: Unit, join: Join, snr: Float[np.ndarray, " bin"], line: Int[np.ndarray, " bin"], first: int
) -> list[Place]:
    """The bins whose line is told; `first` is the column of the unit that the band begins with."""
    octave = join.octave
    peaks = []
    for place in np.flatnonzero(line >= 0):
        slope = join.lines.drift_channels_s[line[place]] * unit.dt_s
        # a bin's middle, at the start of the first row: the path gives the middle of the row
        x = first + place * octave.step + 0.5 * (octave.width - 1) - 0.5 * slope
        # Two bins of room, as the second look moves a line; it drops one that then starts beyond the coarse channel.
        if unit.begin - 2 * octave.width <= x < unit.end + 2 * octave.width:
            column = int(first + place * octave.step)
            peaks.append(Place(float(snr[place]), Line(float(x), float(slope)), octave, column))
    return peaks

"""The first look at a coarse channel: standing carriers masked, all octaves joined, the places worth a second look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from abacad.searcher.compiled import compiled
from abacad.searcher.join import Band, Join
from abacad.searcher.path import Line
from abacad.searcher.plan import Octave, octaves
from abacad.searcher.unit import Unit

CLIP = 6.0
"""σ that one pixel counts at most in the first look, so that no single bright pixel lifts the paths through it."""

_STANDING_SNR = 6.0
_NEIGHBOURS = 8  # bins of which the best is kept
_PART = 3 << 21  # values of the ON panels that are searched at once: 25 MB
_TORCH_PART = 1 << 26  # 256 MB on a GPU, which takes a while to be given its work
_SAMPLES = 8  # stretches of the band that location and σ are measured on
_SAMPLE = 4096  # channels of one
_SAMPLE_BINS = 512


@dataclass(frozen=True)
class Place:
    """Somewhere to look again.

    Attributes:
        snr: of the best path of the tree.
        line: that path.
        octave: that found it.
        bin: first column of the path's first bin.
    """

    snr: float
    line: Line
    octave: Octave
    bin: int


def channel_snr(unit: Unit) -> Float[np.ndarray, "panel freq"]:
    """SNR of each channel at rest: the sum over a panel's rows over the σ of that sum."""
    out = np.empty((len(unit.n_time), unit.power.shape[2]))
    for panel, rows in enumerate(unit.n_time):
        out[panel] = unit.power[panel, :rows].sum(axis=0) / np.sqrt(rows)
    return out


def standing(at_rest: Float[np.ndarray, "panel freq"], off: tuple[int, ...]) -> Bool[np.ndarray, " freq"]:
    """Channels that stand still in at least half of the panels, an OFF panel among them: carriers of the ground.

    A line that drifts moves on to other channels before the half of the panels is over.
    """
    bright = at_rest > _STANDING_SNR
    return (2 * bright.sum(axis=0) >= len(bright)) & bright[list(off)].any(axis=0)


def look(unit: Unit, max_drift_hz_s: float, threshold: float, device: str = "cpu") -> list[Place]:
    """Places where some path through the ON panels is brighter than a threshold, brightest first.

    The band is searched in parts that fit into the processor's last cache, each with what its lines cross on either
    side.

    Args:
        unit: flattened powers, standing carriers masked.
        max_drift_hz_s: of both signs.
        threshold: SNR of a path.
        device: `cpu`, or one of torch's, where whole tensors are summed instead of stretches.
    """
    on = list(unit.on)
    start_s, n_time = np.array(unit.start_s)[on], np.array(unit.n_time)[on]
    joins = [Join(octave, start_s, n_time, unit.dt_s) for octave in octaves(max_drift_hz_s / unit.unit_drift_hz_s)]
    beside = max(join.reach * join.octave.step + join.octave.width for join in joins)
    _calibrate(unit, joins, beside)
    part = max((_PART if device == "cpu" else _TORCH_PART) // (len(on) * int(n_time.max())), 4 * beside)
    places: list[Place] = []
    for low in range(0, unit.power.shape[2], part):
        high = min(low + part, unit.power.shape[2])
        first = max(0, low - beside)
        for join, snr, line in _searched(unit, joins, first, high + beside, device):
            found = _peaks(unit, join, snr, line, threshold, first)
            places += [place for place in found if low <= place.bin < high]
    return sorted(places, key=lambda place: (-place.snr, place.line.x, place.line.slope))


def _bands(unit: Unit, joins: Sequence[Join], first: int, last: int) -> Iterator[tuple[Join, Band]]:
    """The clipped ON panels between two channels, binned for one octave after the other."""
    bands = _Bands(_clipped(unit.power, np.array(unit.on), first, min(last, unit.power.shape[2]), np.float32(CLIP)))
    for join in joins:
        if join.octave.sign > 0 and join.octave.shear:
            bands.widen(1 if join.octave.step == 1 else 2)
        yield join, bands.band


def _searched(
    unit: Unit, joins: Sequence[Join], first: int, last: int, device: str
) -> Iterator[tuple[Join, Float[np.ndarray, " bin"], Int[np.ndarray, " bin"]]]:
    """SNR and number of the best line from each bin between two channels, for one octave after the other."""
    if device == "cpu":
        for join, band in _bands(unit, joins, first, last):
            yield join, *join.best(band)
        return
    from abacad.searcher.on_torch import bands, best

    for join, tensor in bands(unit.power[list(unit.on), :, first:last], joins, CLIP, device):
        snr, line = best(join, tensor)
        yield join, snr.cpu().numpy(), line.cpu().numpy()


def _calibrate(unit: Unit, joins: Sequence[Join], beside: int) -> None:
    """Measure location and σ of the sums along each line on some stretches across the band."""
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
    """The ON panels between two channels, bright pixels cut."""
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
            target[out.shape[2] - 1] = 0


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


def _peaks(
    unit: Unit,
    join: Join,
    snr: Float[np.ndarray, " bin"],
    line: Int[np.ndarray, " bin"],
    threshold: float,
    first: int,
) -> list[Place]:
    """The best bin of every few above the threshold; `first` is the column of the unit that the band begins with."""
    octave = join.octave
    n_blocks = -(-len(snr) // _NEIGHBOURS)
    padded = np.full(n_blocks * _NEIGHBOURS, -np.inf, np.float32)
    padded[: len(snr)] = snr
    best = padded.reshape(n_blocks, _NEIGHBOURS).argmax(axis=1) + np.arange(n_blocks) * _NEIGHBOURS
    found = []
    for place in best[padded[best] > threshold]:
        slope = join.lines.drift_channels_s[line[place]] * unit.dt_s
        # a bin's middle, at the start of the first row: the path gives the middle of the row
        x = first + place * octave.step + 0.5 * (octave.width - 1) - 0.5 * slope
        if unit.begin - 2 * octave.width <= x < unit.end + 2 * octave.width:
            column = int(first + place * octave.step)
            found.append(Place(float(padded[place]), Line(float(x), float(slope)), octave, column))
    return found

"""Fingerprints of columns: what is left of one channel's time profile when gain and offset do not count.

A snippet's panel is cut from a wider observation and normalised anew, v = a·power + b, so the same column in two
snippets differs by a and b, and by float16 rounding. With random signs s_t = ±1 and s_−1 = s_T−1 = 0, each of

    c_k = Σ_t (s_t−1 − s_t) v_t        (k = 1 … 12; the weights add up to 0, so b is gone)

is a sum of random signs over the steps from row to row, and the direction of the vector c does not depend on a > 0.
Some ninety rows, evenly apart, do as well as all: what tells two columns from each other is the twelve signs.
Rounding to float16 moves a direction by some 10⁻⁴, two independent columns of noise point anywhere. Twelve signed bytes
hold it: 18 kB a cadence of 256 channels. (Random projections of z-scored profiles: Johnson & Lindenstrauss 1984;
comparing them by buckets: Charikar 2002.)
"""

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int8, Shaped
from torch import Tensor

from abacad.data.competition import open_cadence, read_cadence, read_header
from abacad.errors import CadenceError
from abacad.signal.cadence import N_PANELS
from abacad.types import Panels

PROJECTIONS = 12
STEPS_PER_SIGMA = 42
"""Codes reach to ±3 σ of a projection: 127 / 42."""
ROWS_PROJECTED = 90
_ALIVE = 1e-4  # a column whose steps are below this share of its level holds rounding, not data
_FEWEST_STEPS = 6.0  # of 31; noise has ten
_HEADER_BYTES = 128
_HALF_INF, _MINUS_HALF_INF = 0x7C00, 0xFC00
"""Bits of float16 from which on a value is not finite, those of negative ones as a number without a sign."""


def rows_apart(n_time: int) -> int:
    """How far apart the rows are that are projected: 3 for the 273 of the competition."""
    return max(1, n_time // ROWS_PROJECTED)


def weights(n_time: int) -> Float[Tensor, "projection time"]:
    """The weights of that many rows in each projection, the same in every run; each projection's add up to 0."""
    generator = torch.Generator().manual_seed(20_121)
    signs = torch.randint(0, 2, (PROJECTIONS, n_time - 1), generator=generator, dtype=torch.float32) * 2 - 1
    return torch.diff(signs, prepend=torch.zeros(PROJECTIONS, 1), append=torch.zeros(PROJECTIONS, 1)).neg()


def steps(panels: Panels) -> Float[Tensor, "freq panel step"]:
    """Steps from row to row of each column, their squares adding up to 1; 0 where hardly more than a few rows differ.

    The effective number of steps, (Σd²)² / Σd⁴, is a third of all for noise and 1 for a column that switches once.
    """
    difference = panels.diff(dim=-2)
    squares = difference.square()
    power = squares.sum(-2, keepdim=True)
    spread = power.square() / squares.square_().sum(-2, keepdim=True)
    fewest = min(_FEWEST_STEPS, difference.shape[-2] / 5)
    scale = torch.where(spread >= fewest, power.rsqrt(), 0.0)  # 0 / 0 is no number, and not above
    return (difference * scale).permute(2, 0, 1).contiguous()


def fingerprints(
    panels: Panels, projections: Float[Tensor, "projection time"]
) -> Int8[Tensor, "freq panel projection"]:
    """Codes of the columns of one cadence; all zero where a column is constant or holds a value that is not finite.

    Args:
        panels: (6, time, freq), float32, in any units: the rows that are projected.
        projections: the `weights` of that many rows.
    """
    sums = torch.bmm(projections.expand(len(panels), -1, -1), panels)
    length = sums.square().sum(-2, keepdim=True).sqrt_()
    alive = (length > _ALIVE * panels[:, :1].abs()) & length.isfinite()
    scale = STEPS_PER_SIGMA * PROJECTIONS**0.5
    codes = torch.where(alive, sums * (scale / length), 0.0).round_().clamp_(-127, 127)
    return codes.to(torch.int8).permute(2, 0, 1).contiguous()


class CadenceReader:
    """Reads many cadences of one shape into the same memory: a third of the time of `np.load`.

    A header that was seen before is not parsed again.
    """

    def __init__(self, shape: tuple[int, ...], apart: int = 1) -> None:
        """Read cadences of that shape, (6, time, freq), and give each `apart`-th row."""
        self.shape, self.apart, self.n_rows = shape, apart, len(range(0, shape[1], apart))
        self.values = torch.empty((shape[0], self.n_rows, shape[2]))
        self._known: dict[bytes, np.dtype] = {}
        self._raw = bytearray(_HEADER_BYTES + int(np.prod(shape)) * 8)

    def read(self, path: Path) -> Panels:
        """Rows of one cadence as float32, in memory that the next call uses again.

        Raises:
            CadenceError: the file is missing, truncated, of another shape, or no cadence, or a value of any row is
                not finite.
        """
        got, size = self._bytes(path)
        dtype = self._known.get(bytes(self._raw[:_HEADER_BYTES]))
        if dtype is not None and got == size == self._size(dtype):
            flat = np.frombuffer(self._raw, dtype, int(np.prod(self.shape)), _HEADER_BYTES)
            if _all_finite(flat):
                return self.values.copy_(torch.from_numpy(flat).view(self.shape)[:, :: self.apart])
        return self.values.copy_(self._read_slowly(path)[:, :: self.apart])

    def rows(self, path: Path, first: int, n_rows: int) -> Panels:
        """Some rows of each panel, without reading the others; in new memory.

        Raises:
            CadenceError: as `read`.
        """
        _, n_time, n_freq = self.shape
        with open_cadence(path) as file:
            dtype = self._known.get(os.pread(file.fileno(), _HEADER_BYTES, 0))
            if dtype is None or os.fstat(file.fileno()).st_size != self._size(dtype):
                return self._read_slowly(path)[:, first : first + n_rows]
            raw = np.empty((N_PANELS, n_rows, n_freq), dtype)
            got = 0
            for panel in range(N_PANELS):
                at = _HEADER_BYTES + (panel * n_time + first) * n_freq * dtype.itemsize
                got += os.preadv(file.fileno(), [raw[panel].data], at)
        if got < raw.nbytes:
            raise CadenceError(f"Cadence {path.stem}: the file {path} became shorter while it was read.")
        return torch.from_numpy(raw).float()

    def _size(self, dtype: np.dtype) -> int:
        return _HEADER_BYTES + int(np.prod(self.shape)) * dtype.itemsize

    def _bytes(self, path: Path) -> tuple[int, int]:
        with open_cadence(path) as file:
            return os.readv(file.fileno(), [self._raw]), os.fstat(file.fileno()).st_size

    def _read_slowly(self, path: Path) -> Panels:
        """With every check; remembers the header if it is the usual one."""
        values = torch.from_numpy(read_cadence(path, self.shape))
        _, dtype = read_header(path)
        with open_cadence(path) as file:
            head = file.read(_HEADER_BYTES)
        plain = b"'fortran_order': False" in head and head.endswith(b"\n") and dtype.isnative and dtype.kind == "f"
        if plain and head[8:10] == (_HEADER_BYTES - 10).to_bytes(2, "little"):
            self._known[head] = dtype
        return values


def read_ahead(path: Path) -> None:
    """Tell the system that a file will be read soon, where it takes such advice: the disk works while we compute."""
    if not hasattr(os, "posix_fadvise"):
        return
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not be waited for
    except OSError:
        return  # who reads it will say so
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
    except OSError:
        return  # it is a pipe
    finally:
        os.close(file)


def _all_finite(values: Shaped[np.ndarray, " value"]) -> bool:
    """Whether no value is NaN or infinite; of float16, as the competition's are, thirty times as fast as isfinite."""
    if values.dtype != np.float16:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(values.astype(np.float32)).all())
    return bool(values.view(np.int16).max() < _HALF_INF and values.view(np.uint16).max() < _MINUS_HALF_INF)

"""Dynamic spectra in telescope files: SIGPROC filterbank (`.fil`) and Breakthrough Listen HDF5 (`.h5`).

Whatever the order in the file, channels come out ascending in frequency, and whatever the type, as float32. Values that
are not there, or are no numbers, come out as NaN and are counted. What a file is, its first bytes tell, not its name.
"""

import logging
import stat
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from abacad.data import hdf5, sigproc
from abacad.data.header import Header
from abacad.data.loss import Loss, Masked, Reason
from abacad.data.plain_zeros import empty_blocks, lost_rows
from abacad.errors import AbacadError, brief

log = logging.getLogger(__name__)

Polarisation = Literal["I", "first"]
"""Total intensity, or the first polarisation of the file whatever it is."""

_AT_ONCE = 1 << 20  # values, 4 MB
_SAMPLE = 1 << 14  # channels that are looked at to tell powers from Stokes parameters


@runtime_checkable
class Store(Protocol):
    """An open file of one format, as `Filterbank` reads it."""

    path: Path
    header: Header
    n_rows: int
    remarks: list[str]

    def read(
        self, row: int, n_rows: int, polarisation: int, first: int, n: int
    ) -> tuple[Float[np.ndarray, "time freq"], list[Loss]]:
        """Values of one polarisation in the file's own order of channels, NaN where lost, and what is lost."""


FORMATS: dict[bytes, Callable[[Path], Store]] = {hdf5.MAGIC: hdf5.Hdf5Store, sigproc.MAGIC: sigproc.SigprocStore}
"""What opens a file, by the bytes that every file of the format begins with; a new format is one more entry."""


class Filterbank:
    """An open telescope file; values come into memory only when they are read.

    Attributes:
        path: Of the file.
        header: What it says of itself.
        n_rows: Rows in the file.
        polarisations: Numbers of the polarisations in the file that are added up.
        n_pol: Polarisations whose power the values hold: 2 of total intensity, 1 of XX alone.
    """

    def __init__(self, store: Store, pol: Polarisation = "I") -> None:
        """Take a store's file; `pol` says which polarisations are read."""
        self.path, self.header, self.n_rows = store.path, store.header, store.n_rows
        self._store = store
        self._masked: list[tuple[int, int, Masked]] = []  # with the first and last channel of the reading
        self.polarisations, self.n_pol = self._polarisations(pol)

    @property
    def n_channels(self) -> int:
        """Channels in the file."""
        return self.header.n_channels

    @property
    def dt_s(self) -> float:
        """Seconds from one row to the next."""
        return self.header.tsamp_s

    @property
    def df_hz(self) -> float:
        """Hertz from one channel to the next, positive."""
        return abs(self.header.foff_mhz) * 1e6

    @property
    def low_hz(self) -> float:
        """Middle of the lowest channel."""
        return self.header.low_mhz * 1e6

    @property
    def masked(self) -> list[Masked]:
        """All NaN in what was read so far, by reason; a stretch that was read again counts once."""
        # two readings that overlap in part are both counted: which of their values are the same is not kept
        return sorted((entry for _, _, entry in self._masked), key=lambda entry: (entry.first, entry.reason))

    def read(
        self,
        row: int,
        n_rows: int,
        channel: int,
        n_channels: int,
        out: Float[np.ndarray, "time freq"] | None = None,
    ) -> Float[np.ndarray, "time freq"]:
        """Rows and channels from (row, channel) on, channels counted upwards in frequency; NaN where masked.

        Args:
            row: First row.
            n_rows: How many.
            channel: First channel.
            n_channels: How many.
            out: Filled and returned, if given: memory that was used before costs less than fresh memory.

        Raises:
            ValueError: some of them lie outside the file.
        """
        if min(row, channel) < 0 or row + n_rows > self.n_rows or channel + n_channels > self.n_channels:
            raise ValueError(
                f"rows {row} to {row + n_rows - 1}, channels {channel} to {channel + n_channels - 1} of {self.path}"
            )
        first = self.n_channels - channel - n_channels if self.header.descending else channel
        out = np.empty((n_rows, n_channels), np.float32) if out is None else out
        # Whether a value is missing is asked of one sum a block, which is NaN where a value is, and is cheaper than a
        # look at each of a billion values.
        lost: list[Loss] = []
        empty = []
        sound = True
        step = self._rows_at_once(n_channels)
        for top in range(0, n_rows, step):
            values, also, none = self._added_up(row + top, min(step, n_rows - top), first, n_channels)
            empty.append(none)
            lost += [replace(one, row=one.row + top, row_end=one.row_end + top) for one in also]
            with np.errstate(invalid="ignore", over="ignore"):
                sound = sound and bool(np.isfinite(values.sum()))  # a sum that overflows is looked at again below
            out[top : top + len(values)] = values[:, ::-1] if self.header.descending else values
        in_file = out[:, ::-1] if self.header.descending else out
        zeros = lost_rows(in_file, np.concatenate(empty)) if empty else None
        if zeros is not None:
            in_file[zeros] = np.nan
        if zeros is not None or not sound:
            self._mask(out, lost, zeros, channel)
        return out

    def _rows_at_once(self, n_channels: int) -> int:
        """Rows that are read, checked and turned round while they are in the processor's cache: whole chunks."""
        chunk = getattr(self._store, "chunk_rows", self.n_rows)  # a format that does not say is read in one piece
        return int(chunk * max(1, _AT_ONCE // (chunk * max(1, n_channels))))

    def _added_up(
        self, row: int, n_rows: int, first: int, n_channels: int
    ) -> tuple[Float[np.ndarray, "time freq"], list[Loss], Bool[np.ndarray, "time block"]]:
        """The sum of the polarisations, in the file's own order of channels; what is lost, or empty, in any of them."""
        # What is lost in one polarisation is lost in the sum: half of the power would look like a dip.
        values, lost = self._store.read(row, n_rows, self.polarisations[0], first, n_channels)
        empty = empty_blocks(values)
        for polarisation in self.polarisations[1:]:
            more, also = self._store.read(row, n_rows, polarisation, first, n_channels)
            empty |= empty_blocks(more)
            with np.errstate(invalid="ignore", over="ignore"):
                values = values + more
            lost = [*lost, *(one for one in also if one not in lost)]
        return values, lost, empty

    def _polarisations(self, pol: Polarisation) -> tuple[tuple[int, ...], int]:
        """The numbers of the polarisations whose sum was asked for, and how many of the wave's two it holds.

        Two or four hold XX and YY first (then the cross products' real and imaginary parts), whose sum is Stokes I;
        or else I comes first (then Q, U, V). Powers are never negative, and Q is in half of the noise. One alone is
        taken for I.
        """
        if self.header.n_ifs == 1:
            return (0,), 2
        n = min(self.n_channels, _SAMPLE)
        # of the middle of the band, where the power is; its edges may be 0 in every polarisation
        second, _ = self._store.read(0, 1, 1, (self.n_channels - n) // 2, n)
        stokes = bool((second < 0).any())
        if pol == "first":
            return (0,), 2 if stokes else 1
        what = "I is the first of its Stokes parameters" if stokes else "I is the sum of the first two, XX and YY"
        log.info("%s holds %d polarisations; Stokes %s", self.path.name, self.header.n_ifs, what)
        return ((0,) if stokes else (0, 1)), 2

    def _mask(
        self,
        values: Float[np.ndarray, "time freq"],
        lost: list[Loss],
        zeros: Bool[np.ndarray, "time freq"] | None,
        channel: int,
    ) -> None:
        """Make what is not finite NaN, and count all that is masked in a reading from `channel` on, ascending."""
        left = ~np.isfinite(values)
        values[left] = np.nan
        for reason in sorted({one.reason for one in lost}):
            where = np.zeros_like(left)
            in_file = where[:, ::-1] if self.header.descending else where
            for one in lost:
                if one.reason == reason:
                    in_file[one.row : one.row_end, one.channel : one.channel_end] = True
            self._count(reason, where, channel)
            left &= ~where
        if zeros is not None:
            # in the file's own order, as losses are
            where = left & (zeros[:, ::-1] if self.header.descending else zeros)
            self._count("plain zeros", where, channel)
            left &= ~where
        self._count("not finite", left, channel)

    def _count(self, reason: Reason, where: Bool[np.ndarray, "time freq"], channel: int) -> None:
        columns = where.sum(axis=0)
        places = np.flatnonzero(columns) + channel
        if not len(places):
            return
        read = (channel, channel + len(columns) - 1)
        new = Masked(self.path.name, reason, int(places[0]), int(places[-1]), int(columns.sum()))
        same = [entry for entry in self._masked if entry[2].reason == reason]
        if any(low <= new.first and new.last <= high for low, high, _ in same):
            return  # read before: windows overlap by half, and a halo is read with both of its neighbours
        again = [entry for entry in same if read[0] <= entry[2].first and entry[2].last <= read[1]]
        self._masked = [entry for entry in self._masked if entry not in again] + [(*read, new)]
        if not same:
            mhz = self.header.low_mhz + new.first * self.df_hz * 1e-6
            log.warning(
                "%s (from %.6f MHz on); they are masked. Further ones with this reason are counted without a warning",
                *(new, mhz),
            )


def open_filterbank(path: Path, pol: Polarisation = "I") -> Filterbank:
    """Open a telescope file.

    Args:
        path: `.fil`, `.h5`, `.hdf5`, or whatever it is called.
        pol: Which polarisations: "I", all of the power, or "first", the first of the file.

    Raises:
        AbacadError: the file is neither, damaged, or not what its header says.
    """
    path = Path(path)
    magic = _magic(path)
    # By the first bytes, not by the name: files of an archive are renamed, and `.h5` may hold anything.
    store = next((opens for start, opens in FORMATS.items() if magic.startswith(start)), None)
    if store is None:
        raise AbacadError(f"{path} is neither a SIGPROC filterbank nor HDF5.\nGive a .fil or .h5 file of a telescope.")
    try:
        opened = store(path)
    except (ValueError, KeyError, TypeError, OSError, RuntimeError, struct.error) as error:  # TypeError: h5py's own
        raise AbacadError(f"{path} cannot be used: {_reason(error)}.\nGive another file of a telescope.") from error
    for remark in opened.remarks:
        log.warning("%s: %s", path.name, remark)
    return Filterbank(opened, pol)


def is_telescope_file(path: Path) -> bool:
    """Whether a path is to be read as a telescope file: by its first bytes, or by its name where there is no file."""
    path = Path(path)
    if not path.is_file():
        return path.suffix.lower() in (".fil", ".h5", ".hdf5")
    return _magic(path).startswith(tuple(FORMATS)) or path.suffix.lower() in (".fil", ".h5", ".hdf5")


def _magic(path: Path) -> bytes:
    """The file's first bytes. A pipe would wait for ever, so what is no regular file is not opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AbacadError(f"{path} is a folder or a device, not a file.\nGive a .fil or .h5 file of a telescope.")
        with open(path, "rb") as file:
            return file.read(max(map(len, FORMATS)))
    except OSError as error:
        raise AbacadError(f"{path} cannot be opened: {error.strerror}.\nGive a .fil or .h5 file.") from error


def _reason(error: Exception) -> str:
    if isinstance(error, struct.error):
        return "it ends within its header"
    text = str(error.args[0]) if error.args and isinstance(error, KeyError) else str(error)
    return brief(f"its header lacks {text}" if isinstance(error, KeyError) and " " not in text else text, 160)

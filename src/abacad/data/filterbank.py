"""Dynamic spectra in telescope files: SIGPROC filterbank (`.fil`) and Breakthrough Listen HDF5 (`.h5`).

Whatever the order in the file, channels come out ascending in frequency.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from abacad.errors import AbacadError

_INTEGERS = {
    "machine_id", "telescope_id", "data_type", "nchans", "nbeams", "ibeam", "nbits", "nifs", "nsamples",
    "barycentric", "pulsarcentric",
}  # fmt: skip
_DOUBLES = {"fch1", "foff", "tstart", "tsamp", "src_raj", "src_dej", "az_start", "za_start", "refdm", "period"}
_STRINGS = {"source_name", "rawdatafile"}
_TYPES = {8: np.uint8, 16: np.uint16, 32: np.float32}


@dataclass(frozen=True)
class Filterbank:
    """An open file; nothing but what is read comes into memory.

    Attributes:
        path: of the file.
        data: (row, polarisation, channel) as in the file.
        dt_s: seconds a row.
        df_hz: width of a channel, positive.
        low_mhz: middle of the lowest channel.
        descending: whether the file's first channel is its highest.
    """

    path: Path
    data: Any
    dt_s: float
    df_hz: float
    low_mhz: float
    descending: bool

    @property
    def n_rows(self) -> int:
        """Rows in the file."""
        return int(self.data.shape[0])

    @property
    def n_channels(self) -> int:
        """Channels in the file."""
        return int(self.data.shape[2])

    def read(self, row: int, n_rows: int, channel: int, n_channels: int) -> Float[np.ndarray, "time freq"]:
        """Rows and channels from (row, channel) on, channels counted upwards in frequency, first polarisation."""
        if self.descending:
            last = self.n_channels - channel
            part = self.data[row : row + n_rows, 0, last - n_channels : last]
            return np.asarray(part, dtype=np.float64)[:, ::-1]
        return np.asarray(self.data[row : row + n_rows, 0, channel : channel + n_channels], dtype=np.float64)


def open_filterbank(path: Path) -> Filterbank:
    """Open a `.fil` or `.h5` file.

    Raises:
        AbacadError: the file is neither, or damaged.
    """
    path = Path(path)
    with open(path, "rb") as file:
        magic = file.read(8)
    if magic == b"\x89HDF\r\n\x1a\n":
        return _open_hdf5(path)
    if magic[4:] == b"HEAD":  # a string of twelve characters: HEADER_START
        return _open_sigproc(path)
    raise AbacadError(f"{path} is neither a SIGPROC filterbank nor HDF5.\nGive a .fil or .h5 file of a telescope.")


def _filterbank(path: Path, data: Any, header: dict[str, Any]) -> Filterbank:
    first, step = header["fch1"], header["foff"]
    lowest = min(first, first + step * (data.shape[2] - 1))
    return Filterbank(path, data, header["tsamp"], abs(step) * 1e6, lowest, step < 0)


def _open_hdf5(path: Path) -> Filterbank:
    import h5py
    import hdf5plugin  # noqa: F401  # registers bitshuffle, which these files are packed with

    try:
        data = h5py.File(path, "r")["data"]
        header = data.attrs
        return _filterbank(path, data, {key: float(header[key]) for key in ("tsamp", "foff", "fch1")})
    except (OSError, KeyError) as error:
        raise AbacadError(f"{path} is no Breakthrough Listen file: {error}.\nGive a .fil or .h5 file.") from error


def _open_sigproc(path: Path) -> Filterbank:
    try:
        header, start = _sigproc_header(path)
        n_channels, n_pol = header["nchans"], header.get("nifs", 1)
        kind = np.dtype(_TYPES[header["nbits"]])
        row_bytes = n_channels * n_pol * kind.itemsize
        n_rows = (path.stat().st_size - start) // row_bytes
        if n_rows < 1:
            raise ValueError("it ends before the first row")
        data = np.memmap(path, kind, "r", start, (n_rows, n_pol, n_channels))
        return _filterbank(path, data, header)
    except (ValueError, KeyError, struct.error) as error:
        raise AbacadError(f"{path} is a damaged filterbank: {error}.\nGive another file.") from error


def _sigproc_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header's keywords, and where the data begin."""
    header: dict[str, Any] = {}
    with open(path, "rb") as file:

        def word() -> str:
            (length,) = struct.unpack("<i", file.read(4))
            if not 0 < length < 256:
                raise ValueError("its header makes no sense")
            return file.read(length).decode("ascii", errors="replace")

        word()  # HEADER_START
        while (key := word()) != "HEADER_END":
            if key in _INTEGERS:
                (header[key],) = struct.unpack("<i", file.read(4))
            elif key in _DOUBLES:
                (header[key],) = struct.unpack("<d", file.read(8))
            elif key in _STRINGS:
                header[key] = word()
            else:
                raise ValueError(f"its header has an unknown word, {key[:20]!r}")
        return header, file.tell()

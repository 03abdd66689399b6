"""Telescope files as Breakthrough Listen writes them: HDF5, highest channel first, a chunk for each coarse channel.

blimpy, turboSETI and `open_filterbank` read them.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from abacad.data.header import TELESCOPES, Header
from abacad.files import replacing

CHUNK = 1 << 20


def write_panel(
    path: Path,
    header: Header,
    n_rows: int,
    pieces: Iterable[tuple[int, Float[np.ndarray, "_ _"]]],
    origin: str = "",
) -> None:
    """Write one file, whole or not at all.

    Args:
        path: Of the file.
        header: What it says of itself; `foff_mhz` has to be negative.
        n_rows: Rows.
        pieces: (first channel, values), channels counted upwards in frequency; together they are all channels.
        origin: What made it, for the header word `rawdatafile`.

    Raises:
        AbacadError: the disk is full, or the place cannot be written.
    """
    import h5py
    import hdf5plugin

    n = header.n_channels
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        # blimpy refuses a file without these two
        file.attrs["CLASS"], file.attrs["VERSION"] = b"FILTERBANK", b"1.0"
        data = file.create_dataset(
            # one row of a coarse channel a chunk, as rawspec packs it
            "data",
            (n_rows, 1, n),
            "f4",
            chunks=(1, 1, min(n, CHUNK)),
            **hdf5plugin.Bitshuffle(nelems=0, cname="lz4"),
        )
        for axis, label in enumerate((b"time", b"feed_id", b"frequency")):
            data.dims[axis].label = label
        for key, value in _words(header, origin).items():
            data.attrs[key] = value
        # The file begins with its highest channel, as rawspec's do: a piece is put in reversed, from the other end.
        for first, values in pieces:
            data[:, 0, n - first - values.shape[1] : n - first] = values[:, ::-1]


def _words(header: Header, origin: str) -> dict[str, str | int | float]:
    numbers = {name: number for number, name in TELESCOPES.items()}
    return {
        "source_name": header.source_name,
        "rawdatafile": origin,
        "telescope_id": numbers.get(header.telescope, 0),
        "machine_id": 20,
        "data_type": 1,
        "tstart": header.tstart_mjd,
        "tsamp": header.tsamp_s,
        "fch1": header.fch1_mhz,
        "foff": header.foff_mhz,
        "nchans": header.n_channels,
        "nifs": header.n_ifs,
        "nbits": header.n_bits,
        "nfpc": header.n_fine,
        # SIGPROC has no word for "unknown": its own programs write 0
        "src_raj": 0.0 if math.isnan(header.ra_hours) else header.ra_hours,
        "src_dej": 0.0 if math.isnan(header.dec_deg) else header.dec_deg,
        "az_start": 0.0,
        "za_start": 0.0,
    }

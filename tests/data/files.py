"""Tiny writers of telescope files; the values of a ramp tell the file, the row and the channel they came from."""

import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ROW_S = 18.0
STEP_MHZ = 2.79e-6
MJD = 57650.5
NAMES = ("A", "B", "A", "C", "A", "D")


def ramp(n_rows: int, n_channels: int, file: int = 0) -> np.ndarray:
    """1 + 1,000,000 · file + 10,000 · row + channel, channels counted upwards in frequency."""
    return (1 + file * 1_000_000 + np.arange(n_rows)[:, None] * 10_000 + np.arange(n_channels)).astype(np.float32)


def word(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()


def words(**header: Any) -> bytes:
    """Header words of SIGPROC: text, doubles and integers by the type of their value."""
    head = word("HEADER_START")
    for key, value in header.items():
        head += word(key)
        if isinstance(value, bytes):
            head += value
        elif isinstance(value, str):
            head += word(value)
        else:
            head += struct.pack("<d" if isinstance(value, float) else "<i", value)
    return head + word("HEADER_END")


def write_fil(
    path: Path, data: np.ndarray, descending: bool = True, foff: float = STEP_MHZ, dt: float = ROW_S, **header: Any
) -> Path:
    """A `.fil` file of float32; `data` (row, channel) or (row, polarisation, channel), ascending in frequency."""
    cube = data if data.ndim == 3 else data[:, None]
    says: dict[str, Any] = {"source_name": "NOISE", "nchans": cube.shape[2], "nifs": cube.shape[1], "nbits": 32}
    says |= {"fch1": 6000.0, "foff": -foff if descending else foff, "tsamp": dt} | header
    stored = cube[:, :, ::-1] if descending else cube
    path.write_bytes(words(**says) + np.ascontiguousarray(stored).tobytes())
    return path


def write_h5(
    path: Path, data: np.ndarray, descending: bool = True, dataset: dict[str, Any] | None = None, **header: Any
) -> Path:
    """The same as `.h5`; `dataset` are arguments of h5py's create_dataset. A header word that is None is left out."""
    cube = data if data.ndim == 3 else data[:, None]
    says = {"foff": -STEP_MHZ if descending else STEP_MHZ, "tsamp": ROW_S, "fch1": 6000.0} | header
    with h5py.File(path, "w") as file:
        file.attrs["CLASS"] = b"FILTERBANK"
        table = file.create_dataset("data", data=cube[:, :, ::-1] if descending else cube, **(dataset or {}))
        table.attrs.update({key: value for key, value in says.items() if value is not None})
    return path


def write_panel(folder: Path, panel: int, data: np.ndarray, write=write_h5, **header: Any) -> Path:
    """One file of an ABACAD cadence, with source and start time; panels are 400 s apart."""
    says = {"source_name": NAMES[panel % 6], "tstart": MJD + panel * 400 / 86_400} | header
    return write(folder / f"{panel}{'.h5' if write is write_h5 else '.fil'}", data, **says)


def write_cadence(folder: Path, n_rows: int = 8, n_channels: int = 64, write=write_h5, **header: Any) -> list[Path]:
    """Six files of ramps."""
    return [write_panel(folder, k, ramp(n_rows, n_channels, k), write, **header) for k in range(6)]

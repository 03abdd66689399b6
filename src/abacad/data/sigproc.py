"""SIGPROC filterbank files (`.fil`): a header of words, then row after row of values, with nothing between them.

Integers are little-endian. Values of 1, 2 and 4 bits fill a byte from its lowest bits on. 32 bits are floating-point
numbers, as are 64; 8 and 16 bits are unsigned unless the header's word `signed` says otherwise.
"""

import io
import math
import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Num, UInt8

from abacad.data.header import Header, header_of
from abacad.data.loss import Loss

MAGIC = struct.pack("<i", 12) + b"HEADER_START"

_INT, _DOUBLE, _TEXT, _BYTE, _FLAG = "<i", "<d", "text", "<b", ""
_KNOWN = {
    **dict.fromkeys(
        ("machine_id", "telescope_id", "data_type", "nchans", "nbeams", "ibeam", "nbits", "nifs", "nsamples",
         "barycentric", "pulsarcentric", "nbins", "nfpc"), _INT),
    **dict.fromkeys(("fch1", "foff", "tstart", "tsamp", "src_raj", "src_dej", "az_start", "za_start", "refdm",
                     "period", "fchannel"), _DOUBLE),
    **dict.fromkeys(("source_name", "rawdatafile"), _TEXT),
    "npuls": "<q",
    "signed": _BYTE,
    **dict.fromkeys(("HEADER_END", "FREQUENCY_START", "FREQUENCY_END"), _FLAG),
}  # fmt: skip
_WORD = re.compile(rb"[A-Za-z][A-Za-z0-9_.:/-]*")
_LONGEST = 1 << 16  # bytes of a header; those of telescopes have some hundreds
_BITS = (1, 2, 4, 8, 16, 32, 64)


class SigprocStore:
    """An open `.fil` file. Nothing is kept open between two reads, so that a copy can go to another process.

    Attributes:
        path: Of the file.
        header: Its words.
        n_rows: Whole rows in the file.
        remarks: What its owner should know of it.
        chunk_rows: Rows that are unpacked together.
    """

    chunk_rows = 1

    def __init__(self, path: Path) -> None:
        """Read the header and hold it against the file's size.

        Raises:
            KeyError, ValueError, struct.error: the header is damaged, or promises what the file does not hold.
        """
        self.path = path
        # the header is parsed from a bounded piece: a damaged length in it cannot lead far
        with open(path, "rb") as file:
            words, self._start = _parsed(file.read(_LONGEST))
            size = os.fstat(file.fileno()).st_size - self._start
        self.header = _checked(words)
        self._dtype = _dtype(self.header.n_bits, bool(words.get("signed", 0)))
        row_bits = self.header.n_channels * self.header.n_ifs * self.header.n_bits
        self.n_rows, rest = divmod(size * 8, row_bits)
        if self.n_rows < 1:
            raise ValueError(
                f"a row of {self.header.n_channels:,} channels takes {row_bits // 8:,} bytes, the file has {size:,}"
            )
        self.remarks = [f"it ends within a row: the last {rest // 8:,} bytes are left out"] if rest else []
        # most writers leave nsamples at 0 and the size of the file to tell
        promised = int(words.get("nsamples", 0))
        if promised > 0 and promised != self.n_rows:
            self.remarks.append(f"its header promises {promised:,} rows, the file has {self.n_rows:,}")
            self.n_rows = min(self.n_rows, promised)

    def read(
        self, row: int, n_rows: int, polarisation: int, first: int, n: int
    ) -> tuple[Float[np.ndarray, "time freq"], list[Loss]]:
        """Values in the file's own order of channels, and what of them is lost."""
        out = np.empty((n_rows, n), np.float32)
        bits, lost = self.header.n_bits, []
        with open(self.path, "rb", buffering=0) as file, np.errstate(over="ignore"):
            for k in range(n_rows):
                # A row may begin within a byte, where values have fewer than 8 bits: whole bytes are read, and the
                # values before the first one that is wanted are skipped.
                begin = (((row + k) * self.header.n_ifs + polarisation) * self.header.n_channels + first) * bits
                low, high = begin // 8, -(-(begin + n * bits) // 8)
                # pread keeps no place in the file, so that threads may read one store side by side
                raw = os.pread(file.fileno(), high - low, self._start + low)
                if len(raw) < high - low:  # cut off since it was opened
                    out[k] = np.nan
                    lost.append(Loss("cut off", k, k + 1, 0, n))
                    continue
                values = _unpacked(np.frombuffer(raw, np.uint8), bits) if bits < 8 else np.frombuffer(raw, self._dtype)
                skip = (begin - low * 8) // bits if bits < 8 else 0
                out[k] = values[skip : skip + n]
        return out, lost


def _checked(words: dict[str, Any]) -> Header:
    bits, n_channels, n_ifs = words["nbits"], words["nchans"], words.get("nifs", 1)
    if bits not in _BITS:
        raise ValueError(f"nbits is {bits}; readable are {', '.join(map(str, _BITS))}")
    if n_channels < 1 or n_ifs < 1:
        raise ValueError(f"nchans is {n_channels}, nifs {n_ifs}")
    if n_channels * bits % 8:
        raise ValueError(f"{n_channels} channels of {bits} bits do not fill whole bytes")
    # a table of frequencies may leave gaps, and a drift over a gap has no rate in channels
    if "fchannel" in words:
        raise ValueError("it lists the frequency of each channel, and only evenly spaced channels are read")
    for key in ("src_raj", "src_dej"):
        if key in words:
            words[key] = _sexagesimal(words[key])
    return header_of(words, n_channels, n_ifs, bits)


def _sexagesimal(value: float) -> float:
    """SIGPROC's hhmmss.s: 171003.984 is 17 + 10/60 + 3.984/3600 = 17.1678."""
    size = abs(value)
    return math.copysign(size // 10000 + size // 100 % 100 / 60 + size % 100 / 3600, value)


def _dtype(bits: int, signed: bool) -> np.dtype:
    # 32 bits are a floating-point number, as every reader of Breakthrough Listen's files takes them; no word tells.
    return np.dtype({8: "<i1" if signed else "<u1", 16: "<i2" if signed else "<u2", 64: "<f8"}.get(bits, "<f4"))


def _unpacked(raw: UInt8[np.ndarray, " byte"], bits: int) -> Num[np.ndarray, " value"]:
    """Values of 1, 2 or 4 bits, the lowest bits of a byte first."""
    # SIGPROC's own packing; PSRFITS, which some programs convert from, has the highest first (docs/adr/0005).
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return (raw[:, None] >> shifts & (2**bits - 1)).ravel()


def _parsed(raw: bytes) -> tuple[dict[str, Any], int]:
    """The header's words, and where the data begin."""
    file = io.BytesIO(raw)
    file.seek(len(MAGIC))
    words: dict[str, Any] = {}
    while (key := _word(file)) != "HEADER_END":
        layout = _KNOWN[key] if key in _KNOWN else _guessed(file, key)
        if layout == _TEXT:
            words[key] = _text(file)
        elif layout != _FLAG:
            (words[key],) = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return words, file.tell()


def _text(file: io.BytesIO) -> str:
    (length,) = struct.unpack("<i", file.read(4))
    if not 0 <= length < 256:
        raise ValueError("its header makes no sense")
    text = file.read(length)
    if len(text) < length:
        raise ValueError("it ends within its header")
    return text.decode("utf-8", errors="replace")


def _word(file: io.BytesIO) -> str:
    text = _text(file)
    if not _WORD.fullmatch(text.encode()):
        raise ValueError("its header makes no sense")
    return text


def _guessed(file: io.BytesIO, key: str) -> str:
    """The type of an unknown word's value: the first after which a known word follows, or else any word."""
    # SIGPROC's header states no types, and observatories add words of their own: what makes the rest readable is right.
    start = file.tell()
    fitting: list[tuple[bool, int, str]] = []
    for layout in (_INT, _DOUBLE, _TEXT, _BYTE, _FLAG):
        try:
            if layout == _TEXT:
                _text(file)
            else:
                file.seek(start + struct.calcsize(layout))
            fitting.append((_word(file) not in _KNOWN, len(fitting), layout))
        except (ValueError, struct.error):
            pass
        file.seek(start)
    if not fitting:
        raise ValueError(f"its header has an unknown word, {key[:20]!r}, whose value nothing tells the length of")
    return min(fitting)[2]

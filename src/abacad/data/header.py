"""What a telescope file says of itself: the header words of SIGPROC, which Breakthrough Listen's HDF5 shares.

    frequency of channel c = fch1 + c · foff        tstart + r · tsamp = start of row r

Frequencies are in MHz and of the middle of a channel, `tstart` is in days (MJD) and `tsamp` in seconds.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TELESCOPES = {
    0: "fake", 1: "Arecibo", 3: "Nançay", 4: "Parkes", 5: "Jodrell Bank", 6: "GBT", 7: "GMRT", 8: "Effelsberg",
    9: "ATA", 10: "SRT", 11: "LOFAR", 12: "VLA", 20: "CHIME", 64: "MeerKAT",
}  # fmt: skip
"""Telescopes by the number that SIGPROC's files carry."""

_LARGEST = 1e9  # of any word: 1e9 MHz are X-rays
_SEXAGESIMAL = re.compile(r"([+-]?)(\d+)[hd:° ](\d+)[m:' ](\d+(?:\.\d*)?)[s\"]?")


@dataclass(frozen=True)
class Header:
    """The header words that abacad uses.

    Attributes:
        source_name: What the telescope looked at; empty where the file does not say.
        tstart_mjd: When the first row began, in days (MJD); NaN where the file does not say.
        tsamp_s: Seconds from one row to the next.
        fch1_mhz: Middle of the file's first channel.
        foff_mhz: From one channel to the next; negative where the file begins with its highest.
        n_channels: Channels.
        n_ifs: Polarisations, or products of them.
        n_bits: Bits a value.
        telescope: Name of the telescope, or its number where that stands for none we know.
        ra_hours: Right ascension of the source (J2000); NaN where the file does not say.
        dec_deg: Declination (J2000); NaN where the file does not say.
        n_fine: Channels of one coarse channel of the spectrometer (rawspec's `nfpc`); 0 where the file does not say.
    """

    source_name: str
    tstart_mjd: float
    tsamp_s: float
    fch1_mhz: float
    foff_mhz: float
    n_channels: int
    n_ifs: int
    n_bits: int
    telescope: str
    ra_hours: float
    dec_deg: float
    n_fine: int

    @property
    def descending(self) -> bool:
        """Whether the file's first channel is its highest."""
        return self.foff_mhz < 0

    @property
    def low_mhz(self) -> float:
        """Middle of the lowest channel."""
        return self.fch1_mhz + min(self.foff_mhz, 0.0) * (self.n_channels - 1)


def header_of(words: Mapping[str, Any], n_channels: int, n_ifs: int, n_bits: int) -> Header:
    """The header from a file's words; `src_raj` in hours and `src_dej` in degrees, or as text.

    Raises:
        KeyError: fch1, foff or tsamp is missing.
        ValueError: a word makes no sense; the message names it and its value.
    """
    fch1, foff, tsamp = (_number(words, key) for key in ("fch1", "foff", "tsamp"))
    if foff == 0:
        raise ValueError("foff is 0: its channels have no width")
    if tsamp <= 0:
        raise ValueError(f"tsamp is {tsamp:g} s: its rows take no time")
    tstart = _number(words, "tstart") if "tstart" in words else math.nan
    telescope = int(_number(words, "telescope_id")) if "telescope_id" in words else None
    return Header(
        source_name=_name(words.get("source_name", "")),
        tstart_mjd=tstart if tstart > 0 else math.nan,  # writers put 0 where they do not know, which is the year 1858
        tsamp_s=tsamp,
        fch1_mhz=fch1,
        foff_mhz=foff,
        n_channels=n_channels,
        n_ifs=n_ifs,
        n_bits=n_bits,
        telescope="" if telescope is None else TELESCOPES.get(telescope, str(telescope)),
        ra_hours=_angle(words.get("src_raj")),
        dec_deg=_angle(words.get("src_dej")),
        # a negative number of channels says as little as none
        n_fine=max(0, int(_number(words, "nfpc"))) if "nfpc" in words else 0,
    )


def _number(words: Mapping[str, Any], key: str) -> float:
    # a word may come as text or as an array of one number, as writers differ
    try:
        value = float(words[key])
    except (TypeError, ValueError):
        raise ValueError(f"{key} is {str(words[key])[:20]!r}, not a number") from None
    if not abs(value) < _LARGEST:  # NaN is not, either
        raise ValueError(f"{key} is {value:g}")
    return value


def _name(value: Any) -> str:
    """A source's name; some writers stored what Python prints for bytes: b'HIP17147'."""
    text = str(value).strip("\0 ")
    return text[2:-1] if len(text) > 2 and text[:2].lower() == "b'" and text.endswith("'") else text


def _angle(value: Any) -> float:
    """An angle from a number, or from text such as "17h10m03.984s": 17 + 10/60 + 3.984/3600 = 17.1678."""
    if value is None:
        return math.nan
    parts = _SEXAGESIMAL.fullmatch(str(value).strip())
    if parts:
        size = int(parts[2]) + int(parts[3]) / 60 + float(parts[4]) / 3600
        return -size if parts[1] == "-" else size  # the sign stands before the degrees, and −0°30′ is negative, too
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan

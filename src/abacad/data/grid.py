"""The grid of channels that all files of one observation have: where it begins, and how each file meets it.

    channel of file p = round((frequency − lowest frequency of p) / channel width)

Grids that differ by a fraction of a channel meet at the nearest channel, at most half a channel off. Interpolating
instead would mix neighbouring channels, and the noise of the mixture is no longer that of a radiometer.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from abacad.data.filterbank import Filterbank
from abacad.errors import AbacadError

log = logging.getLogger(__name__)

_WIDEST_HZ = 1e5  # channels; Breakthrough Listen's are 2.79 Hz and 2.86 kHz, and 0.37 MHz in the product for pulsars
_PRODUCT = "Give files of the same product and band."


@dataclass(frozen=True)
class Grid:
    """Channels that all files have.

    Attributes:
        low_hz: Middle of the lowest of them.
        df_hz: From one to the next.
        n_freq: How many.
        first: Each file's own channel there, counted upwards in frequency.
    """

    low_hz: float
    df_hz: float
    n_freq: int
    first: tuple[int, ...]


def common_grid(files: Sequence[Filterbank]) -> Grid:
    """The common grid, in the frequencies of the first file.

    Raises:
        AbacadError: channels or rows differ in width, are too wide for a narrow-band signal, or no band is common.
    """
    head = files[0]
    if head.df_hz > _WIDEST_HZ:
        raise AbacadError(
            f"{head.path.name} has channels of {head.df_hz / 1e6:.3g} MHz: a narrow-band signal is lost in them.\n"
            "Give the product with the finest channels (of Hz, or kHz)."
        )
    for file in files[1:]:
        _check_steps(head, file)
    offsets = [(file.low_hz - head.low_hz) / head.df_hz for file in files]
    # where each file begins, in whole channels of the first one's grid
    begin = [round(offset) for offset in offsets]
    low = max(begin)
    high = min(first + file.n_channels for first, file in zip(begin, files, strict=True))
    if high <= low:
        raise AbacadError(
            f"The files have no frequency in common: {'; '.join(map(_band, _extremes(files)))}.\n{_PRODUCT}"
        )
    _say(files, offsets, begin, high - low)
    return Grid(head.low_hz + low * head.df_hz, head.df_hz, high - low, tuple(low - first for first in begin))


def _check_steps(head: Filterbank, file: Filterbank) -> None:
    # Widths may differ in their last digit, as headers are rounded: refused where that adds up to half a channel.
    n = min(head.n_channels, file.n_channels)
    if abs(file.df_hz - head.df_hz) * n >= head.df_hz / 2:
        here, there = telling(file.df_hz, head.df_hz)
        raise AbacadError(f"{file.path.name} has channels of {here} Hz, {head.path.name} of {there} Hz.\n{_PRODUCT}")
    if abs(file.dt_s - head.dt_s) >= head.dt_s / 1000:  # a product's are the same to the last digit
        here, there = telling(file.dt_s, head.dt_s)
        raise AbacadError(f"{file.path.name} has rows of {here} s, {head.path.name} of {there} s.\n{_PRODUCT}")


def _say(files: Sequence[Filterbank], offsets: Sequence[float], begin: Sequence[int], n_freq: int) -> None:
    for file, offset, first in zip(files, offsets, begin, strict=True):
        if abs(offset - first) > 0.01:
            log.warning("%s lies %.2f of a channel off the others' grid", file.path.name, offset - first)
        if first != begin[0] or file.n_channels != n_freq:
            log.warning(
                "%s has %s channels from %.6f MHz on; %s are common to all",
                file.path.name, f"{file.n_channels:,}", file.header.low_mhz, f"{n_freq:,}",
            )  # fmt: skip


def _extremes(files: Sequence[Filterbank]) -> tuple[Filterbank, Filterbank]:
    """The file that ends first and the one that begins last."""
    return min(files, key=lambda file: file.low_hz + file.n_channels * file.df_hz), max(
        files, key=lambda file: file.low_hz
    )


def _band(file: Filterbank) -> str:
    high = file.header.low_mhz + (file.n_channels - 1) * file.df_hz * 1e-6
    return f"{file.path.name} has {file.header.low_mhz:.6f} to {high:.6f} MHz"


def telling(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart: "2.7939677" and "2.7939678"."""
    for digits in range(4, 18):
        written = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if written[0] != written[1]:
            break
    return written

"""Coarse channels: the pieces in which a spectrometer makes a band, and in which it is searched.

Breakthrough Listen's fine product has 2^20 channels of 2.79 Hz in each, 2.93 MHz.
"""

from itertools import pairwise

from abacad.signal.cadence import COARSE

_FINE_HZ = 2.79  # width of a channel of the fine product
_VALUES = 6 * 18 * COARSE  # of all panels in a piece: 16 rows of the fine product, 273 of 65,536 channels, or more
_REMNANT = 1 << 12  # channels: fewer than these are no piece of their own


def pieces(n_fine: int, n_channels: int, first: int, n_freq: int, descending: bool, rows: int) -> list[tuple[int, int]]:
    """Pieces that cover the common channels of an observation once, cut where a file's coarse channels end.

    A piece is one coarse channel, or as many small ones, or as large a part of a large one, as make 2^20 channels and
    113 million values at most, 0.45 GB: 67 coarse channels of 1,024 channels where six panels have 273 rows. What is
    left at an end goes with its neighbour where it has fewer than 4,096 channels.

    Args:
        n_fine: Channels of a coarse channel, as the header says (nfpc); 0: it does not say, and 2^20 is taken.
        n_channels: Channels of the file.
        first: The file's own channel that is the observation's first, counted upwards in frequency.
        n_freq: Channels of the observation.
        descending: Whether the file's first channel is the highest one.
        rows: Rows of all panels together.

    Returns:
        Pairs (first channel of the observation, number of channels), upwards in frequency.

    Example:
        >>> from abacad.data.coarse import pieces
        >>> pieces(1 << 20, 2 << 20, 0, 2 << 20, descending=False, rows=96)
        [(0, 1048576), (1048576, 1048576)]
    """
    # Many rows make narrow pieces, since a piece of all panels is in memory at once.
    width = _piece(n_fine, n_channels, min(COARSE, max(_REMNANT, _VALUES // rows)))
    spare = n_channels % width if descending else 0  # coarse channels begin with the file's first
    # The first edge inside is where the file's own coarse channel ends, which may lie anywhere in the common band.
    edges = [0, *range((spare - first) % width or width, n_freq, width), n_freq]
    # a remnant of the band's edge is too narrow for noise to be measured in it
    if len(edges) > 2 and edges[1] < _REMNANT:
        del edges[1]
    if len(edges) > 2 and edges[-1] - edges[-2] < _REMNANT:
        del edges[-2]
    return [(low, high - low) for low, high in pairwise(edges)]


def _piece(n_fine: int, n_channels: int, most: int) -> int:
    """Channels of a piece, given those of a coarse channel, and how many a piece may have."""
    # A header that says something impossible (nfpc of a file before it was cut) is taken to say nothing.
    if n_fine < 1 or n_channels % n_fine:
        return most
    if n_fine <= most:
        return most // n_fine * n_fine
    # Larger ones are cut into equal parts, as few as will do.
    fewest = -(-n_fine // most)
    return next((n_fine // parts for parts in range(fewest, 2 * fewest) if n_fine % parts == 0), most)


def middle_channels(n_fine: int, n_channels: int, df_hz: float, descending: bool) -> list[int]:
    """The middle channel of each coarse channel of a file, counted upwards in frequency: there stands the DC spike.

    Args:
        n_fine: Channels of a coarse channel, as the header says; 0: it does not say, and Breakthrough Listen's fine
            product is known by its 2^20 channels of 2.79 Hz. Of other files nothing is known.
        n_channels: Of the file.
        df_hz: From one channel to the next, positive.
        descending: Whether the file's first channel is the highest one.

    Returns:
        None where a file does not hold whole coarse channels.

    Example:
        >>> from abacad.data.coarse import middle_channels
        >>> middle_channels(8, 16, 2.79, descending=False), middle_channels(8, 16, 2.79, descending=True)
        ([4, 12], [3, 11])
    """
    if n_fine == 0 and abs(df_hz - _FINE_HZ) < 0.1:
        n_fine = COARSE
    if n_fine < 2 or n_channels % n_fine:
        return []
    # a Fourier transform puts zero frequency into channel n / 2, counted as the file counts
    return list(range((n_fine - 1 - n_fine // 2) if descending else n_fine // 2, n_channels, n_fine))

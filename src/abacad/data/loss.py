"""Records of values that a telescope file should hold and does not: where they are missing, and why.

A reader of one format reports each rectangle that it could not read as a `Loss`. `abacad.data.filterbank` sets these
values to NaN and adds them up by reason as `Masked`, which a warning, search.json and the search's page tell the user.
"""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["not finite", "corrupt chunk", "chunk never written", "cut off", "plain zeros"]
"""NaN or infinite in the file; a chunk (a block that HDF5 packs as one) that cannot be unpacked; a chunk for which the
file has no bytes, which HDF5 shows as zeros; bytes beyond the end of a file that is too short; zeros in a part of the
band where other rows have power."""


@dataclass(frozen=True)
class Loss:
    """A rectangle of values that could not be read.

    Rows and channels count from the first one of the reading, channels in the file's own order, up or down in
    frequency.

    Attributes:
        reason: Why it could not be read.
        row: First row of the rectangle.
        row_end: The row after its last one.
        channel: First channel of the rectangle.
        channel_end: The channel after its last one.
    """

    reason: Reason
    row: int
    row_end: int
    channel: int
    channel_end: int


@dataclass(frozen=True)
class Masked:
    """All values of a file that came out as NaN for one reason.

    Attributes:
        file: Name of the file.
        reason: Why they are missing.
        first: Lowest channel with a missing value, counted upwards in frequency from the file's lowest.
        last: Highest channel with one.
        values: Number of values.
    """

    file: str
    reason: Reason
    first: int
    last: int
    values: int

    def __str__(self) -> str:
        """One sentence for a log or a page."""
        values = "1 value" if self.values == 1 else f"{self.values:,} values"
        channels = f"channel {self.first}" if self.first == self.last else f"channels {self.first} to {self.last}"
        return f"{self.file}: {values} {self.reason}, in {channels}"

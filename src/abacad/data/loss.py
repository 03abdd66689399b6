"""Values of a telescope file that are not there: which, and why."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["not finite", "corrupt chunk", "chunk never written", "cut off"]


@dataclass(frozen=True)
class Loss:
    """A rectangle of values that could not be read, counted from where the reading began, in the file's own order.

    Attributes:
        reason: Why.
        row: First row.
        row_end: Row after the last.
        channel: First channel.
        channel_end: Channel after the last.
    """

    reason: Reason
    row: int
    row_end: int
    channel: int
    channel_end: int


@dataclass(frozen=True)
class Masked:
    """Values of a file that came out as NaN.

    Attributes:
        file: Name of the file.
        reason: Why.
        first: Lowest channel concerned, counted upwards in frequency.
        last: Highest channel concerned.
        values: How many.
    """

    file: str
    reason: Reason
    first: int
    last: int
    values: int

    def __str__(self) -> str:
        """What a log or a page says."""
        return f"{self.file}: {self.values:,} values {self.reason}, in channels {self.first} to {self.last}"

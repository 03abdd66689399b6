"""Cadences that are in memory already, as `score` takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from abacad.errors import CadenceError
from abacad.signal.cadence import LEAST, N_PANELS
from abacad.types import CadenceArray

TOO_SMALL = f"The smallest cadence has {LEAST[0]} rows and {LEAST[1]} channels."


def as_cadence(values: np.ndarray, name: str = "the array") -> CadenceArray:
    """Numbers as one cadence (6, time, freq), float32; a copy, so that the caller's stays as it is.

    Raises:
        CadenceError: the array is no cadence, or holds NaN or infinite values.

    Example:
        >>> as_cadence(np.zeros((6, 28, 64), np.float16)).dtype
        dtype('float32')
    """
    if values.ndim != 3 or values.shape[0] != N_PANELS or 0 in values.shape or values.dtype.kind not in "fiu":
        raise CadenceError(
            f"{name} has the shape {values.shape} and the type {values.dtype}.\n"
            "A cadence has numbers of the shape (6, time, frequency)."
        )
    if values.shape[1] < LEAST[0] or values.shape[2] < LEAST[1]:
        raise CadenceError(f"{name} has the shape {values.shape}.\n{TOO_SMALL}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is told as such
        cadence = values.astype(np.float32)
    if not np.isfinite(cadence).all():
        raise CadenceError(f"{name} holds {int((~np.isfinite(cadence)).sum())} values that are NaN or infinite.")
    return cadence


@dataclass(frozen=True)
class Arrays:
    """Arrays to be scored, one after the other; the table of scores names them by their position in the list."""

    arrays: Sequence[np.ndarray]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.arrays)

    def read(self, place: int) -> CadenceArray:
        """One of them."""
        return as_cadence(self.arrays[place], f"array {place}")

    def table(self, places: Sequence[int]) -> pd.DataFrame:
        """The column that tells them apart."""
        return pd.DataFrame({"array": list(places)})


def arrays_of(given: object) -> list[np.ndarray] | None:
    """One array or several, a batch (cadence, 6, time, freq) too, as a list; none when these are no arrays."""
    # A batch is cut along its first axis; an array of any other rank is one cadence, or refused when it is read.
    if isinstance(given, np.ndarray):
        return [given] if given.ndim != 4 else list(given)
    if isinstance(given, Sequence) and len(given) > 0 and all(isinstance(one, np.ndarray) for one in given):
        return list(given)
    return None

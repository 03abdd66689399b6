"""Chance that depends on a seed, an index and a name alone: not on order, batch size or number of workers.

An ordinary generator gives its numbers in sequence, so cadence 7 would change with the batch that it is made in. Here a
draw is a hash of its address (seed, index, name, position): counter-based, as in Salmon et al. 2011, "Parallel random
numbers: as easy as 1, 2, 3", with the finaliser of splitmix64 (Steele, Lea & Flood 2014) as the hash.

    >>> Chance(5, np.array([7])).uniform("drift", 1)[0] == Chance(5, np.arange(10)).uniform("drift", 1)[7]
    array([ True])
"""

import zlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt64

_STEP = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: neighbouring counters land far apart


def _mix(x: UInt64[np.ndarray, "*shape"]) -> UInt64[np.ndarray, "*shape"]:
    """The finaliser of splitmix64: one-to-one, and each bit of `x` flips each bit of the result half the time."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class Chance:
    """Random numbers for a batch of cadences, each row from its own index.

    Attributes:
        seed: of the whole data set.
        indices: (batch,) which cadence, or scene, each row belongs to.
    """

    seed: int
    indices: Int[np.ndarray, " batch"]

    def __len__(self) -> int:
        """Size of the batch."""
        return len(self.indices)

    def of(self, rows: Shaped[np.ndarray, " some"]) -> "Chance":
        """The same draws for some rows of the batch only, chosen by a mask or by positions."""
        return Chance(self.seed, self.indices[rows])

    def keys(self, name: str) -> UInt64[np.ndarray, " batch"]:
        """(batch,) 64-bit keys for other generators, one for each index."""
        # the seed times FNV's 64-bit prime keeps seeds apart that differ by less than a checksum of 32 bits
        word = np.array([(self.seed * 0x100000001B3 + zlib.crc32(name.encode())) & (2**64 - 1)], dtype=np.uint64)
        return _mix(_mix(word) + self.indices.astype(np.uint64) * _STEP)

    def uniform(self, name: str, *shape: int) -> Float[np.ndarray, "batch *shape"]:
        """(batch, *shape) uniform numbers in [0, 1), the same ones at each call with this name."""
        counters = np.arange(1, int(np.prod(shape, dtype=int)) + 1, dtype=np.uint64)
        bits = _mix(self.keys(name)[:, None] + counters * _STEP)
        # 53 bits are what a double holds: all multiples of 2⁻⁵³ below 1, each equally likely
        return ((bits >> np.uint64(11)) * 2.0**-53).reshape(len(self), *shape)

    def normal(self, name: str, *shape: int) -> Float[np.ndarray, "batch *shape"]:
        """(batch, *shape) standard normal numbers, by the transform of Box and Muller (1958)."""
        u = self.uniform(name, 2, *shape)
        # log1p(−u) is the logarithm of a number in (0, 1], so that it is never that of 0
        return np.sqrt(-2 * np.log1p(-u[:, 0])) * np.cos(2 * np.pi * u[:, 1])


def log_uniform(u: Float[np.ndarray, "*shape"], bounds: tuple[float, float]) -> Float[np.ndarray, "*shape"]:
    """From uniform numbers in [0, 1) to numbers whose logarithm is uniform between two positive bounds."""
    low, high = bounds
    return low * (high / low) ** u


Bound = int | float | Float[np.ndarray, "..."]


def between(u: Float[np.ndarray, "*shape"], low: Bound, high: Bound) -> Float[np.ndarray, "*shape"]:
    """From uniform numbers in [0, 1) to uniform numbers between two bounds."""
    return low + (high - low) * u

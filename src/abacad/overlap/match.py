"""Snippets that share columns: found by their fingerprints, verified on the arrays.

1. A column's code in an OFF panel (where needles are rare) becomes a number of some 38 bits; all columns are sorted by
   it, and equal neighbours are a match (cadence, cadence, channel offset). Numbers shared by more than 64 columns are
   alike everywhere (saturated, switched together) and say nothing about a pair.
2. Pairs with two matches at the same offset are compared: all shared columns, by their codes in all panels. The cosine
   of two codes estimates the correlation of the two time profiles. In a true overlap *every* shared column agrees, but
   for those that a needle runs through.
3. Columns of noise point anywhere: two windows that agree in many columns, none of which is like the next, share them.
   Where the agreeing columns are few, or alike among themselves (they may have switched together), the pair is looked
   up in the files: some rows of some of these columns must be correlated from row to row, and by more than a few rows.
"""

import mmap
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int, Int8, UInt64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from abacad.overlap.fingerprint import PROJECTIONS, STEPS_PER_SIGMA
from abacad.signal.cadence import N_PANELS, OFF

AGREES, CLEAN = 0.99, 0.998
"""Similarity from which a column is the same, and from which nothing at all differs in it."""
ALIKE = 0.25
"""Mean squared cosine between agreeing columns of one cadence from which a pair is doubtful; of noise it is 1/12."""
FEWEST_COLUMNS = 4
ROWS_VERIFIED = 32
_HASHED = 6  # projections that are hashed, with 6 bits each: 36 bits
_COMMON = 64  # columns of one number beyond which it says nothing about a pair
_BATCH = 1 << 20  # columns sorted out at once
_COMPARED = 1 << 14  # columns compared at once: what fits a core's cache
_COLUMNS_VERIFIED = 16

Codes = Int8[np.ndarray, "cadence freq panel projection"]
Steps = Callable[[int], Float[np.ndarray, "freq panel step"]]


def likely_pairs(codes: Codes) -> pd.DataFrame:
    """Pairs of cadences with at least two hits at their best offset.

    Returns:
        Columns a, b (numbers of the cadences, a < b), offset (channel of a where b begins), hits; sorted by a, b.
    """
    n, n_freq = codes.shape[:2]
    counts = pd.Series(dtype=np.int64)
    for panel in OFF:
        for some in _hits(_keys(codes, panel), n, n_freq):
            more = pd.Series(*np.unique(some, return_counts=True)[::-1])
            counts = counts.add(more, fill_value=0).astype(np.int64)
    packed, hits = counts.index.to_numpy(dtype=np.int64), counts.to_numpy()
    kept = hits >= 2  # single matches are chance: the numbers of millions of columns collide here and there
    pair, place = np.divmod(packed[kept], 2 * n_freq)
    table = pd.DataFrame({"a": pair // n, "b": pair % n, "offset": place - n_freq, "hits": hits[kept]})
    # two windows of one observation overlap at one offset
    best = table.sort_values(["a", "b", "hits"], kind="stable").drop_duplicates(["a", "b"], keep="last")
    return best.reset_index(drop=True)


def _keys(codes: Codes, panel: int) -> UInt64[np.ndarray, " column"]:
    """Sorted numbers: what a column looks like above, where it is (cadence · n_freq + channel) below."""
    n, n_freq = codes.shape[:2]
    bits = _place_bits(codes)
    keys = np.empty(n * n_freq, np.uint64)
    count = 0
    step = max(1, _BATCH // n_freq)
    for first in range(0, n, step):
        part = np.asarray(codes[first : first + step, :, panel, :_HASHED]).reshape(-1, _HASHED)
        alive = np.flatnonzero(part.any(1))  # dead columns have codes of 0, which all look the same
        look = np.zeros(len(alive), np.uint64)
        # 6 bits of each projection: a code moves by less than one of these 64 steps when a panel is rounded to float16
        for values in (part[alive].astype(np.int16).T + 128) >> 2:
            look = (look << np.uint64(6)) | values.astype(np.uint64)
        look *= np.uint64(0x9E3779B97F4A7C15)  # mixed (Knuth), so that the bits kept hold all of it
        chosen = keys[count : count + len(alive)]
        chosen[:] = (look >> bits << bits) | (alive + first * n_freq).astype(np.uint64)
        count += len(alive)
        _release(codes)
    keys = keys[:count]
    keys.sort()
    return keys


def _place_bits(codes: Codes) -> np.uint64:
    return np.uint64(max(1, int(codes.shape[0] * codes.shape[1] - 1).bit_length()))


def _hits(keys: UInt64[np.ndarray, " column"], n: int, n_freq: int) -> Iterator[Int[np.ndarray, " hit"]]:
    """Packed (a, b, offset) of all pairs of columns with equal numbers, part by part, so that memory stays bounded."""
    bits = np.uint64(max(1, (n * n_freq - 1).bit_length()))
    first = 0
    while first < len(keys):
        last = min(first + _BATCH, len(keys))
        if last < len(keys):  # equal looks stay together
            last = int(np.searchsorted(keys, (keys[last] >> bits) << bits)) or last
            last = last if last > first else min(first + _BATCH, len(keys))
        look = keys[first:last] >> bits
        place = (keys[first:last] & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
        yield _pairs(look, place, n, n_freq)
        first = last


def _pairs(
    look: UInt64[np.ndarray, " column"], place: Int[np.ndarray, " column"], n: int, n_freq: int
) -> Int[np.ndarray, " hit"]:
    starts = np.flatnonzero(np.r_[True, look[1:] != look[:-1]])
    sizes = np.diff(np.r_[starts, len(look)])
    packed = [np.zeros(0, np.int64)]
    starts, sizes = starts[(sizes > 1) & (sizes <= _COMMON)], sizes[(sizes > 1) & (sizes <= _COMMON)]
    lag = 1
    while len(starts):  # the columns `lag` apart in each run
        here = np.repeat(starts, sizes - lag) + _counted_up(sizes - lag)
        a, f_a = np.divmod(place[here], n_freq)
        b, f_b = np.divmod(place[here + lag], n_freq)
        packed.append(((a * n + b) * (2 * n_freq) + (f_a - f_b + n_freq))[a != b])
        lag += 1
        starts, sizes = starts[sizes > lag], sizes[sizes > lag]
    return np.concatenate(packed)


def _counted_up(sizes: Int[np.ndarray, " run"]) -> Int[np.ndarray, " item"]:
    """0 … size − 1 for each size, one after the other."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def compared(codes: Codes, pairs: pd.DataFrame) -> pd.DataFrame:
    """Candidates whose shared columns agree, with how well they do.

    Returns:
        Rows of `pairs` that are left, observation by observation, with the columns `columns` (number of those that
        agree in at least three panels: matching ones), `worst` (smallest similarity of a matching column in a panel),
        `median` (over matching columns, of the mean over panels), `differ` (panels, as in "0 2 4", where a matching
        column is not clean; a needle that stays in its channel all through a panel only changes the offset of that
        column, and is not seen), `where` (16 of the matching channels, counted in the overlap; some of them twice where
        there are fewer), and `alike` (the mean squared cosine between one of these and the next, in the same cadence).
    """
    n_freq = codes.shape[1]
    group = components(len(codes), pairs["a"].to_numpy(), pairs["b"].to_numpy())
    pairs = pairs.iloc[np.lexsort((pairs["b"], pairs["a"], group[pairs["a"]]))]  # what lies together is read together
    width = (n_freq - pairs["offset"].abs()).to_numpy()
    tables = []
    for part in np.array_split(np.arange(len(pairs)), max(1, int(width.sum()) // _COMPARED)):
        tables.append(_compared(codes, pairs.iloc[part], width[part], n_freq))
        if len(tables) % 16 == 0:
            _release(codes)
    return pd.concat(tables, ignore_index=True)


def _release(codes: Codes) -> None:
    """Let go of the pages of a mapped file: 100,000 cadences would fill 1.8 GB."""
    if isinstance(codes.base, mmap.mmap):
        codes.base.madvise(mmap.MADV_DONTNEED)


def _compared(codes: Codes, pairs: pd.DataFrame, width: Int[np.ndarray, " pair"], n_freq: int) -> pd.DataFrame:
    within = _counted_up(width)
    offset = pairs["offset"].to_numpy()
    start_a = pairs["a"].to_numpy() * n_freq + np.maximum(offset, 0)
    start_b = pairs["b"].to_numpy() * n_freq + np.maximum(-offset, 0)
    flat = np.asarray(codes).reshape(-1, N_PANELS * PROJECTIONS)
    ours, theirs = (_gathered(flat, np.repeat(start, width) + within) for start in (start_a, start_b))
    alive = (_any(ours) & _any(theirs)).numpy()
    # |a − b|² = |a|² + |b|² − 2 a·b: for codes of one length the distance is 1 − cosine, and float32 holds it exactly
    distance = (ours.float() - theirs).square_().sum(-1).numpy() / (2 * PROJECTIONS * STEPS_PER_SIGMA**2)
    cosine = np.where(alive, 1 - distance, 0)  # all codes have one length, but for rounding
    matches = (cosine >= AGREES).sum(1) >= N_PANELS // 2  # in half of the panels: a needle may run through the others
    usable = alive.sum(1) >= N_PANELS // 2
    pair = np.repeat(np.arange(len(width)), width)
    n_matching, n_usable = (np.bincount(pair, flags, len(width)).astype(np.int64) for flags in (matches, usable))
    kept = np.flatnonzero((n_matching >= FEWEST_COLUMNS) & (2 * n_matching >= n_usable))
    inside = np.flatnonzero(matches & np.isin(pair, kept))
    count, cosine, alive = n_matching[kept], cosine[inside], alive[inside]
    table = pairs.iloc[kept].assign(columns=count)
    if not len(kept):
        return table.assign(worst=0.0, median=0.0, differ="", where=0, alike=0.0)
    first = np.cumsum(count) - count
    middle = np.sort(cosine.mean(1) + 4 * pair[inside])[first + count // 2] - 4 * kept  # sorted within each pair
    dirty = np.logical_or.reduceat(cosine < CLEAN, first)
    picked = first[:, None] + np.outer(count - 1, np.linspace(0, 1, _COLUMNS_VERIFIED)).round().astype(int)
    return table.assign(
        worst=np.minimum.reduceat(np.where(alive, cosine, 1).min(1), first),
        median=middle,
        differ=[" ".join(map(str, np.flatnonzero(row))) for row in dirty],
        where=list(within[inside][picked]),
        alike=_alike(ours[torch.from_numpy(inside[picked])]),
    )


def _alike(codes: Int8[Tensor, "pair some panel 12"]) -> Float[np.ndarray, " pair"]:
    """Mean squared cosine between one column and the next, over the panels where both are alive."""
    columns = codes.float()
    cosine = (columns[:, 1:] * columns[:, :-1]).sum(-1) / (PROJECTIONS * STEPS_PER_SIGMA**2)
    return (cosine.square().sum((1, 2)) / (cosine != 0).sum((1, 2)).clamp_min(1)).numpy()


def _gathered(flat: Int8[np.ndarray, "column code"], places: Int[np.ndarray, " some"]) -> Int8[Tensor, "some panel 12"]:
    return torch.from_numpy(flat.take(places, axis=0)).unflatten(1, (N_PANELS, PROJECTIONS))


def _any(codes: Int8[Tensor, "some panel 12"]) -> Bool[Tensor, "some panel"]:
    """Which codes are not all 0, four bytes at a time."""
    return (codes.view(torch.int32) != 0).any(-1)


def verified(pairs: pd.DataFrame, steps_of: Steps) -> np.ndarray:
    """Which of the compared pairs the files bear out, (pair,).

    Args:
        pairs: as `compared` gives them.
        steps_of: gives `steps` of the same rows of a cadence, by its number.
    """
    rows = zip(*(pairs[name] for name in ("a", "b", "offset", "where")), strict=True)
    return np.array([_borne_out(a, b, offset, where, steps_of) for a, b, offset, where in rows], dtype=bool)


def _borne_out(a: int, b: int, offset: int, where: np.ndarray, steps_of: Steps) -> bool:
    """Half of the columns looked at are the same from row to row in two panels, at least."""
    ours, theirs = steps_of(a)[where + max(offset, 0)], steps_of(b)[where + max(-offset, 0)]
    same = (np.einsum("cps,cps->cp", ours, theirs) >= AGREES).sum(1) >= 2
    return bool(2 * same.sum() >= len(where))


def components(n: int, a: Sequence[int] | np.ndarray, b: Sequence[int] | np.ndarray) -> Int[np.ndarray, " cadence"]:
    """The number of each cadence's connected component, counted in the order of their first members."""
    links = coo_array((np.ones(len(a), np.int8), (np.asarray(a), np.asarray(b))), shape=(n, n))
    labels = connected_components(links, directed=False)[1]
    first = np.unique(labels, return_index=True)[1]
    return np.argsort(np.argsort(first))[labels]


class Recent:
    """Keeps what was asked for last, so that the snippets of one observation are read once."""

    def __init__(self, make: Steps, n_kept: int = 512) -> None:
        """Keep that many answers of `make`."""
        self.make, self.n_kept = make, n_kept
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __call__(self, number: int) -> Float[np.ndarray, "freq panel step"]:
        """The answer for a number."""
        if number in self._kept:
            self._kept.move_to_end(number)
        else:
            self._kept[number] = self.make(number)
            if len(self._kept) > self.n_kept:
                self._kept.popitem(last=False)
        return self._kept[number]

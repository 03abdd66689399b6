"""Breakthrough Listen's HDF5 files: a dataset `data` (time, polarisation, frequency) whose attributes are the header.

What HDF5 would do for a file is not done for one that came from elsewhere: no other file is opened (external links,
external storage, virtual datasets), no unknown filter is loaded, and no chunk is unpacked before its size is checked.
Of a file that is cut short, what lies beyond its end, wholly or in part, is masked as cut off.
"""

import math
import os
import zlib
from contextlib import suppress
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from abacad.data.cut_short import open_hdf5
from abacad.data.header import header_of
from abacad.data.heap import has_endless_heap, text_too_long
from abacad.data.loss import Loss, Reason

MAGIC = b"\x89HDF\r\n\x1a\n"

# What writers of such files use, and what can be bounded before it is unpacked (docs/adr/0005-telescope-files.md).
_GZIP, _LZ4, _BITSHUFFLE = 1, 32004, 32008
_PACKERS = {_GZIP: "gzip", 32000: "LZF", _LZ4: "LZ4", _BITSHUFFLE: "bitshuffle"}
_OTHERS = {2: "shuffle", 3: "fletcher32"}  # these reorder bytes, or add a checksum of four: nothing is unpacked by them
_LARGEST_CHUNK = 1 << 28  # bytes; those of telescopes have 4 MB
_FEW_TILES = 10**5  # chunks or rows, which are looked at in a second
_LISTED = 8  # bytes that a chunk takes in the list of them
_LARGEST_RATIO = 1000  # of declared bytes to the file's; noise packs to a half, and gzip can do 1032
_WORDS = (
    "fch1", "foff", "tsamp", "tstart", "source_name", "telescope_id", "src_raj", "src_dej", "nfpc", "nchans", "nifs",
)  # fmt: skip


class Hdf5Store:
    """An open `.h5` file.

    Attributes:
        path: Of the file.
        header: Its attributes.
        n_rows: Rows.
        remarks: What its owner should know of it.
    """

    def __init__(self, path: Path) -> None:
        """Open the dataset and hold what it declares against the file's size.

        Raises:
            KeyError, ValueError, TypeError, OSError: it is damaged, of another format, or points to other files.
        """
        self.path = path
        file, self._end = open_hdf5(path)
        self._data = _dataset(file)
        shape = self._data.shape if len(self._data.shape) == 3 else (self._data.shape[0], 1, self._data.shape[1])
        self.n_rows, n_ifs, n_channels = (int(length) for length in shape)
        self._filters = _filters(self._data)
        self._size = os.stat(path).st_size
        self._check_size(self._size)
        # Attributes may point to texts in a heap, which the library walks when the header is read below.
        if has_endless_heap(path):
            raise ValueError("the heap of its texts is damaged, and the HDF5 library would read it for ever")
        if long := text_too_long(path, _WORDS):
            raise ValueError(f"the text of {long} is damaged: it says that it is longer than any attribute may be")
        words = _words(self._data, file)
        for key, length in (("nchans", n_channels), ("nifs", n_ifs)):
            if key in words and float(words[key]) != length:
                raise ValueError(f"its header says {key} {words[key]}, its data have {length}")
        self.header = header_of(words, n_channels, n_ifs, 8 * self._data.dtype.itemsize)
        self.remarks = [] if self._end is None else [self._told_what_is_left(n_channels)]

    @property
    def chunk_rows(self) -> int:
        """Rows of a chunk, which are unpacked together."""
        return int(self._data.chunks[0]) if self._data.chunks else 1

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process only the path goes, which opens the file anew."""
        return Hdf5Store, (self.path,)

    def _check_size(self, size: int) -> None:
        data = self._data
        if 0 in data.shape:
            raise ValueError("it holds no rows, or no channels")
        declared = math.prod(data.shape) * data.dtype.itemsize
        # before anything is read: memory is asked for by what is declared, and a file of 2 kB can declare a terabyte
        if declared > _LARGEST_RATIO * size:
            raise ValueError(
                f"it declares {data.shape[-1]:,} channels, {declared:,} bytes in all, and the file has {size:,}"
            )
        chunk = math.prod(data.chunks or (1,)) * data.dtype.itemsize
        if chunk > _LARGEST_CHUNK:
            raise ValueError(f"a chunk of it takes {chunk:,} bytes, more than {_LARGEST_CHUNK:,}")
        listed = data.chunks is None or self._end is None  # the list of chunks may be cut off, too
        if listed and data.id.get_storage_size() == 0:
            raise ValueError("no value was ever written into it")

    def _told_what_is_left(self, n_channels: int) -> str:
        """How much of a file that is cut short can still be read."""
        n_tiles = -(-self.n_rows // self._tile[0]) * -(-n_channels // self._tile[1])
        if n_tiles > max(_FEW_TILES, self._size // (_LISTED if self._data.chunks else 1)):  # a row has a byte at least
            raise ValueError(f"it is cut short: its {self._size:,} bytes are too few for {n_tiles:,} chunks or rows")
        lost = self._unusable(0, self.n_rows, 0, 0, n_channels)
        gone = np.zeros(self.n_rows)
        for one in lost:
            gone[one.row : one.row_end] += one.channel_end - one.channel
        if (gone == n_channels).all():
            raise ValueError(f"it is cut short: of its values nothing is left in its {self._end:,} bytes")
        whole = int((gone == 0).sum())
        return f"it is cut short on disk; {whole} of its {self.n_rows} rows are whole, and what is missing is masked"

    def read(
        self, row: int, n_rows: int, polarisation: int, first: int, n: int
    ) -> tuple[Float[np.ndarray, "time freq"], list[Loss]]:
        """Values in the file's own order of channels, and what of them is lost."""
        self._look_at_the_end()
        lost = self._unusable(row, n_rows, polarisation, first, n)
        if not any(one.reason in ("corrupt chunk", "cut off") for one in lost):
            try:
                return _masked(self._values(row, n_rows, polarisation, first, n), lost), lost
            except (OSError, RuntimeError):  # one of the chunks at least; which one, the loop below tells
                pass
        # Chunk by chunk only now, as that takes longer: what is known to be lost stays NaN, all others are tried.
        out = np.full((n_rows, n), np.nan, np.float32)
        known = {(one.row, one.channel) for one in lost}
        for part in self._parts(row, n_rows, first, n):
            if part[::2] not in known:
                lost += self._read_part(out, row, polarisation, first, part)
        return out, lost

    def _look_at_the_end(self) -> None:
        """Notice that the file was cut since it was opened: HDF5 reads zeros beyond the end, and says nothing."""
        with suppress(FileNotFoundError):  # HDF5 still reads the whole of one that was removed
            size = os.stat(self.path).st_size
            if size < self._size:
                self._size = self._end = size

    def _read_part(
        self,
        out: Float[np.ndarray, "time freq"],
        row: int,
        polarisation: int,
        first: int,
        part: tuple[int, int, int, int],
    ) -> list[Loss]:
        top, bottom, left, right = part
        try:
            out[top:bottom, left:right] = self._values(
                row + top, bottom - top, polarisation, first + left, right - left
            )
        except (OSError, RuntimeError):
            return [Loss("corrupt chunk", *part)]
        return []

    def _values(self, row: int, n_rows: int, polarisation: int, first: int, n: int) -> Float[np.ndarray, "time freq"]:
        rows, channels = slice(row, row + n_rows), slice(first, first + n)
        values = self._data[rows, channels] if self._data.ndim == 2 else self._data[rows, polarisation, channels]
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is masked as such
            return np.asarray(values, dtype=np.float32)

    def _parts(self, row: int, n_rows: int, first: int, n: int) -> list[tuple[int, int, int, int]]:
        """Rectangles (row, end, channel, end) of the reading that lie in one chunk each, counted from its corner."""
        rows, channels = (_steps(*of) for of in zip((row, first), (n_rows, n), self._tile, strict=True))
        return [(*lines, *columns) for lines, columns in product(rows, channels)]

    @property
    def _tile(self) -> tuple[int, int]:
        """Rows and channels of a chunk; without chunks a file is one, and one that is cut short is cut within a row."""
        chunks = self._data.chunks or (self.n_rows if self._end is None else 1, self._data.shape[-1])
        return int(chunks[0]), int(chunks[-1])

    def _unusable(self, row: int, n_rows: int, polarisation: int, first: int, n: int) -> list[Loss]:
        """Parts of a reading whose chunks were never written, are cut off, or state sizes that cannot be."""
        if self._data.chunks is None and self._end is None:
            return []
        lost, chunked, three = [], self._data.chunks is not None, self._data.ndim == 3  # h5py asks the file each time
        # Beside HDF5's own handle, to look at the first bytes of a chunk without unpacking it.
        with open(self.path, "rb", buffering=0) as file:
            for part in self._parts(row, n_rows, first, n):
                corner = (row + part[0], *([polarisation] if three else []), first + part[2])
                reason = self._wrong(file.fileno(), corner) if chunked else self._cut_off(corner, part)
                if reason is not None:
                    lost.append(Loss(reason, *part))
        return lost

    def _cut_off(self, corner: tuple[int, ...], part: tuple[int, int, int, int]) -> Reason | None:
        """Where a file has no chunks: whether these values end beyond its end."""
        begin = self._data.id.get_offset()  # none where the values stand in the header
        if self._end is None or begin is None:
            return None
        before = int(np.ravel_multi_index(corner, self._data.shape)) + part[3] - part[2]
        return "cut off" if begin + before * self._data.dtype.itemsize > self._end else None

    def _wrong(self, file: int, corner: tuple[int, ...]) -> Reason | None:
        """Why the chunk that holds this value cannot be read; none: it can.

        An archive bomb is a chunk that unpacks to more than the dataset's chunks hold.
        """
        try:
            info = self._data.id.get_chunk_info_by_coord(corner)
        except (OSError, RuntimeError):  # where the list of chunks itself is damaged
            return "corrupt chunk" if self._end is None else "cut off"
        if info.byte_offset is None:
            return "chunk never written"
        if self._end is not None and info.byte_offset + info.size > self._end:
            return "cut off"
        if info.byte_offset + info.size > self._size:
            return "corrupt chunk"
        size = math.prod(self._data.chunks) * self._data.dtype.itemsize
        # Packed noise may be a little larger than it was, by a header for each block; without a filter it is as large.
        if info.size > size + size // 8 + 1024 or (not self._filters and info.size != size):
            return "corrupt chunk"
        skipped = info.filter_mask != 0  # HDF5 stores a chunk as it is where a filter could not make it smaller
        if self._filters & {_BITSHUFFLE, _LZ4} and not skipped:
            # both begin with the length that they unpack to, eight bytes, the highest first
            right = int.from_bytes(os.pread(file, 8, info.byte_offset), "big") == size
        elif _GZIP in self._filters and not skipped:
            right = _unzips_to(os.pread(file, info.size, info.byte_offset), size)
        else:
            right = True
        return None if right else "corrupt chunk"


def _dataset(file: Any) -> Any:
    """The dataset `data`, if all of it lies in this very file."""
    import h5py

    # Asked for as a link first: `file["data"]` follows one to another file, whose name a stranger has chosen.
    link = file.get("data", getlink=True)
    if link is None:
        raise KeyError("it holds no dataset 'data'")
    if not isinstance(link, h5py.HardLink):
        raise ValueError("its dataset 'data' is a link to somewhere else, which is not followed")
    data = file["data"]
    if not isinstance(data, h5py.Dataset):
        raise ValueError("its 'data' is no dataset")
    if data.is_virtual or data.external:
        raise ValueError("its values lie in other files, which are not opened")
    if data.ndim not in (2, 3) or data.dtype.kind not in "iuf":
        raise ValueError(f"its data are {data.ndim}-dimensional {data.dtype}, not numbers over time and frequency")
    return data


def _filters(data: Any) -> set[int]:
    """What the chunks are packed with, by HDF5's numbers."""
    plan = data.id.get_create_plist()
    codes = [plan.get_filter(place)[0] for place in range(plan.get_nfilters())]
    strange = [code for code in codes if code not in _PACKERS and code not in _OTHERS]
    if strange:
        raise ValueError(f"it is packed with HDF5 filter {strange[0]}; readable are {', '.join(_PACKERS.values())}")
    if sum(code in _PACKERS for code in codes) > 1:
        raise ValueError("its chunks are packed more than once")
    return set(codes)


def _words(data: Any, file: Any) -> dict[str, Any]:
    """The header: attributes of the dataset, or of the file."""
    import h5py

    # Numbers and texts. The library does not check the content of other types: a damaged one ends the whole process.
    plain = {h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM}
    words = {}
    for key in _WORDS:
        holder = data if key in data.attrs else file
        held = holder.attrs.get_id(key) if key in holder.attrs else None
        if held is not None and held.get_type().get_class() not in plain:
            raise ValueError(f"{key} is neither a number nor a text")
        shape = held.shape if held is not None else None
        if shape is not None:  # an empty attribute has none
            if math.prod(shape) != 1:
                raise ValueError(f"{key} holds {math.prod(shape):,} values")
            word = np.asarray(holder.attrs[key]).reshape(-1)[0]
            words[key] = word.decode("utf-8", errors="replace") if isinstance(word, bytes) else word
    return words


def _masked(values: Float[np.ndarray, "time freq"], lost: list[Loss]) -> Float[np.ndarray, "time freq"]:
    if lost and not values.flags.writeable:
        values = values.copy()
    for one in lost:
        values[one.row : one.row_end, one.channel : one.channel_end] = np.nan
    return values


def _steps(first: int, n: int, step: int) -> list[tuple[int, int]]:
    """(begin, end) of the pieces of first … first + n that multiples of `step` cut, counted from `first`."""
    edges = [first, *range((first // step + 1) * step, first + n, step), first + n]
    return [(low - first, high - first) for low, high in pairwise(edges)]


def _unzips_to(packed: bytes, size: int) -> bool:
    try:
        # at most one byte more than it should be, so that an archive bomb ends here
        return len(zlib.decompressobj().decompress(packed, size + 1)) == size
    except zlib.error:
        return False

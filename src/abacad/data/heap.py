"""Global heaps of HDF5 files, in which texts of any length lie: a damaged one makes the HDF5 library read for ever.

    GCOL, version 1, size of the heap | object: number, references, size, bytes | … | number 0: what is free, its size

The library walks from object to object by their sizes. Where the free rest says that it has no size, it never gets on
(HDF5 2.0.0, found by fuzzing), and holds Python's lock meanwhile. So the walk is made here first.
"""

import struct
from pathlib import Path

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD, _OBJECT = 16, 16  # bytes before the first object, and before the bytes of each
_LOOKED_AT = 1 << 22
"""Bytes at each end of the file; headers stand there, and a file of 100 GB is not read for them."""


def has_endless_heap(path: Path) -> bool:
    """Whether a global heap near one of the ends of a file would be walked for ever.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        begin = file.read(_LOOKED_AT)
        file.seek(max(len(begin), file.seek(0, 2) - _LOOKED_AT))
        return any(_is_endless(part) for part in (begin, file.read(_LOOKED_AT)))


def _is_endless(part: bytes) -> bool:
    place = part.find(_SIGNATURE)
    while place >= 0:
        if _never_ends(part[place : place + _size(part, place)]):
            return True
        place = part.find(_SIGNATURE, place + 1)
    return False


def _size(part: bytes, place: int) -> int:
    says = part[place + 8 : place + _HEAD]
    return min(int.from_bytes(says, "little"), len(part))


def _never_ends(heap: bytes) -> bool:
    """Walk as the library does; whether it stands still before the end."""
    place = _HEAD
    while place + _OBJECT <= len(heap):
        number, _, _, size = struct.unpack_from("<HHIQ", heap, place)
        step = size if number == 0 else _OBJECT + -(-size // 8) * 8
        if step == 0:
            return True
        place += step
    return False

"""Looks for a fault in an HDF5 file that makes the HDF5 library loop for ever when it opens the file.

HDF5 keeps texts of variable length, such as a source's name, in a *global heap*, a block of the file of this form:

    "GCOL", version 1, size of the heap | object: number, references, size, bytes | … | object 0: size of the free rest

The library steps from one object to the next by their sizes. If the free rest says that its size is 0, the step is 0
and the loop has no end (HDF5 2.0.0; a fuzzer came upon it). It holds Python's lock meanwhile, so that not even Ctrl-C
is heard. So the same steps are made here first, in bounded memory, and such a file is refused.
"""

import struct
from pathlib import Path

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD, _OBJECT = 16, 16  # bytes of the heap's own header, and of the header of each object
_LOOKED_AT = 1 << 22
"""Bytes that are looked at from each end of the file: heaps of the header stand there, and a file may have 100 GB."""


def has_endless_heap(path: Path) -> bool:
    """Whether the HDF5 library would never come to the end of a global heap of this file.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        begin = file.read(_LOOKED_AT)
        file.seek(max(len(begin), file.seek(0, 2) - _LOOKED_AT))  # a short file is not looked at twice
        return any(_is_endless(part) for part in (begin, file.read(_LOOKED_AT)))


def _is_endless(part: bytes) -> bool:
    place = part.find(_SIGNATURE)
    while place >= 0:
        if _never_ends(part[place : place + _size(part, place)]):
            return True
        place = part.find(_SIGNATURE, place + 1)  # by one byte: the size that the heap states is not believed here
    return False


def _size(part: bytes, place: int) -> int:
    """Bytes of the heap at a place, as it says itself, within what was read."""
    says = part[place + 8 : place + _HEAD]
    return min(int.from_bytes(says, "little"), len(part))


def _never_ends(heap: bytes) -> bool:
    """Whether the library's steps from object to object come to a stand before the heap's end."""
    place = _HEAD
    while place + _OBJECT <= len(heap):
        number, _, _, size = struct.unpack_from("<HHIQ", heap, place)
        # the bytes of an object are filled up to a multiple of 8; the free rest counts its own header
        step = size if number == 0 else _OBJECT + -(-size // 8) * 8
        if step == 0:
            return True
        place += step
    return False

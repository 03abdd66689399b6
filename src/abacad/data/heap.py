"""Looks for two faults in an HDF5 file before the HDF5 library meets them: it would loop for ever, or take 4 GB.

HDF5 keeps texts of variable length, such as a source's name, in a *global heap*, a block of the file of this form:

    "GCOL", version 1, size of the heap | object: number, references, size, bytes | … | object 0: size of the free rest

The library steps from one object to the next by their sizes. If the free rest says that its size is 0, the step is 0
and the loop has no end (HDF5 2.0.0; a fuzzer came upon it). It holds Python's lock meanwhile, so that not even Ctrl-C
is heard. So the same steps are made here first, in bounded memory, and such a file is refused.

An attribute that holds such a text holds its length and its place, and the library takes memory for the length before
it looks whether there is so much: 9 kB of a file could ask for 4 GB. An attribute stands in the file as

    version, flag | length of the name, of the type, of the shape | letters (version 3) | name, type, shape | content

where version 1 fills up each part to a multiple of 8 bytes.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAD, _OBJECT = 16, 16  # bytes of the heap's own header, and of the header of each object
_LOOKED_AT = 1 << 22
"""Bytes that are looked at from each end of the file: heaps of the header stand there, and a file may have 100 GB."""
_LONGEST_TEXT = 1 << 16  # bytes; of the names of a source and a telescope, and of numbers as text
_OF_ANY_LENGTH = 9  # HDF5's class of types of variable length


def has_endless_heap(path: Path) -> bool:
    """Whether the HDF5 library would never come to the end of a global heap of this file.

    Raises:
        OSError: the file cannot be read.
    """
    return any(_is_endless(part) for part in _ends(path))


def text_too_long(path: Path, names: Iterable[str]) -> str | None:
    """The name of an attribute whose text says that it has more bytes than any attribute may; None where there is none.

    Args:
        path: An HDF5 file.
        names: Attributes that are going to be read.

    Raises:
        OSError: the file cannot be read.
    """
    parts = list(_ends(path))
    found = ((name, length) for name in names for part in parts for length in _lengths(part, name.encode() + b"\0"))
    return next((name for name, length in found if length > _LONGEST_TEXT), None)


def _ends(path: Path) -> Iterator[bytes]:
    """The first and the last bytes of a file."""
    with open(path, "rb") as file:
        begin = file.read(_LOOKED_AT)
        yield begin
        file.seek(max(len(begin), file.seek(0, 2) - _LOOKED_AT))  # a short file is not looked at twice
        yield file.read(_LOOKED_AT)


def _lengths(part: bytes, name: bytes) -> Iterator[int]:
    """Lengths of the texts in attributes of that name, which ends in a zero byte."""
    for found in re.finditer(re.escape(name), part):
        for head in (8, 9):  # bytes before the name, in versions 1 and 2, and in 3
            begin = found.start() - head
            if begin >= 0 and part[begin] in ((1, 2) if head == 8 else (3,)):
                yield from _length(part, begin, found.start(), len(name))


def _length(part: bytes, begin: int, name_at: int, name_size: int) -> Iterator[int]:
    says, type_size, shape_size = struct.unpack_from("<HHH", part, begin + 2)
    step = 8 if part[begin] == 1 else 1
    type_at = name_at + -(-name_size // step) * step
    place = type_at + -(-type_size // step) * step + -(-shape_size // step) * step
    if says == name_size and place + 4 <= len(part) and part[type_at] & 15 == _OF_ANY_LENGTH:
        yield int.from_bytes(part[place : place + 4], "little")


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

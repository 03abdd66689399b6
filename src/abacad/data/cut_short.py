"""Opens HDF5 files that end too early, as a broken download or a full disk leaves them.

An HDF5 file says in its first bytes how long it was when it was closed, and the HDF5 library refuses one that is
shorter. But the header of a telescope file stands at its beginning, and says where each chunk of values lies: the
chunks before the end are sound. So the library is shown a file that goes on with zeros for ever, and `abacad.data.hdf5`
masks every value whose place is beyond the true end. Otherwise one broken panel would cost the other five of its
cadence.
"""

import errno
import io
import os
from pathlib import Path
from typing import Any

_MOST_BEYOND = 1 << 20  # bytes of zeros at once; nodes of HDF5's lists of chunks have 2 kB
_NO_END = 1 << 50  # bytes, 1 PB: where the library looks for the end; the length in the header has to lie below it


class _Longer(io.RawIOBase):
    """A file on disk with zeros after its end, as many as anyone asks for: the file object that h5py reads from."""

    _file = -1

    def __init__(self, path: Path) -> None:
        self._file, self._place = os.open(path, os.O_RDONLY), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        self._place = place + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: _NO_END}[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = memoryview(buffer).cast("B")
        # A damaged length makes HDF5 ask for gigabytes. It has reserved them, and no memory is taken until something is
        # written into them, so nothing is: values beyond the end are never asked for, and other parts are small.
        beyond = self._place + len(wanted) - os.fstat(self._file).st_size
        if min(beyond, len(wanted)) > _MOST_BEYOND:
            raise OSError(errno.EIO, f"{len(wanted):,} bytes from byte {self._place:,} on are not in this file")
        # A damaged file may lead anywhere, and the system knows no place of more than 63 bits.
        here = os.pread(self._file, len(wanted), self._place) if self._place < _NO_END else b""
        wanted[: len(here)] = here
        wanted[len(here) :] = bytes(len(wanted) - len(here))
        self._place += len(wanted)
        return len(wanted)

    def close(self) -> None:
        # A file that could not be opened is closed as well, when Python lets go of it.
        if not self.closed and self._file >= 0:
            os.close(self._file)
        super().close()


def open_hdf5(path: Path) -> tuple[Any, int | None]:
    """Open an HDF5 file for reading, even one that is cut short.

    Returns:
        The file, and its length in bytes where that is shorter than HDF5 left it; None where it is whole.

    Raises:
        OSError: it is damaged in another way; the message is that of the first try.
    """
    import h5py
    import hdf5plugin  # noqa: F401  # registers bitshuffle, which these files are packed with

    # First the usual way: h5py reads a Python file object through Python, which takes longer than by path.
    try:
        return h5py.File(path, "r"), None
    except OSError:
        try:
            return h5py.File(_Longer(path), "r"), os.stat(path).st_size
        except (OSError, RuntimeError):
            pass  # its length was not what is wrong with it
        raise
